"""What is told of a training while it goes on: updates.jsonl, curves.svg, and curves for TensorBoard."""

import logging
import math
from dataclasses import replace
from typing import Any

from mt.config import Config
from mt.core import ranks
from mt.core.errors import DamagedError
from mt.runs.film import RESCUED
from mt.runs.names import CURVES, TENSORBOARD, UPDATES
from mt.runs.run import Run
from mt.runs.updates import Line, read_updates, rescue_updates, write_updates
from mt.training.board import Board
from mt.training.position import Position
from mt.views.curves import draw

log = logging.getLogger("mt")
LINES = 1000
"""So many lines a whole training has, about, where nobody says how many."""
DIGITS = 6
"""Of the numbers in a line; more would tell nothing."""


class Recorder:
    """Keeps the curves of a training in its run; of processes that train together, the first does.

    Everything is written before the state is saved, and cut to what the state knows when training goes on: so whatever
    ends the process, no line is lost and none stands there twice.
    """

    def __init__(self, run: Run, config: Config, updates: int):
        self.run, self.config = run, config
        self.every = config.log.every or math.ceil(updates / LINES)
        self.lines: list[Line] = []
        self.written = 0
        self.board: Board | None = None

    def go_on(self, position: Position) -> None:
        """Go on with the lines as they were at a position, and draw what there is of them.

        Of a damaged file those lines are kept that can be read, and a warning says so.
        """
        if ranks.rank():
            return
        whole = True
        try:
            before = read_updates(self.run / UPDATES, RESCUED)
        except DamagedError as error:
            whole, before = False, rescue_updates(self.run / UPDATES)
            log.warning("%s: %d lines", error, len(before))
        self.lines = [line for line in before if line.update <= position.update]
        self.written = len(self.lines)
        if before != self.lines or not whole:
            write_updates(self.run / UPDATES, self.lines)
        if position.update:
            self.draw(position.records)
        if self.config.log.tensorboard:
            self.board = Board(self.run / TENSORBOARD, position.update)

    def count(self, position: Position) -> Position:
        """Add a line, where one is due at a position, and return it with the sums that go on from there."""
        if position.update % self.every:
            return position
        since = position.since
        line = Line(
            update=position.update,
            epoch=position.epoch + 1,
            train_loss=_short(since["loss"] / since["tokens"]),
            learning_rate=_short(since["rate"]),
            gradient_norm=_short(since["norm"] / since["updates"]),
            tokens_per_second=_short(since["tokens"] / max(since["seconds"], 1e-9)),
        )
        self.lines.append(line)
        if self.board:
            self.board.add_update(line)
        return replace(position, since={})

    def add_validation(self, record: dict[str, Any]) -> None:
        """Take the line of metrics.jsonl that a validation gave."""
        if self.board:
            self.board.add_validation(record)

    def save(self) -> None:
        """Write what there is; to be called before the state is saved."""
        if ranks.rank():
            return
        if self.written < len(self.lines):
            write_updates(self.run / UPDATES, self.lines)
            self.written = len(self.lines)
        if self.board:
            self.board.flush()

    def draw(self, validations: list[dict[str, Any]]) -> None:
        """Draw curves.svg. That this fails is no reason to stop a training."""
        if ranks.rank():
            return
        try:
            draw(self.run / CURVES, [vars(line) for line in self.lines], validations)
        except Exception as error:
            log.warning("%s could not be drawn, and training goes on: %s", self.run / CURVES, error)


def _short(number: float) -> float:
    return float(f"{number:.{DIGITS}g}")
