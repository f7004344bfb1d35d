"""Pictures of alignments, drawn on matplotlib figures of their own, so that no global state or display is involved."""

import io
import logging
import warnings
from collections.abc import Sequence, Set
from pathlib import Path
from textwrap import fill
from typing import Any

import matplotlib
import matplotlib.style
import numpy as np
from matplotlib.axes import Axes
from matplotlib.cm import ScalarMappable
from matplotlib.collections import PatchCollection
from matplotlib.colors import ListedColormap
from matplotlib.figure import Figure
from matplotlib.font_manager import FontProperties
from matplotlib.patches import Rectangle

from mt.alignment.matrices import END, Alignment
from mt.core.errors import UserError
from mt.core.files import replacing
from mt.corpora.pairs import Link
from mt.views.fonts import choose_fonts, describe_missing
from mt.views.shade import darkness
from mt.views.terminal import label

log = logging.getLogger("mt")
# What a file says of the time it was made; without it the same picture is the same bytes.
DATES: dict[str, dict[str, Any]] = {"png": {}, "svg": {"Date": None}, "pdf": {"CreationDate": None}}
# Not the user's own style. Text of an SVG stays text, which the reader's machine draws with the fonts that it has.
STYLE: list[str | Path | dict[str, Any]] = ["default", {"svg.fonttype": "none", "svg.hashsalt": "mt"}]
COLOURS = ListedColormap(matplotlib.colormaps["Blues"](darkness(np.linspace(0, 1, 256))), "weights")
# It is said in our own words which characters no font has; one is drawn as a box.
UNDRAWABLE = "Glyph .* missing from"
CELL_INCHES = 0.32
LARGEST_INCHES = 20
"""Longer sentences get smaller cells, so that any picture is quickly drawn."""
SCALE_INCHES = 1.3, 4
"""How high the colour scale is at least and at most."""
LONGEST_LABEL = 30
"""Characters; wide ones count twice."""
TITLE_LETTERS = 60
"""In a line of the title."""
SMALL, LARGE = 9, 10
"""Points of the letters around the matrix, and of the title."""


def heat_map(path: Path, alignment: Alignment, title: str = "", gold: Set[Link] | None = None) -> None:
    """Draw an alignment as in Bahdanau et al. 2015, figure 3: target words down, source words across; white 0, blue 1.

    The last column is the source's </s>. Links of `gold` are outlined. Each character is drawn with an installed font
    that has it; where none has, that is logged, for an .svg not, because its reader's fonts draw it.
    The format follows from the suffix of `path`: .png, .svg or .pdf; the same input gives the same bytes. Raises
    UserError for any other, and when the disk refuses.
    """
    suffix = path.suffix.lower().removeprefix(".")
    if suffix not in DATES:
        raise UserError(f"cannot draw {path}: the name must end in {', '.join('.' + name for name in DATES)}")
    with replacing(path) as temporary:
        figure = draw(alignment, title, gold)
        if figure.missing and suffix != "svg":
            told = describe_missing(figure.missing)
            log.warning("%s has boxes in place of characters: %s, or draw an .svg", path, told)
        figure.savefig(temporary, format=suffix, metadata=DATES[suffix])


class Picture(Figure):
    """A figure that is written whole, its labels too, and that a notebook shows without pyplot."""

    missing: Sequence[str] = ()
    """The characters that no font has."""

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


def draw(alignment: Alignment, title: str = "", gold: Set[Link] | None = None) -> Picture:
    """Return the figure that `heat_map` writes."""
    target, source = len(alignment.target_words), len(alignment.source_words)
    if alignment.words.size and alignment.words.shape != (target, source + 1):
        raise ValueError(f"matrix {alignment.words.shape} does not fit {target} target, {source} source words")
    with matplotlib.style.context(STYLE):
        return _figure(alignment, title, gold)


def _figure(alignment: Alignment, title: str, gold: Set[Link] | None) -> Picture:
    words, rows, columns = alignment.words, max(len(alignment.target_words), 1), len(alignment.source_words) + 1
    cell = min(CELL_INCHES, LARGEST_INCHES / max(rows, columns))
    figure = Picture(figsize=(columns * cell, rows * cell), dpi=150)
    # The axes fill the figure, so that a cell has one size everywhere; "tight" makes room for the labels around.
    axes = figure.add_axes((0, 0, 1, 1))
    axes.imshow(words if words.size else np.zeros((rows, columns)), cmap=COLOURS, vmin=0, vmax=1, aspect="auto")
    sources = [label(word, LONGEST_LABEL) for word in (*alignment.source_words, END)]
    targets = [label(word, LONGEST_LABEL) for word in alignment.target_words]
    families, figure.missing = choose_fonts("".join([*sources, *targets, *title.split()]))
    font = FontProperties(family=[*families, "sans-serif"])
    text: dict[str, Any] = {"font": font, "parse_math": False}
    axes.set_xticks(range(columns), sources, rotation=90, size=0.45 * 72 * cell, **text)
    axes.set_yticks(range(len(targets)), targets, size=0.45 * 72 * cell, **text)
    axes.xaxis.tick_top()
    axes.xaxis.set_label_position("top")
    axes.set_xlabel("source", size=SMALL, **text)
    axes.set_ylabel("target", size=SMALL, **text)
    axes.tick_params(length=0)
    axes.vlines(np.arange(1, columns) - 0.5, -0.5, rows - 0.5, color="0.9", linewidth=0.5)
    axes.hlines(np.arange(1, rows) - 0.5, -0.5, columns - 0.5, color="0.9", linewidth=0.5)
    _scale(figure, rows * cell, columns * cell)
    if gold is not None:
        _outline(axes, gold, 5 * cell)
    if title:
        lines = "\n".join(fill(line, TITLE_LETTERS) for line in title.split("\n"))
        axes.set_title(lines, size=LARGE, loc="left", **text)
    return figure


def _scale(figure: Figure, height: float, width: float) -> None:
    """Put the colour scale at the right of a matrix of so many inches, level with its top."""
    tall = min(max(height, SCALE_INCHES[0]), SCALE_INCHES[1]) / height
    beside = figure.add_axes((1 + 0.25 / width, 1 - tall, 0.15 / width, tall))
    bar = figure.colorbar(ScalarMappable(cmap=COLOURS), cax=beside, ticks=[0, 0.2, 0.4, 0.6, 0.8, 1])
    bar.set_label("weight", size=SMALL)
    bar.ax.tick_params(labelsize=SMALL)


def _outline(axes: Axes, gold: Set[Link], width: float) -> None:
    """Outline gold links, and say below the matrix what outlines mean."""
    style: dict[str, Any] = {"facecolor": "none", "edgecolor": "darkorange"}
    outlines = [Rectangle((source - 0.42, target - 0.42), 0.84, 0.84) for source, target in sorted(gold)]
    axes.add_collection(PatchCollection(outlines, linewidth=width, **style))
    sign = Rectangle((0, 0), 1, 1, linewidth=1.6, **style)
    axes.legend([sign], ["gold link"], loc="upper left", bbox_to_anchor=(0, 0), borderaxespad=0.4, handlelength=0.8,
                handleheight=0.8, frameon=False, fontsize=SMALL)  # fmt: skip
