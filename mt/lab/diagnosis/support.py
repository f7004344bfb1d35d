"""Whether a source supports its target: whether the target is likelier given its own source than given others.

Sennrich et al. 2024 contrast sources when they search; here given pairs are judged. K other sources are asked.
"""

import random
from collections.abc import Sequence

import numpy as np

from mt.core.arrays import Floats
from mt.inference.scorer import Scored, Scorer

OTHERS = 2
"""Other sources that each target is read with."""


def choose_others(sources: Sequence[Sequence[int]], count: int = OTHERS) -> list[list[int]]:
    """Return for each source the places of `count` others of about its length that are not the same.

    There may be fewer where most are the same; the order among those of one length is by chance, but always the same.
    """
    places = list(range(len(sources)))
    random.Random(1).shuffle(places)
    places.sort(key=lambda place: len(sources[place]))
    found: list[list[int]] = [[] for _ in sources]
    for rank, place in enumerate(places):
        own, seen = tuple(sources[place]), set[tuple[int, ...]]()
        for step in range(1, len(places)):
            other = places[(rank + step) % len(places)]
            text = tuple(sources[other])
            if text != own and text not in seen:
                seen.add(text)
                found[place].append(other)
            if len(found[place]) == count:
                break
    return found


def support(scorer: Scorer, read: Sequence[Scored]) -> list[Floats]:
    """Return of each target piece how much less likely it is given other sources, in nats, [T]: the mean over them.

    `read`: the pairs as the model reads them. NaN where there is no other source.
    """
    others = choose_others([one.source for one in read])
    rows = [row for row, places in enumerate(others) for _ in places]
    sources = [read[place].source for places in others for place in places]
    contrasted = scorer.score_pieces(sources, [read[row].target for row in rows])
    sums = [np.zeros(len(one.target)) for one in read]
    for row, one in zip(rows, contrasted, strict=True):
        sums[row] += one.log_probabilities_T
    return [
        read[row].log_probabilities_T.astype(float) - (total / len(others[row]) if others[row] else np.nan)
        for row, total in enumerate(sums)
    ]
