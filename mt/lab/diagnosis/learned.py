"""How much a model knows: its loss, against that of guessing each piece by how often training has it."""

import math
from collections import Counter
from collections.abc import Sequence

from mt.inference.scorer import Scored, mean_loss

FINE, BROKEN = 35.0, 15.0
"""Percent of the loss of guessing that a model has learned away: it works from the first on, not below the second."""


def guessing_loss(known: Sequence[Sequence[int]], asked: Sequence[Sequence[int]], vocabulary: int) -> float:
    """Return the loss, in nats a piece, of guessing each piece of `asked` by how often `known` has it, plus one."""
    counts = Counter(piece for pieces in known for piece in pieces)
    total, pieces = counts.total() + vocabulary, [piece for line in asked for piece in line]
    return -sum(math.log((counts[piece] + 1) / total) for piece in pieces) / len(pieces)


def share_learned(training: Sequence[Scored], asked: Sequence[Scored], vocabulary: int) -> tuple[float, float, float]:
    """Return how much of the loss of guessing a model has learned away, in percent, its own loss, and that of guessing.

    `training`: pairs in which pieces are counted. `asked`: pairs that the model read. Losses are in nats a piece.
    """
    guess = guessing_loss([one.target for one in training], [one.target for one in asked], vocabulary)
    loss = mean_loss(asked)
    return 100 * (1 - loss / guess), loss, guess
