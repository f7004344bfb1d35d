"""What `mt align` computes: both ways to name pairs, both directions, gold, files, and what does not fit."""

import json
import re
from dataclasses import astuple
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from conftest import NUMBERS, mt
from tiny_models import one_thread as one_thread
from toy_runs import RNN, TRANSFORMER, config, read_off, write_run

from mt.alignment.files import read_npz, read_pharaoh
from mt.alignment.links import aer, by_target, grow_diag_final_and
from mt.core.errors import UserError
from mt.core.files import write_lines
from mt.corpora.pairs import Split
from mt.evaluation.align import Pairs, Reverse, Wanted, align
from mt.evaluation.choice import Choice
from mt.inference.aligner import load_aligner
from mt.runs.run import Run

NOTHING = Wanted()
FIGURES = r"AER ([\d.]+), precision ([\d.]+), recall ([\d.]+), F1 ([\d.]+) \((\d+) pairs with gold\)"


@pytest.fixture(scope="module")
def runs(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """Return a run from German to English, and one from English to German."""
    folder = tmp_path_factory.mktemp("runs")
    return write_run(folder / "forth", config(RNN)), write_run(folder / "back", config(TRANSFORMER, "en"), seed=4)


def split_of(run: Path, name: str) -> Split:
    return Run(run).splits[name]


def expected_links(run: Path, pairs: Split, how: Choice) -> list[list[tuple[int, int]]]:
    made = load_aligner(Run(run))
    return [one.alignment(how.shift, how.threshold).links for one in read_off(made, pairs, how.view)]


def test_a_split_is_written_and_scored_by_the_corpus(runs: tuple[Path, Path]) -> None:
    run, _ = runs
    _, scores = align(Run(run), Pairs(split="validation"), NOTHING, None, None)
    pairs = split_of(run, "validation")
    links = expected_links(run, pairs, Choice(1, None))
    assert read_pharaoh(run / "align/validation.pharaoh") == links
    found = re.match(FIGURES, scores[0])
    assert found is not None
    score = aer([set(line) for line in links], [gold for gold in pairs.gold or [] if gold])
    assert [float(one) for one in found.groups()] == pytest.approx([*astuple(score), 12], abs=0.005)
    for said, reading in zip(scores[1:], ("as-is", "shifted"), strict=True):
        plain = [set(line) for line in expected_links(run, pairs, Choice(1, None, reading))]
        error = aer(plain, [gold for gold in pairs.gold or [] if gold]).aer
        assert said.startswith(f"AER {error:.2f}, ")
        assert said.endswith(f": {reading}, as the config has it")
    assert scores[1] != scores[2].replace("shifted", "as-is")
    records = [json.loads(line) for line in (run / "align/validation.jsonl").read_text().splitlines()]
    for record, matrix, gold in zip(records, read_npz(run / "align/validation.npz"), pairs.gold or [], strict=True):
        assert gold is not None
        assert len(record["source_words"]) == len(gold.source_spans)
        np.testing.assert_allclose(matrix, record["attention"], atol=1e-3)


def test_both_directions_are_joined_and_the_matrix_is_the_forward_one(runs: tuple[Path, Path], tmp_path: Path) -> None:
    forth, back = runs
    pairs = split_of(forth, "test")
    turned = Split(pairs.targets, pairs.sources, list(split_of(back, "test").gold or []))
    assert turned.sources == split_of(back, "test").sources  # the toy corpus is the same in both directions
    forward = [set(links) for links in expected_links(forth, pairs, Choice(1, None))]
    backward = [{(j, i) for i, j in links} for links in expected_links(back, turned, Choice(1, None))]
    joins = {"grow-diag-final-and": grow_diag_final_and, "intersection": set.intersection, "union": set.union}
    for name, join in joins.items():
        _, scores = align(Run(forth), Pairs(), NOTHING, Reverse(Run(back), name), tmp_path / name)
        joined = [join(one, two) for one, two in zip(forward, backward, strict=True)]
        assert read_pharaoh(tmp_path / f"{name}.pharaoh") == [by_target(links) for links in joined]
        score = aer(joined, [gold for gold in pairs.gold or [] if gold])
        assert f"AER {score.aer:.2f}, precision {score.precision:.2f}, recall {score.recall:.2f}" in scores[0]
    assert len({(tmp_path / f"{name}.pharaoh").read_bytes() for name in joins}) == 3
    (first, *_) = read_off(load_aligner(Run(forth)), pairs)
    np.testing.assert_allclose(read_npz(tmp_path / "union.npz")[0], first.matrix_TS, atol=1e-3)


def test_each_run_has_its_own_choice_unless_something_is_wanted(tmp_path: Path) -> None:
    forth = write_run(tmp_path / "forth", config(RNN))
    back = write_run(tmp_path / "back", config(TRANSFORMER, "en"), seed=4)
    pairs = split_of(forth, "test")
    mine, theirs = Choice(1, None, "shifted", 0.1), Choice(2, 2)
    for run, chosen in ((forth, mine), (back, theirs)):
        (run / "alignment.json").write_text(json.dumps({"weights": Run(run).fingerprint, "choice": chosen.__dict__}))
    align(Run(forth), Pairs(split="test"), NOTHING, Reverse(Run(back), "union"), tmp_path / "own")
    backward = expected_links(back, split_of(back, "test"), theirs)
    for line, one, two in zip(
        read_pharaoh(tmp_path / "own.pharaoh"), expected_links(forth, pairs, mine), backward, strict=True
    ):
        assert set(line) == set(one) | {(j, i) for i, j in two}
    align(Run(forth), Pairs(split="test"), Wanted(reading="as-is", threshold=0, head=0), None, tmp_path / "plain")
    assert read_pharaoh(tmp_path / "plain.pharaoh") == expected_links(forth, pairs, Choice(1, None))
    align(Run(back), Pairs(split="test"), Wanted(layer=1, threshold=0.2), None, tmp_path / "layer")
    assert read_pharaoh(tmp_path / "layer.pharaoh") == expected_links(
        back, split_of(back, "test"), Choice(1, 2, "as-is", 0.2)
    )


def test_a_training_split_gives_a_line_of_links_for_each_pair_within_its_words(runs: tuple[Path, Path]) -> None:
    align(Run(runs[0]), Pairs(split="train"), NOTHING, Reverse(Run(runs[1])), None)
    lines, gold = read_pharaoh(runs[0] / "align/train.pharaoh"), split_of(runs[0], "train").gold or []
    assert len(lines) == len(gold) == 80
    for links, truth in zip(lines, gold, strict=True):
        assert truth is not None
        assert all(i < len(truth.source_spans) and j < len(truth.target_spans) for i, j in links)


def test_files_with_blank_lines_and_gold_of_white_space_words(runs: tuple[Path, Path], tmp_path: Path) -> None:
    write_lines(tmp_path / "s", [" Der Ofen, kalt.", "", "Ball", "Tee"])
    write_lines(tmp_path / "t", ["The stove , cold .", "x", "", "tea"])
    write_lines(tmp_path / "g", ["1-1 2-2 3?4", "", "", "1-1"])
    asked = Pairs(None, tmp_path / "s", tmp_path / "t", tmp_path / "g", "pharaoh1")
    _, (used, as_is, shifted) = align(Run(runs[0]), asked, NOTHING, Reverse(Run(runs[1])), tmp_path / "out")
    lines = read_pharaoh(tmp_path / "out.pharaoh")
    assert lines[1:3] == [[], []]
    sure, possible = [{(0, 0), (1, 1)}, {(0, 0)}], [{(0, 0), (1, 1), (2, 3)}, {(0, 0)}]
    guesses = [set(lines[0]), set(lines[3])]
    size = sum(map(len, guesses))
    found = sum(len(a & s) + len(a & p) for a, s, p in zip(guesses, sure, possible, strict=True))
    assert used.startswith(f"AER {100 * (1 - found / (size + 3)):.2f}, ")
    assert f"(2 pairs with gold): grow-diag-final-and of {runs[0]} (layer 1, mean of heads, as-is, argmax)" in used
    for line, reading in ((as_is, "as-is"), (shifted, "shifted")):
        wanted = Wanted(reading=reading, threshold=0)
        _, (first, *_) = align(Run(runs[0]), asked, wanted, Reverse(Run(runs[1])), tmp_path / reading)
        assert line == f"{first.partition(':')[0]}: {reading}, as the config has it"


def write(path: Path, *lines: str) -> Path:
    write_lines(path, lines)
    return path


def test_a_posterior_is_read_in_the_last_layer_where_no_layer_is_wanted() -> None:
    chosen = Choice(2, 1, "shifted", 0.3)
    assert Wanted(reading="posterior").over(chosen, 3) == Choice(3, 1, "posterior", 0.3)
    assert Wanted(reading="posterior", layer=1, head=0, threshold=0).over(chosen, 3) == Choice(1, None, "posterior")
    assert Wanted(reading="as-is").over(chosen, 3) == Choice(2, 1, "as-is", 0.3)


def wrong(runs: tuple[Path, Path], folder: Path) -> dict[str, tuple[tuple[Any, ...], str]]:
    forth, back = runs
    one, two, bad = write(folder / "one", "a"), write(folder / "two", "a", "b"), write(folder / "bad", "0:0")
    far, out = write(folder / "far", "0-7"), folder / "out"
    same = Pairs(None, one, one)
    return {
        "lengths": ((Run(forth), Pairs(None, one, two), NOTHING, None, out), "one has 1 lines but .*two has 2"),
        "split": (
            (Run(forth), Pairs("dev"), NOTHING, None, out),
            "toy has no split 'dev'; it has train, validation, test",
        ),
        "mirror": (
            (Run(forth), same, NOTHING, Reverse(Run(forth)), out),
            "forth translates de to en; .* must translate en to de",
        ),
        "bad gold": ((Run(forth), Pairs(None, one, one, bad, "pharaoh0"), NOTHING, None, out), "bad, line 1: '0:0'"),
        "far": (
            (Run(forth), Pairs(None, one, one, far, "pharaoh0"), NOTHING, None, out),
            "far, line 1: link 0-7 has no target word 7: sentence 1 has 1 target words",
        ),
        "layer": (
            (Run(back), Pairs("test"), Wanted(layer=3), None, out),
            "no layer 3, .* 2 decoder layers and 2 heads",
        ),
        "head": (
            (Run(forth), Pairs("test"), Wanted(head=2), None, out),
            "head 2: the model has 1 decoder layer and 1 head$",
        ),
        "no run": ((Run(folder), same, NOTHING, None, out), "not a run directory"),
    }


def test_what_does_not_fit_is_said_and_nothing_is_written(runs: tuple[Path, Path], tmp_path: Path) -> None:
    for name, (arguments, complaint) in wrong(runs, tmp_path).items():
        with pytest.raises(UserError, match=complaint):
            align(*arguments)
        assert not list(tmp_path.glob("out*")), name


def test_a_model_without_attention_cannot_align(tmp_path: Path) -> None:
    run = write_run(tmp_path / "run", config(RNN | {"attention": {"score": "none"}}))
    with pytest.raises(UserError, match="no attention"):
        align(Run(run), Pairs(), NOTHING, None, None)


def test_the_command_finds_the_links_of_a_learned_task(numbers: Path, tmp_path: Path) -> None:
    rows = [["drei", "vier", "acht"], ["null"], ["elf", "zwölf", "eins", "zwei"], ["sechs", "sieben"]]
    write_lines(tmp_path / "s", [" ".join(row) for row in rows])
    write_lines(tmp_path / "t", [" ".join(NUMBERS[word] for word in row) for row in rows])
    write_lines(tmp_path / "g", [f"{n} {i} {i} S" for n, row in enumerate(rows, 1) for i in range(1, len(row) + 1)])
    files = ("--source", tmp_path / "s", "--target", tmp_path / "t", "--output", tmp_path / "out")
    done = mt("align", numbers, *files, "--gold", tmp_path / "g", "--gold-format", "naacl", "--plot")
    assert done.returncode == 0, done.stderr
    found = re.match(FIGURES, done.stdout)
    assert found is not None
    assert float(found[1]) < 25
    assert "drei" in done.stdout
    assert "has no alignment.json" in done.stderr
