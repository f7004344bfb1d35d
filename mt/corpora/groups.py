"""Pairs that share a sentence: kept together when pairs are held out, counted where splits are given."""

import random
import unicodedata
from collections import Counter
from collections.abc import Callable, Sequence

from mt.corpora.pairs import Split
from mt.text.normal import normalise

MOST = 0.05
"""The part of a split's pairs that may share a sentence with training before its scores are doubted."""
ENOUGH = 0.9
"""The part of the pairs asked for with which a split is content, so that no group need be broken for the rest."""
UP_TO = 2
"""How many times the pairs asked for a split may hold, where no smaller group is left."""

Pair = tuple[int, int]


def fold(sentence: str) -> str:
    """Return what sentences are compared by: as a run reads them (text/normal.py), but without case."""
    return unicodedata.normalize("NFC", normalise(sentence).casefold())


def overlap(train: Split, *others: Split) -> list[int]:
    """Return of each split how many pairs have a source that is a source of training, or a target that is a target.

    Sentences are compared by `fold`. A pair that has both counts once.
    """
    sides = [([fold(line) for line in one.sources], [fold(line) for line in one.targets]) for one in others]
    seen = []
    for side, lines in enumerate((train.sources, train.targets)):
        asked = {line for both in sides for line in both[side]}
        seen.append(asked.intersection(map(fold, lines)))
    return [sum(source in seen[0] or target in seen[1] for source, target in zip(*both, strict=True)) for both in sides]


def number_pairs(pairs: Sequence[tuple[str, str]], alike: Callable[[str], str]) -> list[Pair]:
    """Return each pair as (number of its source, number of its target), the same where `alike` gives the same."""
    sources: dict[str, int] = {}
    targets: dict[str, int] = {}
    return [
        (sources.setdefault(alike(source), len(sources)), targets.setdefault(alike(target), len(targets)))
        for source, target in pairs
    ]


def find_groups(pairs: Sequence[Pair]) -> list[list[int]]:
    """Return the places of the pairs that hang together, group by group: through a source or a target that they share.

    These are the connected components; they and the places in them stand in the order of `pairs`.
    """
    above = list(range(len(pairs)))  # a forest: each pair points to one of its group before it, the first to itself

    def top(place: int) -> int:
        while above[place] != place:
            above[place] = place = above[above[place]]
        return place

    for side in (0, 1):
        first: dict[int, int] = {}
        for place, pair in enumerate(pairs):
            other = first.setdefault(pair[side], place)
            if other != place:
                here, there = top(place), top(other)
                above[max(here, there)] = min(here, there)
    groups: dict[int, list[int]] = {}
    for place in range(len(pairs)):
        groups.setdefault(top(place), []).append(place)
    return list(groups.values())


def choose(pairs: Sequence[Pair], size: int, count: int, seed: int) -> tuple[list[list[int]], int]:
    """Return the places of about `size` distinct pairs for each of `count` splits, and how many broke their group.

    Whole groups, in an order by `seed`, go where they fit. Where that leaves a split with too few, it takes the
    smallest group left, if that is not too large, else single pairs, whose sentences have the fewest other pairs; the
    rest of their groups stays in training. At least one pair does.
    """
    groups, chooser = find_groups(pairs), random.Random(seed)
    chooser.shuffle(groups)
    parts: list[list[int]] = [[] for _ in range(count)]
    left = []
    for group in groups:
        emptiest = min(parts, key=len)
        if len(emptiest) == size:
            break
        if len(emptiest) + len(group) <= size:
            emptiest += group
        else:
            left.append(group)
    left.sort(key=len, reverse=True)
    spare = len(pairs) - size * count - 1  # what parts may hold together beyond `size` each
    for part in parts:
        while left and len(part) < ENOUGH * size:
            beyond = len(part) + len(left[-1]) - size
            if beyond > min(spare, (UP_TO - 1) * size):
                break
            spare -= beyond
            part += left.pop()
    short = [part for part in parts if len(part) < ENOUGH * size]
    wanted = sum(size - len(part) for part in short)
    single = _least_shared(pairs, [place for group in left for place in group], chooser)[:wanted]
    for part in short:
        part += [single.pop() for _ in range(size - len(part))]
    return parts, wanted


def _least_shared(pairs: Sequence[Pair], places: list[int], chooser: random.Random) -> list[int]:
    """Return the places, those first whose sentences have the fewest other pairs; by chance among equals."""
    sources, targets = (Counter(pair[side] for pair in pairs) for side in (0, 1))
    chooser.shuffle(places)
    return sorted(places, key=lambda place: sources[pairs[place][0]] + targets[pairs[place][1]])
