"""`mt.train` is the command `mt train`, and its mistakes are told as the command tells them."""

import os
import re
import signal
from pathlib import Path
from typing import Any

import pytest
from command_line import mt
from toy_runs import RNN, config, write_run

import mt as library
from mt.training import experiment

CHANGES = [
    *("corpus.pairs=200", "corpus.held_out=10", "vocabulary.size=400", "model.embedding=8", "model.hidden=8"),
    *("model.encoder_hidden=4", "model.attention.width=8", "train.epochs=1", "threads=1"),
]


@pytest.fixture(autouse=True)
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def test_it_trains_what_the_command_trains() -> None:
    run = library.train("toy", changes=CHANGES)
    assert (run.path, run.is_trained, repr(run)) == (Path("runs/toy"), True, "<Run runs/toy: de to en, trained>")
    by_command = mt("train", "toy", *CHANGES, "--run", "by-command")
    assert by_command.returncode == 0
    assert re.search(r"trained in \d+ s: best validation", by_command.stderr)
    assert run.fingerprint == library.Run("by-command").fingerprint
    assert library.load(run.path).translate("Die Katze schläft.")
    with pytest.raises(library.UserError, match="already holds a run: continue it with --resume"):
        library.train("toy", changes=CHANGES)
    assert library.train("toy", changes=CHANGES, resume=True).fingerprint == run.fingerprint


def test_mistakes_are_told() -> None:
    with pytest.raises(library.UserError, match=r"unknown key train\.epoch in the command line: did you mean"):
        library.train("toy", changes=["train.epoch=3"])
    for call in (library.train, library.evaluate, library.load):
        with pytest.raises(library.UserError, match=r"changes are a list, .*: write changes=\['search.beam=3'\]"):
            call("toy" if call is library.train else write_run(Path("random"), config(RNN)), changes="search.beam=3")
    with pytest.raises(library.UserError, match="toi"):
        library.train("toi")


def test_ctrl_c_saves_and_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    train = experiment.train

    def interrupted(*arguments: Any, **options: Any) -> bool:
        def watch(update: int, total: int) -> None:
            if update == 2:
                os.kill(os.getpid(), signal.SIGINT)

        return train(*arguments, **options, watch=watch)

    monkeypatch.setattr(experiment, "train", interrupted)
    with pytest.raises(KeyboardInterrupt, match="all is saved in runs/toy, and resume=True goes on"):
        library.train("toy", changes=CHANGES)
    monkeypatch.undo()
    assert library.Run(tmp_path / "runs/toy").record["update"] == 2
    assert not library.Run(tmp_path / "runs/toy").is_finished
