"""Files that people have: tables with other columns, JSON, TMX, Parquet, each compressed; the same as a stream."""

import bz2
import csv
import gzip
import io
import json
import lzma
import re
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pyarrow
import pytest
from config_files import refused
from corpus_files import elsewhere as elsewhere
from corpus_files import write
from pyarrow import parquet

from mt.config.corpora import FilesCorpus
from mt.core import text
from mt.core.errors import UserError
from mt.corpora import files, objects, open_stream

PAIRS = [("Die Ritter wachen nicht auf.", "The knights do not wake up."), ("Wo sind sie, im Winter?", "Where? & <so>")]
PAIRS += [(f'Satz "{number}"', f"sentence; {number}") for number in range(7)]
NOTE = "licence (names of two contributors)"
PACK: dict[str, Callable[[bytes], bytes]] = {
    "": bytes,
    ".gz": gzip.compress,
    ".bz2": bz2.compress,
    ".XZ": lzma.compress,
    ".zst": lambda data: bytes(pyarrow.Codec("zstd").compress(data, asbytes=True)),
}


def config_of(place: str, **keys: Any) -> FilesCorpus:
    given = {"name": "files", "source": "de", "target": "en", "train": place}
    return FilesCorpus.model_validate(given | keys)


def read(place: str, **keys: Any) -> list[tuple[str, str]]:
    split = files.read(place, config_of(place, **keys))
    return list(zip(split.sources, split.targets, strict=True))


def streamed(place: str, size: int = 3, **keys: Any) -> list[tuple[str, str]]:
    """Read a stream some rows at a time, each time anew from the state that is left."""
    config = config_of(place, validation="x.tsv", test="x.tsv", streaming=True, **keys)
    found, state = list[tuple[str, str]](), None
    for _ in range(100):
        stream = open_stream(config)
        assert stream is not None
        split, state = next(stream.chunks(size, state), (None, None))
        if split is None:
            return found
        found += zip(split.sources, split.targets, strict=True)
        state = json.loads(json.dumps(state))
    raise AssertionError("the stream does not end")


def tsv(rows: list[tuple[str, ...]]) -> bytes:
    return "".join("\t".join(row) + "\n" for row in rows).encode()


def comma(rows: list[tuple[str, ...]]) -> bytes:
    file = io.StringIO()
    csv.writer(file).writerows(rows)
    return file.getvalue().encode()


def tmx(units: list[tuple[str, str]], head: str = '<!DOCTYPE tmx SYSTEM "tmx14.dtd">', other: str = "en") -> bytes:
    def escape(text: str) -> str:
        return text.replace("&", "&amp;").replace("<", "&lt;")

    body = "".join(
        f'<tu><prop>x</prop><tuv xml:lang="{other}"><seg>{escape(target)}</seg></tuv>\n'
        f'<tuv xml:lang="DE"><note>y</note><seg>{escape(source)}</seg></tuv></tu>\n'
        for source, target in units
    )
    start = f'<?xml version="1.0" encoding="UTF-8"?>\n{head}\n<tmx version="1.4"><header srclang="de"/><body>\n'
    return (start + body + "</body></tmx>\n").encode()


def table(rows: dict[str, list[Any]], **options: Any) -> bytes:
    file = io.BytesIO()
    parquet.write_table(pyarrow.table(rows), file, **options)
    return file.getvalue()


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


# TMX


def slow_tmx(written: str) -> list[tuple[str, str]]:
    """Read the units of `tmx` above by regular expressions."""
    found = []
    for unit in re.findall(r"<tu>(.*?)</tu>", written, re.DOTALL):
        sides = {name.lower(): text for name, text in re.findall(r'lang="(..)[^"]*">.*?<seg>(.*?)</seg>', unit, re.S)}
        texts = [sides[language].replace("&lt;", "<").replace("&amp;", "&") for language in ("de", "en")]
        found.append((texts[0], texts[1]))
    return found


@pytest.mark.parametrize("other", ["en", "en-US", "EN_gb", "eng"])
def test_units_of_a_memory(other: str) -> None:
    data = tmx(PAIRS, other=other)
    for encoding in ("utf-8", "utf-16"):
        write("a.tmx", data.decode().replace("UTF-8", encoding).encode(encoding))
        assert read("a.tmx") == streamed("a.tmx") == PAIRS
        assert streamed("a.tmx", 2, pairs=4) == PAIRS[:4]
    if other != "eng":
        assert slow_tmx(data.decode()) == PAIRS


def test_of_variants_the_very_one_is_taken_else_the_first() -> None:
    sides = [("en-GB", "colour"), ("en-US", "color"), ("de-AT", "Farbe"), ("de", "Farbe!"), ("fr", "couleur")]
    unit = "".join(f'<tuv lang="{language}"><seg>{text}</seg></tuv>' for language, text in sides)
    write("a.tmx", f"<tmx><body><tu>{unit}</tu></body></tmx>")
    for source, target, pair in (
        ("de", "en", ("Farbe!", "colour")),
        ("de-at", "en_US", ("Farbe", "color")),
        ("French", "ger", ("couleur", "Farbe")),
        ("en-US", "en-GB", ("color", "colour")),
    ):
        assert read("a.tmx", source=source, target=target) == [pair]
    for source, target, missing in (("it", "en", "it"), ("de", "en-AU", "en-AU")):
        for reads in (read, streamed):
            with pytest.raises(
                UserError, match=rf"no segment in '{missing}'; its languages are en-GB, en-US, de-AT, de"
            ):
                reads("a.tmx", source=source, target=target)


def test_markup_in_a_segment_is_no_text_and_units_without_both_languages_are_counted() -> None:
    inner = 'a <bpt i="1">&lt;b <sub>x</sub> y&gt;</bpt>b<ept i="1"/> <hi>c<ph>{1}</ph></hi>&#100; <![CDATA[<e>]]>'
    unit = f'<tu><tuv xml:lang="de"><seg>{inner}</seg></tuv><tuv xml:lang="en"><seg>yes</seg></tuv></tu>'
    only = '<tu><tuv xml:lang="de"><seg>nur</seg></tuv></tu><tu></tu>'
    write("a.tmx", f"<tmx><body>{only}{unit}</body></tmx>")
    split = files.read("a.tmx", config_of("a.tmx"))
    assert (split.sources, split.targets, split.dropped) == (["a b cd <e>"], ["yes"], 2)
    write("a.tmx", tmx([("na\u0086", "well")]))
    with pytest.raises(UserError, match=r"a\.tmx, unit 1: the control character U\+0086"):
        read("a.tmx")
    assert read("a.tmx", raw=True) == [("na\u0086", "well")]


LAUGHS = "".join(f'<!ENTITY l{n} "{f"&l{n - 1};" * 10}">' for n in range(1, 30))
BOMBS = {
    "billion laughs": f'<!DOCTYPE tmx [<!ENTITY l0 "ha">{LAUGHS}]>',
    "a file": '<!DOCTYPE tmx [<!ENTITY l29 SYSTEM "secret.txt">]>',
    "a parameter": '<!DOCTYPE tmx [<!ENTITY % l29 SYSTEM "http://localhost:9/x"> %l29;]>',
    "an attribute": f'<!DOCTYPE tmx [<!ATTLIST tu x CDATA "{"x" * 1000}">]>',
}


@pytest.mark.parametrize("bomb", BOMBS)
@pytest.mark.parametrize("reads", [read, streamed])
def test_a_memory_that_declares_entities_is_refused_at_once(bomb: str, reads: Callable[[str], object]) -> None:
    write("secret.txt", "secret")
    write("a.tmx", tmx(PAIRS, BOMBS[bomb]).replace(b"knights", b"&l29;"))
    before = time.perf_counter()
    with pytest.raises(UserError, match=r"a\.tmx, line 2: the DOCTYPE has declarations of its own") as error:
        reads("a.tmx")
    assert time.perf_counter() - before < 1
    assert "secret" not in str(error.value)


@pytest.mark.parametrize(
    ("data", "said"),
    [
        (tmx(PAIRS).replace(b"knights", b"&nbsp;"), r"a\.tmx, line \d+: &nbsp; stands for nothing"),
        (tmx(PAIRS, "").replace(b"knights", b"&nbsp;"), r"a\.tmx is not TMX, or damaged: undefined entity"),
        (tmx(PAIRS)[:-30], r"a\.tmx is not TMX, or damaged: .*line \d+"),
        (b"ein Satz\n", r"a\.tmx is not TMX, or damaged: syntax error: line 1"),
        (b"", r"a\.tmx is not TMX, or damaged: no element found"),
        (b'<?xml version="1.0" encoding="x"?><a/>', r"a\.tmx is not TMX, or damaged: unknown encoding"),
        (b"<html><p>ja</p></html>", r"no sentence pair in a\.tmx"),
    ],
)
def test_wrong_memories(data: bytes, said: str) -> None:
    write("a.tmx", data)
    for reads in (read, streamed) if b"html" not in data else (read,):
        with pytest.raises(UserError, match=said):
            reads("a.tmx")


def test_a_memory_given_twice_is_to_be_given_once() -> None:
    write("a.tmx", KINDS[".tmx"])
    config = config_of("a.tmx")
    with pytest.raises(UserError, match=r"a\.tmx is XML, a translation memory .* name it once, train: a\.tmx"):
        files.read(("a.tmx", "a.tmx"), config)


def test_an_unknown_kind_of_file_is_told_what_would_be_read() -> None:
    write("a.xls", "ja\tyes\n")
    with pytest.raises(
        UserError, match=r"a\.xls: one file must end in \.tsv, .*\.parquet or \.tmx \(or.*\.gz, .*\.zst"
    ):
        read("a.xls")
