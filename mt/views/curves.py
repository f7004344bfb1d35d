"""The curves of a training as one picture, SVG text: a small chart for each thing that is measured."""

import html
import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from mt.core.files import write_text
from mt.views.axis import round_numbers

WIDTH, HEIGHT, ACROSS = 440, 270, 2
"""Of a chart in pixels, and how many stand side by side."""
LEFT, RIGHT, TOP, BOTTOM = 74, 14, 52, 44
MARKED = 40
"""A curve with more points has no marks."""
COLOURS = "#0060a8", "#c04000"
"""Blue and a dark orange, which the colour-blind tell apart, and grey paper too: their marks differ."""
MARKS = "M-3.5 -3.5H3.5V3.5H-3.5Z", "M0 -4.5L4.5 0L0 4.5L-4.5 0Z"
"""A square and a diamond."""
Points = list[tuple[float, float]]
VALIDATION = "validation_"
"""So the keys begin whose points are those of metrics.jsonl."""


@dataclass(frozen=True)
class Panel:
    """A chart: its title, what its numbers are, and by the name of a curve where its points come from.

    `curves`: the key in metrics.jsonl ("validation_...") or in updates.jsonl.
    """

    title: str
    unit: str
    curves: Mapping[str, str]


PANELS = (
    Panel("Loss", "nats per target piece", {"training": "train_loss", "validation": "validation_loss"}),
    Panel("Scores on validation, greedy search", "of 100", {"BLEU": "validation_bleu", "chrF": "validation_chrf"}),
    Panel("Learning rate", "rate", {"learning rate": "learning_rate"}),
    Panel("Norm of the gradient before clipping", "norm", {"gradient norm": "gradient_norm"}),
    Panel("Speed of training", "target pieces a second", {"speed": "tokens_per_second"}),
)


def draw(path: Path, updates: Sequence[Mapping[str, Any]], validations: Sequence[Mapping[str, Any]]) -> None:
    """Draw the lines of updates.jsonl and of metrics.jsonl; a chart without a point is left out."""
    write_text(path, svg(updates, validations))


def points_of(
    key: str, updates: Sequence[Mapping[str, Any]], validations: Sequence[Mapping[str, Any]], across: str = "update"
) -> Points:
    """Return the points of a curve, by the key of a panel; those of an older run without updates.jsonl are few."""
    lines = validations if key.startswith(VALIDATION) or not updates else updates
    there = (line for line in lines if isinstance(line.get(key), int | float) and math.isfinite(line[key]))
    return [(float(line[across]), float(line[key])) for line in there]


def svg(updates: Sequence[Mapping[str, Any]], validations: Sequence[Mapping[str, Any]]) -> str:
    """Return the picture."""
    charts = []
    for panel in PANELS:
        curves = {name: points_of(key, updates, validations) for name, key in panel.curves.items()}
        if any(curves.values()):
            charts.append("".join(_chart(panel, curves)))
    rows = math.ceil(len(charts) / ACROSS)
    size = f'width="{ACROSS * WIDTH}" height="{rows * HEIGHT}" viewBox="0 0 {ACROSS * WIDTH} {rows * HEIGHT}"'
    placed = (
        f'<g transform="translate({number % ACROSS * WIDTH} {number // ACROSS * HEIGHT})">{chart}</g>\n'
        for number, chart in enumerate(charts)
    )
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" {size} font-family="sans-serif" font-size="12" role="img" '
        f'aria-label="Curves of a training">\n<rect width="100%" height="100%" fill="#fff"/>\n{"".join(placed)}</svg>\n'
    )


def _chart(panel: Panel, curves: Mapping[str, Points]) -> Iterator[str]:
    points = [point for curve in curves.values() for point in curve]
    across, up = round_numbers([0.0, *(x for x, _ in points)]), round_numbers([y for _, y in points])
    wide, high = WIDTH - LEFT - RIGHT, HEIGHT - TOP - BOTTOM

    def place(x: float, y: float) -> tuple[str, str]:
        return (
            f"{LEFT + (x - across[0]) / (across[-1] - across[0]) * wide:.1f}",
            f"{TOP + (up[-1] - y) / (up[-1] - up[0]) * high:.1f}",
        )

    yield f'<text x="{LEFT}" y="18" font-size="14" font-weight="bold">{html.escape(panel.title)}</text>'
    for y in up:
        left, top = place(across[0], y)
        yield f'<path d="M{left} {top}h{wide}" stroke="#ddd"/>'
        yield f'<text x="{LEFT - 6}" y="{float(top) + 4:.1f}" text-anchor="end">{y:,.6g}</text>'
    for x in across:
        yield f'<text x="{place(x, up[0])[0]}" y="{TOP + high + 16}" text-anchor="middle">{x:,.9g}</text>'
    yield f'<text x="{LEFT + wide / 2}" y="{HEIGHT - 8}" text-anchor="middle">updates</text>'
    yield f'<text transform="translate(14 {TOP + high / 2}) rotate(-90)" text-anchor="middle">{panel.unit}</text>'
    there = [(name, curve) for name, curve in curves.items() if curve]
    for number, (name, curve) in enumerate(there):
        colour, mark = COLOURS[number], f'd="{MARKS[number]}" fill="{COLOURS[number]}"'
        line = " ".join(",".join(place(x, y)) for x, y in curve)
        yield f'<polyline points="{line}" fill="none" stroke="{colour}" stroke-width="1.5"/>'
        for x, y in curve if len(curve) <= MARKED else ():
            yield f'<path transform="translate({" ".join(place(x, y))})" {mark}/>'
        if len(there) > 1:
            x = LEFT + 110 * number
            yield f'<path d="M{x} 34h24" stroke="{colour}" stroke-width="1.5"/>'
            yield f'<path transform="translate({x + 12} 34)" {mark}/><text x="{x + 30}" y="38">{name}</text>'
