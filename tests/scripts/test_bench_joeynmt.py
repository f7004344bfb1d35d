"""scripts/bench without the peer; what the peer would be told; and the medians it prints."""

import json
import math
import re
import sys
from collections import defaultdict
from datetime import datetime
from pathlib import Path
from types import SimpleNamespace

import pytest
import yaml
from command_line import run_script
from script_loader import script

from mt.config.files import read_config
from mt.core.device import has_bfloat16
from mt.core.errors import UserError

ROOT = Path(__file__).parents[2]
bench = script("bench/against_joeynmt")
peer, speed = sys.modules["peer"], bench.speed


def test_without_the_peer_it_measures_ours_alone(
    numbers: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(speed, "WARM", 2)
    monkeypatch.setattr(speed, "SIDE", 512)
    options = ["--quick", "--updates", 4, "--output", tmp_path / "bench.md"]
    done = run_script("bench/against_joeynmt", numbers.parent / "numbers.yaml", *options)
    assert done.returncode == 0, done.stderr
    page = (tmp_path / "bench.md").read_text()
    assert done.stdout.endswith(page)
    shares = re.findall(r"in (float32|bfloat16) training, of a large float32 matmul's \| ([\d.]+) % \|", page)
    assert [name for name, _ in shares] == ["float32", "bfloat16"][: 1 + has_bfloat16()]
    assert 0 < float(shares[0][1]) < 100
    assert float(shares[-1][1]) > 0
    assert "not measured" in done.stdout
    assert "JoeyNMT" not in page


def test_a_ratio_is_the_median_over_rounds(tmp_path: Path) -> None:
    share, training = bench.SHARE.format("float32"), bench.TRAINING.format("float32")
    figures = {share: [50.0, 40.0, 60.0], training: [3.0, 2.0, 4.5], "words a second, ours": [7.0]}
    page = bench.table(figures)
    assert "| our FLOPs a second in float32 training, of a large float32 matmul's | 50.00 % | 40.00–60.00 |" in page
    assert "| training in float32, target pieces a second | 3.00 x | 2.00–4.50 |" in page
    assert "| words a second, ours | 7.00 | 7.00–7.00 |" in page
    bench.draw(tmp_path / "bench.svg", figures)
    assert (tmp_path / "bench.svg").read_bytes().startswith(b"<?xml")


def test_both_precisions_are_measured_in_every_round(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bench.speed, "train", lambda found, updates: found)
    trainers = {"float32": (30, 0.5), "bfloat16": (60, 1)}
    figures: dict[str, list[float]] = defaultdict(list)
    for rate in (10.0, 20.0):
        bench.training(trainers, SimpleNamespace(rates=lambda updates, size, rate=rate: [1.0, rate]), 20, 64, figures)
    assert figures == {
        bench.SHARE.format("float32"): [50, 50],
        bench.TRAINING.format("float32"): [3, 1.5],
        bench.SHARE.format("bfloat16"): [100, 100],
        bench.TRAINING.format("bfloat16"): [6, 3],
    }


class SlowPeer:
    """The smaller the batch and the wider the beam, the longer it takes; its outputs have two words each."""

    def translate(self, lines: list[str], beam: int, batch: int) -> tuple[float, list[str]]:
        return 1000.0 / batch + beam, ["zwei drei"] * len(lines)


def test_the_peer_translates_with_its_best_batch(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bench.speed, "translate", lambda seconds, lines, beam, batch: (seconds, ["a b c"] * len(lines)))
    figures: dict[str, list[float]] = defaultdict(list)
    bench.translating({"float32": 2.0, "bfloat16": 1.0}, SlowPeer(), ["x"] * 1500, figures)
    for precision, seconds in (("float32", 2), ("bfloat16", 1)):
        greedy, alone = (
            f"translating in {precision}, greedy",
            f"translating in {precision}, beam 5, one sentence at a time",
        )
        assert figures[f"{greedy}, sentences a second"] == [pytest.approx((1000 / 96 + 1) / seconds)]
        assert figures[f"{greedy}, words a second"] == [pytest.approx(1.5 * (1000 / 96 + 1) / seconds)]
        assert figures[f"{alone}, sentences a second"] == [pytest.approx(1005 / seconds)]


def test_memory_and_time_are_measured_in_a_process_of_its_own(tmp_path: Path) -> None:
    config = read_config(
        ROOT / "configs/toy.yaml",
        ["corpus.pairs=200", "corpus.held_out=20", "vocabulary.size=500", "train.batch_tokens=100"],
    )
    memory, seconds = speed.footprint(config, tmp_path, speed.WARM + 1)
    assert 50 < memory < 3000
    assert 0 < seconds < 1  # a rate would be far above
    assert (tmp_path / "train.tsv").read_text().count("\n") == 200


def test_a_bleu_that_ours_does_not_reach_is_an_error_and_no_figure(numbers: Path, tmp_path: Path) -> None:
    config = read_config(numbers.parent / "numbers.yaml", ["train.epochs=1"])
    with pytest.raises(UserError, match="ours ended before 101 BLEU"):
        speed.reach(config, tmp_path / "run", 101)


def test_the_first_validation_of_such_a_bleu_counts(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    validations = ((10, 1), (31, 2), (32, 3))
    records = [{"update": s, "epoch": 1, "validation_bleu": bleu, "seconds": s} for bleu, s in validations]
    monkeypatch.setattr(speed.experiment, "train", lambda config, run, overwrite: overwrite)
    (tmp_path / "metrics.jsonl").write_text("".join(json.dumps(record) + "\n" for record in records))
    assert speed.reach(read_config(ROOT / "configs/bench.yaml"), tmp_path, 30) == 2


def test_the_peer_is_told_what_we_are_told(tmp_path: Path) -> None:
    ours = read_config(ROOT / "configs/bench.yaml", ["model.hidden=192", "model.dropout.readout=0.2"])
    told = peer.settings(ours, tmp_path, 1024, 5)
    decoder, training = told["model"]["decoder"], told["training"]
    assert (decoder["hidden_size"], decoder["hidden_dropout"], decoder["attention"]) == (192, 0.2, "bahdanau")
    assert decoder["input_feeding"] is True
    assert decoder["embeddings"]["embedding_dim"] == told["model"]["encoder"]["embeddings"]["embedding_dim"] == 256
    assert (training["batch_size"], training["label_smoothing"]) == (1024, 0.1)
    assert (training["learning_rate"], training["learning_rate_warmup"]) == (ours.train.learning_rate, 300)
    assert told["testing"]["beam_size"] == 5
    assert yaml.safe_load(peer.described(ours, 1024)) == {"training": training, "model": told["model"]}
    assert told["model"]["tied_softmax"] is True
    assert (told["data"]["src"]["lang"], told["data"]["trg"]["lang"]) == ("de", "en")
    with pytest.raises(UserError, match="kind rnn and one layer"):
        peer.settings(read_config(ROOT / "configs/bench.yaml", ["model.layers=2"]), tmp_path, 1024, 1)
    other = read_config(ROOT / "configs/bench.yaml", ["model.attention.wiring=bahdanau"])
    with pytest.raises(UserError, match=r"change model\.attention\.wiring"):
        peer.settings(other, tmp_path, 1024, 1)


def test_the_peer_logs_its_rate_to_the_last_of_any_number_of_updates(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    other = stand_in(monkeypatch, tmp_path, rest=0)
    monkeypatch.setattr(other, "_run", lambda *command: None)
    (tmp_path / "speed").mkdir()
    (tmp_path / "speed/train.log").write_text("Tokens per Sec:   900, Lr: 1\nTokens per Sec:  1000, Lr: 1\n")
    assert other.rates(15, 1024) == [900, 1000]
    told = yaml.safe_load((tmp_path / "peer.yaml").read_text())["training"]
    assert (told["updates"], told["validation_freq"], told["logging_freq"]) == (20, 20, 10)


def test_when_the_peer_reached_a_bleu_is_read_from_its_log(tmp_path: Path) -> None:
    (tmp_path / "model").mkdir()
    (tmp_path / "model/train.log").write_text(
        "2026-01-02 10:00:00,500 - INFO - joeynmt.training - EPOCH 1\n"
        "2026-01-02 10:01:00,500 - INFO - joeynmt.prediction - Evaluation result (greedy): bleu:  29.99, loss: 1\n"
        "a line without a time, of 31 BLEU\n"
        "2026-01-02 10:02:30,750 - INFO - joeynmt.prediction - Evaluation result (greedy): bleu:  30.40, loss: 1\n"
    )
    seconds, spent = peer.when_reached(tmp_path / "model/train.log", 30.0)
    assert seconds == 150.25
    assert spent == pytest.approx((datetime.now() - datetime(2026, 1, 2, 10, 0, 0, 500_000)).total_seconds(), abs=5)
    assert peer.when_reached(tmp_path / "model/train.log", 31.0)[0] is None
    assert peer.when_reached(tmp_path / "nothing.log", 30.0) == (None, 0.0)


TRAINING = r"""#!/bin/sh
mkdir model
now=$(date +%Y-%m-%d\ %H:%M:%S)
echo "$now,000 - INFO - joeynmt.training - EPOCH 1" > model/train.log
for bleu in 10.0 29.0 31.0; do
  sleep 1
  now=$(date +%Y-%m-%d\ %H:%M:%S)
  echo "$now,000 - INFO - joeynmt.prediction - Evaluation result (greedy): bleu: $bleu, loss: 1" >> model/train.log
  touch model/best.ckpt
done
exec sleep {rest}
"""


@pytest.mark.parametrize(("bleu", "most", "low", "high"), [(30, 60, 2, 50), (40, 5, math.inf, math.inf)])
def test_the_peer_is_watched_until_it_is_there_or_given_up(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, bleu: int, most: float, low: float, high: float
) -> None:
    assert low <= stand_in(monkeypatch, tmp_path, rest=100).reach(bleu, 1024, 100, most) <= high


def test_a_peer_that_ends_by_itself_is_an_error(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    with pytest.raises(UserError, match="the peer ended before 40 BLEU"):
        stand_in(monkeypatch, tmp_path, rest=0).reach(40, 1024, 100, 60)


def stand_in(monkeypatch: pytest.MonkeyPatch, folder: Path, rest: int) -> peer.Peer:
    """Return a peer that writes a log in place of training, 31 BLEU after three seconds, and then rests."""
    monkeypatch.setattr(peer, "LOOK", 0.2)
    other = object.__new__(peer.Peer)
    other.work, other.threads, other.python = folder, 1, folder / "python"
    other.config = read_config(ROOT / "configs/bench.yaml")
    other.python.write_text(TRAINING.replace("{rest}", str(rest)))
    other.python.chmod(0o755)
    return other


@pytest.mark.parametrize(("theirs", "expected"), [(180.0, ("", 3.0)), (math.inf, (", at least", 4.0))])
def test_a_peer_given_up_is_a_lower_bound(theirs: float, expected: tuple[str, float]) -> None:
    class Slow:
        def reach(self, bleu: float, batch: int, validate_every: int, most: float) -> float:
            assert (bleu, batch, validate_every, most) == (30, 512, 4, 240)
            return theirs

    name, figure = bench.reaching(60.0, Slow(), 30.0, 512, 4)
    assert (name, figure) == (f"time to 30 validation BLEU{expected[0]}", expected[1])


def test_without_a_peer_the_time_itself_is_told() -> None:
    assert bench.reaching(90.0, None, 30.0, 512, 4) == ("time to 30 validation BLEU in minutes, ours", 1.5)
