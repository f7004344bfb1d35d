"""Matrices and links in words, tokens, characters or pieces: by hand, through the commands, and back as a guide."""

import json
from pathlib import Path

import numpy as np
import pytest
import torch
from command_line import mt

from mt.alignment.files import read_npz, read_pharaoh
from mt.alignment.matrices import EMPTY, Side, align
from mt.config import Vocabulary
from mt.config.alignment import Unit
from mt.config.train import GuideConfig
from mt.corpora.pairs import Split
from mt.text.tokenizer import train_tokenizers
from mt.training.guide import Guide

MATRIX = np.array([[0.1, 0.7, 0.1, 0.1], [0.6, 0.2, 0.1, 0.1], [0.1, 0.2, 0.6, 0.1], [0.0, 0.0, 0.1, 0.9]])
SOURCE = Side("小厨房 PC", [("▁小", (0, 1)), ("厨房", (1, 3)), ("▁PC", (3, 6))])
TARGET = Side("a kitchen", [("▁a", (0, 1)), ("▁kit", (1, 5)), ("chen", (5, 9))])


@pytest.mark.parametrize(
    ("unit", "source", "target", "weights"),
    [
        ("words", ["小", "厨", "房", "PC"], ["a", "kitchen"], [[0.1, 0.35, 0.35, 0.1], [0.35, 0.1, 0.1, 0.35]]),
        ("tokens", ["小厨房", "PC"], ["a", "kitchen"], [[0.8, 0.1], [0.55, 0.35]]),
        ("pieces", ["▁小", "厨房", "▁PC"], ["▁a", "▁kit", "chen"], MATRIX[:3, :3].tolist()),
        (
            "characters",
            [*"小厨房PC"],
            [*"akitchen"],
            [[0.1, 0.35, 0.35, 0.05, 0.05], *[[0.6, 0.1, 0.1, 0.05, 0.05]] * 3, *[[0.1, 0.1, 0.1, 0.3, 0.3]] * 4],
        ),
    ],
)
def test_a_matrix_in_every_unit(unit: Unit, source: list[str], target: list[str], weights: list[list[float]]) -> None:
    found = align(SOURCE, TARGET, MATRIX, unit=unit)
    assert (found.source_words, found.target_words) == (source, target)
    np.testing.assert_allclose(found.words[:, :-1], weights, atol=1e-12)
    np.testing.assert_allclose(found.words[:, -1], 0.1)
    assert found.attention is MATRIX
    assert align(Side("", []), Side("", []), np.zeros((0, 0)), unit=unit).words.shape == EMPTY.words.shape


def test_gold_words_are_words_and_tokens_but_no_characters() -> None:
    known = Side(SOURCE.text, SOURCE.pieces, [(0, 1), (1, 3), (4, 6)])
    assert known.names("words") == known.names("tokens") == ["小", "厨房", "PC"]
    assert known.names("characters") == [*"小厨房PC"]


def test_commands_write_links_in_the_unit_that_is_asked_for(numbers: Path, tmp_path: Path) -> None:
    config = numbers / "config.yaml"
    before = config.read_text()
    (tmp_path / "a.de").write_text("fünf zwölf\n\ndrei\n")
    (tmp_path / "a.en").write_text("five twelve\n\nthree\n")
    files = "--source", tmp_path / "a.de", "--target", tmp_path / "a.en", "--output", tmp_path / "a"
    result = mt("align", numbers, *files, "--set", "alignment.unit=pieces", "--plot")
    assert result.returncode == 0, result.stderr
    rows = [json.loads(line) for line in (tmp_path / "a.jsonl").read_text().splitlines()]
    assert [row["source_words"] for row in rows] == [row["source"][:-1] for row in rows]
    assert [row["words"] for row in rows] == [row["attention"][:-1] for row in rows]
    assert rows[0]["source_words"][0].startswith("▁")
    assert rows[0]["source_words"][0] in result.stdout
    links = read_pharaoh(tmp_path / "a.pharaoh")
    assert max(source for source, _ in links[0]) < len(rows[0]["source_words"])

    result = mt("translate", numbers, "fünf", "--set", "alignment.unit=characters", "--alignments", tmp_path / "b")
    assert result.returncode == 0, result.stderr
    row = json.loads((tmp_path / "b.jsonl").read_text())
    assert (row["source_words"], row["target_words"]) == ([*"fünf"], [*"five"])
    assert read_npz(tmp_path / "b.npz")[0].shape == (len(row["target"]), len(row["source"]))

    result = mt("eval", numbers, "alignment.unit=characters", "--plot")
    assert result.returncode == 0, result.stderr
    row = json.loads((numbers / "eval/test/alignments.jsonl").read_text().splitlines()[0])
    assert all(len(word) == 1 for word in row["source_words"] + row["target_words"])
    assert config.read_text() == before

    result = mt("align", numbers, *files, "--set", "search.beam=3")
    assert result.returncode == 2
    assert "search has no effect on given pairs: only keys of alignment can be set here" in result.stderr


def test_an_error_rate_is_of_gold_words_in_every_unit(tmp_path: Path) -> None:
    run = tmp_path / "run"
    toy = "model.hidden=8 model.encoder_hidden=8 model.embedding=8 train.epochs=1 corpus.pairs=120 corpus.held_out=20"
    config = tmp_path / "toy.yaml"
    config.write_text("corpus: {name: toy}\nvocabulary: {size: 400}\nthreads: 1\n")
    assert mt("train", config, *toy.split(), "--run", run).returncode == 0
    found = [mt("align", run, "--set", f"alignment.unit={unit}") for unit in ("words", "pieces", "characters")]
    assert found[0].stdout.startswith("AER ")
    assert found[0].stdout == found[1].stdout == found[2].stdout


UNITS: list[Unit] = ["words", "tokens", "characters", "pieces"]


@pytest.mark.parametrize("unit", UNITS)
def test_a_guide_reads_links_in_its_unit(unit: Unit, tmp_path: Path) -> None:
    sources, targets = ["小厨房 PC", "厨房厨房"] * 8, ["a kitchen PC", "kitchens"] * 8
    tokenizers = train_tokenizers(sources, targets, Vocabulary(size=300))
    sides = [
        Side(line, side.spans(side.encode(line), line))
        for side, line in zip(tokenizers, (sources[0], targets[0]), strict=True)
    ]
    last = [len(side.names(unit)) - 1 for side in sides]
    file = tmp_path / "links"
    file.write_text(f"{last[0]}-{last[1]}\n")
    made = Guide(GuideConfig(links=str(file)), Split(sources[:1], targets[:1]), tokenizers, unit)
    expected = torch.zeros(1, len(sides[1].pieces) + 1, len(sides[0].pieces) + 1)
    for row, (_, target) in enumerate(sides[1].pieces):
        for column, (_, source) in enumerate(sides[0].pieces):
            ends = {"characters": (len(sides[0].text) - 1, len(sides[1].text) - 1)}.get(
                unit, (sides[0].text.index("P"), sides[1].text.index("P"))
            )
            linked = source[1] > ends[0] and target[1] > ends[1]
            if unit == "pieces":
                linked = (column, row) == (last[0], last[1])
            expected[0, row, column] = linked
    found = made.batch([0], *expected.shape[1:]) > 0
    assert torch.equal(found, expected > 0)
