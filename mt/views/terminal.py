"""Alignments drawn in a terminal, with the shaded blocks of Unicode."""

import unicodedata
from collections.abc import Iterator, Sequence

import numpy as np
from numpy.typing import NDArray

SHADES = ("· ", "░░", "▒▒", "▓▓", "██")
"""Weights 0, 1/4, 1/2, 3/4 and 1; two characters are about as wide as one is high."""
KEY = "░░ 0.25  ▒▒ 0.5  ▓▓ 0.75  ██ 1"
LONGEST_LABEL = 20
"""Columns of the terminal."""


def blocks(
    words: NDArray[np.floating], source_words: Sequence[str], target_words: Sequence[str], width: int = 80
) -> str:
    """Return an alignment as lines of text: a row per target word, two characters per source word.

    `words` is [target words, source words + 1]; its last column is the source's </s>. Each source word stands on a line
    of its own above its column. Columns beyond `width` characters follow below, under their own headings. Without
    target words there is nothing to draw: "".
    """
    if not words.size:
        return ""
    if words.shape != (len(target_words), len(source_words) + 1):
        raise ValueError(
            f"matrix {words.shape} does not fit {len(target_words)} target, {len(source_words)} source words"
        )
    columns = [*source_words, "</s>"]
    fitting = max((width - LONGEST_LABEL - 1) // 2, 1)
    panels = [
        "\n".join(_panel(words[:, start : start + fitting], columns[start : start + fitting], target_words))
        for start in range(0, len(columns), fitting)
    ]
    return "\n\n".join([*panels, KEY])


def _panel(words: NDArray[np.floating], columns: Sequence[str], target_words: Sequence[str]) -> Iterator[str]:
    for column, word in enumerate(columns):
        yield "│ " * column + label(word, LONGEST_LABEL)
    for row, word in zip(words, target_words, strict=True):
        cells = "".join(SHADES[level] for level in np.rint(row * (len(SHADES) - 1)).astype(int))
        # The label is on the right, so that no wide or right-to-left character can push the cells out of their columns.
        yield f"{cells} {label(word, LONGEST_LABEL)}"


def label(word: str, longest: int) -> str:
    """Return a word fit to stand beside a picture: no control characters, and at most `longest` terminal columns."""
    printable = "".join(character if character.isprintable() else "\N{REPLACEMENT CHARACTER}" for character in word)
    if width_of(printable) <= longest:
        return printable
    # Marks add no width, so that a word may be long without being wide; the longest fitting prefix is sought.
    kept, used = 0, 0
    while (used := used + width_of(printable[kept])) < longest:
        kept += 1
    return printable[:kept] + "…"


def width_of(text: str) -> int:
    """Return how many columns of a terminal a text takes: 2 a wide character, 0 a combining mark, 1 any other."""
    return sum(
        0 if unicodedata.category(one) in {"Mn", "Me"} else 2 if unicodedata.east_asian_width(one) in {"W", "F"} else 1
        for one in text
    )
