"""Curves and heat maps as SVG text. Colours are classes of report.css, so that they follow the page into the dark."""

import html
from collections.abc import Iterator, Sequence

from mt.lab.report.blocks import Chart, HeatMap
from mt.views.axis import round_numbers
from mt.views.shade import darkness

WIDTH, HEIGHT = 560, 300
LEFT, RIGHT, TOP, BOTTOM = 68, 14, 12, 44
MARKERS = (
    "M0-3.5A3.5 3.5 0 1 1 0 3.5A3.5 3.5 0 1 1 0-3.5Z",
    "M-3-3H3V3H-3Z",
    "M0-4.5L4 3H-4Z",
    "M0-4.5L4.5 0L0 4.5L-4.5 0Z",
    "M0 4.5L4-3H-4Z",
    "M-4-1.5H-1.5V-4H1.5V-1.5H4V1.5H1.5V4H-1.5V1.5H-4Z",
)
"""Of each class of curves in report.css, around (0, 0): circle, square, triangle up, diamond, triangle down, cross."""
CELL, LETTER = 22, 7.2
LONGEST = 16
"""Letters of a word at a heat map."""


def chart(made: Chart) -> str:
    """Return curves with their axes; the numbers themselves stand in a table beside it."""
    points = [point for curve in made.curves.values() for point in curve]
    across, up = round_numbers([x for x, _ in points]), round_numbers([y for _, y in points])

    def place(x: float, y: float) -> str:
        return (
            f"{LEFT + (x - across[0]) / (across[-1] - across[0]) * (WIDTH - LEFT - RIGHT):.1f},"
            f"{HEIGHT - BOTTOM - (y - up[0]) / (up[-1] - up[0]) * (HEIGHT - TOP - BOTTOM):.1f}"
        )

    parts = [f'<svg class="chart" viewBox="0 0 {WIDTH} {HEIGHT}" role="img" aria-label="{safe(made.title)}">']
    for y in up:
        line = place(across[0], y).split(",")
        parts.append(f'<path class="grid" d="M{line[0]} {line[1]}H{WIDTH - RIGHT}"/>')
        parts.append(f'<text class="end" x="{LEFT - 6}" y="{float(line[1]) + 4:.1f}">{y:g}</text>')
    for x in across:
        left = place(x, up[0]).split(",")[0]
        parts.append(f'<text class="middle" x="{left}" y="{HEIGHT - BOTTOM + 16}">{x:g}</text>')
    middle = (LEFT + WIDTH - RIGHT) / 2
    height = (TOP + HEIGHT - BOTTOM) / 2
    parts.append(f'<text class="middle" x="{middle}" y="{HEIGHT - 8}">{safe(made.x)}</text>')
    parts.append(f'<text class="middle" transform="translate(12 {height}) rotate(-90)">{safe(made.y)}</text>')
    if made.diagonal:
        ends = max(across[0], up[0]), min(across[-1], up[-1])
        parts.append(f'<polyline class="diagonal" points="{place(ends[0], ends[0])} {place(ends[1], ends[1])}"/>')
    for number, curve in enumerate(made.curves.values()):
        kind = f"curve-{number % len(MARKERS)}"
        parts.append(f'<polyline class="{kind}" points="{" ".join(place(x, y) for x, y in curve)}"/>')
        for x, y in curve:
            left, top = place(x, y).split(",")
            parts.append(f'<path class="{kind} marker" transform="translate({left} {top})" d="{_marker(number)}"/>')
    return "".join([*parts, "</svg>"])


def swatch(number: int) -> str:
    """Return a piece of the line that a curve is drawn with, and its marker."""
    kind = f"curve-{number % len(MARKERS)}"
    return (
        f'<svg class="swatch" viewBox="0 0 28 10" aria-hidden="true"><polyline class="{kind}" points="0,5 28,5"/>'
        f'<path class="{kind} marker" transform="translate(14 5)" d="{_marker(number)}"/></svg>'
    )


def _marker(number: int) -> str:
    return MARKERS[number % len(MARKERS)]


def heat_map(made: HeatMap) -> str:
    """Return the weights of a sentence: target words down, source words across, </s> last."""
    columns = [*made.source_words, "</s>"]
    left = 8 + LETTER * max((min(len(word), LONGEST + 1) for word in made.target_words), default=1)
    top = 8 + LETTER * max(min(len(word), LONGEST + 1) for word in columns)
    width, height = left + CELL * len(columns) + 2, top + CELL * len(made.target_words) + 2
    told = f"Attention of {made.run}: {'; '.join(_looks(made, columns))}"
    return "".join(
        [
            f'<svg class="heat" width="{width:.0f}" height="{height:.0f}" viewBox="0 0 {width:.0f} {height:.0f}" '
            f'role="img" aria-label="{safe(told)}">',
            *_words(columns, made.target_words, left, top),
            *(
                f'<rect class="cell" x="{left + CELL * column:.1f}" y="{top + CELL * row:.1f}" '
                f'width="{CELL - 1}" height="{CELL - 1}" fill-opacity="{darkness(weight):.3f}"/>'
                for row, weights in enumerate(made.weights)
                for column, weight in enumerate(weights)
            ),
            "</svg>",
        ]
    )


def _words(columns: Sequence[str], rows: Sequence[str], left: float, top: float) -> Iterator[str]:
    for column, word in enumerate(columns):
        x = left + CELL * (column + 0.5) + 4
        yield f'<text transform="translate({x:.1f} {top - 5:.1f}) rotate(-90)">{safe(_short(word))}</text>'
    for row, word in enumerate(rows):
        y = top + CELL * (row + 0.5) + 4
        yield f'<text class="end" x="{left - 5:.1f}" y="{y:.1f}">{safe(_short(word))}</text>'
    yield (
        f'<rect class="frame" x="{left - 0.5:.1f}" y="{top - 0.5:.1f}" '
        f'width="{CELL * len(columns)}" height="{CELL * len(rows)}"/>'
    )


def _looks(made: HeatMap, columns: Sequence[str]) -> Iterator[str]:
    """Say for each target word where its largest weight is."""
    for word, weights in zip(made.target_words, made.weights, strict=True):
        column = max(range(len(weights)), key=weights.__getitem__)
        yield f"{word} looks most at {columns[column]}, {weights[column]:.0%}"


def _short(word: str) -> str:
    return word if len(word) <= LONGEST else f"{word[:LONGEST]}…"


def safe(text: str) -> str:
    """Return text as HTML and SVG hold it."""
    return html.escape(text.replace("\0", "\ufffd"))
