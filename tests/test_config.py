"""One tree, read once: what a file says, what it inherits, and an error that names file and key for all the rest."""

import json
import re
import typing
from pathlib import Path
from typing import Any

import pytest
import yaml
from pydantic import ValidationError

from mt import attention, config_file, models
from mt.config import Attention, Config, CorpusConfig, Model, ToyCorpus, Tree
from mt.corpora import CORPORA
from mt.errors import UserError
from mt.models import rnn

CONFIGS = Path(__file__).parent.parent / "configs"
LINE = "the command line"


@pytest.fixture
def toy(tmp_path: Path) -> Path:
    return write(tmp_path / "toy.yaml", "corpus: {name: toy}\n")


def write(path: Path, text: str | bytes) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(text.encode() if isinstance(text, str) else text)
    return path


def refused(path: Path, *overrides: str) -> str:
    with pytest.raises(UserError) as caught:
        config_file.load(path, overrides)
    return str(caught.value)


def classes(node: Any = Config) -> set[type[Tree]]:
    """Return every class of the tree."""
    if not (isinstance(node, type) and issubclass(node, Tree)):
        return set().union(*map(classes, typing.get_args(node)))
    return {node}.union(*(classes(field.annotation) for field in node.model_fields.values()))


# Where values come from -----------------------------------------------------------------------------------------------


def test_a_file_says_only_what_differs(toy: Path) -> None:
    config = config_file.load(toy)
    assert config == Config.model_validate({"corpus": {"name": "toy"}})
    assert (config.model.hidden, config.train.betas, config.threads) == (256, (0.9, 0.98), None)


def test_a_chain_of_files_and_the_command_line_in_order(tmp_path: Path) -> None:
    write(tmp_path / "base.yaml", "corpus: {name: toy, pairs: 1}\nmodel: {hidden: 1, layers: 1, cell: lstm}\nseed: 1")
    write(tmp_path / "sub/middle.yaml", "extends: ../base.yaml\nmodel: {hidden: 2, layers: 2}\nseed: 2")
    leaf = write(tmp_path / "sub/deep/leaf.yaml", "extends: ../middle.yaml\nmodel: {hidden: 3}\ncorpus: {seed: 3}")
    config = config_file.load(leaf, ["model.embedding=4", "corpus.seed=4"])
    assert (config.model.cell, config.model.layers, config.model.hidden, config.model.embedding) == ("lstm", 2, 3, 4)
    assert (config.seed, config.corpus.name, config.corpus.seed) == (2, "toy", 4)
    assert config.corpus.pairs == 1


def test_extends_may_be_an_absolute_path(toy: Path, tmp_path: Path) -> None:
    leaf = write(tmp_path / "elsewhere/leaf.yaml", f"extends: {toy}\nseed: 5\n")
    assert config_file.load(leaf).seed == 5


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
    found = config_file.flatten(config_file.load(path, [override]).model_dump())[key]
    assert found == value
    assert type(found) is type(value)


def test_a_later_override_wins(toy: Path) -> None:
    config = config_file.load(toy, ["model.hidden=1", "model.layers=3", "model.hidden=2"])
    assert (config.model.hidden, config.model.layers) == (2, 3)


def test_a_byte_order_mark_and_crlf_are_no_matter(tmp_path: Path) -> None:
    assert config_file.load(write(tmp_path / "x.yaml", b"\xef\xbb\xbfcorpus:\r\n  name: toy\r\nseed: 3\r\n")).seed == 3


@pytest.mark.parametrize("node", sorted(classes(), key=lambda node: node.__name__))
def test_nothing_writes_to_it(node: type[Tree]) -> None:
    given = {"name": "x", "corpus": {"name": "toy"}}
    tree = node.model_construct(**{name: given.get(name) for name in node.model_fields})
    name = next(iter(node.model_fields))
    with pytest.raises(ValidationError, match="frozen"):
        setattr(tree, name, None)


# There and back -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("path", sorted(CONFIGS.glob("*.yaml")), ids=lambda path: path.name)
def test_every_config_loads_and_comes_back_equal(path: Path, tmp_path: Path) -> None:
    overrides = ["corpus={name: gnt}"] if path.name == "base.yaml" else []  # what base.yaml leaves to its heirs
    config = config_file.load(path, overrides)
    assert config_file.load(write(tmp_path / "again.yaml", config_file.to_yaml(config))) == config


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
    assert config_file.load(write(tmp_path / "again.yaml", config_file.to_yaml(config))) == config


def test_the_resolved_tree_says_everything(toy: Path) -> None:
    written = config_file.flatten(yaml.safe_load(config_file.to_yaml(config_file.load(toy))))
    assert written["model.attention.score"] == "additive"
    assert written["train.betas"] == [0.9, 0.98]
    assert written["threads"] is None
    reached = classes() - {node for node in typing.get_args(CorpusConfig) if node is not ToyCorpus}
    leaves = [name for node in reached for name, field in node.model_fields.items() if not classes(field.annotation)]
    assert sorted(key.rpartition(".")[2] for key in written) == sorted(leaves)


# Mistakes -------------------------------------------------------------------------------------------------------------


def test_an_unknown_key_names_the_file_that_set_it_and_the_nearest_key(toy: Path, tmp_path: Path) -> None:
    text = "unknown key model.attention.scroe in {}: did you mean score?"
    assert refused(toy, "model.attention.scroe=dot") == text.format(LINE)
    base = write(tmp_path / "base.yaml", "corpus: {name: toy}\nmodel: {attention: {scroe: dot, width: 3}}")
    assert refused(base) == text.format(base)
    child = write(tmp_path / "child.yaml", "extends: base.yaml\nmodel: {attention: {width: 3}}")
    assert refused(child, "model.attention.width=4") == text.format(base)
    write(base, "corpus: {name: toy}\nmodel: {attention: {width: 3}}")
    write(child, "extends: base.yaml\nmodel: {attention: {scroe: dot}}")
    assert refused(child, "model.attention.width=4") == text.format(child)


@pytest.mark.parametrize(
    ("override", "error"),
    [
        ("modle.hidden=1", "unknown key modle in the command line: did you mean model?"),
        ("zzz=1", "unknown key zzz in the command line: known here: corpus, vocabulary, model, train"),
        ("corpus.seeed=1", "unknown key corpus.seeed in the command line: did you mean seed?"),
        ("corpus.path=x", "unknown key corpus.path in the command line: known here: name, source, target, pairs, he"),
        ("extends=x.yaml", "unknown key extends in the command line"),
        ("model.hidden=big", "model.hidden in the command line is 'big': input should be a valid integer"),
        ("model.hidden=1.5", "model.hidden in the command line is 1.5: input should be a valid integer"),
        ("model.hidden=0", "model.hidden in the command line is 0: input should be greater than or equal to 1"),
        ("model.hidden=", "model.hidden in the command line is None: input should be a valid integer"),
        ("model.hidden=[3]", r"model.hidden in the command line is [3]: input should be a valid integer"),
        ("model.hidden.x=3", "model.hidden in the command line is {'x': 3}: input should be a valid integer"),
        ("model.tied=maybe", "model.tied in the command line is 'maybe': input should be a valid boolean"),
        ("model.attention=none", "model.attention in the command line is 'none': it has keys of its own: score, wir"),
        ("model=", "model in the command line is None: it has keys of its own: kind, cell"),
        ("corpus=toy", "corpus in the command line is 'toy': it has keys of its own, for example {name: toy}"),
        ("corpus.name=tpy", "corpus.name in the command line is 'tpy': known are toy, gnt, multi30k, files, hub; "
                            "did you mean toy?"),
        ("model.attention.score=aditive", "model.attention.score in the command line is 'aditive': input should be "
            "'additive', 'dot', 'general', 'concat' or 'none'; did you mean additive?"),
        ("corpus.source=fr", "corpus.source in the command line is 'fr': input should be 'en' or 'de'"),
        ("train.betas=0.9", "train.betas in the command line is 0.9: input should be a valid list"),
        ("train.betas=[0.9]", "train.betas.1 in the command line is [0.9]: field required"),
        ("train.betas=[0.9, 2]", "train.betas.1 in the command line is 2: input should be less than 1"),
        ("train.betas=[1, 2, 3]", "train.betas in the command line is [1, 2, 3]: list should have at most 2 items"),
        ("train.validate_every=0", "train.validate_every in the command line is 0: input should be greater"),
        ("vocabulary.size=299", "vocabulary.size in the command line is 299: input should be greater than or equal to"),
        ("seed=-1", "seed in the command line is -1: input should be greater than or equal to 0"),
        ("seed=1e3", "seed in the command line is '1e3': input should be a valid integer"),
        ("seed=2024-13-45", "override 'seed=2024-13-45' on the command line: not YAML (month must be in 1..12)"),
        ("model.hidden=[1", "override 'model.hidden=[1' on the command line, line 1: not YAML (expected ',' or ']'"),
        ("nonsense", "override 'nonsense' on the command line: write key=value, for example model.hidden=128"),
        ("=3", "override '=3' on the command line: write key=value"),
    ],
)  # fmt: skip
def test_a_wrong_override_is_explained(toy: Path, override: str, error: str) -> None:
    assert refused(toy, override).startswith(error)


@pytest.mark.parametrize(
    ("text", "error"),
    [
        ("", "missing key corpus in PATH"),
        ("# corpus: {name: toy}\n", "missing key corpus in PATH"),
        ("corpus: {source: de}", "missing key corpus.name in PATH"),
        ("corpus: {name: files, source: a, target: b}", "missing key corpus.train in PATH"),
        ("corpus: {name: files, source: a, target: b, train: 5}", "corpus.train in PATH is 5: input should be a valid "
            "string\ncorpus.train in PATH is 5: input should be a valid list"),
        ("corpus: {name: toy}\nmodel:\n", "model in PATH is None: it has keys of its own: kind"),
        ("corpus: {name: toy}\nmodel.hidden: 3\n", "unknown key model.hidden in PATH"),
        ("corpus: {name: toy}\n1: 2", "unknown key 1 in PATH"),
        ("corpus: {name: toy}\nseed: 1\nseed: 2", "PATH, line 3: not YAML (seed is given twice)"),
        ("corpus: {name: toy}\nmodel: {layers: 1,\n  layers: 2}", "PATH, line 3: not YAML (layers is given twice)"),
        ("a: 1\nb: c: d", "PATH, line 2: not YAML (mapping values are not allowed here)"),
        ("corpus:\n\tname: toy", "PATH, line 2: not YAML (found character '\\t' that cannot start any token)"),
        ("corpus: [", "PATH, line 1: not YAML"),
        ("a: !!python/object:os.x 1", "PATH, line 1: not YAML (could not determine a constructor"),
        ("? [a]\n: b", "PATH, line 1: not YAML (found unhashable key)"),
        ("\0", "PATH: not YAML (unacceptable character #x0000: special characters are not allowed)"),
        (b"corpus: {name: \xff}", "PATH is not UTF-8, so it is not a config: invalid start byte at byte 16"),
        ("- a\n- b", "PATH is not a config: it holds a list, not `key: value` lines"),
        ("some words", "PATH is not a config: it holds a single value, not `key: value` lines"),
        ("extends: [a.yaml]", "extends in PATH is ['a.yaml']: write the name of one file"),
    ],
)  # fmt: skip
def test_a_wrong_file_is_explained(tmp_path: Path, text: str | bytes, error: str) -> None:
    path = write(tmp_path / "x.yaml", text)
    assert refused(path).startswith(error.replace("PATH", str(path)))


def test_every_mistake_is_told_at_once(toy: Path) -> None:
    assert len(refused(toy, "model.hiden=1", "train.epochs=many", "corpus.source=fr").splitlines()) == 3


@pytest.mark.parametrize("value", [".nan", ".inf", "-.inf"])
@pytest.mark.parametrize("key", ["train.learning_rate", "train.clip", "train.final", "model.dropout.encoder",
                                 "search.length_penalty", "search.max_ratio"])  # fmt: skip
def test_numbers_are_finite(toy: Path, key: str, value: str) -> None:
    assert refused(toy, f"{key}={value}").endswith(f"is {value.replace('.', '')}: input should be a finite number")


@pytest.mark.parametrize(
    ("override", "start"),
    [
        (
            "corpus={name: files, source: no, target: en, train: x.tsv}",
            "corpus.source in the command line is False: input",
        ),
        ("corpus.source=no", "corpus.source in the command line is False: input should be 'en' or 'de'; YAML reads"),
        ("model.hidden=on", "model.hidden in the command line is True, not a number; YAML reads"),  # not the number 1
        ("train.learning_rate=yes", "train.learning_rate in the command line is True, not a number; YAML reads"),
        ("train.final=off", "train.final in the command line is False, not a number; YAML reads"),
        ("train.label_smoothing=yes", "train.label_smoothing in the command line is True: input should be less than 1"),
    ],
)
def test_norwegian_is_not_a_switch(tmp_path: Path, override: str, start: str) -> None:
    path = write(tmp_path / "x.yaml", "corpus: {name: toy}")
    error = refused(path, override)
    assert error.startswith(start)
    assert error.endswith(
        "YAML reads a bare yes, no, on or off as true or false: put quotes around it if you mean the word"
    )


def test_widths_that_dot_cannot_multiply(toy: Path, tmp_path: Path) -> None:
    child = write(tmp_path / "child.yaml", "extends: toy.yaml\nmodel: {hidden: 128}")
    error = refused(child, "model.attention.score=dot")
    assert error.startswith(f"{child}: the dot score multiplies a state by an encoder output")
    assert "hidden is 128 and 2 x encoder_hidden is 512" in error
    places = ["score from the command line", f"hidden from {child}", "encoder_hidden from the defaults"]
    assert error.endswith(f"(model.attention.{places[0]}, model.{places[1]}, model.{places[2]})")
    config = config_file.load(child, ["model.attention.score=dot", "model.encoder_hidden=64"])
    assert config.model.attention.score == "dot"


def test_one_language_twice(tmp_path: Path) -> None:
    base = write(tmp_path / "base.yaml", "corpus: {name: multi30k, source: en, target: de}")
    assert refused(base, "corpus.target=en") == (
        f"{base}: source and target are both 'en'; choose two languages (corpus.source from {base}, corpus.target from "
        f"the command line)"
    )


def test_a_missing_file_names_itself_its_reader_and_its_neighbour(toy: Path, tmp_path: Path) -> None:
    missing = tmp_path / "tyo.yaml"
    assert refused(missing) == f"cannot read config {missing}: No such file or directory; did you mean {toy}?"
    nothing = tmp_path / "nothing" / "x.yaml"
    assert refused(nothing) == f"cannot read config {nothing}: No such file or directory"
    assert refused(tmp_path) == f"cannot read config {tmp_path}: Is a directory"
    child = write(tmp_path / "child.yaml", "extends: tyo.yaml")
    assert refused(child).startswith(f"cannot read config {missing}, which {child} extends: No such file")


def test_files_that_extend_each_other(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    a = write(tmp_path / "a.yaml", "extends: ./b.yaml")
    b = write(tmp_path / "b.yaml", "extends: ../" + tmp_path.name + "/a.yaml")
    again = f"{tmp_path}/../{tmp_path.name}/a.yaml"
    assert refused(a) == f"{again} extends itself, through {a} -> {b} -> {again}"
    alone = write(tmp_path / "alone.yaml", "extends: alone.yaml")
    assert refused(alone) == f"{alone} extends itself, through {alone} -> {alone}"
    monkeypatch.chdir(tmp_path)
    assert refused(Path("alone.yaml")) == "alone.yaml extends itself, through alone.yaml -> alone.yaml"


# What other rooms and editors rely on ---------------------------------------------------------------------------------


def literal(node: type[Tree], key: str) -> list[str]:
    return list(typing.get_args(node.model_fields[key].annotation))


def test_choices_are_the_registries() -> None:
    assert literal(Attention, "score") == [*attention.SCORES, "none"]
    assert literal(Attention, "wiring") == list(rnn.WIRINGS)
    assert literal(Model, "cell") == list(rnn.CELLS)
    assert literal(Model, "kind") == list(models.MODELS)
    assert [literal(node, "name")[0] for node in typing.get_args(CorpusConfig)] == list(CORPORA)


def test_the_schema_has_every_key_with_its_meaning() -> None:
    schema = config_file.json_schema()
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
            assert part["properties"][name].get("description") == field.description, f"{node.__name__}.{name}"
            documented += field.description is not None
    assert documented > 30
    assert {"ToyCorpus", "Attention", "Train"} <= schema["$defs"].keys()


def test_the_schema_takes_what_load_takes() -> None:
    """Check every key of configs/ against the schema, by following it."""
    schema = config_file.json_schema()
    for path in CONFIGS.glob("*.yaml"):
        for key, value in config_file.flatten(yaml.safe_load(path.read_text())).items():
            part = schema
            for name in key.split("."):
                part = part["properties"][name]
                if "oneOf" in part:
                    corpus = yaml.safe_load(path.read_text())["corpus"]["name"]
                    part = {"$ref": part["discriminator"]["mapping"][corpus]}
                if "$ref" in part:
                    part = schema["$defs"][part["$ref"].rpartition("/")[2]]
            kinds = {"string": str, "integer": int, "number": (int, float), "boolean": bool, "array": list}
            assert isinstance(value, kinds[part["type"]]), f"{path.name}: {key}"
            assert value in part.get("enum", [value])


def test_every_reference_of_the_schema_is_there() -> None:
    schema = config_file.json_schema()
    references = set(re.findall(r"#/\$defs/(\w+)", json.dumps(schema)))
    assert references == schema["$defs"].keys()


def test_flatten_names_every_leaf() -> None:
    assert config_file.flatten({"a": {"b": {"c": 1}, "d": [2]}, "e": None}) == {"a.b.c": 1, "a.d": [2], "e": None}
