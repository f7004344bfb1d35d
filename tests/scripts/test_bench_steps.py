"""scripts/bench/steps.py on a tiny run."""

import re
from pathlib import Path

from command_line import run_script
from toy_runs import RNN, config, write_run


def test_a_step_of_each_search_is_counted_and_timed(tmp_path: Path) -> None:
    run, checkout = write_run(tmp_path / "run", config(RNN)), Path(__file__).parents[2]
    options = ["--before", checkout, "--alone", 1, "--together", 2, "--rounds", 1, "--output", tmp_path / "page.md"]
    done = run_script("bench/steps", run, *options)
    assert done.returncode == 0, done.stderr
    assert done.stdout == (tmp_path / "page.md").read_text()
    rows = [line.strip("| ").split(" | ") for line in done.stdout.splitlines()[2:6]]
    assert [row[:3] for row in rows] == [
        ["run", search, many] for search in ("beam 5", "greedy") for many in ("1", "64")
    ]
    for row in rows:
        assert float(row[3]) == float(row[5]) > 20  # operations: those of the same program
        assert all(re.fullmatch(r"\d+\.\d\d", row[place]) for place in (4, 6, 7))
        assert row[8] == "0"
