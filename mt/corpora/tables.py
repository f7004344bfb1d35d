"""Rows of a table, or two columns of lines: the first row may name the languages, and fields may stand in quotes."""

import csv
import logging
import re
from collections.abc import Sequence

from mt.core.errors import UserError
from mt.corpora.languages import code_of, find_columns, is_name

QUOTED = re.compile(r'"(?:[^"]|"")*"')
DELIMITERS = ("\t", ";", ",")
SEPARATOR = re.compile(r'"?sep=([^"\w])"?')
"""What Excel writes first, to say by what cells are divided."""
FIRST = 20
"""Lines of a CSV file that say by what its cells are divided."""

Row = tuple[int, list[str]]
"""Number of the line that it ends in, and its cells; no cells in a blank line."""

log = logging.getLogger("mt")


def rows_of_tsv(lines: Sequence[str]) -> list[Row]:
    """Split each line at its tabs."""
    return [(number, line.split("\t") if line.strip() else []) for number, line in enumerate(lines, 1)]


def rows_of_csv(lines: Sequence[str], name: str) -> list[Row]:
    """Read comma-separated values, or what a first line `sep=;` or the rows have instead of commas.

    Raises UserError with the line, or where the rows may be divided in two ways.
    """
    found: list[Row] = []
    said = SEPARATOR.fullmatch(lines[0].strip()) if lines else None
    start = 1 if said else 0
    mark = said[1] if said else _delimiter(lines, name)
    reader = csv.reader((line + "\n" for line in lines[start:]), delimiter=mark, strict=True)
    try:
        for cells in reader:
            found.append((reader.line_num + start, cells if any(cell.strip() for cell in cells) else []))
    except csv.Error as error:
        raise UserError(f"{name}, line {reader.line_num + start}: not CSV ({error})") from error
    return found


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


def two_columns(rows: list[Row], name: str, source: str, target: str, *, raw: bool = False) -> list[tuple[str, str]]:
    """Return the pairs of a table; a blank row is an empty pair.

    Unless it is `raw`, a first row that names the languages is dropped, says which columns they are, and is logged.
    Raises UserError where it names other languages, or where a row has not two columns, or not as many as the first.
    """
    start, columns = (0, None) if raw else _header(rows, name, source, target)
    rows = rows[start:]
    width = columns[2] if columns else 2
    for number, cells in rows:
        if cells and len(cells) != width:
            raise UserError(
                f"{name}, line {number}: {len(cells)} column{'s' * (len(cells) != 1)}, not {width}; a row is a source "
                f"sentence and a target sentence, or has more where the first row says which columns these are"
            )
    here, there = columns[:2] if columns else (0, 1)
    return [(cells[here], cells[there]) if cells else ("", "") for _, cells in rows]


def without_quotes(pairs: list[tuple[str, str]], name: str) -> list[tuple[str, str]]:
    """Return the pairs without the quotes around their fields, where every field that is not empty has them."""
    fields = [field.strip() for pair in pairs for field in pair]
    if not any(fields) or not all(QUOTED.fullmatch(field) for field in fields if field):
        return pairs
    log.info("%s: every field stands in quotes, which are taken off", name)
    return [(_unquote(one), _unquote(other)) for one, other in pairs]


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


def _header(rows: list[Row], name: str, source: str, target: str) -> tuple[int, tuple[int, int, int] | None]:
    """Return where the pairs begin, and the columns of source and target and how many there are, if a row says so."""
    start, cells = next(((place, cells) for place, (_, cells) in enumerate(rows) if cells), (0, []))
    if found := find_columns(cells, source, target):
        here, there = found
        log.info(
            "%s: its first row names the columns; source is column %d (%s), target is column %d (%s)",
            *(name, here + 1, cells[here].strip(), there + 1, cells[there].strip()),
        )
        return start + 1, (here, there, len(cells))
    if len(cells) == 2 and all(map(is_name, cells)) and code_of(cells[0]) != code_of(cells[1]):
        raise UserError(
            f"{name}: its first row names its columns {cells[0]!r} and {cells[1]!r}, not {source} and {target}; set "
            f"corpus.source and corpus.target to what they are, or corpus.raw: true where this is a sentence pair"
        )
    return 0, None


def _unquote(field: str) -> str:
    return field.strip()[1:-1].replace('""', '"')
