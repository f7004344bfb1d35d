"""`mt score` says how likely given translations are, as the search that made them does."""

import json
import math
from pathlib import Path

import pytest
from command_line import mt

import mt as package

LINES = ["eins zwei drei", "vier", "fünf sechs"]


@pytest.fixture
def files(numbers: Path, tmp_path: Path) -> tuple[list[str], list[str], list[tuple[float, ...]]]:
    """Return options that name a run's own translations, these, and what the search says of their pieces."""
    found = package.load(numbers).translate(LINES)
    texts = [one.text for one in found]
    for name, lines in {"a.de": LINES, "a.en": texts}.items():
        (tmp_path / name).write_text("".join(f"{line}\n" for line in lines), encoding="utf-8")
    options = ["--source", str(tmp_path / "a.de"), "--target", str(tmp_path / "a.en")]
    return options, texts, [one.log_probabilities for one in found]


def test_it_is_what_the_search_says(numbers: Path, files: tuple[list[str], list[str], list[tuple[float, ...]]]) -> None:
    options, texts, own = files
    done = mt("score", numbers, *options)
    rows = [line.split("\t") for line in done.stdout.splitlines()]
    assert [row[2] for row in rows] == texts
    assert [float(row[0]) for row in rows] == pytest.approx([sum(one) for one in own], abs=2e-4)
    assert [float(row[1]) for row in rows] == pytest.approx([sum(one) / len(one) for one in own], abs=2e-4)
    pieces = [value for one in own for value in one]
    perplexity = math.exp(-sum(pieces) / len(pieces))
    assert done.stderr.splitlines()[-1].endswith(f" 3 pairs, {len(pieces)} target pieces: perplexity {perplexity:.3f}")
    told = [json.loads(line) for line in mt("score", numbers, *options, "--json").stdout.splitlines()]
    assert [one["source"] for one in told] == LINES
    assert [len(one["pieces"]) for one in told] == [len(one["entropies"]) for one in told] == list(map(len, own))
    for one, values in zip(told, own, strict=True):
        assert one["log_probabilities"] == pytest.approx(values, abs=1e-4)


def test_a_split_is_scored_and_what_does_not_fit_is_told(numbers: Path, tmp_path: Path) -> None:
    assert len(mt("score", numbers, "--split", "validation").stdout.splitlines()) == 60
    (tmp_path / "one").write_text("eins\n")
    (tmp_path / "none").write_text("")
    for options, said in (
        ([tmp_path / "one", tmp_path / "one"], "Give pairs as --source FILE --target FILE"),
        (["--source", tmp_path / "one"], "give both --source and --target"),
        (["--source", tmp_path / "one", "--target", tmp_path / "one", "--split", "test"], "not both"),
        (["--source", tmp_path / "one", "--target", tmp_path / "none"], "1 lines but"),
        (["--source", tmp_path / "none", "--target", tmp_path / "none"], "no pair to score"),
    ):
        refused = mt("score", numbers, *options)
        assert refused.returncode in {1, 2}
        assert said in refused.stderr, refused.stderr
        assert refused.stdout == ""
