"""Whatever is brought to `mt` is taken, or refused by a sentence: no reader of anything from outside breaks.

scripts/reliability/fuzz.py tries many more inputs than these.
"""

import json
import logging
import random
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import typer
import yaml
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from script_loader import script

from mt.config import Config
from mt.config.corpora import FilesCorpus
from mt.config.files import read_config, to_yaml
from mt.core.errors import UserError
from mt.corpora import files

FUZZ = script("reliability/fuzz")
NAMES = """a config | the config of a run | changes on the command line | overrides of a config | a study |
two plain files | a .tsv file | a .csv file | a .jsonl file | a .json file | a .tmx file | a .tsv.gz file
| a .csv.zst file | a .parquet file | named columns, .csv | named columns, .tsv | counted columns, .tsv |
columns in windows-1252 | a stream of .tsv | a stream of .csv | a stream of .jsonl | a stream of .tmx
| a stream of .parquet | sentences in a file |
standard input | gold links, pharaoh0 | gold links, pharaoh1 | gold links, naacl | links of a guide
| alignments, .npz |
a run's eval/test/scores.json | a run's confidence.json | a run's alignment.json | a run's diagnosis.json |
a run's updates.jsonl |
a run's metrics.jsonl | a run's film.jsonl | a run's eval/test/alignments.jsonl | a run's state.safetensors |
a packed run's packed.json |
a run's model.safetensors | a run's tokenizer.model | a run's survey | a study's differences | a run's config.yaml |
a request to translate | a request to go on"""
READERS = [" ".join(name.split()) for name in NAMES.split("|")]
BRIEF = {"derandomize": True, "deadline": None, "database": None, "suppress_health_check": list(HealthCheck)}
CHOOSERS = st.randoms(use_true_random=False)


@pytest.fixture(scope="module")
def readers(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, Any]]:
    logging.disable(logging.CRITICAL)
    made = FUZZ.Material(tmp_path_factory.mktemp("material"))
    yield {one.name: one for one in FUZZ.readers(made)}
    logging.disable(logging.NOTSET)


def test_these_are_all_readers(readers: dict[str, Any]) -> None:
    assert list(readers) == READERS


@pytest.mark.parametrize("name", READERS)
def test_what_is_nearly_right_is_taken_or_refused_in_words(name: str, readers: dict[str, Any]) -> None:
    reader, count = readers[name], FUZZ.Count(name)
    for valid in reader.valid:
        count.take(reader, valid)
    assert (count.accepted, count.told) == (len(reader.valid), {})

    @settings(max_examples=15 if reader.share > 0.1 else 3, **BRIEF)
    @given(CHOOSERS)
    def change(chooser: random.Random) -> None:
        count.take(reader, FUZZ.mutate(chooser.choice(reader.valid), reader.valid, chooser))
        assert not count.told

    change()


def leaves(schema: dict[str, Any], node: dict[str, Any], at: str = "") -> Iterator[tuple[str, dict[str, Any]]]:
    """Yield the numbers among the keys of a JSON Schema, without those of a corpus or a model."""
    for name, one in node.get("properties", {}).items():
        if "$ref" in one:
            yield from leaves(schema, schema["$defs"][one["$ref"].rpartition("/")[2]], f"{at}{name}.")
        elif one.get("type") in {"integer", "number"} and "enum" not in one:
            yield f"{at}{name}", one


SCHEMA = Config.model_json_schema()
NUMBERS = dict(leaves(SCHEMA, SCHEMA))


@st.composite
def changes(draw: st.DrawFn) -> list[str]:
    """Draw changes to some numbers, within their bounds."""
    found = []
    keys = sorted(NUMBERS.keys() - {"train.coverage_loss"})  # which needs coverage
    for key in draw(st.lists(st.sampled_from(keys), max_size=5, unique=True)):
        one = NUMBERS[key]
        low = one.get("minimum", one.get("exclusiveMinimum"))
        high = one.get("maximum", one.get("exclusiveMaximum"))
        open_ends = {"exclude_min": "exclusiveMinimum" in one, "exclude_max": "exclusiveMaximum" in one}
        last = int(high) - ("exclusiveMaximum" in one)
        value = draw(st.integers(low, last) if one["type"] == "integer" else st.floats(low, high, **open_ends))
        found.append(f"{key}={yaml.safe_dump(value).splitlines()[0]}")
    return found


@settings(max_examples=10, **BRIEF)
@given(changes())
def test_numbers_within_their_bounds_are_taken_and_come_back(drawn: list[str]) -> None:
    assert len(NUMBERS) > 30
    config = read_config(Path("toy"), drawn)
    assert Config.model_validate(yaml.safe_load(to_yaml(config))) == config


LINES = st.lists(st.tuples(st.text(max_size=20), st.text(max_size=20)), min_size=1, max_size=5)


@settings(max_examples=25, **BRIEF)
@given(LINES)
def test_any_pairs_of_texts_are_taken_as_jsonl(tmp_path_factory: pytest.TempPathFactory, pairs: list[Any]) -> None:
    path = tmp_path_factory.mktemp("pairs") / "pairs.jsonl"
    path.write_text("".join(json.dumps({"a": one, "b": other}) + "\n" for one, other in pairs))
    config = FilesCorpus(name="files", source="a", target="b", train=str(path), copies="allow", raw=True)
    empty = not any(one.strip() and other.strip() for one, other in pairs)
    if empty or "\0" in "".join(map("".join, pairs)):
        with pytest.raises(UserError, match=str(path)):
            files.read(str(path), config)
    else:
        found = files.read(str(path), config)
        assert len(found.sources) + found.dropped == len(pairs)


def test_a_crash_is_counted_and_told() -> None:
    def read(data: bytes) -> None:
        if b"7" in data:
            raise KeyError(data)
        if b"8" in data:
            raise UserError("no")

    count = FUZZ.try_mutations(FUZZ.Reader("broken", read, [b"a 6\n", b"b 6\n"]), 300, seed=1)
    assert count.inputs == 300 == count.accepted + count.refused + count.crashed
    assert min(count.accepted, count.crashed) > 5
    assert "KeyError" in next(iter(count.told))
    table = FUZZ.describe([count], 1, guided=False)
    assert f"| broken | 300 | {count.accepted} | {count.refused} | {count.crashed} |" in table


def test_the_program_writes_a_table(tmp_path: Path) -> None:
    try:
        with pytest.raises(typer.Exit) as end:
            FUZZ.fuzz(inputs=200, seed=3, only="gold links", guided=False, output=tmp_path / "fuzz.md")
    finally:
        logging.disable(logging.NOTSET)
    assert end.value.exit_code == 0
    table = (tmp_path / "fuzz.md").read_text()
    assert "201 inputs, mutations of valid inputs, without guidance by coverage, seed 3." in table
    assert table.count("| gold links, ") == 3
