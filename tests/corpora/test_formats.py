"""Files that people have: tables with other columns, JSON, Parquet, each compressed; the same as a stream."""

import csv
import io
import json
from pathlib import Path
from typing import Any

import pytest
from config_files import refused
from corpus_files import elsewhere as elsewhere
from corpus_files import write
from formats import NOTE, PACK, PAIRS, comma, config_of, read, streamed, table, tmx, tsv

from mt.core import text
from mt.core.errors import UserError
from mt.corpora import files, objects

SIDES = {"de": [source for source, _ in PAIRS], "en": [target for _, target in PAIRS]}
OBJECTS = [{"id": 1, "de": source, "en": target} for source, target in PAIRS]
KINDS: dict[str, bytes] = {
    ".tsv": tsv([*PAIRS]),
    ".TSV": tsv([("de", "en"), *PAIRS]),
    ".csv": comma([("en", "de"), *((target, source) for source, target in PAIRS)]),
    ".jsonl": "".join(json.dumps(row) + "\n" for row in OBJECTS).encode(),
    ".json": json.dumps(OBJECTS, indent=1).encode(),
    ".Json": json.dumps([{"translation": row} for row in OBJECTS]).encode(),
    ".tmx": tmx(PAIRS),
    ".parquet": table({"en": SIDES["en"], "n": [1] * 9, "de": SIDES["de"]}, row_group_size=4),
    ".Parquet": table({"translation": OBJECTS}),
}


@pytest.mark.parametrize("suffix", PACK)
@pytest.mark.parametrize("kind", KINDS)
def test_each_kind_has_the_same_pairs_in_the_same_order(kind: str, suffix: str) -> None:
    name = f"a{kind}{suffix}"
    Path(name).write_bytes(PACK[suffix](KINDS[kind]))
    assert read(name) == PAIRS
    if kind.lower() != ".json":
        assert streamed(name) == streamed(name, 100) == PAIRS


@pytest.mark.parametrize("suffix", [*PACK][1:])
def test_a_compressed_file_that_is_cut_or_another_is_named(suffix: str) -> None:
    for kind in (".tsv", ".tmx", ".parquet"):
        whole = PACK[suffix](KINDS[kind])
        for data in (whole[: len(whole) // 2], KINDS[kind]):
            Path(f"a{kind}{suffix}").write_bytes(data)
            for reads in (read, streamed):
                with pytest.raises(UserError, match=rf"cannot read a{kind}{suffix}"):
                    reads(f"a{kind}{suffix}")
        Path(f"b{kind}").write_bytes(whole)
        if kind != ".parquet":
            with pytest.raises(UserError, match=rf"b{kind} is compressed with \w+, and its name does not say so"):
                read(f"b{kind}")


# columns


def test_three_columns_of_anki_and_four_of_tatoeba() -> None:
    write("anki.tsv", tsv([(target, source, NOTE) for source, target in PAIRS]))
    write("tatoeba.tsv", tsv([("1", source, "2", target) for source, target in PAIRS]))
    write("named.tsv", tsv([("nr", "Deutsch", "nr", "en-US"), *(("1", de, "2", en) for de, en in PAIRS)]))
    for reads in (read, streamed):
        assert reads("anki.tsv", columns={"source": 2, "target": 1}) == PAIRS
        assert reads("tatoeba.tsv", columns={"source": 2, "target": 4}) == PAIRS
        assert reads("named.tsv", columns={"source": 2, "target": 4}) == PAIRS
        assert reads("named.tsv", columns={"source": 2, "target": 4}, raw=True) == [("Deutsch", "en-US"), *PAIRS]
        with pytest.raises(UserError, match=r"anki\.tsv, line 1: 3 columns, not 2.*corpus\.columns: \{source: 1, tar"):
            reads("anki.tsv")


@pytest.mark.parametrize("kind", [".tsv", ".csv", ".jsonl", ".json", ".parquet"])
def test_columns_by_name(kind: str) -> None:
    names = ("nr", "front", "back")
    rows = [("1", target, source) for source, target in PAIRS]
    objects = [dict(zip(names, row, strict=True)) for row in rows]
    data = {
        ".tsv": tsv([names, *rows]),
        ".csv": b"\n" + comma([names, *rows]),
        ".jsonl": "".join(json.dumps(row) + "\n" for row in objects).encode(),
        ".json": json.dumps(objects).encode(),
        ".parquet": table({name: [row[name] for row in objects] for name in names}),
    }[kind]
    write(f"a{kind}", data)
    for reads in (read, streamed) if kind != ".json" else (read,):
        assert reads(f"a{kind}", columns={"source": "back", "target": "front"}) == PAIRS
        with pytest.raises(UserError, match=rf"a{kind}.* no (column )?'side'.*'nr', 'front', 'back'"):
            reads(f"a{kind}", columns={"source": "side", "target": "front"})
        if kind not in {".tsv", ".csv"}:
            with pytest.raises(UserError, match=r"corpus\.columns has numbers, and JSON and Parquet have names"):
                reads(f"a{kind}", columns={"source": 3, "target": 2})


def test_names_of_columns_in_quotes() -> None:
    write("a.tsv", '"nr"\t"the ""front"""\t back \n1\tyes\tja\n')
    for reads in (read, streamed):
        assert reads("a.tsv", columns={"source": "back", "target": 'the "front"'}) == [("ja", "yes")]


def test_what_lacks_in_a_translation_is_told_by_its_own_keys() -> None:
    write("a.jsonl", json.dumps({"id": 1, "translation": {"de": "ja", "fr": "oui"}}) + "\n")
    for reads in (read, streamed):
        with pytest.raises(UserError, match="no 'en'; its keys are 'de', 'fr',"):
            reads("a.jsonl")


@pytest.mark.parametrize(
    ("lines", "columns", "said"),
    [
        ("a\tb\tc\nd\te\n", (3, 1), r"a\.tsv, line 2: 2 columns, and corpus\.columns asks for column 3"),
        ("a\tb\n", (1, 9), r"a\.tsv, line 1: 2 columns, and corpus\.columns asks for column 9"),
        ("x\ty\tz\na\tb\tc\nd\te\n", ("x", "z"), r"a\.tsv, line 3: 2 columns, not 3"),
        ("x\ty\n", ("x", "z"), r"a\.tsv: its first row has no column 'z'; its 2 columns: 'x', 'y'\. .*numbers"),
        ("x\tx\ty\n", ("x", "y"), r"a\.tsv: its first row has two columns 'x'"),
        ("de\ten\nja\tyes\n", (2, 1), r"calls column 2 'en' and column 1 'de', and corpus\.columns has them the other"),
        ("", ("x", "y"), r"a\.tsv: its first row has no column 'x'; its 0 columns"),
        ("x\ty\na\tb\n", ("x", 3), r"a\.tsv: its first row has 2 columns, and corpus\.columns asks for column 3"),
        ("x\ty\na\tb\n", ("x", 1), r"a\.tsv: corpus\.columns calls column 1 both source and target"),
    ],
)
def test_wrong_columns(lines: str, columns: tuple[Any, Any], said: str) -> None:
    write("a.tsv", lines)
    for reads in (read, streamed):
        with pytest.raises(UserError, match=said):
            reads("a.tsv", columns={"source": columns[0], "target": columns[1]})


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ("corpus.columns.source=1", "say both columns, or neither (corpus.columns.source from"),
        ("corpus.columns={source: 0, target: 1}", "columns are counted from 1"),
        ("corpus.columns={source: 1, target: 1}", "source and target are the same column"),
        ("corpus.columns={source: no, target: en}", "YAML reads a bare yes, no, on or off as true or false"),
        ("corpus.columns={from: 1, target: 2}", "unknown key corpus.columns.from in"),
        ("corpus.train=[a.tsv, b.tsv]", "of these files none has columns, as .tsv, .csv"),
    ],
)
def test_columns_that_cannot_be_meant(change: str, said: str) -> None:
    corpus = {"name": "files", "source": "de", "target": "en", "train": "a.tsv"}
    write("a.yaml", json.dumps({"corpus": corpus}))
    changes = [change, "corpus.columns={source: a, target: b}"] if "train" in change else [change]
    assert said in refused(Path("a.yaml"), *changes)


def test_quotes_of_a_stream(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(text, "MEGABYTE", 100)
    write("a.tsv", '"ja, ""ja"""\t"yes"\n\n"nein"\t"no"\n')
    assert read("a.tsv") == streamed("a.tsv") == [('ja, "ja"', "yes"), ("nein", "no")]
    write("a.tsv", '"ja"\t"yes"\n' * 20 + 'nein\t"no"\n')
    assert read("a.tsv")[0] == ('"ja"', '"yes"')
    with pytest.raises(UserError, match=r"a\.tsv, line 21: a field without quotes, and all fields at the beginning"):
        streamed("a.tsv")


def test_a_stream_of_csv_has_rows_of_several_lines() -> None:
    write("a.csv", 'sep=;\n\nde;en\n"ja\n;ja";yes\n\nnein;"n\no"\n')
    assert read("a.csv") == streamed("a.csv", 1) == [("ja ;ja", "yes"), ("nein", "n o")]
    write("a.csv", 'de,en\nja,yes\nja,"y\n')
    with pytest.raises(UserError, match=r"a\.csv, line 3: not CSV"):
        streamed("a.csv", 1)


# JSON


@pytest.mark.parametrize(
    ("written", "said"),
    [
        ('{"data": [{"de": "a", "en": "b"}]}', r"a\.json: its JSON is no list of objects; write \[\{\"de\": "),
        ('[{"de": "a", "en": "b"}, {"de": "a"}]', r"a\.json, object 2: no 'en'; its keys are 'de'"),
        ('[{"de": "a", "en": "b"}, 3]', r"a\.json, object 2: not an object"),
        ('[{"de": "a", "en": null}]', r"a\.json, object 1: 'en' is not a text"),
        ('{"de": "a", "en": "b"}\n{"de": "a"}', r"a\.json, line 2: no 'en'"),
        ('[{"de": "a",\n "en": "b"', r"a\.json: not JSON"),
        ("", r"no sentence pair in a\.json$"),
    ],
)
def test_wrong_json(written: str, said: str) -> None:
    write("a.json", written)
    with pytest.raises(UserError, match=said):
        read("a.json")


def test_json_that_is_an_object_a_line() -> None:
    write("a.json", KINDS[".jsonl"])
    assert read("a.json") == PAIRS


# Parquet


@pytest.mark.parametrize("rows", [1, 2, 3, 100])
def test_a_state_within_a_group_of_rows(rows: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(objects, "ROWS", rows)
    for group in (1, 4, 8, 9):
        write("a.parquet", table(SIDES, row_group_size=group))
        for size in (1, 2, 5):
            assert streamed("a.parquet", size) == PAIRS


def test_wrong_parquet() -> None:
    write("a.parquet", table({"de": ["ja", None, "nein"], "en": ["yes", "lost", "no"]}))
    assert read("a.parquet") == [("ja", "yes"), ("nein", "no")]
    write("b.parquet", table({"de": ["ja"], "fr": ["oui"]}))
    write("c.parquet", table({"de": [1], "en": ["oui"]}))
    write("d.parquet", KINDS[".parquet"][:-20])
    write("e.parquet", table({"de": ["na\u0086"], "en": ["well"]}))
    for name, said in {
        "b": "no column 'en'; its 2 columns are 'de', 'fr'",
        "c": "row 1: 'de' is not a text",
        "d": "cannot be read as a Parquet table",
        "e": "line 1: the control character",
        "gone": "cannot be read as a Parquet table: .*No such file",
    }.items():
        for reads in (read, streamed):
            with pytest.raises(UserError, match=rf"{name}\.parquet.*{said}"):
                reads(f"{name}.parquet")


def test_an_unknown_kind_of_file_is_told_what_would_be_read() -> None:
    write("a.xls", "ja\tyes\n")
    with pytest.raises(
        UserError, match=r"a\.xls: one file must end in \.tsv, .*\.parquet or \.tmx \(or.*\.gz, .*\.zst"
    ):
        read("a.xls")
    with pytest.raises(UserError, match=r"a\.xls: .*; its lines have tabs, .* call it that"):
        read("a.xls")
    write("a.xls", "ja\n")
    with pytest.raises(UserError, match=r"a\.xls: .*; for two plain files write"):
        read("a.xls")


# what others write before the rows

ROWS = [(target, source, NOTE) for source, target in PAIRS]


@pytest.mark.parametrize(
    ("name", "head", "mark", "columns"),
    [
        ("a.tsv", "#separator:tab\n#html:false\n", "\t", (2, 1)),
        ("a.tsv", "#separator:Comma\n#tags column:3\n", ",", (2, 1)),
        ("a.tsv", "#html:false\n#columns:Front\tBack\tNote\n", "\t", (2, 1)),
        ("a.csv", "#separator:semicolon\n#columns:Front;Back;Note\n", ";", ("Back", "Front")),
        ("a.tsv", "#separator:tab\n#columns:en\tde\tNote\n#notetype:Basic\n", "\t", None),
        ("a.csv", "sep=|\n", "|", (2, 1)),
    ],
)
def test_lines_before_the_rows(name: str, head: str, mark: str, columns: tuple[Any, Any] | None) -> None:
    file = io.StringIO()
    csv.writer(file, delimiter=mark, lineterminator="\n").writerows(ROWS)
    write(name, head + file.getvalue())
    keys = {"columns": dict(zip(("source", "target"), columns, strict=True))} if columns else {}
    for raw in (False, True) if columns else (False,):
        assert read(name, raw=raw, **keys) == streamed(name, raw=raw, **keys) == PAIRS
    assert files.read(name, config_of(name, **keys)).dropped == 0


@pytest.mark.parametrize("row", ["<b>dog</b>\tHund\n", "dog&nbsp;\tHund\n", "dog\tHund\n"])
def test_html_of_anki_is_told(row: str, caplog: pytest.LogCaptureFixture) -> None:
    write("a.tsv", "#separator:tab\n#html:true\n" + row)
    assert read("a.tsv")
    assert ("its cells are HTML" in caplog.text) == (row != "dog\tHund\n")
