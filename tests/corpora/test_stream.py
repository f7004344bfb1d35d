"""A stream yields the lines of its files, each once and in order, from wherever it stood; and says what is wrong."""

import json
from collections import Counter
from pathlib import Path

import pytest
from config_files import refused
from corpus_files import elsewhere as elsewhere
from corpus_files import hub_folder, numbered, pairs, write

from mt.config.corpora import FilesCorpus, HubCorpus
from mt.core.errors import UserError
from mt.corpora import load_splits, open_stream
from mt.corpora import stream as stream_module
from mt.corpora.pairs import Split
from mt.corpora.splits import keep_pairs
from mt.corpora.stream import Stream


def given(train: str | tuple[str, str], **keys: object) -> FilesCorpus:
    small = write("small.jsonl", "".join(json.dumps(pair) + "\n" for pair in pairs(4)))
    return FilesCorpus.model_validate(
        {"name": "files", "source": "de", "target": "en", "train": train, "validation": small, "test": small}
        | {"streaming": True, **keys}
    )


def plain(count: int, **keys: object) -> Stream:
    files = write("a.de", numbered(count, "de")), write("a.en", numbered(count, "en"))
    stream = open_stream(given(files, **keys))
    assert stream is not None
    return stream


def survey(config: FilesCorpus) -> None:
    stream = open_stream(config)
    assert stream is not None
    stream.survey(10, 1)


def read(stream: Stream, size: int, state: dict[str, object] | None = None) -> list[list[tuple[str, str]]]:
    return [list(zip(split.sources, split.targets, strict=True)) for split, _ in stream.chunks(size, state)]


def test_each_pair_comes_once_and_a_state_tells_where_to_go_on() -> None:
    stream = plain(23)
    chunks = [[(f"de {line}", f"en {line}") for line in range(23)[start : start + 5]] for start in range(0, 23, 5)]
    assert read(stream, 5) == chunks
    states = [json.loads(json.dumps(state)) for _, state in stream.chunks(5)]
    for number, state in enumerate(states):
        assert state["line"] == min(5 * (number + 1), 23)
        assert read(stream, 5, state) == chunks[number + 1 :]
    assert read(plain(23, pairs=7), 5) == [chunks[0], chunks[1][:2]]


def test_so_many_pairs_are_meant_and_not_lines() -> None:
    files = write("a.de", "\n".join(["a", "", "b", "", "c", "d"])), write("a.en", "\n".join("uvwxyz"))
    for streaming in (True, False):
        train = load_splits(given(files, pairs=3, streaming=streaming))["train"]
        assert list(zip(train.sources, train.targets, strict=True)) == [("a", "u"), ("b", "w"), ("c", "y")]
    stream = open_stream(given(files, pairs=3))
    assert stream is not None
    for size in (1, 2, 5, 9):
        *_, (_, state) = stream.chunks(size)
        assert (state["line"], state["pairs"]) == (5, 3)
    assert stream.survey(1, 1)[0].lines == 5


def test_text_is_what_it_is_without_a_stream() -> None:
    lines = ["\ufeffde", "ei\rns\u2028zwei", "", "drei\x85vier  ", "\u200b", "fünf\r"]
    files = write("a[1].de.gz", "\r\n".join(lines) + "\r\n"), write("a*.en", "en\none\ntwo\nthree\nfour\nfi\rve")
    write("a1.de.gz", "other\n"), write("aa.en", "other\n")  # no name is a pattern
    kept = [("ei ns\u2028zwei", "one"), ("drei\x85vier", "three"), ("fünf", "fi ve")]
    with_and_without = [given(files, streaming=streaming, pairs=10) for streaming in (True, False)]
    for config in with_and_without:
        train = load_splits(config)["train"]
        assert list(zip(train.sources, train.targets, strict=True)) == kept
    stream = open_stream(with_and_without[0])
    assert stream is not None
    survey, _ = stream.survey(1, 1)
    assert (survey.lines, survey.pairs, survey.dropped) == (6, 3, 2)
    assert open_stream(with_and_without[1]) is None


def test_objects_a_line_and_a_data_set_of_the_hub() -> None:
    objects = write("a.jsonl", "".join(json.dumps(pair) + "\n" for pair in pairs(9)))
    nested: list[dict[str, object]] = [{"translation": pair} for pair in pairs(9)]
    folder = hub_folder("mine", {"train": nested, "dev": nested[:2], "test": nested[:3]})
    hub = HubCorpus(name="hub", path=folder, source="de", target="en", streaming=True, shuffle_buffer=4)
    for config in (given(objects), hub):
        stream = open_stream(config)
        assert stream is not None
        assert read(stream, 4) == [
            [(f"de {line}", f"en {line}") for line in rows] for rows in ([0, 1, 2, 3], [4, 5, 6, 7], [8])
        ]
        (_, state), *_ = stream.chunks(4)
        assert read(stream, 9, json.loads(json.dumps(state))) == [
            [(f"de {line}", f"en {line}") for line in range(4, 9)]
        ]
    assert [len(split.sources) for split in load_splits(hub).values()] == [9, 2, 3]


def test_a_sample_has_each_pair_as_often_and_is_in_order() -> None:
    stream = plain(12)
    survey, sample = stream.survey(50, 1)
    assert (survey.lines, survey.pairs, survey.dropped) == (12, 12, 0)
    assert sample.sources == [f"de {line}" for line in range(12)]
    seen = Counter[str]()
    for seed in range(120):
        _, sample = stream.survey(4, seed)
        assert sample.sources == sorted(sample.sources, key=lambda text: int(text[3:]))
        assert len(set(sample.sources)) == 4
        seen.update(sample.sources)
    assert len(seen) == 12
    assert max(abs(count - 40) for count in seen.values()) < 26  # five standard deviations


def test_wrong_text_is_named_with_its_line() -> None:
    def fails(train: str | tuple[str, str], **keys: object) -> str:
        with pytest.raises(UserError) as caught:
            survey(given(train, **keys))
        return str(caught.value)

    long, short = write("long", numbered(9, "a")), write("short", numbered(8, "b"))
    assert "long has more lines than short, which has 8: each" in fails((long, short))
    assert "long has more lines than short, which has 8: each" in fails((short, long))
    assert "source and target are the same in 9 of 9 pairs" in fails((long, long))
    assert "a.jsonl, line 2: no 'en'" in fails(write("a.jsonl", '{"de": "a", "en": "b"}\n{"de": "a"}\n'))
    far = numbered(200_000, "a")  # more than what is looked at before reading
    assert "far, line 200001: a NUL character" in fails((write("far", far + "b\0b\n"), write("far.en", far + "b\n")))
    late = write("late", far.encode() + b"a\xff\n")
    assert "late, line 200001: not UTF-8 at byte 2" in fails((late, write("far.en", far + "b\n")))
    assert "marked is UTF-16-LE: convert" in fails((write("marked", numbered(9, "a").encode("utf-16")), long))
    assert "old: its lines end in carriage returns alone" in fails((write("old", "a\rb\r"), long))
    assert "wide is UTF-16-LE without" in fails((write("wide", numbered(9, "a").encode("utf-16-le")), long))
    assert "x is XML" in fails((write("x", '<?xml version="1.0"?>\n<a>\n'), long))
    empty = write("empty", "\n" * 8)
    assert "no sentence pair in empty and short" in fails((empty, short))


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ("corpus.validation=null", "of a stream nothing can be held out: give a file for validation"),
        ("corpus.train=x.jsonl/a.json", "a stream is read from two plain files, or from one in .tsv, .csv, .jsonl"),
        ("corpus.encoding=latin1", "a stream is read from files in UTF-8"),
        ("train.guide.links=links", "train.guide.links needs all training pairs at hand"),
        ("train.teacher.runs=[a]", "train.teacher.runs needs all training pairs at hand"),
        ("search.nearest.count=2", "search.nearest.count needs all training pairs at hand"),
    ],
)
def test_what_a_stream_cannot_do_is_refused_in_the_config(change: str, said: str, tmp_path: Path) -> None:
    corpus = {**given("a.jsonl").model_dump(mode="json"), "train": "a.jsonl"}
    config = tmp_path / "config.yaml"
    config.write_text(json.dumps({"corpus": corpus}))
    assert said in refused(config, change)


def test_a_data_set_without_a_test_split_is_no_stream() -> None:
    folder = hub_folder("mine", {"train": pairs(9), "dev": pairs(2)})
    hub = HubCorpus(name="hub", path=folder, source="de", target="en", streaming=True)
    with pytest.raises(UserError, match="has no split for test, and of a stream nothing can be held out"):
        load_splits(hub)


def test_of_a_data_set_no_more_of_the_training_pairs_is_read_than_a_beginning(monkeypatch: pytest.MonkeyPatch) -> None:
    folder = hub_folder("mine", {"train": pairs(900), "dev": pairs(2), "test": pairs(2)})
    hub = HubCorpus(name="hub", path=folder, source="de", target="en", streaming=True)
    counted = 0

    def count(lines: list[str], *arguments: object, **options: object) -> Split:
        nonlocal counted
        counted += len(lines)
        return keep_pairs(lines, *arguments, **options)

    monkeypatch.setattr(stream_module, "keep_pairs", count)
    monkeypatch.setattr(stream_module, "HEAD", 10)
    assert len(load_splits(hub)["train"].sources) == counted == 10


@pytest.mark.parametrize(
    ("rows", "said"),
    [
        ({"dev": pairs(2), "test": pairs(2)}, "has no split 'train'; its splits: "),
        (
            {"train": [{"de": "a"}], "dev": pairs(2), "test": pairs(2)},
            "no 'en' in the first row of data set mine, train",
        ),
        ({"train": pairs(2), "dev": [{"de": "a"}], "test": pairs(2)}, "no sentence pair in data set mine, validation"),
    ],
)
def test_wrong_data_sets_are_told(rows: dict[str, list[dict[str, object]]], said: str) -> None:
    folder = hub_folder("mine", rows)
    with pytest.raises(UserError, match=said):
        load_splits(HubCorpus(name="hub", path=folder, source="de", target="en", streaming=True))


def test_a_data_set_that_is_damaged_is_told() -> None:
    folder = hub_folder("mine", {"train": pairs(2), "dev": pairs(2), "test": pairs(2)})
    write("mine/dev.jsonl", '{"de": "a", "en": \n')
    with pytest.raises(UserError, match="data set 'mine' cannot be loaded"):
        load_splits(HubCorpus(name="hub", path=folder, source="de", target="en", streaming=True))
