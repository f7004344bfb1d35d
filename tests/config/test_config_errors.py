"""Wrong configs: what is said of them, where, and what to do."""

from pathlib import Path

import pytest
from config_files import refused, write

from mt.config.parse import parse_yaml
from mt.core.errors import UserError

LINE = "the command line"


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("a: &a [*a]", r"not YAML \(an alias stands inside of what it names\)"),
        ("&a {b: *a}", r"not YAML \(an alias stands inside of what it names\)"),
        ("a: &a {b: [1, {c: *a}]}", r"not YAML \(an alias stands inside of what it names\)"),
        ("a: " + "[" * 3000 + "]" * 3000, r"not YAML \(lists or keys are nested too deeply"),
        ("a: " + "{b: " * 3000 + "1" + "}" * 3000, r"not YAML \(lists or keys are nested too deeply"),
    ],
)
def test_yaml_without_an_end_is_refused(text: str, reason: str) -> None:
    with pytest.raises(UserError, match=rf"^mine\.yaml, line 1: {reason}"):
        parse_yaml(text, "mine.yaml")


def test_an_alias_that_is_used_twice_is_none() -> None:
    assert parse_yaml("{a: &a [1], b: *a, c: [*a, *a]}", "mine.yaml") == {"a": [1], "b": [1], "c": [[1], [1]]}


def test_an_unknown_key_names_the_file_that_set_it_and_the_nearest_key(toy: Path, tmp_path: Path) -> None:
    text = "unknown key model.attention.scroe in {}: did you mean model.attention.score?"
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
        ("corpus.seeed=1", "unknown key corpus.seeed in the command line: did you mean corpus.seed?"),
        ("corpus.path=x", "unknown key corpus.path in the command line: known here: name, source, target, pairs, he"),
        ("extends=x.yaml", "unknown key extends in the command line"),
        ("model.hidden=big", "model.hidden in the command line is 'big': input should be a valid integer"),
        ("model.hidden=1.5", "model.hidden in the command line is 1.5: input should be a valid integer"),
        ("model.hidden=0", "model.hidden in the command line is 0: input should be greater than or equal to 1"),
        ("model.hidden=", "model.hidden in the command line is None: input should be a valid integer"),
        ("model.hidden=[3]", r"model.hidden in the command line is [3]: input should be a valid integer"),
        ("model.hidden.x=3", "model.hidden in the command line is {'x': 3}: input should be a valid integer"),
        ("model.tied=maybe", "model.tied in the command line is 'maybe': input should be a valid boolean"),
        ("model.attention=none", "model.attention in the command line is 'none': it has keys of its own: score, win"),
        ("model=", "model in the command line is None: it has keys of its own, for example {kind: rnn}"),
        ("model.kind=rnm", "model.kind in the command line is 'rnm': known are rnn, transformer; did you mean rnn?"),
        (
            "model.kind=transfomer",
            "model.kind in the command line is 'transfomer': known are rnn, transformer; did you mean transformer?",
        ),
        ("model.heads=2", "unknown key model.heads in the command line: did you mean model.attention.heads?"),
        ("model={kind: transformer, hidden: 3}", "unknown key model.hidden in the command line: known here: kind, wi"),
        (
            "model={kind: transformer, repot: {head: 1}}",
            "unknown key model.repot in the command line: did you mean model.report?",
        ),
        (
            "model={kind: transformer, report: {haed: 1}}",
            "unknown key model.report.haed in the command line: did you mean model.report.head?",
        ),
        (
            "model.attention.window=local",
            "model.attention.window in the command line is 'local': input should be "
            "'global', 'local-m' or 'local-p'; did you mean local-p?",
        ),
        ("model.attention.heads=0", "model.attention.heads in the command line is 0: input should be greater than or"),
        ("train.guide=gold", "train.guide in the command line is 'gold': it has keys of its own: links, weight, shift"),
        ("corpus=toy", "corpus in the command line is 'toy': it has keys of its own, for example {name: toy}"),
        (
            "corpus.name=tpy",
            "corpus.name in the command line is 'tpy': known are toy, gnt, multi30k, files, hub; did you mean toy?",
        ),
        (
            "model.attention.score=aditive",
            "model.attention.score in the command line is 'aditive': input should be "
            "'additive', 'dot', 'general', 'concat', 'location', 'scaled_dot' or 'none'; did you mean additive?",
        ),
        ("corpus.source=fr", "corpus.source in the command line is 'fr': input should be 'en' or 'de'"),
        ("train.betas=0.9", "train.betas in the command line is 0.9: input should be a valid list"),
        ("train.betas=[0.9]", "train.betas.1 in the command line is [0.9]: field required"),
        ("train.betas=[0.9, 2]", "train.betas.1 in the command line is 2: input should be less than 1"),
        ("train.betas=[1, 2, 3]", "train.betas in the command line is [1, 2, 3]: list should have at most 2 items"),
        ("train.validate_every=0", "train.validate_every in the command line is 0: input should be greater"),
        ("vocabulary.size=299", "vocabulary.size in the command line is 299: input should be greater than or equal to"),
        ("seed=-1", "seed in the command line is -1: input should be greater than or equal to 0"),
        ("seed=1e3", "seed in the command line is '1e3': input should be a valid integer"),
        (
            "seed=2024-13-45",
            "override 'seed=2024-13-45' on the command line, line 1: not YAML (month must be in 1..12)",
        ),
        ("model.hidden=[1", "override 'model.hidden=[1' on the command line, line 1: not YAML (what begins here"),
        ("nonsense", "override 'nonsense' on the command line: write key=value, for example model.hidden=128"),
        ("=3", "override '=3' on the command line: write key=value"),
    ],
)
def test_a_wrong_override_is_explained(toy: Path, override: str, error: str) -> None:
    assert refused(toy, override).startswith(error)


@pytest.mark.parametrize(
    ("text", "error"),
    [
        ("", "missing key corpus in PATH"),
        ("# corpus: {name: toy}\n", "missing key corpus in PATH"),
        ("corpus: {source: de}", "missing key corpus.name in PATH"),
        ("corpus: {name: files, source: a, target: b}", "missing key corpus.train in PATH"),
        (
            "corpus: {name: files, source: a, target: b, train: 5}",
            "corpus.train in PATH is 5: input should be a valid "
            "string\ncorpus.train in PATH is 5: input should be a valid list",
        ),
        ("corpus: {name: toy}\nmodel:\n", "model in PATH is None: it has keys of its own, for example {kind: rnn}"),
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
)
def test_a_wrong_file_is_explained(tmp_path: Path, text: str | bytes, error: str) -> None:
    path = write(tmp_path / "x.yaml", text)
    assert refused(path).startswith(error.replace("PATH", str(path)))


def test_every_mistake_is_told_at_once(toy: Path) -> None:
    assert len(refused(toy, "model.hiden=1", "train.epochs=many", "corpus.source=fr").splitlines()) == 3


@pytest.mark.parametrize("value", [".nan", ".inf", "-.inf"])
@pytest.mark.parametrize(
    "key",
    [
        "train.learning_rate",
        "train.clip",
        "train.final",
        "model.dropout.encoder",
        "search.length_penalty",
        "search.max_ratio",
    ],
)
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


@pytest.mark.parametrize("key", ["str", "train.str", "corpus.str", "model.attention.str"])
def test_a_key_named_like_a_type_is_unknown_as_any_other(tmp_path: Path, key: str) -> None:
    path = write(tmp_path / "x.yaml", "corpus: {name: files, source: fi, target: en, train: x.tsv}")
    assert refused(path, f"{key}=1").startswith(f"unknown key {key} in the command line: ")


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
