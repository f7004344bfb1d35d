"""Pictures of alignments, drawn on matplotlib figures of their own, so that no global state or display is involved."""

import warnings
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from matplotlib.figure import Figure
from numpy.typing import NDArray

from mt.disk import replacing
from mt.errors import UserError

FORMATS = ("png", "svg", "pdf")
CELL_INCHES = 0.32
LARGEST_INCHES = 20
"""Longer sentences get smaller cells, so that any picture is quickly drawn."""
LONGEST_LABEL = 30
"""Characters."""


def heat_map(
    path: Path, words: NDArray[np.floating], source_words: Sequence[str], target_words: Sequence[str], title: str = ""
) -> None:
    """Draw an alignment as in Bahdanau et al. 2015, figure 3: target words down, source words across; white 0, blue 1.

    `words` is [target words, source words + 1]; its last column is the source's </s>. The format follows from the
    suffix of `path`: .png, .svg or .pdf. Raises UserError for any other, and when the disk refuses.
    """
    suffix = path.suffix.lower().removeprefix(".")
    if suffix not in FORMATS:
        raise UserError(f"cannot draw {path}: the name must end in {', '.join('.' + name for name in FORMATS)}")
    if words.size and words.shape != (len(target_words), len(source_words) + 1):
        raise ValueError(
            f"matrix {words.shape} does not fit {len(target_words)} target, {len(source_words)} source words"
        )
    rows, columns = max(len(target_words), 1), len(source_words) + 1
    cell = min(CELL_INCHES, LARGEST_INCHES / max(rows, columns))
    figure = Figure(figsize=(columns * cell, rows * cell), dpi=150)
    # The axes fill the figure, so that a cell has one size everywhere; "tight" below makes room for the labels around.
    axes = figure.add_axes((0, 0, 1, 1))
    axes.imshow(words if words.size else np.zeros((rows, columns)), cmap="Blues", vmin=0, vmax=1, aspect="auto")
    font: dict[str, Any] = {"fontsize": 0.45 * 72 * cell, "parse_math": False}
    axes.set_xticks(range(columns), [_label(word) for word in (*source_words, "</s>")], rotation=90, **font)
    axes.set_yticks(range(len(target_words)), [_label(word) for word in target_words], **font)
    axes.xaxis.tick_top()
    axes.tick_params(length=0)
    axes.vlines(np.arange(1, columns) - 0.5, -0.5, rows - 0.5, color="0.9", linewidth=0.5)
    axes.hlines(np.arange(1, rows) - 0.5, -0.5, columns - 0.5, color="0.9", linewidth=0.5)
    if title:
        axes.set_title(title, fontsize=11, parse_math=False)
    with replacing(path) as temporary, warnings.catch_warnings():
        # A word may hold any character of Unicode; one that the font lacks is drawn as a box.
        warnings.filterwarnings("ignore", r"Glyph .* missing from|Matplotlib currently does not support", UserWarning)
        figure.savefig(temporary, format=suffix, bbox_inches="tight", pad_inches=0.1)


def _label(word: str) -> str:
    """Return a word fit to stand beside a picture: no control characters, and not too long."""
    printable = "".join(character if character.isprintable() else "\N{REPLACEMENT CHARACTER}" for character in word)
    return printable if len(printable) <= LONGEST_LABEL else printable[: LONGEST_LABEL - 1] + "…"
