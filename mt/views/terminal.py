"""Alignments drawn in a terminal, with the shaded blocks of Unicode."""

import os
import unicodedata
from collections.abc import Iterator, Sequence
from typing import TextIO

import numpy as np
from numpy.typing import NDArray

SHADES = "·░▒▓█"
"""Weights 0, 1/4, 1/2, 3/4 and 1."""
KEY = "░░ 0.25  ▒▒ 0.5  ▓▓ 0.75  ██ 1"
NARROW_KEY = "░ 0.25  ▒ 0.5  ▓ 0.75  █ 1"
COLOURED = "; coloured: the most of its row"
LONGEST_LABEL = 20
"""Columns of the terminal."""
SHORTEST_LABEL = 10
"""What cells leave of a line for the target word."""
MOST, PLAIN = "\033[1;35m", "\033[0m"
"""Magenta is read on black and on white."""
JOINERS = {"\N{ZERO WIDTH NON-JOINER}", "\N{ZERO WIDTH JOINER}"}
"""Words of Persian, Hindi and others are written with them."""


def blocks(
    words: NDArray[np.floating],
    source_words: Sequence[str],
    target_words: Sequence[str],
    width: int = 80,
    *,
    colour: bool = False,
) -> str:
    """Return an alignment as lines of text: a row per target word, two characters per source word.

    `words` is [target words, source words + 1]; its last column is the source's </s>. Each source word stands on a line
    of its own above its column. Where `width` characters do not hold that, a source word has one character and a number
    above its column, and the words follow below by their numbers; what even then does not fit follows below that, as a
    matrix of its own. `colour` marks the heaviest cell of each row. Without target words there is nothing to draw: "".
    """
    if not words.size:
        return ""
    if words.shape != (len(target_words), len(source_words) + 1):
        raise ValueError(
            f"matrix {words.shape} does not fit {len(target_words)} target, {len(source_words)} source words"
        )
    columns, explained = [*source_words, "</s>"], COLOURED if colour else ""
    if 2 * len(columns) + 1 + LONGEST_LABEL <= width:
        rows = _rows(words, target_words, LONGEST_LABEL, 2, colour)
        return "\n".join([*_staircase(columns), *rows, "", KEY + explained])
    fitting = min(max(width - SHORTEST_LABEL - 1, 1), len(columns))
    room = min(LONGEST_LABEL, max(width - fitting - 1, SHORTEST_LABEL))
    parts = list[str]()
    for start in range(0, len(columns), fitting):
        stop = min(start + fitting, len(columns))
        part = [*_numbers(start, stop), *_rows(words[:, start:stop], target_words, room, 1, colour)]
        parts += ["\n".join(part), "\n".join(_legend(columns[start:stop], start, width))]
    return "\n\n".join([*parts, NARROW_KEY + explained])


def may_colour(stream: TextIO) -> bool:
    """Tell whether a stream is a terminal that shows colours, and nobody has set NO_COLOR."""
    return stream.isatty() and not os.environ.get("NO_COLOR") and os.environ.get("TERM") != "dumb"


def _staircase(columns: Sequence[str]) -> Iterator[str]:
    for column, word in enumerate(columns):
        yield "│ " * column + label(word, LONGEST_LABEL)


def _rows(
    words: NDArray[np.floating], target_words: Sequence[str], room: int, wide: int, colour: bool
) -> Iterator[str]:
    for row, word in zip(words, target_words, strict=True):
        levels = np.rint(np.clip(row, 0, 1) * (len(SHADES) - 1)).astype(int)
        # A point is one character with a space after it: two points would be read as two words.
        cells = [SHADES[level] * wide if level else SHADES[0].ljust(wide) for level in levels]
        if colour:
            most = int(np.argmax(row))
            cells[most] = f"{MOST}{cells[most]}{PLAIN}"
        # The label is on the right, so that no wide or right-to-left character can push the cells out of their columns.
        yield f"{''.join(cells)} {label(word, room)}"


def _numbers(start: int, stop: int) -> list[str]:
    """Return the numbers of columns, from 1, a digit above the other; every fifth has its tens and hundreds."""
    numbers = range(start + 1, stop + 1)
    told = [str(number) if number % 5 == 0 or number == start + 1 else str(number)[-1] for number in numbers]
    tall = max(map(len, told))
    return ["".join(number.rjust(tall)[digit] for number in told).rstrip() for digit in range(tall)]


def _legend(columns: Sequence[str], start: int, width: int) -> Iterator[str]:
    """Yield the words by their numbers, as many on a line as fit."""
    line = ""
    for number, word in enumerate(columns, start + 1):
        entry = f"{number} {label(word, LONGEST_LABEL)}"
        if line and width_of(line) + 2 + width_of(entry) > width:
            yield line
            line = ""
        line += f"  {entry}" if line else entry
    yield line


def label(word: str, longest: int) -> str:
    """Return a word fit to stand beside a picture: no control characters, and at most `longest` terminal columns."""
    printable = "".join(one if one.isprintable() or one in JOINERS else "\N{REPLACEMENT CHARACTER}" for one in word)
    if width_of(printable) <= longest:
        return printable
    # Marks add no width, so that a word may be long without being wide; the longest fitting prefix is sought.
    kept, used = 0, 0
    while (used := used + width_of(printable[kept])) < longest:
        kept += 1
    return printable[:kept] + "…"


def width_of(text: str) -> int:
    """Return how many columns of a terminal a text takes: 2 a wide character, 0 a mark or joiner, 1 any other."""
    return sum(
        0
        if one in JOINERS or unicodedata.category(one) in {"Mn", "Me"}
        else 2
        if unicodedata.east_asian_width(one) in {"W", "F"}
        else 1
        for one in text
    )
