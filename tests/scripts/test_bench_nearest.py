"""scripts/bench/nearest.py on an old run."""

import shutil
from pathlib import Path

import pytest
import torch
from script_loader import script

from mt.neighbours.datastore import write_clusters
from mt.runs.run import Run

bench = script("bench/nearest")
OLD = Path(__file__).parents[1] / "old_runs/nearest"


def test_recall_is_the_share_of_the_exact_neighbours() -> None:
    exact = torch.tensor([[1, 2, 3, 4], [5, 6, 7, 8]])
    assert bench.recall(torch.tensor([[4, 3, 2, 1], [8, 0, 0, 0]]), exact) == 5 / 8


def test_each_index_has_a_row_beside_the_exact_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    pytest.importorskip("faiss")
    run = shutil.copytree(OLD, tmp_path / "run")
    write_clusters(Run(run))
    threads = torch.get_num_threads()
    monkeypatch.setattr(bench, "_measure", lambda *given: bench.Found(*bench.measure(*given)))
    bench.nearest(run, sentences=4, count=[4], probes=[1, 1000], note="A note.", output=tmp_path / "page.md")
    torch.set_num_threads(threads)
    page = (tmp_path / "page.md").read_text()
    assert capsys.readouterr().out == page
    rows = [line.strip("| ").split(" | ") for line in page.splitlines()[2:6]]
    assert [row[0] for row in rows] == ["none", "exact", "faiss, 1 probes", "faiss, 1000 probes"]
    assert [row[3] for row in rows[1::2]] == ["100.0%", "100.0%"]
    assert 0 < float(rows[2][3].rstrip("%")) <= 100
    assert rows[1][4] == rows[3][4]
    assert "\n\nA note.\n\n" in page
    assert "the first 4 sentences of toy's validation" in page
