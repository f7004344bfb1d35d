"""The bench with a small program in place of the peers: rounds in turn, the smallest counts, who fails is a row."""

import re
import sys
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest
from script_loader import script

from mt.config.files import read_config
from mt.core.errors import UserError

ROOT = Path(__file__).parents[2]
bench = script("bench")
peers, tables, watched = (sys.modules[name] for name in ("peers", "tables", "watched"))
peer_marian, peer_joeynmt = (sys.modules[name] for name in ("peer_marian", "peer_joeynmt"))
TRANSFORMER = read_config(ROOT / "configs/bench.yaml", [bench.TRANSFORMER])


class Fake(peers.Peer):
    """Takes `times` as long as the first, and less in each round."""

    unfair = "It is no program."

    def __init__(self, name: str, times: float, kinds: tuple[str, ...] = ("rnn",), missing: str = ""):
        self.name, self.times, self.kinds, self.missing, self.round = name, times, kinds, missing, 0
        self.trains = name != "translator"

    def prepare(self) -> None:
        if self.missing:
            raise UserError(self.missing)

    def train(self, shape: bench.Shape, threads: int, updates: int) -> peers.Usage:
        return peers.Usage(updates, self.times * updates / threads, self.times * updates)

    def translate(self, shape: bench.Shape, threads: int, modes: Sequence[tuple[int, int]]) -> peers.Translated:
        self.round += 1
        time = self.times * (1 + 1 / self.round)
        works = [peers.Usage(100, time * beam, 2 * time * beam) for beam, _ in modes]
        return peers.Translated(time, 10 * self.times, works)


def measured(rounds: int) -> list[tables.Row]:
    shapes = [bench.Shape("GRU", read_config(ROOT / "configs/bench.yaml")), bench.Shape("Transformer", TRANSFORMER)]
    programs = [
        Fake("mt", 1, ("rnn", "transformer")),
        Fake("translator", 3),
        Fake("gone", 1, missing="no such package"),
    ]
    return bench.measure(programs, shapes, [1], rounds, 4)


def test_a_table_has_ratios_first_and_who_is_missing(tmp_path: Path) -> None:
    rows = measured(1)
    page = tables.page(rows, ["It is no program.", "", "It is no program."])
    assert page.index("times those of `mt`") < page.index("milliseconds")
    ratio, _, plain, _ = re.findall(r"^\| GRU \| 1 \| translator \| (.*) \|$", page, re.MULTILINE)
    assert ratio.split(" | ") == ["", *["3.00"] * 6]
    assert plain.split(" | ") == ["", "300", "60", "300", "60", "6", "30"]
    assert page.count("| GRU | 1 | gone | no such package |") == 4
    assert "Transformer | 1 | translator" not in page
    assert page.count("* It is no program.") == 1
    tables.draw(tmp_path / "bench.svg", rows)
    assert (tmp_path / "bench.svg").read_bytes().startswith(b"<?xml")


def test_the_smallest_of_the_rounds_counts() -> None:
    first, later = measured(1)[0], measured(3)[0]
    assert first.cpu[0] == later.cpu[0] == 1000  # training takes the same each time
    assert first.cpu[1] == pytest.approx(1000 * 2 * 5 / 100)
    assert later.cpu[1] < first.cpu[1]


def test_ours_is_always_there() -> None:
    programs = [Fake("mt", 1), Fake("mt search.beam=4", 1), Fake("Marian int8", 1), Fake("JoeyNMT", 1)]
    assert [one.name for one in bench.chosen(programs, "Marian")] == ["mt", "mt search.beam=4", "Marian int8"]
    assert bench.chosen(programs, "") == programs


def test_a_training_is_watched_by_its_log(tmp_path: Path) -> None:
    code = "import time\nfor n in (0, 5, 12):\n  print('seen', n, flush=True)\n  sum(range(3_000_000))"
    usage = watched.watch(
        [sys.executable, "-c", code], tmp_path, {}, re.compile(r"seen (\d+)"), lambda match, _: int(match[1])
    )
    assert usage.pieces == 17
    assert 0 < usage.cpu < 10
    assert usage.wall > 0
    with pytest.raises(UserError, match="no lines"):
        watched.watch([sys.executable, "-c", "print('no lines')"], tmp_path, {}, re.compile("seen"), lambda *_: 1)


def test_the_peers_are_told_our_widths(tmp_path: Path) -> None:
    told = [str(part) for part in peer_marian.arguments(TRANSFORMER)]
    assert told[told.index("--dim-emb") + 1] == "256"
    assert told[told.index("--transformer-dim-ffn") + 1] == "1024"
    assert told[told.index("--enc-depth") + 1] == told[told.index("--dec-depth") + 1] == "3"
    model = peer_joeynmt.told_of(TRANSFORMER, tmp_path)["model"]
    assert (model["decoder"]["ff_size"], model["encoder"]["num_layers"], model["encoder"]["num_heads"]) == (1024, 3, 4)


def test_marians_translations_have_no_end(tmp_path: Path) -> None:
    np.savez(tmp_path / "m.npz", decoder_ff_logit_l2_b=np.zeros((1, 3)), other=np.ones(2))
    peer_marian._without_end(tmp_path / "m.npz")
    with np.load(tmp_path / "m.npz") as read:
        assert read["decoder_ff_logit_l2_b"].tolist() == [[peers.NO_END, 0, 0]]
        assert read["other"].tolist() == [1, 1]


def test_a_process_measures_itself(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "inside.py").write_text(
        "import stopwatch\n"
        "stopwatch.serve(lambda told: lambda lines, beam, batch: sum(range(100_000)) and beam * len(lines))\n"
    )
    text = peers.Text(["a", "b", "c"], [], 16, 2, tmp_path, [])
    peer = peers.Peer(tmp_path, text)
    peer.name, peer.python = "inside", Path(sys.executable)
    told = {"lines": ["a", "b", "c"], "modes": [(5, 64), (1, 1)], "alone": 2}
    monkeypatch.setenv("PYTHONPATH", str(peers.INSIDE))
    found = peer.ask([sys.executable, "inside.py"], 1, told)
    assert [mode["pieces"] for mode in found["modes"]] == [15, 2]
    assert found["start_up"] > 0
    assert 1 < found["memory"] < 1000
    with pytest.raises(UserError, match="inside failed"):
        peer.run([sys.executable, "-c", "raise SystemExit('bad')"], 1)


def test_outputs_of_other_lengths_are_not_compared(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    peer = peers.Peer(tmp_path, peers.Text(["a"] * 10, [], 16, 5, tmp_path, []))
    peer.name = "short"
    found = {"start_up": 1, "memory": 2, "modes": [{"pieces": 150, "cpu": 1, "wall": 1}]}
    monkeypatch.setattr(peer, "ask", lambda *_: found)
    assert peer.measure("x.py", 1, [(5, 64)]).modes[0].pieces == 150
    found["modes"][0]["pieces"] = 149
    with pytest.raises(UserError, match="short made 149 pieces of 10 sentences, not 16 each"):
        peer.measure("x.py", 1, [(5, 64)])
