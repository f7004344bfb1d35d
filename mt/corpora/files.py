"""Your own parallel text: two plain files, or a TSV, CSV or JSONL file for each split, which may be compressed."""

import json
from pathlib import Path
from typing import Any

from mt.config.corpora import FilesCorpus
from mt.core.errors import UserError
from mt.core.files import kind_of
from mt.core.parse import parse_json
from mt.core.text import Lines, read_first_sentences, read_sentences
from mt.corpora.pairs import Corpus, Split
from mt.corpora.splits import hold_out, pair_up, refuse_copies
from mt.corpora.stream import Stream
from mt.corpora.tables import rows_of_csv, rows_of_tsv, two_columns, without_names, without_quotes

Place = str | tuple[str, str]
Columns = tuple[list[str], list[str]]
"""Source sentences and target sentences, as the files have them."""


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
    """Return the pairs of two plain files, or of one that ends in .tsv, .csv or .jsonl, as the config says."""
    origin = (place, place) if isinstance(place, str) else place
    sources, targets = _read_table(place, config) if isinstance(place, str) else _read_plain(place, config)
    split = pair_up(sources, targets, *origin, raw=config.raw)
    if config.copies == "refuse":
        refuse_copies(split, describe(place))
    return split


def _read_plain(place: tuple[str, str], config: FilesCorpus) -> Columns:
    first, second = (read_sentences(Path(name), config.encoding, raw=config.raw) for name in place)
    return (first, second) if config.raw else without_names((first, second), place, config.source, config.target)


def _read_table(place: str, config: FilesCorpus) -> Columns:
    kind = kind_of(place)
    if kind not in {".tsv", ".csv", ".jsonl"}:
        read_sentences(Path(place), config.encoding)  # which says more where it is XML, an archive, or not there
        raise UserError(
            f"{place}: one file must end in .tsv, .csv or .jsonl (or these and .gz, .bz2 or .xz); for two plain files "
            f"write [{place}, the other file]"
        )
    raw, languages = config.raw, (config.source, config.target)
    lines = read_sentences(Path(place), config.encoding, raw=raw or kind == ".jsonl")
    if kind == ".jsonl":
        pairs = [_values(line, *languages, f"{place}, line {number}") for number, line in enumerate(lines, 1)]
    elif kind == ".csv":
        pairs = two_columns(rows_of_csv(lines, place), place, *languages, raw=raw)
    else:
        pairs = two_columns(rows_of_tsv(lines), place, *languages, raw=raw)
        pairs = pairs if raw else without_quotes(pairs, place)
    return [source for source, _ in pairs], [target for _, target in pairs]


def stream(config: FilesCorpus) -> Stream:
    """Return the training pairs line by line. Raises UserError where the files begin with no sentences in UTF-8."""
    places = (config.train,) if isinstance(config.train, str) else config.train
    raw = config.raw or isinstance(config.train, str)
    starts = [read_first_sentences(Path(place), raw=raw) for place in places]
    header = 0
    if isinstance(config.train, tuple) and not config.raw:
        kept = without_names((starts[0], starts[1]), config.train, config.source, config.target)
        header = len(starts[0]) - len(kept[0])

    def pair(number: int, lines: tuple[Any, ...]) -> tuple[str, str]:
        if isinstance(config.train, tuple):
            return lines[0], lines[1]
        return _values(lines[0], config.source, config.target, f"{config.train}, line {number}")

    return Stream(
        names=(places[0], places[-1]),
        open=lambda: tuple(Lines(Path(place)) for place in places),
        pair=pair,
        buffer=config.shuffle_buffer,
        most=config.pairs,
        raw=config.raw,
        copies=config.copies == "allow",
        header=header,
    )


def describe(place: Place) -> str:
    """Return the file names in one text."""
    return place if isinstance(place, str) else " and ".join(place)


def find(config: FilesCorpus | None) -> str | None:
    """Return the names of the training files when they are here."""
    if config is None:
        return "where the config says"
    names = (config.train,) if isinstance(config.train, str) else config.train
    return describe(config.train) if all(Path(name).is_file() for name in names) else None


def _values(line: str, source: str, target: str, where: str) -> tuple[str, str]:
    """Read a line of a JSONL file; a blank line is an empty pair."""
    if not line.strip():
        return "", ""
    try:
        row: Any = parse_json(line, finite=False)
    except ValueError as error:
        raise UserError(f"{where}: not JSON ({error})") from error
    if isinstance(row, dict) and isinstance(row.get("translation"), dict):
        row = row["translation"]
    if not isinstance(row, dict):
        raise UserError(f"{where}: not an object; write {{{json.dumps(source)}: ..., {json.dumps(target)}: ...}}")
    for key in (source, target):
        if not isinstance(row.get(key), str):
            problem = f"{key!r} is not a text" if key in row else f"no {key!r}"
            raise UserError(
                f"{where}: {problem}; its keys are {', '.join(map(repr, row)) or 'none'}, and corpus.source and "
                f"corpus.target name the two to use"
            )
    return row[source], row[target]


CORPUS = Corpus(
    title="Your own parallel text (plain files, TSV, CSV or JSONL)",
    languages="any, by corpus.source and corpus.target",
    size="yours",
    licence="yours",
    citation="yours",
    origin="files named in the config: corpus.train, corpus.validation, corpus.test",
    find=find,
    load=load,
)
