"""scripts/bench.py without the peer; what the peer would be told; and the medians it prints."""

import re
import subprocess
import sys
from pathlib import Path

import pytest
from conftest import ENVIRONMENT
from test_scripts import script

from mt import config_file
from mt.errors import UserError
from mt.lab import peer

ROOT = Path(__file__).parent.parent


def test_without_the_peer_it_measures_ours_alone(numbers: Path, tmp_path: Path) -> None:
    command = [sys.executable, str(ROOT / "scripts/bench.py"), str(numbers.parent / "numbers.yaml")]
    options = ["--updates", "20", "--rounds", "2", "--output", str(tmp_path / "bench.md")]
    done = subprocess.run([*command, *options], capture_output=True, text=True, env=ENVIRONMENT, check=False)
    assert done.returncode == 0, done.stderr
    page = (tmp_path / "bench.md").read_text()
    assert done.stdout.endswith(page)
    share = re.search(r"of a large matmul's \| ([\d.]+) % \|", page)
    assert share is not None
    assert 0 < float(share[1]) < 100
    assert "1 threads, 2 rounds" in page
    assert "JoeyNMT" not in page.partition("\n\n")[0]


def test_a_ratio_is_the_median_over_rounds() -> None:
    bench = script("bench")
    rounds = [bench.Round(300.0, 0.5, 100.0), bench.Round(100.0, 0.4, 50.0), bench.Round(800.0, 0.6, 200.0)]
    page = bench.table(rounds, 2048, 2, "x.yaml")
    assert "| our FLOPs a second, of a large matmul's | 50.00 % | 40.00–60.00 |" in page
    assert "JoeyNMT's (its batch: 2048 pieces) | 3.00 x | 2.00–4.00 |" in page


def test_the_peer_is_told_what_we_are_told(tmp_path: Path) -> None:
    ours = config_file.load(ROOT / "configs/bench.yaml", ["model.hidden=192", "model.dropout.readout=0.2"])
    told = peer.settings(ours, tmp_path, 40, 1024)
    decoder, training = told["model"]["decoder"], told["training"]
    assert (decoder["hidden_size"], decoder["hidden_dropout"], decoder["attention"]) == (192, 0.2, "bahdanau")
    assert decoder["input_feeding"] is True
    assert decoder["embeddings"]["embedding_dim"] == told["model"]["encoder"]["embeddings"]["embedding_dim"] == 256
    assert (training["updates"], training["batch_size"], training["label_smoothing"]) == (40, 1024, 0.1)
    assert (told["data"]["src"]["lang"], told["data"]["trg"]["lang"]) == ("de", "en")
    with pytest.raises(UserError, match="kind rnn and one layer"):
        peer.settings(config_file.load(ROOT / "configs/bench.yaml", ["model.layers=2"]), tmp_path, 40, 1024)
