"""The program that measures a long stream, over a short one."""

import re
from pathlib import Path

from command_line import run_script
from toy_runs import RNN, config, write_run


def test_a_short_stream_is_measured(tmp_path: Path) -> None:
    run = write_run(tmp_path / "run", config(RNN))
    done = run_script("reliability/stream", run, "--lines", 20, "--ask", "--beam 2 --n-best 2 --alignments a")
    assert done.returncode == 0, done.stderr
    assert re.search(r"^\| 20 \| \d{3,4} \| \d+ \|$", done.stdout, re.MULTILINE)
    assert not list(Path.cwd().glob("a.*"))
