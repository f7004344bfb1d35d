"""Too little memory is told in a sentence, with what to lower."""

import resource
import sys
from pathlib import Path

import numpy as np
import pytest
import torch
from command_line import mt

from mt.core.errors import UserError
from mt.core.memory import is_shortage, telling_shortage
from mt.inference.translator import Translator


def shortages() -> list[BaseException]:
    found: list[BaseException] = []
    for ask in (
        lambda: torch.empty(2**50),
        lambda: torch.empty((2**40, 2**40)),
        lambda: np.zeros(2**50),
        lambda: bytearray(2**60),
    ):
        try:
            ask()
        except (RuntimeError, MemoryError, ValueError) as error:
            found.append(error)
    return [*found, torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 20.00 GiB. GPU 0 has")]


def test_a_shortage_is_told_from_other_errors() -> None:
    found = shortages()
    assert len(found) == 5
    assert all(map(is_shortage, found))
    assert not any(map(is_shortage, [RuntimeError("mat1 and mat2 shapes cannot be multiplied"), ValueError("memory")]))
    with pytest.raises(RuntimeError, match="shapes"), telling_shortage("lower it"):
        raise RuntimeError("shapes")


def test_it_says_how_much_was_asked_for() -> None:
    told = []
    for error in shortages():
        with pytest.raises(UserError) as caught, telling_shortage("lower it"):
            raise error
        told.append(str(caught.value))
    assert told[0] == "not enough memory for 4,194,304.0 GiB more: lower it"
    assert told[-1] == "not enough memory for 20.00 GiB more: lower it"
    assert all(one.endswith(": lower it") for one in told)


@pytest.mark.parametrize(
    ("command", "remedy"),
    [
        (("translate", "RUN", "x"), "lower search.batch or search.beam"),
        (("eval", "RUN"), "lower search.batch or search.beam"),
        (("datastore", "RUN"), "lower train.batch_tokens or model.hidden"),
    ],
)
def test_a_command_ends_in_a_sentence(
    command: tuple[str, ...], remedy: str, numbers: object, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*arguments: object, **options: object) -> None:
        torch.empty(2**50)

    monkeypatch.setattr(Translator, "translate", fail)
    monkeypatch.setattr("mt.neighbours.datastore.write_datastore", fail)
    done = mt(*(numbers if word == "RUN" else word for word in command))
    assert done.returncode == 1
    assert done.stderr.endswith(f"mt: not enough memory for 4,194,304.0 GiB more: {remedy}\n")
    assert "Traceback" not in done.stderr


@pytest.mark.skipif(sys.platform != "linux", reason="only there is a limit on addresses")
def test_training_ends_in_a_sentence(tmp_path: Path) -> None:
    size = int(Path("/proc/self/statm").read_text().split()[0]) * resource.getpagesize()
    before = resource.getrlimit(resource.RLIMIT_AS)
    small = ("corpus.pairs=300", "corpus.held_out=20", "vocabulary.size=330")
    resource.setrlimit(resource.RLIMIT_AS, (size + (4 << 30), before[1]))
    try:
        done = mt("train", "toy", "model.hidden=65536", *small, "--run", tmp_path / "run")
    finally:
        resource.setrlimit(resource.RLIMIT_AS, before)
    assert done.returncode == 1, done.stderr
    assert "not enough memory for " in done.stderr.splitlines()[-1]
    assert " GiB more: lower train.batch_tokens or model.hidden, and give --overwrite, since " in done.stderr
    assert done.stderr.endswith(" holds nothing yet that would be lost\n")
    assert "Traceback" not in done.stderr
