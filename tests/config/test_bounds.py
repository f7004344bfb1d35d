"""Configs that strangers wrote: nothing in them is endless, and what passes a bound is refused at once."""

import resource
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from config_files import refused, write

from mt.config import Config
from mt.config.files import read_config
from mt.config.parse import DIGITS, LONGEST, MOST, parse_yaml
from mt.config.study import Study, read_study
from mt.core.errors import UserError

LAUGHS = "a0: &a0 [1, 1, 1, 1, 1, 1, 1, 1, 1, 1]\n" + "".join(
    f"a{row}: &a{row} [{', '.join([f'*a{row - 1}'] * 10)}]\n" for row in range(1, 9)
)
MERGED = "a0: &a0 {x: 1}\n" + "".join(
    f"a{row}: &a{row} {{<<: [{', '.join([f'*a{row - 1}'] * 10)}]}}\n" for row in range(1, 9)
)
CHAIN = "a0: &a0 [1]\n" + "".join(f"a{row}: &a{row} [*a{row - 1}]\n" for row in range(1, 30))
BOMBS = {
    LAUGHS: "more than 4,000 values",
    MERGED: "more than 4,000 values",
    "[" + "1, " * (MOST + 1) + "]": "more than 4,000 values",
    CHAIN: "nested too deeply",
    "[" * 50_000: "nested too deeply",
    "- " * 50_000: "nested too deeply",
    "".join(" " * row + "a:\n" for row in range(400)): "nested too deeply",
    "x" * (LONGEST + 1): "longer than",
    "a: " + "1" * 5000: "a number of more than 100 characters",
    "a: 0x" + "f" * 5000: "a number of more than 100 characters",
    "a: " + "1:" * 50_000 + "1": "a number of more than 100 characters",
    "a: 1." + "1" * 5000: "a number of more than 100 characters",
    "a: !!timestamp yesterday": "line 1: not YAML",
    "a: !!int ''": "line 1: not YAML",
    "a: !!bool perhaps": "line 1: not YAML",
    'a: "x\\0y"': "a NUL character",
    'a: "x\\ud800y"': "half of a surrogate pair",
}


def numbers(schema: Any, at: str) -> Iterator[tuple[str, dict[str, Any]]]:
    """Yield where each number of a JSON Schema stands, and what it says of it."""
    if isinstance(schema, dict):
        if schema.get("type") in {"integer", "number"}:
            yield at, schema
        for key, value in schema.items():
            yield from numbers(value, f"{at}/{key}")
    elif isinstance(schema, list):
        for place, value in enumerate(schema):
            yield from numbers(value, f"{at}/{place}")


@pytest.mark.parametrize("tree", [Config, Study])
def test_every_number_has_an_upper_bound(tree: type[Config | Study]) -> None:
    found = dict(numbers(tree.model_json_schema(), tree.__name__))
    assert len(found) > (60 if tree is Config else 0)
    assert not [at for at, one in found.items() if not {"maximum", "exclusiveMaximum", "enum"} & one.keys()]


@pytest.mark.parametrize("bomb", BOMBS, ids=range(len(BOMBS)))
def test_yaml_that_would_never_end_is_refused_at_once(bomb: str, tmp_path: Path) -> None:
    begun, before = time.process_time(), resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    with pytest.raises(UserError, match=BOMBS[bomb]) as caught:
        parse_yaml(bomb, "theirs.yaml")
    assert time.process_time() - begun < 4  # one, on a slow machine
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 200 << 10
    assert len(str(caught.value)) < 300


def test_aliases_within_the_bounds_stand_for_what_they_name() -> None:
    text = "base: &base {a: 1, b: [&two 2, *two]}\nother: {<<: *base, a: 3}"
    assert parse_yaml(text, "theirs.yaml") == {"base": {"a": 1, "b": [2, 2]}, "other": {"a": 3, "b": [2, 2]}}
    assert parse_yaml("a: " + "1" * DIGITS, "theirs.yaml") == {"a": int("1" * DIGITS)}


@pytest.mark.parametrize(
    "override",
    [
        "model.hidden=1000000000",
        "model.layers=1001",
        "search.beam=1000000000",
        "train.epochs=1000000000000",
        "train.learning_rate=1.0e+300",
        "train.learning_rate=1e400",
        "threads=100000",
        "model.attention.width=" + "9" * DIGITS,
        "corpus.pairs=100000001",
        "a" + ".a" * 5000 + "=1",
        "model.hidden=" + "[" * 15 + "]" * 15,
    ],
)
def test_a_number_beyond_its_bound_is_refused(toy: Path, override: str) -> None:
    assert override.partition("=")[0][:20] in refused(toy, override)


def test_of_many_mistakes_the_first_are_told(tmp_path: Path) -> None:
    config = write(tmp_path / "theirs.yaml", "corpus: {name: toy}\n" + "".join(f"k{row}: 1\n" for row in range(1000)))
    told = refused(config).splitlines()
    assert len(told) == 21
    assert told[-1] == "and 980 more"
    config = write(tmp_path / "theirs.yaml", f"corpus: {{name: toy}}\nseed: {'x' * 100_000}\n{'y' * 500}: 1\n")
    assert all(len(line) < 700 for line in refused(config).splitlines())


def test_a_file_without_an_end_is_no_config() -> None:
    assert "it has more than" in refused(Path("/dev/zero"))


def test_configs_that_extend_one_another_without_an_end_are_refused(tmp_path: Path) -> None:
    for row in range(40):
        write(tmp_path / f"{row}.yaml", f"extends: {row + 1}.yaml\n")
    assert "more than 20 times" in refused(tmp_path / "0.yaml")


def test_a_config_that_extends_a_name_too_long_for_a_file_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r"which .* extends: File name too long"):
        read_config(write(tmp_path / "a.yaml", f"extends: {'a' * 300}\n"))


def test_the_config_of_a_run_extends_nothing(tmp_path: Path) -> None:
    write(tmp_path / "secret.yaml", "corpus: {name: toy}\n")
    config = write(tmp_path / "run" / "config.yaml", "extends: ../secret.yaml\n")
    assert read_config(config).corpus.name == "toy"
    with pytest.raises(UserError, match="the config of a run is whole"):
        read_config(config, of_run=True)


def test_a_study_without_an_end_is_refused(tmp_path: Path) -> None:
    axes = "".join(f"  train.k{row}: [{', '.join(map(str, range(50)))}]\n" for row in range(40))
    study = write(tmp_path / "theirs.yaml", f"config: toy\naxes:\n{axes}")
    with pytest.raises(UserError, match="a study has at most 1,000"):
        read_study(study)
    with pytest.raises(UserError, match="more than 4,000 values"):
        read_study(write(tmp_path / "laughs.yaml", LAUGHS))
