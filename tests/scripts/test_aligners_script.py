"""scripts/aligners.py trains both directions, guides them by their own links, and tabulates what `mt align` prints."""

import re
from pathlib import Path

import pytest
from command_line import run_script

from mt.alignment.files import read_pharaoh
from mt.evaluation.align import Pairs, Reverse, Wanted, align
from mt.runs.run import Run

SCRIPT = Path(__file__).parents[2] / "scripts/aligners.py"
CONFIG = """
extends: {base}
corpus: {{name: toy, source: de, target: en, pairs: 60, held_out: 6}}
vocabulary: {{size: 340}}
model: {{embedding: 16, hidden: 16, encoder_hidden: 8, attention: {{width: 16}}}}
train: {{epochs: 1, warmup: 2}}
threads: 1
"""


def test_both_directions_guide_themselves(tmp_path: Path) -> None:
    (tmp_path / "tiny.yaml").write_text(CONFIG.format(base=SCRIPT.parent.parent / "configs/base.yaml"))
    options = ["--runs", tmp_path / "runs", "--output", tmp_path / "table.md"]
    done = run_script("aligners", tmp_path / "tiny.yaml", "--rounds", 1, *options)
    assert done.returncode == 0, done.stderr
    assert done.stdout == (tmp_path / "table.md").read_text()
    rows = [line.strip("| ").split(" | ") for line in done.stdout.splitlines() if line.startswith("| `")]
    names, readings = ["`tiny`"] * 4 + ["`tiny.guided1`"] * 4, ["as-it-is", "shifted", "posterior", "chosen"] * 2
    assert [row[:2] for row in rows] == [list(pair) for pair in zip(names, readings, strict=True)]

    runs = tmp_path / "runs"
    for row, reading in zip(rows, ["as-is", "shifted", "posterior"], strict=False):
        wanted, pairs = Wanted(reading=reading, threshold=0), Pairs(split="test")
        there = align(Run(runs / "tiny"), pairs, wanted, None, tmp_path / "a")
        back = align(Run(runs / "tiny.reverse"), pairs, wanted, None, tmp_path / "b")
        both = align(Run(runs / "tiny"), pairs, wanted, Reverse(Run(runs / "tiny.reverse")), tmp_path / "c")
        printed = [re.match(r"AER ([\d.]+)", text) for _, (text, *_) in (there, back, both)]
        expected = [float(match[1]) for match in printed if match]
        assert [float(figure) for figure in row[2:5]] == pytest.approx(expected, abs=0.055)  # one digit, and two

    links = read_pharaoh(runs / "tiny.pharaoh")
    turned = read_pharaoh(runs / "tiny.reverse.pharaoh")
    assert len(links) == 60
    assert [{(target, source) for source, target in one} for one in turned] == [set(one) for one in links]
    _, scores = align(
        Run(runs / "tiny"),
        Pairs(split="train"),
        Wanted(reading="posterior", threshold=0),
        Reverse(Run(runs / "tiny.reverse")),
        tmp_path / "links",
    )
    assert scores[0].startswith("AER")
    assert read_pharaoh(tmp_path / "links.pharaoh") == links
    for run, file in (("tiny.guided1", "tiny.pharaoh"), ("tiny.guided1.reverse", "tiny.reverse.pharaoh")):
        assert str(runs / file) in (runs / run / "config.yaml").read_text()
