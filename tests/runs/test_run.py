"""A run as an object: each of its files is read once, and what is read stays one set of weights."""

import builtins
import contextlib
import io
from collections import Counter
from pathlib import Path
from typing import Any

import pytest
from toy_runs import RNN, config, write_run

from mt.core.errors import UserError
from mt.evaluation.evaluate import Asked, evaluate
from mt.runs import checkpoint
from mt.runs import run as runs
from mt.runs.names import ARCHIVES, FILES, FOLDERS
from mt.runs.run import Run, latest


def test_an_evaluation_reads_each_file_of_the_run_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    run, opened = write_run(tmp_path / "run", config(RNN)), Counter[str]()
    real = io.open

    def count(file: Any, mode: str = "r", *rest: Any, **options: Any) -> Any:
        if isinstance(file, str | Path) and Path(file).parent == run and "r" in mode and "+" not in mode:
            opened[Path(file).name] += 1
        return real(file, mode, *rest, **options)

    monkeypatch.setattr(io, "open", count)
    monkeypatch.setattr(builtins, "open", count)
    read = Counter[str]()
    for name in ("read_bytes", "read_text"):
        original = getattr(Path, name)

        def watch(self: Path, *rest: Any, original: Any = original, **options: Any) -> Any:
            read[self.name] += self.parent == run
            return original(self, *rest, **options)

        monkeypatch.setattr(Path, name, watch)
    builds: list[object] = []
    build = checkpoint.load_model
    monkeypatch.setattr(checkpoint, "load_model", lambda *given: builds.append(given) or build(*given))
    one = Run(run)
    evaluate(one, Asked())
    once = {"config.yaml", "tokenizer.model", "model.safetensors"}

    assert {name: max(read[name], opened[name]) for name in once} == dict.fromkeys(once, 1)
    assert len(builds) == 1


def test_a_run_is_a_snapshot(tmp_path: Path) -> None:
    path = write_run(tmp_path / "run", config(RNN))
    one = Run(path)
    mine = one.fingerprint
    write_run(path, config(RNN), seed=5)  # by a training that goes on
    assert one.fingerprint == mine != Run(path).fingerprint
    assert one.model is one.model


def test_what_is_no_run_and_what_has_no_model_is_said(tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r"is not a run directory: it has no config\.yaml and tokenizer"):
        _ = Run(tmp_path).model
    path = write_run(tmp_path / "run", config(RNN))
    assert latest(tmp_path).path == path
    with pytest.raises(UserError, match=r"rnu is not a run directory: there is no such folder; did you mean .*/run\?"):
        _ = Run(tmp_path / "rnu").model
    with pytest.raises(UserError, match="lists those beside it"):
        _ = Run(tmp_path / "other").model
    (path / "model.safetensors").unlink()
    assert Run(path).fingerprint == ""
    with pytest.raises(UserError, match="has no trained model yet"):
        _ = Run(path).model
    with pytest.raises(UserError, match="no trained run in"):
        latest(tmp_path)


def test_removing_a_run_leaves_what_is_not_its_own(tmp_path: Path) -> None:
    run = Run(write_run(tmp_path / "run", config(RNN)))
    evaluate(run)
    (run / "notes.txt").write_text("mine")
    assert {path.name for path in run.path.iterdir()} - {"notes.txt", "tokenizer.model"} <= {*FILES, *FOLDERS}
    run.remove()
    assert [path.name for path in run.path.iterdir()] == ["notes.txt"]
    assert not run.may_begin()
    (run / "notes.txt").unlink()
    assert run.may_begin()


def test_a_run_of_a_newer_version_is_refused(tmp_path: Path) -> None:
    run = Run(write_run(tmp_path / "run", config(RNN)))
    checkpoint.save(run / "state.safetensors", {}, {"format": runs.FORMAT, "finished": True})
    assert Run(run.path).is_finished
    checkpoint.save(run / "state.safetensors", {}, {"format": runs.FORMAT + 1, "finished": True})
    with pytest.raises(UserError, match="was written by a newer version of mt"):
        _ = Run(run.path).is_finished


def test_a_damaged_file_of_a_run_is_named(tmp_path: Path) -> None:
    run = Run(write_run(tmp_path / "run", config(RNN)))
    (run / "metrics.jsonl").write_text('{"upd')
    with pytest.raises(UserError, match=r"metrics\.jsonl is damaged"):
        _ = Run(run.path).validations


def test_a_removal_that_was_killed_leaves_what_is_still_known_as_a_run(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    class KilledError(Exception):
        pass

    for allowed in range(6):
        run = Run(write_run(tmp_path / str(allowed), config(RNN)))
        (run / "cache").mkdir()
        checkpoint.save(run / "state.safetensors", {}, {})
        left, unlink = [allowed], Path.unlink

        def dying(self: Path, missing_ok: bool = False, left: list[int] = left, unlink: Any = unlink) -> None:
            left[0] -= 1
            if left[0] < 0:
                raise KilledError
            unlink(self, missing_ok)

        with monkeypatch.context() as patch:
            patch.setattr(Path, "unlink", dying)
            with contextlib.suppress(KilledError):
                run.remove()
        again = Run(run.path)
        assert again.exists or again.may_begin(), allowed


@pytest.mark.parametrize("suffix", ARCHIVES)
def test_a_packed_archive_is_to_be_unpacked(suffix: str, tmp_path: Path) -> None:
    (tmp_path / f"run{suffix}").touch()
    with pytest.raises(UserError, match="it is an archive: unpack it"):
        _ = Run(tmp_path / f"run{suffix}").model


def test_a_run_that_is_named_without_its_folder_is_found(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write_run(tmp_path / "runs/anki", config(RNN))
    monkeypatch.chdir(tmp_path)
    with pytest.raises(UserError, match=r"did you mean runs/anki\?"):
        _ = Run("anki").model
