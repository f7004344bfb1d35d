"""scripts/bench/weights.py on a tiny run."""

import re
from pathlib import Path

import pytest
import torch
from command_line import run_script
from toy_runs import RNN, config, write_run


@pytest.mark.skipif(torch.backends.quantized.engine not in {"x86", "fbgemm"}, reason="this PyTorch packs no weights")
def test_each_way_is_timed_and_compared(tmp_path: Path) -> None:
    run = write_run(tmp_path / "run", config(RNN))
    options = ["--timed", 2, "--scored", 3, "--rounds", 1, "--output", tmp_path / "page.md"]
    done = run_script("bench/weights", run, *options)
    assert done.returncode == 0, done.stderr
    assert done.stdout == (tmp_path / "page.md").read_text()
    rows = [[cell.strip() for cell in line.strip("|").split("|")] for line in done.stdout.splitlines()[4:]]
    rows = [row for row in rows if len(row) == 8]
    assert [row[:2] for row in rows if row[0] != "bfloat16"] == [
        ["float32", "none"],
        ["float16", "none"],
        ["int8", "none"],
        *(["float32", count] for count in ("50", "100", "200")),
        ["float16", "100"],
        ["int8", "100"],
    ]
    assert rows[0][2:5] == ["1.00 x", "1.00 x", "3 of 3"]
    assert [row[6] == "" for row in rows] == [True] + [False] * (len(rows) - 1)
    for row in rows:
        assert all(re.fullmatch(r"\d+\.\d\d x", ratio) for ratio in row[2:4])
        alone, together = map(int, row[7].split(" and "))
        assert (alone == together) if row[1] == "none" else (alone <= together)
