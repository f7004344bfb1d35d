"""Your own parallel text: two plain files, or one of both languages for each split, which may be compressed."""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from mt.config.corpora import ONE_FILE, FilesCorpus
from mt.core.errors import UserError
from mt.core.files import PACKINGS, kind_of
from mt.core.text import Lines, read_first_sentences, read_sentences
from mt.corpora.anki import is_anki
from mt.corpora.memories import Memory
from mt.corpora.objects import Parquet, pair_of_line, pairs_of_list
from mt.corpora.pairs import Corpus, Split
from mt.corpora.splits import hold_out, pair_up, refuse_copies
from mt.corpora.stream import Rows, Stream
from mt.corpora.tables import (
    Records,
    are_quoted,
    cells_of,
    first_rows_of_csv,
    layout_of,
    must_be_quoted,
    rows_of_csv,
    rows_of_tsv,
    tell_quotes,
    two_columns,
    without_names,
    without_quotes,
)

Place = str | tuple[str, str]
Columns = tuple[list[str], list[str]]
"""Source sentences and target sentences, as the files have them."""
Streamed = tuple[Callable[[], Sequence[Rows]], Callable[[int, tuple[Any, ...]], tuple[str, str]], int]
"""What opens the files, what makes a pair of a row of each, and how many rows to skip: parts of a `Stream`."""
SUFFIXES = tuple(one.suffix for one in PACKINGS.values())


def load(config: FilesCorpus) -> dict[str, Split]:
    """Return train, validation and test; those without a file are held out from the training pairs."""
    given = {"train": config.train, "validation": config.validation, "test": config.test}
    if config.streaming:
        held_out = {name: read(place, config) for name, place in given.items() if name != "train" and place}
        return {"train": stream(config).head()} | held_out
    splits = {name: read(place, config) for name, place in given.items() if place is not None}
    missing = [name for name in given if name not in splits]
    origin = describe(config.train)
    splits |= hold_out(splits["train"], missing, config.held_out, config.seed, origin, by=config.held_out_by)
    return {name: splits[name] for name in given}


def read(place: Place, config: FilesCorpus) -> Split:
    """Return the pairs of two plain files, or of one that holds both languages, as the config says."""
    origin = (place, place) if isinstance(place, str) else place
    sources, targets = _read_one(place, config) if isinstance(place, str) else _read_plain(place, config)
    split = pair_up(sources, targets, *origin, raw=config.raw)
    if config.copies == "refuse":
        refuse_copies(split, describe(place))
    return split


def _read_plain(place: tuple[str, str], config: FilesCorpus) -> Columns:
    if place[0] == place[1] and kind_of(place[0]) == ".tmx":
        raise UserError(f"{place[0]} is XML, a translation memory of both languages: name it once, train: {place[0]}")
    first, second = (read_sentences(Path(name), config.encoding, raw=config.raw) for name in place)
    return (first, second) if config.raw else without_names((first, second), place, config.source, config.target)


def _read_one(place: str, config: FilesCorpus) -> Columns:
    kind, path = kind_of(place), Path(place)
    if kind not in ONE_FILE:
        lines = read_sentences(path, config.encoding)  # which says more where it is XML, an archive, or not there
        tabs = "its lines have tabs, as those of .tsv have, so call it that" if "\t" in "".join(lines[-1:]) else ""
        raise UserError(
            f"{place}: one file must end in {_either(ONE_FILE)} (or these and {_either(SUFFIXES)}); "
            + (tabs or f"for two plain files write [{place}, the other file]")
        )
    if kind == ".tmx":
        pairs = [*Memory(path, config.source, config.target, raw=config.raw)]
    elif kind == ".parquet":
        pairs = [*Parquet(path, config)]
    else:
        pairs = _pairs_of(read_sentences(path, config.encoding, raw=config.raw or "json" in kind), place, config)
    return [source for source, _ in pairs], [target for _, target in pairs]


def _pairs_of(lines: list[str], place: str, config: FilesCorpus) -> list[tuple[str, str]]:
    """Return the pairs of the lines of a file that is text."""
    kind = kind_of(place)
    if kind == ".json":
        return pairs_of_list(lines, config, place)
    if kind == ".jsonl":
        return [pair_of_line(line, config, f"{place}, line {number}") for number, line in enumerate(lines, 1)]
    if kind == ".csv" or is_anki(lines):
        return two_columns(rows_of_csv(lines, place, config), place, config)
    pairs = two_columns(rows_of_tsv(lines), place, config)
    return pairs if config.raw else without_quotes(pairs, place)


def _either(suffixes: tuple[str, ...]) -> str:
    return f"{', '.join(suffixes[:-1])} or {suffixes[-1]}"


def stream(config: FilesCorpus) -> Stream:
    """Return the training pairs one by one. Raises UserError where text files begin with no sentences in UTF-8."""
    rows, pair, header = (
        _stream_plain(config.train, config) if isinstance(config.train, tuple) else (_stream_one(config.train, config))
    )
    places = (config.train,) if isinstance(config.train, str) else config.train
    return Stream(
        names=(places[0], places[-1]),
        open=rows,
        pair=pair,
        buffer=config.shuffle_buffer,
        most=config.pairs,
        raw=config.raw,
        copies=config.copies == "allow",
        header=header,
    )


def _stream_plain(places: tuple[str, str], config: FilesCorpus) -> Streamed:
    starts = [read_first_sentences(Path(place), raw=config.raw) for place in places]
    header = 0
    if not config.raw:
        header = len(starts[0]) - len(without_names((starts[0], starts[1]), places, config.source, config.target)[0])
    return lambda: [Lines(Path(place)) for place in places], lambda number, lines: lines, header


def _stream_one(place: str, config: FilesCorpus) -> Streamed:
    kind, path = kind_of(place), Path(place)
    if kind == ".tmx":
        return lambda: [Memory(path, config.source, config.target, raw=config.raw)], _first, 0
    if kind == ".parquet":
        return lambda: [Parquet(path, config)], _first, 0
    start = read_first_sentences(path, raw=config.raw or kind == ".jsonl")
    if kind == ".jsonl":
        return (
            lambda: [Lines(path)],
            lambda number, lines: pair_of_line(lines[0], config, f"{place}, line {number}"),
            0,
        )
    if kind == ".csv" or is_anki(start):
        mark, rows = first_rows_of_csv(start, place, config)
        layout = layout_of(rows, place, config)
        return lambda: [Records(path, mark)], lambda number, row: layout.pair(row[0]), layout.start
    layout = layout_of(rows_of_tsv(start), place, config)
    some = [layout.pair(row) for row in rows_of_tsv(start)[layout.start :]]
    quoted = not config.raw and are_quoted(some)
    if quoted:
        tell_quotes(place)

    def pair(number: int, lines: tuple[Any, ...]) -> tuple[str, str]:
        found = layout.pair((number, cells_of(lines[0])))
        return must_be_quoted(found, f"{place}, line {number}") if quoted else found

    return lambda: [Lines(path)], pair, layout.start


def _first(number: int, rows: tuple[Any, ...]) -> tuple[str, str]:
    """Return the row of the only file, which is a pair."""
    source, target = rows[0]
    return source, target


def describe(place: Place) -> str:
    """Return the file names in one text."""
    return place if isinstance(place, str) else " and ".join(place)


def find(config: FilesCorpus | None) -> str | None:
    """Return the names of the training files when they are here."""
    if config is None:
        return "where the config says"
    names = (config.train,) if isinstance(config.train, str) else config.train
    return describe(config.train) if all(Path(name).is_file() for name in names) else None


CORPUS = Corpus(
    title="Your own parallel text (plain files, TSV, CSV, JSON, TMX or Parquet)",
    languages="any, by corpus.source and corpus.target",
    size="yours",
    licence="yours",
    citation="yours",
    origin="files named in the config: corpus.train, corpus.validation, corpus.test",
    find=find,
    load=load,
)
