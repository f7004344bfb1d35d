"""Rows of a table, or two columns of lines: the first row may name the languages, and fields may stand in quotes."""

import csv
import logging
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

from mt.config.corpora import FilesCorpus
from mt.core.errors import UserError
from mt.core.text import Lines
from mt.corpora.anki import header_of, is_anki
from mt.corpora.languages import code_of, find_columns, is_name

QUOTED = re.compile(r'"(?:[^"]|"")*"')
DELIMITERS = ("\t", ";", ",")
SEPARATOR = re.compile(r'"?sep=([^"\w])"?')
"""What Excel writes first, to say by what cells are divided."""
FIRST = 20
"""Lines of a CSV file that say by what its cells are divided."""

Row = tuple[int, list[str]]
"""Number of the line that it ends in, and its cells; no cells in a blank line."""
Pair = tuple[str, str]

log = logging.getLogger("mt")


def cells_of(line: str) -> list[str]:
    """Return the cells of a line of TSV; none of a blank one."""
    return line.split("\t") if line.strip() else []


def rows_of_tsv(lines: Sequence[str]) -> list[Row]:
    """Split each line at its tabs."""
    return [(number, cells_of(line)) for number, line in enumerate(lines, 1)]


def rows_of_csv(lines: Sequence[str], name: str, config: FilesCorpus) -> list[Row]:
    """Read comma-separated values, or what the first lines or the rows have instead of commas.

    First lines that say so, `sep=;` or those of Anki, are rows too: blank ones, or the names of the columns. Raises
    UserError with the line, or where the rows may be divided in two ways.
    """
    mark, before = _before(lines, name, config)
    start = len(before)
    return [*before, *_records((line + "\n" for line in lines[start:]), mark, name, start)]


def first_rows_of_csv(lines: Sequence[str], name: str, config: FilesCorpus) -> tuple[str, list[Row]]:
    """Return what divides the cells of a CSV file, and its first rows, as `rows_of_csv` does, given its first lines."""
    mark, before = _before(lines, name, config)
    start = len(before)
    return mark, [*before, *islice(_records((line + "\n" for line in lines[start:]), mark, name, start), FIRST)]


def _records(lines: Iterator[str], mark: str, name: str, before: int) -> Iterator[Row]:
    """Yield the rows of CSV, which has so many lines before them."""
    reader = csv.reader(lines, delimiter=mark, strict=True)
    try:
        for cells in reader:
            yield reader.line_num + before, cells if any(cell.strip() for cell in cells) else []
    except csv.Error as error:
        raise UserError(f"{name}, line {reader.line_num + before}: not CSV ({error})") from error


class Records(Lines):
    """The rows of a CSV file, read one after another as `Lines` are; a row may have several of them."""

    def __init__(self, path: Path, mark: str):
        super().__init__(path)
        self.mark = mark

    def __iter__(self) -> Iterator[Row]:  # type: ignore[override]
        """Yield rows. Raises UserError, with the line, where one is not CSV."""
        lines = super().__iter__()
        return _records((line + "\n" for line in lines), self.mark, str(self.path), self.line)


def _before(lines: Sequence[str], name: str, config: FilesCorpus) -> tuple[str, list[Row]]:
    """Return what divides the cells of a CSV file, and the rows of the lines that say so."""
    if said := SEPARATOR.fullmatch(lines[0].strip()) if lines else None:
        return said[1], [(1, [])]
    if not is_anki(lines):
        return _delimiter(lines, name), []
    header = header_of(lines, name)
    names, columns = header.names.split(header.mark), config.columns
    if not any(isinstance(column, str) for column in (columns.source, columns.target)) and (
        config.raw or not find_columns(names, config.source, config.target)
    ):
        names = []  # which are asked for by nobody, and are no pair
    return header.mark, [*((number, []) for number in range(1, header.lines)), (header.lines, names)]


def _delimiter(lines: Sequence[str], name: str) -> str:
    """Return the mark that divides most of the first lines alike, if possible into two cells, without spaces after it.

    Raises UserError where two marks do.
    """

    def fitness(mark: str) -> tuple[int, bool, int]:
        try:
            rows = list(csv.reader(first, delimiter=mark))
        except csv.Error:  # which is told with its line when all is read
            rows = []
        width = len(rows[0]) if rows else 0
        agreeing = sum(len(cells) == width for cells in rows) if width > 1 else 0
        return agreeing, width == 2, -sum(cell.startswith(" ") for cells in rows for cell in cells[1:])

    first = [line for line in lines[:FIRST] if line.strip()]
    *_, other, best = sorted(DELIMITERS, key=fitness)
    if fitness(best)[0] and fitness(best) == fitness(other):
        raise UserError(
            f"{name}: its cells may be divided by {best!r} or by {other!r}; say which in a first line sep={best} or "
            f"sep={other}"
        )
    return best


@dataclass(frozen=True)
class Layout:
    """Where the pairs of a table stand."""

    name: str
    start: int
    """Rows before the first pair."""
    here: int
    """Column of the source, counted from 0."""
    there: int
    """Column of the target."""
    width: int | None
    """Columns that each row has. None: at least those of source and target."""

    def pair(self, row: Row) -> Pair:
        """Return the pair of a row; a blank one is an empty pair. Raises UserError with the line where it has too few.

        Without names or numbers of columns it must not have too many, either.
        """
        number, cells = row
        if not cells:
            return "", ""
        if self.width is None and len(cells) <= max(self.here, self.there):
            raise UserError(
                f"{self.name}, line {number}: {_count(cells)}, and corpus.columns asks for column "
                f"{max(self.here, self.there) + 1}"
            )
        if self.width is not None and len(cells) != self.width:
            raise UserError(
                f"{self.name}, line {number}: {_count(cells)}, not {self.width}; a row is a source sentence and a "
                f"target sentence, or has more where the first row says which columns these are, or where the config "
                f"does: corpus.columns: {{source: 1, target: 2}}"
            )
        return cells[self.here], cells[self.there]


def _count(cells: Sequence[str]) -> str:
    return f"{len(cells)} column{'s' * (len(cells) != 1)}"


def layout_of(rows: Sequence[Row], name: str, config: FilesCorpus) -> Layout:
    """Return where the pairs of a table stand, by corpus.columns or by its first row; that is logged.

    Raises UserError where that row names other languages, or lacks a column that the config names.
    """
    start, cells = next(((place, cells) for place, (_, cells) in enumerate(rows) if cells), (0, []))
    columns, languages = config.columns, (config.source, config.target)
    if isinstance(columns.source, str) or isinstance(columns.target, str):
        here, there = (_column(one, cells, name) for one in (columns.source, columns.target))
        if here == there:
            raise UserError(f"{name}: corpus.columns calls column {here + 1} both source and target")
        return Layout(name, start + 1, here, there, len(cells))
    if columns.source is not None and columns.target is not None:
        places = columns.source - 1, columns.target - 1
        named = max(places) < len(cells) and find_columns([cells[place] for place in places], *languages)
        if config.raw or not named:
            return Layout(name, start, *places, None)
        if named == (1, 0):
            raise UserError(
                f"{name}: its first row calls column {columns.source} {cells[places[0]]!r} and column {columns.target} "
                f"{cells[places[1]]!r}, and corpus.columns has them the other way round"
            )
        _tell_names(name, cells, *places)
        return Layout(name, start + 1, *places, None)
    found = None if config.raw else find_columns(cells, *languages)
    if found:
        _tell_names(name, cells, *found)
        return Layout(name, start + 1, *found, len(cells))
    if not config.raw:
        _must_not_name_others(cells, name, *languages)
    return Layout(name, start, 0, 1, 2)


def _column(wanted: str | int | None, cells: Sequence[str], name: str) -> int:
    """Return the place of a column, given its name or its number, where the first row has these cells."""
    if isinstance(wanted, int):
        if wanted > len(cells):
            raise UserError(f"{name}: its first row has {_count(cells)}, and corpus.columns asks for column {wanted}")
        return wanted - 1
    plain = [cell.strip() for cell in cells]
    plain = [cell[1:-1].replace('""', '"') if QUOTED.fullmatch(cell) else cell for cell in plain]
    if plain.count(str(wanted)) != 1:
        raise UserError(
            f"{name}: its first row has {'two columns' if wanted in plain else 'no column'} {wanted!r}; its "
            f"{_count(cells)}: {', '.join(map(repr, plain))}. corpus.columns may have numbers instead, counted from 1"
        )
    return plain.index(str(wanted))


def _tell_names(name: str, cells: Sequence[str], here: int, there: int) -> None:
    log.info(
        "%s: its first row names the columns; source is column %d (%s), target is column %d (%s)",
        *(name, here + 1, cells[here].strip(), there + 1, cells[there].strip()),
    )


def _must_not_name_others(cells: Sequence[str], name: str, source: str, target: str) -> None:
    if len(cells) == 2 and all(map(is_name, cells)) and code_of(cells[0]) != code_of(cells[1]):
        raise UserError(
            f"{name}: its first row names its columns {cells[0]!r} and {cells[1]!r}, not {source} and {target}; set "
            f"corpus.source and corpus.target to what they are, or corpus.raw: true where this is a sentence pair"
        )


def two_columns(rows: Sequence[Row], name: str, config: FilesCorpus) -> list[Pair]:
    """Return the pairs of a table, in its order. Raises UserError as `layout_of` and `Layout.pair`."""
    layout = layout_of(rows, name, config)
    return [layout.pair(row) for row in rows[layout.start :]]


def are_quoted(pairs: Sequence[Pair]) -> bool:
    """Tell whether all fields that are not empty stand in quotes."""
    fields = [field.strip() for pair in pairs for field in pair]
    return any(fields) and all(QUOTED.fullmatch(field) for field in fields if field)


def without_quotes(pairs: list[Pair], name: str) -> list[Pair]:
    """Return the pairs without the quotes around their fields, where every field that is not empty has them."""
    if not are_quoted(pairs):
        return pairs
    tell_quotes(name)
    return [(_unquote(one), _unquote(other)) for one, other in pairs]


def tell_quotes(name: str) -> None:
    """Say in the log that quotes are taken off."""
    log.info("%s: every field stands in quotes, which are taken off", name)


def must_be_quoted(pair: Pair, where: str) -> Pair:
    """Return a pair without the quotes around its fields. Raises UserError where one has none."""
    if any(pair) and not are_quoted([pair]):
        raise UserError(
            f"{where}: a field without quotes, and all fields at the beginning of the file have them: put it into "
            f"quotes too, or keep those of all by corpus.raw: true"
        )
    return _unquote(pair[0]), _unquote(pair[1])


def without_names(
    sides: tuple[list[str], list[str]], paths: tuple[str, str], source: str, target: str
) -> tuple[list[str], list[str]]:
    """Return the lines of two plain files without the first ones, where these name the languages; that is said.

    Raises UserError where they name each other's.
    """
    if not all(len(lines) > 1 for lines in sides):
        return sides
    first, second = sides[0][0], sides[1][0]
    found = find_columns([first, second], source, target)
    if found == (1, 0):
        raise UserError(
            f"{paths[0]} begins with {first!r} and {paths[1]} with {second!r}: write the file of {source} first, or "
            f"set corpus.source and corpus.target"
        )
    if found:
        log.info("%s and %s: their first lines name the languages and are left out", *paths)
        return sides[0][1:], sides[1][1:]
    return sides


def _unquote(field: str) -> str:
    return field.strip()[1:-1].replace('""', '"')
