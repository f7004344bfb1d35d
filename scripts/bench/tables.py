"""The table and the plot of the bench: what each program takes beside `mt`, and the figures."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import matplotlib.style
from matplotlib.figure import Figure
from peers import Translated, Usage

from mt.core.files import replacing
from mt.views.heat_map import STYLE
from mt.views.markdown import tabulate

MODES = [(5, 64), (1, 64), (5, 1), (1, 1)]
"""Hypotheses of the beam, and sentences at once."""
HEAD = ["training", *(f"{'beam 5' if beam > 1 else 'greedy'}, {batch}" for beam, batch in MODES), "start-up", "memory"]
NAMES = ["model", "threads", "program"]


@dataclass(frozen=True)
class Key:
    """Where a row stands."""

    shape: str
    threads: int
    program: int


@dataclass(frozen=True)
class Row:
    """What one program takes with one shape of model: the smallest over the rounds; None where it does not do that."""

    key: Key
    name: str
    failed: str
    cpu: Sequence[float | None]
    """Milliseconds a piece in training and in each mode, seconds of start-up, MB."""
    wall: Sequence[float | None]
    """Milliseconds a piece in training and in each mode."""


def least(trained: Sequence[Usage], translated: Sequence[Translated]) -> tuple[list[float | None], list[float | None]]:
    """Return the smallest of each figure over the rounds, of CPU and of wall time."""
    modes = [[found.modes[number] for found in translated] for number in range(len(MODES))]
    works = [trained, *modes]

    def smallest(time: Callable[[Usage], float]) -> list[float | None]:
        return [min((1000 * time(one) / one.pieces for one in work), default=None) for work in works]

    rest = [min((found.start_up for found in translated), default=None)]
    rest.append(min((found.memory for found in translated), default=None))
    return [*smallest(lambda one: one.cpu), *rest], smallest(lambda one: one.wall)


def ratios(
    rows: Sequence[Row], figures: Callable[[Row], Sequence[float | None]]
) -> list[tuple[Row, list[float | None]]]:
    """Return each program's figures over those of `mt` with the same model and threads; above 1, `mt` takes less."""
    first = {(row.key.shape, row.key.threads): figures(row) for row in rows if row.name == "mt"}
    found = []
    for row in rows:
        ours = first[row.key.shape, row.key.threads]
        both = zip(figures(row), ours, strict=True)
        found.append((row, [theirs / our if theirs and our else None for theirs, our in both]))
    return found


def page(rows: Sequence[Row], unfair: Sequence[str]) -> str:
    """Return the tables, ratios first, and what is unfair."""
    cpu = [(row, values) for row, values in ratios(rows, lambda row: row.cpu) if row.name != "mt"]
    wall = [(row, values) for row, values in ratios(rows, lambda row: row.wall) if row.name != "mt"]
    parts = [
        "CPU time a piece, start-up and memory, times those of `mt` (above 1: `mt` takes less):",
        _table(cpu, len(HEAD), "{:.2f}"),
        "Wall time a piece, times that of `mt`:",
        _table(wall, len(HEAD) - 2, "{:.2f}"),
        "CPU time in milliseconds a target piece; start-up in seconds of CPU; memory in MB:",
        _table([(row, row.cpu) for row in rows], len(HEAD), "{:.3g}"),
        "Wall time in milliseconds a target piece:",
        _table([(row, row.wall) for row in rows], len(HEAD) - 2, "{:.3g}"),
        "What is not equal:",
        "\n".join(f"* {one}" for one in dict.fromkeys(filter(None, unfair))),
    ]
    return "\n\n".join(parts) + "\n"


def _table(rows: Sequence[tuple[Row, Sequence[float | None]]], columns: int, form: str) -> str:
    lines = []
    for row, values in rows:
        cells = ["" if value is None else form.format(value) for value in values]
        lines.append([row.key.shape, str(row.key.threads), row.name, *([row.failed] if row.failed else cells)])
        lines[-1] += [""] * (3 + columns - len(lines[-1]))
    return tabulate([*NAMES, *HEAD[:columns]], lines)


def draw(path: Path, rows: Sequence[Row]) -> None:
    """Draw the ratios of CPU time with the fewest threads, a panel for each shape of model."""
    fewest = min(row.key.threads for row in rows)
    shown = [
        (row, values)
        for row, values in ratios(rows, lambda row: row.cpu)
        if row.key.threads == fewest and row.name != "mt"
    ]
    shapes = list(dict.fromkeys(row.key.shape for row in rows))
    with matplotlib.style.context(STYLE):
        figure = Figure(figsize=(8, 3.2 * len(shapes)), layout="constrained")
        for number, shape in enumerate(shapes, 1):
            axes = figure.add_subplot(len(shapes), 1, number)
            inside = [(row.name, values) for row, values in shown if row.key.shape == shape and not row.failed]
            wide = 0.8 / max(len(inside), 1)
            for place, (name, values) in enumerate(inside):
                bars = [(column + place * wide, value) for column, value in enumerate(values[:-1]) if value]
                axes.bar([at for at, _ in bars], [value for _, value in bars], wide, label=name)
            axes.set(yscale="log", ylabel="CPU time, times mt's", title=f"{shape}, {fewest} thread(s)")
            axes.set_xticks([column + 0.4 - wide / 2 for column in range(len(HEAD) - 1)], HEAD[:-1])
            axes.axhline(1, color="black")
            if inside:
                axes.legend()
        with replacing(path) as temporary:
            figure.savefig(temporary, format="svg", metadata={"Date": None})
