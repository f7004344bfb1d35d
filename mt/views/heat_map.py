"""Pictures of alignments, drawn on matplotlib figures of their own, so that no global state or display is involved."""

import io
import warnings
from collections.abc import Set
from pathlib import Path
from typing import Any

import matplotlib
import matplotlib.style
import numpy as np
from matplotlib.collections import PatchCollection
from matplotlib.figure import Figure
from matplotlib.font_manager import FontProperties
from matplotlib.patches import Rectangle

from mt.alignment.matrices import END, Alignment
from mt.core.errors import UserError
from mt.core.files import replacing
from mt.corpora.pairs import Link
from mt.views.terminal import label

# What a file says of the time it was made; without it the same picture is the same bytes.
DATES: dict[str, dict[str, Any]] = {"png": {}, "svg": {"Date": None}, "pdf": {"CreationDate": None}}
FONT = Path(matplotlib.get_data_path(), "fonts", "ttf", "DejaVuSans.ttf")
"""matplotlib's own, because it has German and polytonic Greek, whatever is installed."""
# Not the user's own style. Letters of an SVG are outlines, because the reader's machine may lack the font.
STYLE: list[str | Path | dict[str, Any]] = ["default", {"svg.fonttype": "path", "svg.hashsalt": "mt"}]
# A word may hold any character of Unicode; one that the font lacks is drawn as a box.
UNDRAWABLE = r"Glyph .* missing from|Matplotlib currently does not support"
CELL_INCHES = 0.32
LARGEST_INCHES = 20
"""Longer sentences get smaller cells, so that any picture is quickly drawn."""
LONGEST_LABEL = 30
"""Characters; wide ones count twice."""


def heat_map(path: Path, alignment: Alignment, title: str = "", gold: Set[Link] | None = None) -> None:
    """Draw an alignment as in Bahdanau et al. 2015, figure 3: target words down, source words across; white 0, blue 1.

    The last column is the source's </s>. Links of `gold` are outlined.
    The format follows from the suffix of `path`: .png, .svg or .pdf; the same input gives the same bytes. Raises
    UserError for any other, and when the disk refuses.
    """
    suffix = path.suffix.lower().removeprefix(".")
    if suffix not in DATES:
        raise UserError(f"cannot draw {path}: the name must end in {', '.join('.' + name for name in DATES)}")
    with replacing(path) as temporary:
        draw(alignment, title, gold or set()).savefig(temporary, format=suffix, metadata=DATES[suffix])


class Picture(Figure):
    """A figure that is written whole, its labels too, and that a notebook shows without pyplot."""

    def savefig(self, fname: Any, **options: Any) -> None:
        """Write it as matplotlib does, with the labels around it, whatever the user's own style."""
        with warnings.catch_warnings(), matplotlib.style.context(STYLE):
            warnings.filterwarnings("ignore", UNDRAWABLE, UserWarning)
            around: dict[str, Any] = {"bbox_inches": "tight", "pad_inches": 0.1}
            super().savefig(fname, **(around | options))

    def _repr_png_(self) -> bytes:
        """Return what a notebook shows."""
        file = io.BytesIO()
        self.savefig(file, format="png")
        return file.getvalue()


def draw(alignment: Alignment, title: str = "", gold: Set[Link] = frozenset()) -> Picture:
    """Return the figure that `heat_map` writes."""
    target, source = len(alignment.target_words), len(alignment.source_words)
    if alignment.words.size and alignment.words.shape != (target, source + 1):
        raise ValueError(f"matrix {alignment.words.shape} does not fit {target} target, {source} source words")
    with matplotlib.style.context(STYLE):
        return _figure(alignment, title, gold)


def _figure(alignment: Alignment, title: str, gold: Set[Link]) -> Picture:
    words, rows, columns = alignment.words, max(len(alignment.target_words), 1), len(alignment.source_words) + 1
    cell = min(CELL_INCHES, LARGEST_INCHES / max(rows, columns))
    figure = Picture(figsize=(columns * cell, rows * cell), dpi=150)
    # The axes fill the figure, so that a cell has one size everywhere; "tight" makes room for the labels around.
    axes = figure.add_axes((0, 0, 1, 1))
    axes.imshow(words if words.size else np.zeros((rows, columns)), cmap="Blues", vmin=0, vmax=1, aspect="auto")
    text: dict[str, Any] = {"font": FontProperties(fname=FONT, size=0.45 * 72 * cell), "parse_math": False}
    names = [label(word, LONGEST_LABEL) for word in (*alignment.source_words, END)]
    axes.set_xticks(range(columns), names, rotation=90, **text)
    targets = [label(word, LONGEST_LABEL) for word in alignment.target_words]
    axes.set_yticks(range(len(targets)), targets, **text)
    axes.xaxis.tick_top()
    axes.tick_params(length=0)
    axes.vlines(np.arange(1, columns) - 0.5, -0.5, rows - 0.5, color="0.9", linewidth=0.5)
    axes.hlines(np.arange(1, rows) - 0.5, -0.5, columns - 0.5, color="0.9", linewidth=0.5)
    outlines = [Rectangle((source - 0.42, target - 0.42), 0.84, 0.84) for source, target in sorted(gold)]
    axes.add_collection(PatchCollection(outlines, facecolor="none", edgecolor="darkorange", linewidth=5 * cell))
    if title:
        axes.set_title(title, font=FontProperties(fname=FONT, size=11), parse_math=False)
    return figure
