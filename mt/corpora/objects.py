"""Rows with keys: objects of JSON, a line each or in one list, and the rows of a Parquet table."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from mt.config.corpora import FilesCorpus
from mt.core.errors import UserError
from mt.core.files import kind_of, read_bytes
from mt.core.parse import parse_json

ROWS = 1000
"""Of a Parquet table that are in memory at once."""
Pair = tuple[str, str]


def keys_of(config: FilesCorpus) -> Pair:
    """Return the keys of source and target. Raises UserError where corpus.columns has numbers."""
    columns = config.columns
    if isinstance(columns.source, int) or isinstance(columns.target, int):
        raise UserError("corpus.columns has numbers, and JSON and Parquet have names: write the names of two keys")
    return columns.source or config.source, columns.target or config.target


def pair_of_line(line: str, config: FilesCorpus, where: str) -> Pair:
    """Read a line of a JSONL file; a blank line is an empty pair. Raises UserError as `pair_of`."""
    return pair_of(_parse(line, where), keys_of(config), where) if line.strip() else ("", "")


def pairs_of_list(lines: list[str], config: FilesCorpus, name: str) -> list[Pair]:
    """Read a list of objects in JSON; or, as many call it, an object a line. Raises UserError as `pair_of`."""
    text = "\n".join(lines).lstrip("\ufeff \t\r\n")
    if text.startswith("{") and len([line for line in lines if line.strip()]) > 1 and _is_whole(lines):
        return [pair_of_line(line, config, f"{name}, line {number}") for number, line in enumerate(lines, 1)]
    rows = _parse(text, name) if text else []
    if not isinstance(rows, list):
        raise UserError(f"{name}: its JSON is no list of objects; {_wanted(config)}")
    keys = keys_of(config)
    return [pair_of(row, keys, f"{name}, object {number}") for number, row in enumerate(rows, 1)]


def _is_whole(lines: list[str]) -> bool:
    """Tell whether the first line is an object by itself."""
    try:
        return isinstance(parse_json(next(line for line in lines if line.strip()), finite=False), dict)
    except ValueError:
        return False


def _parse(text: str, where: str) -> Any:
    try:
        return parse_json(text, finite=False)
    except ValueError as error:
        raise UserError(f"{where}: not JSON ({error})") from error


def _wanted(config: FilesCorpus) -> str:
    return f"write [{{{json.dumps(config.source)}: ..., {json.dumps(config.target)}: ...}}, ...]"


def pair_of(row: Any, keys: Pair, where: str, *, nothing: bool = False) -> Pair:
    """Return what a row has under two keys, or under these in its `translation`; None is empty where it may be.

    Raises UserError that lists the keys that are there.
    """
    inner = row.get("translation") if isinstance(row, dict) else None
    if isinstance(inner, dict) and (all(key in inner for key in keys) or not all(key in row for key in keys)):
        row = inner
    if not isinstance(row, dict):
        raise UserError(f"{where}: not an object; write {{{json.dumps(keys[0])}: ..., {json.dumps(keys[1])}: ...}}")
    found = []
    for key in keys:
        text = "" if nothing and key in row and row[key] is None else row.get(key)
        if not isinstance(text, str):
            problem = f"{key!r} is not a text" if key in row else f"no {key!r}"
            raise UserError(
                f"{where}: {problem}; its keys are {', '.join(map(repr, row)) or 'none'}, and corpus.source and "
                f"corpus.target name the two to use, or corpus.columns"
            )
        found.append(text)
    return found[0], found[1]


class Parquet:
    """The rows of a Parquet table, as pairs, one after another."""

    def __init__(self, path: Path, config: FilesCorpus):
        self.path, self.keys, self.row = path, keys_of(config), 0

    def __iter__(self) -> Iterator[Pair]:
        """Yield the pairs; what is nothing is empty. Raises UserError where it is no table, or lacks a column."""
        with self._told(), self._open() as table:
            names = table.schema_arrow.names
            wanted = list(self.keys)
            if not all(key in names for key in wanted):
                wanted = ["translation"]
            if not all(key in names for key in wanted):
                missing = next(key for key in self.keys if key not in names)
                raise UserError(
                    f"{self.path}: no column {missing!r}; its {len(names)} columns are {', '.join(map(repr, names))}, "
                    f"and corpus.source and corpus.target name the two to use, or corpus.columns"
                )
            for row in self._rows(table, wanted):
                self.row += 1
                yield pair_of(row, self.keys, f"{self.path}, row {self.row}", nothing=True)

    def _rows(self, table: Any, columns: list[str]) -> Iterator[Any]:
        """Yield the rows that are left."""
        before = 0
        for group in range(table.num_row_groups):
            count = table.metadata.row_group(group).num_rows
            skip, before = self.row - before, before + count
            if skip >= count:
                continue
            for batch in table.iter_batches(ROWS, row_groups=[group], columns=columns):
                rows = batch.to_pylist()
                yield from rows[max(skip, 0) :]
                skip -= len(rows)

    def _open(self) -> Any:
        import pyarrow
        from pyarrow import parquet

        plain = self.path.suffix.lower() == kind_of(str(self.path))
        # a compressed one cannot be read from its end, where it says what it holds
        return parquet.ParquetFile(self.path if plain else pyarrow.BufferReader(read_bytes(self.path)))

    @contextmanager
    def _told(self) -> Iterator[None]:
        import pyarrow

        try:
            yield
        except (OSError, pyarrow.ArrowException, UnicodeDecodeError) as error:
            reason = (getattr(error, "strerror", None) or str(error)).strip().partition("\n")[0]
            raise UserError(f"{self.path} cannot be read as a Parquet table: {reason}") from error

    def state_dict(self) -> dict[str, Any]:
        """Return where it stands, as JSON."""
        return {"row": self.row}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Go there."""
        self.row = state["row"]
