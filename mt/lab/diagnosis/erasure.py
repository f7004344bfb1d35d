"""What matters to a translation: source pieces are taken away, the rest is encoded anew, and the output read again.

A piece is removed, not replaced: no piece of the vocabulary means "nothing" to the model, <unk> least of all, which
training never shows it. T target pieces without </s>, S source pieces without </s>, G groups of source pieces.
"""

from collections.abc import Collection, Sequence

import numpy as np

from mt.core.arrays import Floats
from mt.inference.scorer import Scored, Scorer

Groups = Sequence[Collection[int]]
"""Groups of places in a source."""


def read_without(scorer: Scorer, read: Sequence[Scored], groups: Sequence[Groups]) -> list[Floats]:
    """Return the log probability of each target piece without each group of source pieces, [T, G], for each pair."""
    left = [[_without(one, group) for group in here] for one, here in zip(read, groups, strict=True)]
    return _read_again(scorer, read, left)


def read_with_only(scorer: Scorer, read: Sequence[Scored], groups: Sequence[Groups]) -> list[Floats]:
    """Return the same with nothing of the source but each group, [T, G]."""
    left = [[_only(one, group) for group in here] for one, here in zip(read, groups, strict=True)]
    return _read_again(scorer, read, left)


def _without(one: Scored, group: Collection[int]) -> list[int]:
    return [piece for place, piece in enumerate(one.source) if place not in group]


def _only(one: Scored, group: Collection[int]) -> list[int]:
    end = len(one.source) - 1
    return [piece for place, piece in enumerate(one.source) if place in group or place == end]


def _read_again(scorer: Scorer, read: Sequence[Scored], sources: Sequence[list[list[int]]]) -> list[Floats]:
    """Return how likely the target of each pair is, given each of its other sources, [T, G]."""
    targets = [one.target for one, others in zip(read, sources, strict=True) for _ in others]
    again = iter(scorer.score_pieces([other for others in sources for other in others], targets))
    return [
        np.array([next(again).log_probabilities_T[:-1] for _ in others], float).reshape(len(others), -1).T
        for others in sources
    ]


def own(one: Scored) -> Floats:
    """Return the log probability of each target piece, </s> left out, [T, 1]."""
    return one.log_probabilities_T[:-1, None].astype(float)


def share_of_hits(weights_TG: Floats, effects_TG: Floats) -> Floats:
    """Return, of each step, whether the group of the largest weight is that of the largest effect, [T].

    Where several weights are the largest, each of them counts its share.
    """
    if not weights_TG.size:
        return np.zeros(0)
    largest_TG = weights_TG == weights_TG.max(1, keepdims=True)
    hit_T = largest_TG[np.arange(len(effects_TG)), effects_TG.argmax(1)]
    found: Floats = hit_T / largest_TG.sum(1)
    return found


def diagonal(steps: int, places: int) -> Floats:
    """Return weights that fall with the distance from the diagonal, each side between 0 and 1, [T, S]."""
    found: Floats = -np.abs(_between(steps)[:, None] - _between(places)[None, :])
    return found


def _between(size: int) -> Floats:
    return np.arange(size) / max(size - 1, 1)


def top(weights_TS: Floats, share: float) -> list[frozenset[int]]:
    """Return the places of each row's largest weights: so large a share of them, at least one; ties go to the first."""
    most = max(1, round(share * weights_TS.shape[1]))
    return [frozenset(row[:most].tolist()) for row in (-weights_TS).argsort(1, kind="stable")]
