"""Your own parallel text: two plain files, a TSV or a JSONL file for each split, each also as .gz."""

import json
from pathlib import Path
from typing import Any

from mt.config.corpora import FilesCorpus
from mt.core.errors import UserError
from mt.core.files import read_lines
from mt.corpora.pairs import Corpus, Split
from mt.corpora.splits import hold_out, pair_up

Place = str | tuple[str, str]


def load(config: FilesCorpus) -> dict[str, Split]:
    """Return train, validation and test; those without a file are held out from the training pairs."""
    given = {"train": config.train, "validation": config.validation, "test": config.test}
    splits = {name: read(place, config.source, config.target) for name, place in given.items() if place is not None}
    missing = [name for name in given if name not in splits]
    origin = describe(config.train)
    splits |= hold_out(splits["train"], missing, config.held_out, config.seed, origin, by=config.held_out_by)
    return {name: splits[name] for name in given}


def read(place: Place, source: str, target: str) -> Split:
    """Return the pairs of two plain files, or of one .tsv or .jsonl file with the keys `source` and `target`."""
    if not isinstance(place, str):
        paths = [Path(name) for name in place]
        return pair_up(read_lines(paths[0]), read_lines(paths[1]), *place)
    kind = place.removesuffix(".gz")
    if kind.endswith(".tsv"):
        rows = [_columns(line, f"{place}, line {number}") for number, line in enumerate(read_lines(Path(place)), 1)]
    elif kind.endswith(".jsonl"):
        rows = [
            _values(line, source, target, f"{place}, line {number}")
            for number, line in enumerate(read_lines(Path(place)), 1)
        ]
    else:
        raise UserError(
            f"{place}: one file must end in .tsv or .jsonl (or these and .gz); for two plain files write "
            f"[{place}, the other file]"
        )
    return pair_up([row[0] for row in rows], [row[1] for row in rows], place, place)


def describe(place: Place) -> str:
    """Return the file names in one text."""
    return place if isinstance(place, str) else " and ".join(place)


def find(config: FilesCorpus | None) -> str | None:
    """Return the names of the training files when they are here."""
    if config is None:
        return "where the config says"
    names = (config.train,) if isinstance(config.train, str) else config.train
    return describe(config.train) if all(Path(name).is_file() for name in names) else None


def _columns(line: str, where: str) -> tuple[str, str]:
    """Split a line of a TSV; a blank line is an empty pair."""
    columns = line.split("\t") if line.strip() else ["", ""]
    if len(columns) != 2:
        raise UserError(
            f"{where}: {len(columns)} column{'s' * (len(columns) != 1)}, not 2; write the source sentence, a tab, the "
            f"target sentence"
        )
    return columns[0], columns[1]


def _values(line: str, source: str, target: str, where: str) -> tuple[str, str]:
    """Read a line of a JSONL file; a blank line is an empty pair."""
    if not line.strip():
        return "", ""
    try:
        row: Any = json.loads(line)
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
    title="Your own parallel text (plain files, TSV or JSONL)",
    languages="any, by corpus.source and corpus.target",
    size="yours",
    licence="yours",
    citation="yours",
    origin="files named in the config: corpus.train, corpus.validation, corpus.test",
    find=find,
    load=load,
)
