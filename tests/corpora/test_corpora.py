import json
import typing

import pytest
from corpus_files import elsewhere as elsewhere
from corpus_files import numbered, write

from mt.config import Config
from mt.config.corpora import CorpusConfig, FilesCorpus
from mt.core.errors import UserError
from mt.corpora import CORPORA, describe_corpora, files, load_splits
from mt.corpora.pairs import Split
from mt.corpora.splits import hold_out, pair_up


def read(*names: str) -> Split:
    place = names[0] if len(names) == 1 else (names[0], names[1])
    return files.read(place, FilesCorpus(name="files", source="de", target="en", train=place))


def test_registry_and_configs_know_the_same_corpora() -> None:
    names = [typing.get_args(kind.model_fields["name"].annotation)[0] for kind in typing.get_args(CorpusConfig)]
    assert sorted(CORPORA) == sorted(names)
    for entry in CORPORA.values():
        assert all((entry.title, entry.languages, entry.size, entry.licence, entry.citation, entry.origin))


def test_the_registry_loads_by_config() -> None:
    write("a.de", numbered(20, "de"))
    write("a.en", numbered(20, "en"))
    tree = {"name": "files", "source": "de", "target": "en", "train": ["a.de", "a.en"]}
    splits = load_splits(Config.model_validate({"corpus": tree}).corpus)
    assert {name: len(split.sources) for name, split in splits.items()} == {"train": 16, "validation": 2, "test": 2}


def test_the_first_pairs_can_be_taken_and_those_held_out_stay_the_same() -> None:
    write("a.de", numbered(20, "de"))
    write("a.en", numbered(20, "en"))
    whole, fewer, more = (
        load_splits(FilesCorpus(name="files", source="de", target="en", train=("a.de", "a.en"), pairs=pairs))
        for pairs in (None, 5, 99)
    )
    assert fewer["train"].sources == whole["train"].sources[:5]
    assert fewer["train"].targets == whole["train"].targets[:5]
    assert [fewer[name] for name in ("validation", "test")] == [whole[name] for name in ("validation", "test")]
    assert more == whole


# plain files


def test_plain_files_keep_text_and_drop_empty_pairs() -> None:
    write("a.de", "  Ein  Hund.\t\r\n\n \t \r\nEr\tsah \U0001f415\u2028und ging\n x \n")
    write("a.en", "A dog.\nlost\nlost too\nHe\u00a0saw\n\u00a0\n")
    split = read("a.de", "a.en")
    assert split.sources == ["Ein  Hund.", "Er\tsah \U0001f415\u2028und ging"]
    assert split.targets == ["A dog.", "He\u00a0saw"]
    assert split.dropped == 3
    assert split.gold is None


def test_gzip_and_a_last_line_without_end() -> None:
    write("a.de.gz", "eins\nzwei")
    write("a.en", "one\ntwo\n")
    assert read("a.de.gz", "a.en").sources == ["eins", "zwei"]


def test_a_carriage_return_inside_a_line_does_not_break_it() -> None:
    write("a.de", "eins\rund\n")
    write("a.en", "one\n")
    assert read("a.de", "a.en").sources == ["eins und"]


@pytest.mark.parametrize(
    ("german", "english", "message"),
    [
        ("eins\nzwei\n", "one\n", r"a\.de has 2 lines but a\.en has 1"),
        ("eins\n", "", r"a\.de has 1 lines but a\.en has 0"),
        ("", "", r"no sentence pair in a\.de and a\.en$"),
        ("\n\n", "one\n\n", r"no sentence pair in a\.de and a\.en: in all 2 lines a side is empty"),
        ("eins\nzw\0ei\n", "one\ntwo\n", r"a\.de, line 2: a NUL character"),
        (b"eins\nsch\xf6n\n", "one\ntwo\n", r"a\.de, line 2: not UTF-8"),
    ],
)
def test_wrong_plain_files(german: str | bytes, english: str, message: str) -> None:
    write("a.de", german)
    write("a.en", english)
    with pytest.raises(UserError, match=message):
        read("a.de", "a.en")


def test_missing_file() -> None:
    write("a.de", "eins\n")
    with pytest.raises(UserError, match=r"cannot read nowhere\.en: No such file"):
        read("a.de", "nowhere.en")


# TSV and JSONL


@pytest.mark.parametrize("name", ["a.tsv", "a.tsv.gz"])
def test_tsv(name: str) -> None:
    write(name, "Ein Hund\tA dog\r\n\n\tno source\nzwei\ttwo\n")
    split = read(name)
    assert (split.sources, split.targets, split.dropped) == (["Ein Hund", "zwei"], ["A dog", "two"], 2)


@pytest.mark.parametrize("name", ["a.jsonl", "a.jsonl.gz"])
def test_jsonl(name: str) -> None:
    rows: list[dict[str, object]] = [
        {"de": "Ein\nHund", "en": "A dog", "id": 3},
        {"translation": {"de": "zwei", "en": "two"}},
        {"de": "", "en": "lost"},
    ]
    write(name, "\n".join(json.dumps(row) for row in rows) + "\n\n")
    split = read(name)
    assert (split.sources, split.targets, split.dropped) == (["Ein Hund", "zwei"], ["A dog", "two"], 2)


@pytest.mark.parametrize(
    ("name", "text", "message"),
    [
        ("a.tsv", "a\tb\nonly one\n", r"a\.tsv, line 2: 1 column, not 2"),
        ("a.tsv", "a\tb\tc\n", r"a\.tsv, line 1: 3 columns, not 2"),
        ("a.jsonl", '{"de": "a", "en": "b"}\n{"de": "a"\n', r"a\.jsonl, line 2: not JSON"),
        ("a.jsonl", '{"de": "a", "fr": "b"}\n', r"a\.jsonl, line 1: no 'en'; its keys are 'de', 'fr'"),
        ("a.jsonl", '{"de": "a", "en": 3}\n', r"a\.jsonl, line 1: 'en' is not a text"),
        ("a.jsonl", '["a", "b"]\n', r"a\.jsonl, line 1: not an object"),
        ("a.jsonl", '{"de": "a\\u0000", "en": "b"}\n', r"a\.jsonl, line 1: a NUL character"),
        ("a.jsonl", '{"de": "a", "en": "\\ud800"}\n', r"a\.jsonl, line 1: not JSON .half a surrogate pair"),
        ("a.csv", 'a[\r]b,c"\r",d\n', r"a\.csv, line 1: not CSV"),
        ("a.jsonl", "", r"no sentence pair in a\.jsonl$"),
        ("a.txt", "a\n", r"a\.txt: one file must end in \.tsv, \.csv, \.jsonl, \.json, \.parquet or \.tmx"),
    ],
)
def test_wrong_single_files(name: str, text: str, message: str) -> None:
    write(name, text)
    with pytest.raises(UserError, match=message):
        read(name)


# holding out


def test_held_out_pairs_are_disjoint_and_reproducible() -> None:
    lines = [f"s{number % 70}" for number in range(100)]
    train = pair_up(lines, lines, "x", "y")
    splits = hold_out(train, ["validation", "test"], None, 1, "x")
    sets = {name: set(split.sources) for name, split in splits.items()}
    assert {name: len(split.sources) for name, split in splits.items() if name != "train"} == {
        "validation": 7,
        "test": 7,
    }
    assert not sets["train"] & sets["validation"]
    assert not sets["train"] & sets["test"]
    assert not sets["validation"] & sets["test"]
    assert splits["train"].sources == [line for line in lines if line in sets["train"]]
    assert len(sets["train"]) == 56
    assert hold_out(train, ["validation", "test"], None, 1, "x") == splits
    assert hold_out(train, ["validation", "test"], None, 2, "x") != splits


def test_a_tenth_is_held_out_and_at_most_1000() -> None:
    lines = [str(number) for number in range(12000)]
    train = pair_up(lines, lines, "x", "x")
    assert len(hold_out(train, ["test"], None, 1, "x")["test"].sources) == 1000
    assert len(hold_out(train, ["test"], 1500, 1, "x")["test"].sources) == 1500
    assert hold_out(train, [], None, 1, "x") == {"train": train}


@pytest.mark.parametrize(("pairs", "held_out"), [(9, None), (10, 5), (30, 20)])
def test_too_few_pairs_to_hold_out(pairs: int, held_out: int | None) -> None:
    lines = [str(number) for number in range(pairs)]
    with pytest.raises(UserError, match=rf"mine has {pairs} different sentence pairs, too few to hold out"):
        hold_out(pair_up(lines, lines, "x", "x"), ["validation", "test"], held_out, 1, "mine")


def test_given_splits_are_used_and_the_rest_is_held_out() -> None:
    write("a.tsv", "".join(f"de {number}\ten {number}\n" for number in range(40)) + "\tlost\n")
    write("dev.tsv", "dev\tthe dev\n\tlost\n")
    config = FilesCorpus(name="files", source="de", target="en", train="a.tsv", validation="dev.tsv")
    splits = files.load(config)
    assert list(splits) == ["train", "validation", "test"]
    assert [len(split.sources) for split in splits.values()] == [36, 1, 4]
    assert [split.dropped for split in splits.values()] == [1, 1, 0]
    assert files.find(config) == "a.tsv"
    assert files.find(config.model_copy(update={"train": ("a.tsv", "gone")})) is None


def test_the_list_says_what_each_corpus_is_and_where(monkeypatch: pytest.MonkeyPatch) -> None:
    write("data/multi30k/train.de", "eins\n")
    write("data/multi30k/train.en", "one\n")
    text = describe_corpora()
    for name, entry in CORPORA.items():
        assert f"{name}: {entry.title}" in text
        assert entry.licence in text
        assert entry.citation in text
    assert "data/multi30k" in text.partition("multi30k:")[2].partition("files:")[0]
    assert "here       not yet" in text.partition("gnt:")[2].partition("multi30k:")[0]


def test_a_side_that_cannot_be_seen_is_empty_but_not_to_a_run_that_reads_text_as_it_is() -> None:
    sources, targets = ["Hund", "\u200b \xad", "Katze"], ["dog", "cat", "\ufeff"]
    assert pair_up(sources, targets, "x", "y").sources == ["Hund"]
    assert pair_up(sources, targets, "x", "y").dropped == 2
    assert pair_up(sources, targets, "x", "y", raw=True).dropped == 0
