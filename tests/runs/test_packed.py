"""A packed run: what a stranger needs, and nothing of the trainer's machine."""

import hashlib
import json
import os
import shutil
from pathlib import Path

import pytest
import yaml
from command_line import mt
from toy_runs import RNN, config, write_run

import mt as library
from mt.config import Config
from mt.core.errors import UserError
from mt.runs.packed import pack, without_places
from mt.runs.run import Run


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a run of a few updates, on files of a home, that was scored alone and with another."""
    home = tmp_path_factory.mktemp("home") / "secret-name"
    (home / "texts").mkdir(parents=True)
    words = ["eins", "zwei", "drei", "vier", "fünf", "sechs", "sieben", "acht", "neun", "zehn"]
    lines = [f"{a} {b} {c}" for a in words for b in words for c in words[:3]]
    for side in ("de", "en"):
        (home / "texts" / f"all.{side}").write_text("".join(f"{line} {side}\n" for line in lines))
    tree = config(RNN).model_dump(mode="json") | {
        "corpus": {
            "name": "files", "source": "de", "target": "en", "held_out": 8,
            "train": [f"{home}/texts/all.de", f"{home}/texts/all.en"],
        },
        "vocabulary": {"size": 300},
        "train": {"epochs": 1, "batch_tokens": 500},
    }  # fmt: skip
    (home / "mine.yaml").write_text(yaml.safe_dump(tree))
    run = home / "runs" / "mine"
    assert mt("train", home / "mine.yaml", "--run", run).returncode == 0
    shutil.copytree(run, home / "runs" / "twin")
    for arguments in ((), ("--with", home / "runs" / "twin")):
        assert mt("eval", run, *arguments).returncode == 0
    return run


@pytest.fixture
def packed(trained: Path, tmp_path: Path) -> Path:
    done = mt("pack", trained, "--to", tmp_path / "theirs")
    assert (done.returncode, done.stdout) == (0, f"packed as {tmp_path / 'theirs'}\n")
    assert "secret-name/texts/all.de, which is all.de in the packed run" in done.stderr
    return tmp_path / "theirs"


def files(folder: Path) -> set[str]:
    return {path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()}


def test_it_has_what_a_stranger_needs_and_no_more(packed: Path) -> None:
    assert files(packed) == {
        *("config.yaml", "tokenizer.model", "model.safetensors", "metrics.jsonl", "packed.json", "manifest.json"),
        *("README.md", "eval/test/scores.json", "eval/test/alignments.npz", "eval/test/alignments.pharaoh"),
    }
    assert [path.name for path in packed.parent.iterdir() if path != packed] == []
    for name in files(packed):
        assert b"secret-name" not in (packed / name).read_bytes(), name
    assert Run(packed).config.corpus.train == ("all.de", "all.en")
    listed = json.loads((packed / "manifest.json").read_text())["files"]
    sums = {name: hashlib.sha256((packed / name).read_bytes()).hexdigest() for name in files(packed)}
    assert {name: one["sha256"] for name, (one,) in listed.items()} == {
        name: one for name, one in sums.items() if name not in {"README.md", "manifest.json"}
    }


def test_it_translates_and_is_scored_where_its_corpus_is(packed: Path, trained: Path) -> None:
    lines = ["eins zwei drei de", "zehn acht"]
    found = [[(one.text, one.score) for one in library.load(run).translate(lines)] for run in (packed, trained)]
    assert found[0] == found[1]
    assert Run(packed).is_trained
    assert "has no scores" not in mt("runs", packed.parent).stdout
    done = mt("eval", packed, cwd=packed.parent)
    assert (done.returncode, "cannot read all.de" in done.stderr) == (1, True), done.stderr
    texts = trained.parent.parent / "texts"
    for side in ("de", "en"):
        shutil.copy(texts / f"all.{side}", packed.parent)
    before = json.loads((packed / "eval/test/scores.json").read_text())
    done = mt("eval", packed, cwd=packed.parent)
    assert done.returncode == 0, done.stderr
    assert json.loads((packed / "eval/test/scores.json").read_text()) == before
    (packed.parent / "all.de").write_text((texts / "all.de").read_text().replace("eins", "ein"))
    assert "the data has changed since" in mt("eval", packed, cwd=packed.parent).stderr


def test_damage_is_named(packed: Path) -> None:
    data = bytearray((packed / "model.safetensors").read_bytes())
    data[-1] ^= 1
    (packed / "model.safetensors").write_bytes(data)
    with pytest.raises(UserError, match=r"model\.safetensors is damaged"):
        library.load(packed)


@pytest.mark.parametrize("option", ["--resume", "--overwrite", None])
def test_it_is_not_trained(packed: Path, option: str | None) -> None:
    before = {name: (packed / name).read_bytes() for name in files(packed)}
    done = mt("train", packed / "config.yaml", "--run", packed, *([option] if option else []))
    assert done.returncode == 1
    assert "is a packed run, which has no state to train from: begin another run" in done.stderr
    assert {name: (packed / name).read_bytes() for name in files(packed)} == before


@pytest.mark.parametrize("suffix", [".zip", ".tar", ".tar.gz", ".tgz"])
def test_an_archive_holds_the_same(packed: Path, trained: Path, tmp_path: Path, suffix: str) -> None:
    made = [pack(Run(trained), tmp_path / f"{name}{suffix}") for name in "ab"]
    shutil.unpack_archive(made[0], tmp_path / "out")
    found = tmp_path / "out" / "mine"
    for name in files(packed) - {"manifest.json"}:
        assert (found / name).read_bytes() == (packed / name).read_bytes(), name
    assert library.load(found).translate("eins")
    assert os.environ.get("USER", "root").encode() not in made[0].read_bytes()[:2000]


def test_what_is_there_stays_and_a_packed_run_can_be_packed(packed: Path, trained: Path, tmp_path: Path) -> None:
    for place in (packed, packed / "config.yaml"):
        with pytest.raises(UserError, match="is there already"):
            pack(Run(trained), place)
    again = pack(Run(packed), tmp_path / "again")
    assert files(again) == files(packed)
    untrained = write_run(tmp_path / "untrained", config(RNN))
    (untrained / "model.safetensors").unlink()
    with pytest.raises(UserError, match="has no trained model yet"):
        pack(Run(untrained), tmp_path / "never")
    assert not (tmp_path / "never").exists()


def test_an_archive_is_of_a_known_kind_and_is_unpacked_first(trained: Path, tmp_path: Path) -> None:
    done = mt("pack", trained, "--to", tmp_path / "x.tar.zst")
    assert (done.returncode, "an archive is one of .zip, .tar, .tar.gz, .tgz" in done.stderr) == (1, True)
    assert mt("pack", trained, "--to", tmp_path / "x.zip").returncode == 0
    done = mt("translate", tmp_path / "x.zip", "eins")
    assert (done.returncode, "x.zip is not a run directory: it is an archive: unpack it" in done.stderr) == (1, True)


def test_scores_of_other_weights_are_left_out(trained: Path, tmp_path: Path) -> None:
    run = shutil.copytree(trained, tmp_path / "run")
    scores = json.loads((run / "eval/test/scores.json").read_text())
    (run / "manifest.json").unlink()
    (run / "eval/test/scores.json").write_text(json.dumps(scores | {"weights": ["0"]}))
    assert not [name for name in files(pack(Run(run), tmp_path / "packed")) if name.startswith("eval")]


def test_scores_of_another_search_and_large_alignments_are_left_out(
    trained: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = shutil.copytree(trained, tmp_path / "run")
    shutil.copytree(run / "eval/test", run / "eval/test@beam-1")
    sizes = sum((run / "eval/test" / name).stat().st_size for name in ("alignments.npz", "alignments.pharaoh"))
    for most, kept in ((sizes, 3), (sizes - 1, 1)):
        monkeypatch.setattr("mt.runs.packed.LARGEST", most)
        found = files(pack(Run(run), tmp_path / f"packed-{most}"))
        assert sum(name.startswith("eval/test/") for name in found) == kept
        assert not any(name.startswith("eval/test@") for name in found)


def test_what_is_damaged_is_not_packed(trained: Path, tmp_path: Path) -> None:
    run = shutil.copytree(trained, tmp_path / "run")
    data = (run / "eval/test/alignments.npz").read_bytes()
    (run / "eval/test/alignments.npz").write_bytes(data[:-1] + bytes([data[-1] ^ 1]))
    with pytest.raises(UserError, match=r"alignments\.npz is damaged"):
        pack(Run(run), tmp_path / "packed")


def test_all_that_translation_reads_comes_along(tmp_path: Path) -> None:
    run = write_run(tmp_path / "run", config(RNN))
    read = {"alignment.json", "confidence.json", "shortlist.safetensors"}
    for name in (*read, "state.safetensors.old", "film.jsonl", "updates.jsonl", "diagnosis.json", "curves.svg"):
        (run / name).write_text("{}")
    found = files(pack(Run(run), tmp_path / "packed"))
    assert found == read | {
        *("config.yaml", "tokenizer.model", "model.safetensors", "metrics.jsonl"),
        *("packed.json", "manifest.json", "README.md"),
    }


def test_without_it_nothing_is_half_there(trained: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("mt.runs.packed.write_card", lambda *_: (_ for _ in ()).throw(OSError(28, "No space left")))
    with pytest.raises(OSError, match="No space"):
        pack(Run(trained), tmp_path / "a")
    assert [*tmp_path.iterdir()] == []


@pytest.mark.parametrize(
    ("given", "left"),
    [
        (["/home/ann/a.de", "/home/ann/a.en"], ["a.de", "a.en"]),
        (["/home/ann/de/all", "/home/ann/en/all"], ["de/all", "en/all"]),
        (["../ann/a.de", "~/a.en"], ["a.de", "a.en"]),
        (["data/a.de", "C:\\Users\\ann\\a.en"], ["data/a.de", "a.en"]),
    ],
)
def test_of_a_path_only_its_end_is_left(given: list[str], left: list[str]) -> None:
    tree = {"corpus": {"name": "files", "source": "de", "target": "en", "train": given}}
    assert list(without_places(Config.model_validate(tree)).corpus.train) == left


def test_neighbours_come_along_where_they_vote(tmp_path: Path) -> None:
    for name, count in {"none": 0, "some": 2}.items():
        made = config(RNN)
        nearest = made.search.nearest.model_copy(update={"count": count})
        search = made.search.model_copy(update={"nearest": nearest})
        run = write_run(tmp_path / name, made.model_copy(update={"search": search}))
        assert mt("datastore", run).returncode == 0
        packed = pack(Run(run), tmp_path / f"{name}-packed")
        assert ("datastore.safetensors" in files(packed)) == bool(count)
        assert library.load(packed).translate("Ein Hund")
    data = (packed / "datastore.safetensors").read_bytes()
    (packed / "datastore.safetensors").write_bytes(data[:-1])
    with pytest.raises(UserError, match=r"datastore\.safetensors is damaged; restore it \("):
        library.load(packed)


def test_clusters_are_not_packed_and_are_made_from_the_datastore(tmp_path: Path) -> None:
    pytest.importorskip("faiss")
    made = config(RNN)
    nearest = made.search.nearest.model_copy(update={"count": 2, "index": "faiss"})
    search = made.search.model_copy(update={"nearest": nearest})
    run = write_run(tmp_path / "run", made.model_copy(update={"search": search}))
    assert mt("datastore", run).returncode == 0
    assert (run / "datastore.faiss").exists()
    packed = pack(Run(run), tmp_path / "packed")
    assert {"datastore.safetensors", "datastore.faiss"} & {*files(packed)} == {"datastore.safetensors"}
    assert library.load(packed).translate("Ein Hund")[0].text == library.load(run).translate("Ein Hund")[0].text
