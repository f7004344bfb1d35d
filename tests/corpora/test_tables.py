"""Tables and pairs of files that are not just sentences: header rows, quotes, other columns, the same text twice."""

import bz2
import json
import logging
from pathlib import Path
from typing import Any

import pytest
from corpus_files import elsewhere as elsewhere
from corpus_files import hub_folder, pairs, write

from mt.config import Config
from mt.config.corpora import FilesCorpus, HubCorpus
from mt.config.files import read_config
from mt.core.errors import UserError
from mt.corpora import files, hub
from mt.corpora.languages import CODES, code_of, find_columns

SOURCES = [f"ein Satz, Nummer {number}" for number in range(5)]
TARGETS = [f"a sentence, number {number}" for number in range(5)]
OLD_RUN = Path(__file__).parents[1] / "old_runs/rnn"


def read(*place: str, **keys: Any) -> tuple[list[str], list[str]]:
    where = place[0] if len(place) == 1 else (place[0], place[1])
    config = FilesCorpus.model_validate({"name": "files", "source": "de", "target": "en", "train": where} | keys)
    split = files.read(where, config)
    return split.sources, split.targets


def table(*first: str, mark: str = "\t", quote: str = "") -> str:
    rows = [first, *zip(SOURCES, TARGETS, strict=True)] if first else [*zip(SOURCES, TARGETS, strict=True)]
    return "".join(mark.join(f"{quote}{cell}{quote}" for cell in row) + "\n" for row in rows)


@pytest.mark.parametrize("kind", ["tsv", "TSV", "tsv.gz", "csv", "CSV"])
@pytest.mark.parametrize(
    "first",
    [("de", "en"), ("DE", "en-US"), ("de_AT", "eng"), ("German", "English"), ("source", "target"), ("src", "tgt")],
)
def test_a_first_row_that_names_the_languages_is_left_out(
    kind: str, first: tuple[str, str], caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO, "mt")
    is_csv = kind.lower() == "csv"
    write(f"a.{kind}", table(*first, mark="," if is_csv else "\t", quote='"' if is_csv else ""))
    assert read(f"a.{kind}") == (SOURCES, TARGETS)
    assert f"a.{kind}: its first row names the columns" in caplog.text
    assert read(f"a.{kind}", raw=True) == ([first[0], *SOURCES], [first[1], *TARGETS])


def test_columns_are_taken_by_name(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO, "mt")
    write("a.tsv", "en\tde\nyes\tja\nno\tnein\n")
    assert read("a.tsv") == (["ja", "nein"], ["yes", "no"])
    assert "source is column 2 (de), target is column 1 (en)" in caplog.text
    write("b.tsv", "id\tEnglish\tnote\tGerman\n1\tyes\tx\tja\n\n2\tno\ty\tnein\n")
    assert read("b.tsv") == (["ja", "nein"], ["yes", "no"])
    write("c.csv", '\nid;de;en\n1;"ja; ""ja""";yes\n2;"nein\nnein";no\n')
    assert read("c.csv") == (['ja; "ja"', "nein nein"], ["yes", "no"])
    write("d.csv", "ja\tyes, sir\nnein\tno\n")
    assert read("d.csv") == (["ja", "nein"], ["yes, sir", "no"])


@pytest.mark.parametrize(
    ("name", "text", "message"),
    [
        ("a.tsv", "fr\ten\noui\tyes\n", r"a\.tsv: its first row names its columns 'fr' and 'en', not de and en"),
        ("a.tsv", "de\ten\nja\tyes\tno\n", r"a\.tsv, line 2: 3 columns, not 2"),
        ("a.tsv", "id\tde\ten\nja\tyes\n", r"a\.tsv, line 2: 2 columns, not 3"),
        ("a.csv", "a,b,c\n", r"a\.csv, line 1: 3 columns, not 2"),
        ("a.csv", 'a,b\n"c,d\n', r"a\.csv, line 2: not CSV"),
        ("a.tsv", '{"de": "ja", "en": "yes"}\n', r"a\.tsv is JSON, an object a line: call it \.jsonl"),
        ("a.tsv", "<tmx>\t\n", r"a\.tsv is XML"),
        ("a.tsv", "ja\ty\u0086s\n", r"a\.tsv, line 1: the control character U\+0086.*windows-1252\?"),
        ("a.jsonl", '{"de": "ja", "en": "y\\u0086s"}\n', r"a\.jsonl, line 1: the control character U\+0086"),
        ("a.tsv", b"ja\tyes\xfc, and more words\n", r"set corpus\.encoding: windows-1252"),
    ],
)
def test_wrong_tables(name: str, text: str | bytes, message: str) -> None:
    write(name, text)
    with pytest.raises(UserError, match=message):
        read(name)


def test_a_row_that_names_no_languages_is_a_pair() -> None:
    write("a.tsv", "der\tthe\nde\tof\nDeutsch\tGerman\n")
    assert read("a.tsv")[0] == ["der", "de", "Deutsch"]
    write("b.tsv", "Deutsch\tGerman\nja\tyes\n")
    assert read("b.tsv")[0] == ["Deutsch", "ja"]


def test_quotes_that_every_field_has_are_undone(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO, "mt")
    write("a.tsv", table(quote='"') + '"er sagt ""ja"""\t"he says ""yes"""\n\n""\t""\n')
    assert read("a.tsv") == ([*SOURCES, 'er sagt "ja"'], [*TARGETS, 'he says "yes"'])
    assert "a.tsv: every field stands in quotes, which are taken off" in caplog.text
    assert read("a.tsv", raw=True)[0][0] == f'"{SOURCES[0]}"'
    write("b.tsv", "de\ten\n" + table(quote='"'))
    assert read("b.tsv") == (SOURCES, TARGETS)
    caplog.clear()
    write("c.tsv", table(quote='"') + '"ja", sagt er\t"yes"\n')
    assert read("c.tsv")[0] == [*(f'"{line}"' for line in SOURCES), '"ja", sagt er']
    assert not caplog.text


def test_first_lines_of_two_plain_files(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO, "mt")
    for name, first, lines in (("a.de", "German", SOURCES), ("a.en", "English", TARGETS), ("b.en", "a line", TARGETS)):
        write(name, "\n".join([first, *lines]))
    assert read("a.de", "a.en") == (SOURCES, TARGETS)
    assert "a.de and a.en: their first lines name the languages and are left out" in caplog.text
    assert read("a.de", "b.en")[0] == ["German", *SOURCES]
    assert read("a.de", "a.en", raw=True)[0] == ["German", *SOURCES]
    with pytest.raises(UserError, match=r"a\.en begins with 'English' and a\.de with 'German': write the file of de"):
        read("a.en", "a.de")


@pytest.mark.parametrize("name", ["x.tmx", "x.xml", "x"])
def test_a_translation_memory_given_twice_is_refused(name: str) -> None:
    memory = '<?xml version="1.0"?>\n<tmx version="1.4"><body>\n<tu><tuv><seg>ja</seg></tuv></tu>\n'
    write(name, memory)
    with pytest.raises(UserError, match=rf"{name} is XML"):
        read(name, name)


def test_the_same_file_twice_is_refused_unless_it_is_meant() -> None:
    write("a.de", "\n".join(SOURCES))
    with pytest.raises(UserError, match=r"a\.de and a\.de: source and target are the same in 5 of 5 pairs.*copies: al"):
        read("a.de", "a.de")
    assert read("a.de", "a.de", copies="allow") == (SOURCES, SOURCES)
    write("b.de", "\n".join(SOURCES).upper().replace(" ", "\u00a0 "))
    with pytest.raises(UserError, match=r"source and target are the same in 5 of 5 pairs"):
        read("a.de", "b.de")
    write("c.tsv", "Küche\tKu\u0308che\n")
    with pytest.raises(UserError, match=r"source and target are the same in 1 of 1 pairs"):
        read("c.tsv")
    write("half.en", "\n".join([*TARGETS[:3], *SOURCES[3:]]))
    assert read("a.de", "half.en")[0] == SOURCES  # names and numbers are the same in both
    write("test.tsv", "ja\tja\n")
    write("train.tsv", table())
    with pytest.raises(UserError, match=r"test\.tsv: source and target are the same in 1 of 1"):
        files.load(FilesCorpus(name="files", source="de", target="en", train="train.tsv", test="test.tsv"))


def test_the_hub_has_copies_and_control_characters_too() -> None:
    folder = hub_folder("mine", {"train": [{"de": f"x {n}", "en": f"x {n}"} for n in range(30)]})
    config = HubCorpus(name="hub", path=folder, source="de", target="en")
    with pytest.raises(UserError, match=r"data set mine, train: source and target are the same in 30 of 30 pairs"):
        hub.load(config)
    assert len(hub.load(config.model_copy(update={"copies": "allow"}))["train"].sources) == 24
    folder = hub_folder("other", {"train": [*pairs(30), {"de": "na\u0086", "en": "well"}]})
    config = HubCorpus(name="hub", path=folder, source="de", target="en")
    with pytest.raises(UserError, match=r"data set other, train, line 31: the control character U\+0086"):
        hub.load(config)
    assert hub.load(config.model_copy(update={"raw": True}))


def test_the_encoding_of_a_corpus() -> None:
    write("a.tsv", "schön – „ja“\tfine\n".encode("windows-1252"))
    assert read("a.tsv", encoding="windows-1252") == (["schön – „ja“"], ["fine"])
    write("b.tsv", b"\xff\xfe" + "schön\tfine\r\n".encode("utf-16-le"))
    assert read("b.tsv") == (["schön"], ["fine"])
    assert read("b.tsv", encoding="windows-1252") == (["schön"], ["fine"])
    Path("c.tsv.bz2").write_bytes(bz2.compress("schön\tfine\n".encode()))
    assert read("c.tsv.bz2") == (["schön"], ["fine"])
    corpus = {"name": "files", "source": "de", "target": "en", "train": "a.tsv", "encoding": "windws-1252"}
    write("mine.yaml", json.dumps({"corpus": corpus}))
    with pytest.raises(
        UserError, match=r"'windws-1252' is no encoding of text; did you mean windows-1252\? \(corpus\.enc"
    ):
        read_config(Path("mine.yaml"))


def test_a_run_without_the_keys_reads_as_it_did() -> None:
    write("a.tsv", table("de", "en"))
    write("mine.yaml", "corpus: {name: files, source: de, target: en, train: a.tsv, held_out: 1}")
    config: Config = read_config(Path("mine.yaml"), of_run=True)
    assert isinstance(config.corpus, FilesCorpus)
    splits = files.load(config.corpus)
    assert sum(len(split.sources) for split in splits.values()) == 6
    assert (config.corpus.copies, config.corpus.raw, config.corpus.encoding) == ("allow", True, "utf-8")


def test_names_of_languages() -> None:
    assert [code_of(word) for word in ("de", "DE-at", "zh_Hans", "deu", "ger", ' "German" ', "Ancient Greek")] == [
        *("de", "de", "zh", "de", "de", "de", "grc")
    ]
    assert [code_of(word) for word in ("Ein Hund", "", "x", "de-", "no-nonsense!")] == [""] * 5
    others = (
        "zh-Hant-TW",
        "Chinese (Simplified)",
        "Zulu",
        "Norwegian_Bokmål",
        "Français",
        "中文",
        "sentence_de",
        "text.en",
    )
    assert [code_of(word) for word in others] == ["zh", "zh", "zu", "nb", "fr", "zh", "de", "en"]
    assert len(set(CODES.values())) == 185


@pytest.mark.parametrize(
    ("cells", "languages", "places"),
    [
        ("en-US en-GB", "en-US en-GB", (0, 1)),
        ("en_GB EN-us", "en-US en-GB", (1, 0)),
        ("zh-Hans zh-Hant", "zh-Hans zh-Hant", (0, 1)),
        ("zh-Hant-TW en", "zh en", (0, 1)),
        ("source de en", "de en", (1, 2)),
        ("target English German source", "de en", (2, 1)),
        ("source_text target_text", "de en", (0, 1)),
        ("text_en sentence_de", "de en", (1, 0)),
        ("Deutsch Englisch", "de en", None),
        ("Deutsch English", "de en", (0, 1)),
        ("Klingon en", "klingon en", (0, 1)),
        ("text_de de en", "text_de en", (0, 2)),
        ("German German", "de en", None),
        ("de de en", "de en", None),
        ("en-US en-GB", "en de", None),
        ("text sentence", "klingon text", None),
    ],
)
def test_which_cells_name_the_languages(cells: str, languages: str, places: tuple[int, int] | None) -> None:
    source, target = languages.split()
    assert find_columns(cells.split(), source, target) == places


@pytest.mark.parametrize(("first", "refused"), [("He\tEl", 0), ("Is\tEs", 0), ("no\tes", 1), ("Polish\tFrench", 1)])
def test_words_that_are_codes_too(first: str, refused: bool) -> None:
    write("a.tsv", f"{first}\nja\tyes\n")
    if refused:
        with pytest.raises(UserError, match=r"its first row names its columns .*corpus\.raw: true"):
            read("a.tsv")
    else:
        assert read("a.tsv")[0][0] == first[:2]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Ja, gut;Yes\nNein, nie;No\n", [("Ja, gut", "Yes"), ("Nein, nie", "No")]),
        ("Nun, ja;Well, yes\nAch, so;Oh, well\n", [("Nun, ja", "Well, yes"), ("Ach, so", "Oh, well")]),
        ("sep=;\nde;en\nJa,a;Yes\n", [("Ja,a", "Yes")]),
        ("a,b;c,d\ne,f;g,h\n", [("a,b", "c,d"), ("e,f", "g,h")]),
        ('"sep=,"\nJa;a,Yes\n', [("Ja;a", "Yes")]),
        ("sep=|\nJa|Yes\n", [("Ja", "Yes")]),
    ],
)
def test_what_divides_the_cells_of_csv(text: str, expected: list[tuple[str, str]]) -> None:
    write("a.csv", text)
    assert [*zip(*read("a.csv"), strict=True)] == expected


def test_csv_that_may_be_divided_in_two_ways_is_refused() -> None:
    write("a.csv", "1,5;2\n3,5;4\n")
    with pytest.raises(
        UserError, match=r"a\.csv: its cells may be divided by ',' or by ';'; say which.*sep=, or sep=;"
    ):
        read("a.csv")
    write("b.csv", "sep=;\n1;2\n1;2;3\n")
    with pytest.raises(UserError, match=r"b\.csv, line 3: 3 columns"):
        read("b.csv")


def test_files_of_an_old_macintosh() -> None:
    write("a.tsv", table("de", "en").replace("\n", "\r"))
    assert read("a.tsv") == (SOURCES, TARGETS)
