"""Whether the most attended pieces are reasons: comprehensiveness and sufficiency (DeYoung et al. 2020)."""

from typing import NamedTuple

import numpy as np

from mt.core.arrays import Floats
from mt.inference.scorer import Scored
from mt.lab.diagnosis.case import Case
from mt.lab.diagnosis.erasure import own, read_with_only, read_without, top
from mt.lab.diagnosis.rated import ATTENTION, CHANCE, erase, percent

MOST = 100
"""Sentences that are looked at, the first of those whose pieces were taken away."""
SHARE = 0.2
"""Of the source's pieces, so many of the most attended are a step's reasons."""


class Rationales(NamedTuple):
    """How much probability is lost without the reasons, and with nothing else, in percent."""

    comprehensiveness: float
    sufficiency: float


def rationales(case: Case) -> dict[str, Rationales]:
    """Return how good reasons are the most attended pieces, and of as many drawn at random.

    DeYoung et al. 2020, eq. 1 and 2: p(y | x) - p(y | x without r), and p(y | x) - p(y | r), in percent, the mean over
    the steps; r are a fifth of the source's pieces.
    """
    erased, draw = case.once(erase)[:MOST], np.random.default_rng(0)
    read = [one.read for one in erased]
    rated = {
        ATTENTION: [one.weights for one in erased],
        CHANCE: [draw.random(one.pieces_TS.shape) for one in erased],
    }
    found = dict[str, Rationales]()
    for name, weights in rated.items():
        chosen = [top(one, SHARE) for one in weights]
        each = [list(dict.fromkeys(sets)) for sets in chosen]  # steps with the same reasons are read once
        places = [[names.index(one) for one in sets] for sets, names in zip(chosen, each, strict=True)]
        both = (
            percent([_drop(one, left_TG, place) for one, left_TG, place in zip(read, left, places, strict=True)])
            for left in (read_without(case.scorer, read, each), read_with_only(case.scorer, read, each))
        )
        found[name] = Rationales(*both)
    return found


def _drop(one: Scored, left_TG: Floats, places: list[int]) -> Floats:
    """Return how much less probable each step's piece is with its own change of the source, [T]."""
    found: Floats = np.exp(own(one)[:, 0]) - np.exp(left_TG[np.arange(len(places)), places])
    return found
