"""One tree, read once: what a file says, what it inherits, and an error that names file and key for all the rest."""

import inspect
import json
import re
import typing
from pathlib import Path
from typing import Any

import pytest
import yaml
from config_files import write
from pydantic import ValidationError

from mt import attention, models
from mt.config import Config
from mt.config.corpora import Added, Columns, CorpusConfig, GntCorpus, ToyCorpus
from mt.config.files import json_schema, read_config, to_yaml
from mt.config.models import AttentionConfig, Model, RNNModel, TransformerDropout, TransformerModel
from mt.config.tree import Tree, flatten
from mt.corpora import CORPORA
from mt.models.rnn import cells, wirings

CONFIGS = Path(__file__).parents[2] / "configs"
EXPERIMENTS = sorted(path for path in CONFIGS.rglob("*.yaml") if path.parent.name != "studies")
"""All but the studies, which test_study_files.py reads."""


def classes(node: Any = Config) -> set[type[Tree]]:
    """Return every class of the tree."""
    if not (isinstance(node, type) and issubclass(node, Tree)):
        return set().union(*map(classes, typing.get_args(node)))
    return {node}.union(*(classes(field.annotation) for field in node.model_fields.values()))


# Where values come from -----------------------------------------------------------------------------------------------


def test_a_file_says_only_what_differs(toy: Path) -> None:
    config = read_config(toy)
    assert config == Config.model_validate({"corpus": {"name": "toy"}})
    assert (config.model.hidden, config.train.betas, config.threads) == (256, (0.9, 0.98), None)


def test_a_chain_of_files_and_the_command_line_in_order(tmp_path: Path) -> None:
    write(tmp_path / "base.yaml", "corpus: {name: toy, pairs: 1}\nmodel: {hidden: 1, layers: 1, cell: lstm}\nseed: 1")
    write(tmp_path / "sub/middle.yaml", "extends: ../base.yaml\nmodel: {hidden: 2, layers: 2}\nseed: 2")
    leaf = write(tmp_path / "sub/deep/leaf.yaml", "extends: ../middle.yaml\nmodel: {hidden: 3}\ncorpus: {seed: 3}")
    config = read_config(leaf, ["model.embedding=4", "corpus.seed=4"])
    assert (config.model.cell, config.model.layers, config.model.hidden, config.model.embedding) == ("lstm", 2, 3, 4)
    assert (config.seed, config.corpus.name, config.corpus.seed) == (2, "toy", 4)
    assert config.corpus.pairs == 1


def test_extends_may_be_an_absolute_path(toy: Path, tmp_path: Path) -> None:
    leaf = write(tmp_path / "elsewhere/leaf.yaml", f"extends: {toy}\nseed: 5\n")
    assert read_config(leaf).seed == 5


@pytest.mark.parametrize(
    ("override", "key", "value"),
    [
        ("model.hidden=128", "model.hidden", 128),
        ("train.betas=[0.5, 0.75]", "train.betas", (0.5, 0.75)),
        ("train.learning_rate=1e-3", "train.learning_rate", 0.001),  # a string in YAML 1.1
        ("train.learning_rate=2", "train.learning_rate", 2.0),
        ("model.tied=no", "model.tied", False),
        ("threads=", "threads", None),
        ("model.attention={score: general, width: 7}", "model.attention.width", 7),
        ("model.attention={score: general, width: 7}", "model.attention.wiring", "bahdanau"),
        ("corpus={name: files, source: a=b, target: c, train: [d, e]}", "corpus.source", "a=b"),
        ("corpus={name: files, source: 'no', target: c, train: [d, e]}", "corpus.train", ("d", "e")),
    ],
)
def test_an_override_is_yaml(tmp_path: Path, override: str, key: str, value: object) -> None:
    path = write(tmp_path / "x.yaml", "" if override.startswith("corpus") else "corpus: {name: toy}")
    found = flatten(read_config(path, [override]).model_dump())[key]
    assert found == value
    assert type(found) is type(value)


def test_a_later_override_wins(toy: Path) -> None:
    config = read_config(toy, ["model.hidden=1", "model.layers=3", "model.hidden=2"])
    assert (config.model.hidden, config.model.layers) == (2, 3)


# Another corpus, another kind of model --------------------------------------------------------------------------------


def test_another_corpus_or_kind_starts_afresh(tmp_path: Path) -> None:
    """The keys of the old one are not the new one's, whoever set them; those of the same one stay."""
    text = "corpus: {name: toy, pairs: 5, seed: 6}\nmodel: {hidden: 7, dropout: {readout: 0.5}}\ntrain: {epochs: 8}"
    write(tmp_path / "base.yaml", text)
    same = write(tmp_path / "same.yaml", "extends: base.yaml\ncorpus: {name: toy, seed: 1}\nmodel: {kind: rnn}")
    config = read_config(same)
    assert (config.corpus.pairs, config.corpus.seed) == (5, 1)
    assert (config.model.hidden, config.model.dropout.readout) == (7, 0.5)
    other = write(tmp_path / "other.yaml", "extends: same.yaml\ncorpus: {name: gnt}\nmodel: {kind: transformer}")
    config = read_config(other)
    assert config.corpus == GntCorpus(name="gnt")
    assert config.model == TransformerModel(kind="transformer")
    assert config.train.epochs == 8
    back = write(tmp_path / "back.yaml", "extends: other.yaml\nmodel: {kind: rnn, layers: 3}\ncorpus: {name: toy}")
    config = read_config(back)
    assert config.model == RNNModel(layers=3)
    assert config.corpus == ToyCorpus(name="toy")


@pytest.mark.parametrize("turned", [False, True])
def test_overrides_that_start_afresh_come_first(tmp_path: Path, turned: bool) -> None:
    base = write(tmp_path / "base.yaml", "corpus: {name: toy, pairs: 5}\nmodel: {hidden: 7, layers: 3}")
    overrides = ["model.kind=transformer", "model.layers=2", "corpus.name=gnt", "corpus.target=grc", "corpus.source=en"]
    config = read_config(base, overrides[::-1] if turned else overrides)
    assert config.model == TransformerModel(kind="transformer", layers=2)
    assert config.corpus == GntCorpus(name="gnt", source="en", target="grc")


def test_a_name_given_later_is_not_another(tmp_path: Path) -> None:
    write(tmp_path / "base.yaml", "corpus: {source: en, target: de}\nmodel: {layers: 2}")
    child = write(tmp_path / "child.yaml", "extends: base.yaml\ncorpus: {name: multi30k}\nmodel: {kind: rnn}")
    config = read_config(child)
    assert (config.corpus.source, config.corpus.target, config.model.layers) == ("en", "de", 2)


def test_a_byte_order_mark_and_crlf_are_no_matter(tmp_path: Path) -> None:
    assert read_config(write(tmp_path / "x.yaml", b"\xef\xbb\xbfcorpus:\r\n  name: toy\r\nseed: 3\r\n")).seed == 3


@pytest.mark.parametrize("node", sorted(classes(), key=lambda node: node.__name__))
def test_nothing_writes_to_it(node: type[Tree]) -> None:
    given = {"name": "x", "corpus": {"name": "toy"}}
    tree = node.model_construct(**{name: given.get(name) for name in node.model_fields})
    name = next(iter(node.model_fields))
    with pytest.raises(ValidationError, match="frozen"):
        setattr(tree, name, None)


# There and back -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("path", EXPERIMENTS, ids=lambda path: str(path.relative_to(CONFIGS)))
def test_every_config_loads_and_comes_back_equal(path: Path, tmp_path: Path) -> None:
    overrides = ["corpus={name: gnt}"] if path == CONFIGS / "base.yaml" else []  # what base.yaml leaves to its heirs
    config = read_config(path, overrides)
    assert read_config(write(tmp_path / "again.yaml", to_yaml(config))) == config


@pytest.mark.parametrize(
    "word",
    [
        "no",
        "1e-3",
        "1",
        "null",
        "a: b",
        "- a",
        "# a",
        "é🐕",
        " a ",
        "",
        "~",
        "\ttab",
        "'\"",
        "x" * 200,
    ],
)
def test_any_word_comes_back_equal(word: str, tmp_path: Path) -> None:
    corpus = {"name": "files", "source": word, "target": "target", "train": [word, "b"], "test": word}
    config = Config.model_validate(
        {"corpus": corpus, "train": {"learning_rate": 1e-9, "betas": [0.1 + 0.2, 1e-20], "validate_every": 5}}
    )
    assert read_config(write(tmp_path / "again.yaml", to_yaml(config))) == config


def test_the_resolved_tree_says_everything(toy: Path) -> None:
    written = flatten(yaml.safe_load(to_yaml(read_config(toy))))
    assert written["model.attention.score"] == "additive"
    assert written["train.betas"] == [0.9, 0.98]
    assert written["threads"] is None
    others = {node for node in typing.get_args(CorpusConfig) if node is not ToyCorpus}
    reached = classes() - others - {TransformerModel, TransformerDropout, Added, Columns}
    leaves = [name for node in reached for name, field in node.model_fields.items() if not classes(field.annotation)]
    assert sorted(key.rpartition(".")[2] for key in written) == sorted(leaves)


# Mistakes -------------------------------------------------------------------------------------------------------------


def literal(node: type[Tree], key: str) -> list[str]:
    return list(typing.get_args(node.model_fields[key].annotation))


def test_choices_are_the_registries() -> None:
    assert literal(AttentionConfig, "score") == [*attention.SCORES, "none"]
    assert literal(AttentionConfig, "wiring") == list(wirings.WIRINGS)
    assert literal(AttentionConfig, "window") == list(attention.WINDOWS)
    assert literal(RNNModel, "cell") == list(cells.CELLS)
    assert [literal(node, "kind")[0] for node in typing.get_args(Model)] == list(models.MODELS)
    assert [literal(node, "name")[0] for node in typing.get_args(CorpusConfig)] == list(CORPORA)


def test_the_schema_has_every_key_with_its_meaning() -> None:
    schema = json_schema()
    assert json.loads(json.dumps(schema)) == schema
    assert schema["required"] == []
    assert schema["properties"]["extends"]["type"] == "string"
    assert schema["additionalProperties"] is False
    documented = 0
    for node in classes():
        part = schema if node is Config else schema["$defs"][node.__name__]
        assert part["type"] == "object"
        assert part["properties"].keys() - {"extends"} == node.model_fields.keys(), node
        for name, field in node.model_fields.items():
            told = field.description or inspect.getdoc(field.annotation)
            assert part["properties"][name]["description"] == told, f"{node.__name__}.{name}"
            documented += 1
    assert documented > 100
    assert {"ToyCorpus", "AttentionConfig", "Train"} <= schema["$defs"].keys()


KINDS: dict[str, type | tuple[type, ...]] = {
    "string": str,
    "integer": int,
    "number": (int, float),
    "boolean": bool,
    "array": list,
    "null": type(None),
    "object": dict,
}


def takes(schema: dict[str, Any], part: dict[str, Any], value: Any) -> bool:
    """Tell whether a part of the schema takes a value, by the JSON Schema keywords that ours has."""
    if "$ref" in part:
        return takes(schema, schema["$defs"][part["$ref"].rpartition("/")[2]], value)
    if "anyOf" in part:
        return any(takes(schema, one, value) for one in part["anyOf"])
    for one in part.get("allOf", []):
        ((key, wanted),) = one["if"]["properties"].items()
        if value.get(key) == wanted["const"] and not takes(schema, one["then"], value):
            return False
    if not isinstance(value, KINDS[part["type"]]) or value not in part.get("enum", [value]):
        return False
    if not isinstance(value, dict):
        return bool(value == part.get("const", value))
    known = part["properties"]
    return set(part.get("required", [])) <= value.keys() <= known.keys() and all(
        takes(schema, known[key], one) for key, one in value.items()
    )


def test_the_schema_takes_every_config() -> None:
    schema = json_schema()
    for path in EXPERIMENTS:
        assert takes(schema, schema, yaml.safe_load(path.read_text())), path
    assert not takes(schema, schema, {"corpus": {"name": "toy", "nonsense": 1}})
    assert not takes(schema, schema, {"train": {"schedule": "steep"}})
    assert "oneOf" not in json.dumps(schema)


@pytest.mark.parametrize(
    ("node", "value", "taken"),
    [
        ("model", {"kind": "transformer", "feedforward": 64}, True),
        ("model", {"kind": "rnn", "feedforward": 64}, False),
        ("model", {"feedforward": 64, "dropout": {"residual": 0.1}}, True),
        ("model", {"feedfoward": 64}, False),
        ("model", {"kind": "cnn"}, False),
        ("corpus", {"name": "toy", "path": "x"}, False),
        ("corpus", {"path": "x"}, True),
    ],
)
def test_a_node_of_several_kinds_is_held_against_its_own(node: str, value: dict[str, Any], taken: bool) -> None:
    schema = json_schema()
    assert takes(schema, schema, {node: value}) == taken
    assert "anyOf" not in schema["properties"][node], "a complaint would be about any of them"


def test_every_reference_of_the_schema_is_there() -> None:
    schema = json_schema()
    references = set(re.findall(r"#/\$defs/(\w+)", json.dumps(schema)))
    assert references == schema["$defs"].keys()


def test_flatten_names_every_leaf() -> None:
    assert flatten({"a": {"b": {"c": 1}, "d": [2]}, "e": None}) == {"a.b.c": 1, "a.d": [2], "e": None}
