"""Standard input and output: UTF-8 in every locale; closed, full, or read by nobody, they end in a sentence."""

import os
import subprocess
import sys
import threading
from pathlib import Path

import pytest
from command_line import ENVIRONMENT, mt
from conftest import write_numbers
from toy_runs import RNN, config, write_run

from mt.core.errors import UserError
from mt.evaluation.align import Pairs, Wanted, align
from mt.evaluation.evaluate import Asked, evaluate
from mt.lab.diagnosis.case import Case
from mt.lab.diagnosis.diagnose import diagnose
from mt.runs.run import Run
from mt.training.experiment import train

GREEK = "Ἐν ἀρχῇ ἦν ὁ λόγος – schön"
BEGIN = "import sys; from mt import cli; from mt.core.arriving import from_pipe; "
PRINT = f"{BEGIN}cli.main(lambda: print({GREEK!a}))"
MUCH = f"{BEGIN}cli.main(lambda: [print({GREEK!a}, flush=True) for _ in range(100000)] and None)"
READ = f"{BEGIN}cli.main(lambda: print(*from_pipe(sys.stdin.buffer, 'standard input')))"
FAIL = f"{BEGIN}from mt.core.errors import UserError\ndef f(): raise UserError('wrong')\ncli.main(f)"


def shell(program: str, around: str, **environment: str) -> subprocess.CompletedProcess[bytes]:
    """Run a program of Python by a line of shell, in which it is "$@"."""
    command = ["bash", "-o", "pipefail", "-c", around, "bash", sys.executable, "-c", program]
    return subprocess.run(
        command, capture_output=True, env=ENVIRONMENT | {"PYTHONUNBUFFERED": ""} | environment, timeout=60, check=False
    )


def test_output_and_input_are_utf8_in_every_locale() -> None:
    for environment in ({"PYTHONIOENCODING": "cp1252"}, {"LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"}):
        done = shell(PRINT, '"$@"', **environment)
        assert (done.returncode, done.stdout.decode()) == (0, GREEK + "\n")
        done = shell(READ, f"echo '{GREEK}' | \"$@\"", **environment)
        assert (done.returncode, done.stdout.decode()) == (0, f"{[GREEK]}\n")


@pytest.mark.parametrize(
    ("program", "around", "code", "said"),
    [
        (PRINT, '"$@" >&-', 1, "mt: cannot write standard output: Bad file descriptor\n"),
        (PRINT, '"$@" >/dev/full', 1, "mt: cannot write standard output: No space left on device\n"),
        (MUCH, '"$@" >/dev/full', 1, "mt: cannot write standard output: No space left on device\n"),
        (READ, '"$@" <&-', 1, "mt: cannot read standard input: Bad file descriptor\n"),
        (MUCH, '"$@" | head -n 1', 1, ""),
        (PRINT, '"$@" 2>&-', 0, ""),
        (FAIL, '"$@" 2>&-', 1, ""),
        (FAIL, '"$@" >&-', 1, "mt: wrong\n"),
        (FAIL, '"$@" >&- 2>&- <&-', 1, ""),
    ],
)
def test_a_stream_that_is_not_there_ends_in_a_sentence_or_silently(
    program: str, around: str, code: int, said: str
) -> None:
    done = shell(program, around)
    assert (done.returncode, done.stderr.decode()) == (code, said)
    assert program != FAIL or done.stdout == b""


# threads


def test_training_and_translating_work_in_a_thread(tmp_path: Path) -> None:
    """Where Python lets nobody set handlers of signals."""
    told: list[object] = []

    def work() -> None:
        options = "train.epochs=1", "model.hidden=16", "model.embedding=16", "search.beam=1"
        told.append(mt("train", write_numbers(tmp_path, 200), *options, "--run", tmp_path / "run"))
        told.append(mt("translate", tmp_path / "run", "eins"))

    # mt() puts back a handler of its own, which is not what is asked here.
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("command_line.signal.signal", only_in_the_main_thread)
        thread = threading.Thread(target=work)
        thread.start()
        thread.join(300)
    assert [getattr(done, "returncode", done) for done in told] == [0, 0], told
    assert "handler" not in str(told)


def only_in_the_main_thread(number: int, handler: object) -> None:
    """Fail where it is called in a thread, but by what puts back how the test found it."""
    caller = sys._getframe(1).f_code.co_filename
    if not caller.endswith("command_line.py"):
        raise ValueError("signal only works in main thread of the main interpreter")


# what is written where it cannot be


def test_a_place_that_cannot_be_written_is_told_before_the_work(tmp_path: Path) -> None:
    path = write_run(tmp_path / "run", config(RNN))
    (tmp_path / "file").write_text("")
    before = sorted(os.listdir(path))
    run = Run(path)
    run.__dict__["model"] = None  # which would fail
    refused = mt("report", path, "-o", tmp_path / "file/report.html")
    assert refused.stderr == f"mt: cannot write {tmp_path}/file/report.html: {tmp_path}/file is no folder\n"
    with pytest.raises(UserError, match="file is no folder"):
        train(config(RNN), tmp_path / "file/run")
    assert sorted(os.listdir(path)) == before
    for name in ("align", "eval"):
        (path / name).write_text("")
    (path / "diagnosis.json").mkdir()
    run = Run(path)
    with pytest.raises(UserError, match="run/align is no folder"):
        align(run, Pairs(), Wanted(), None, None)
    with pytest.raises(UserError, match="run/eval is no folder"):
        evaluate(run, Asked())
    with pytest.raises(UserError, match=r"diagnosis\.json: it is a folder"):
        diagnose(Case(run, "test", quick=True, against=None))
