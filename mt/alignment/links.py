"""Hard word links: from a matrix of weights, from two directions to one set, and how wrong they are.

A link is (source word, target word), counted from 0. W is target words, S source words.
"""

from collections.abc import Callable, Sequence, Set
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from mt.corpora.pairs import Gold, Link

NEIGHBOURS = ((0, -1), (-1, 0), (0, 1), (1, 0), (-1, -1), (1, -1), (-1, 1), (1, 1))
"""Of a link, as (source, target) steps, in the order of the published pseudo-code (which has the target first)."""


def hard(words: NDArray[np.floating], threshold: float | None = None) -> list[Link]:
    """Return the links of a matrix [W, S + 1] whose last column is the source's </s>, by target word.

    Without a threshold, each target word has the source word of its largest weight; none where that is on </s>, or the
    row is 0. With one, it has every source word whose weight is at least that.
    """
    if threshold is None:
        best = [(int(row.argmax()), target) for target, row in enumerate(words)]
        return [(source, target) for source, target in best if source < words.shape[1] - 1 and words[target, source]]
    return [(source, target) for target, source in np.argwhere(words[:, :-1] >= threshold).tolist()]


def by_target(links: Set[Link]) -> list[Link]:
    """Return links in the order of the target's words."""
    return sorted(links, key=lambda link: (link[1], link[0]))


def grow_diag_final_and(forward: Set[Link], backward: Set[Link]) -> set[Link]:
    """Return one set of links from two directions, Koehn et al. 2003, as in the pseudo-code published with Moses.

    Start from the intersection. Grow-diag: go through the links by target and source word, those just added too, and
    add each of the 8 neighbours that is in the union and has a word without a link; again until nothing changes.
    Final-and: add the links of `forward`, then of `backward`, both of whose words have no link.
    """
    union, chosen = by_target(forward | backward), set(forward & backward)
    known = set(union)
    sources, targets = {source for source, _ in chosen}, {target for _, target in chosen}

    def add(link: Link) -> None:
        chosen.add(link)
        sources.add(link[0])
        targets.add(link[1])

    before = -1
    while before < len(chosen):
        before = len(chosen)
        for source, target in union:  # every link there can be: the loops over all pairs of words meet no other
            if (source, target) not in chosen:
                continue
            for right, down in NEIGHBOURS:
                link = source + right, target + down
                if link in known and (link[0] not in sources or link[1] not in targets):
                    add(link)
    for direction in (forward, backward):
        for link in by_target(direction):
            if link[0] not in sources and link[1] not in targets:
                add(link)
    return chosen


SYMMETRISATIONS: dict[str, Callable[[Set[Link], Set[Link]], Set[Link]]] = {
    "grow-diag-final-and": grow_diag_final_and,
    "intersection": lambda forward, backward: forward & backward,
    "union": lambda forward, backward: forward | backward,
}


@dataclass(frozen=True)
class AlignmentScore:
    """Alignment error rate, precision, recall and their harmonic mean, in percent, over a corpus."""

    aer: float
    precision: float
    recall: float
    f1: float


def aer(predicted: Sequence[Set[Link]], gold: Sequence[Gold]) -> AlignmentScore:
    """Return the alignment error rate of a corpus, 1 - (|A & S| + |A & P|) / (|A| + |S|) (Och and Ney 2003).

    Precision is |A & P| / |A|, recall |A & S| / |S|; a ratio over nothing counts as 0.
    """
    pairs = list(zip(predicted, gold, strict=True))
    found = sum(len(guess) for guess in predicted)
    sure = sum(len(truth.sure) for truth in gold)
    found_sure = sum(len(guess & truth.sure) for guess, truth in pairs)
    found_possible = sum(len(guess & truth.possible) for guess, truth in pairs)
    precision, recall = _percent(found_possible, found), _percent(found_sure, sure)
    return AlignmentScore(
        aer=100 - _percent(found_sure + found_possible, found + sure),
        precision=precision,
        recall=recall,
        f1=_percent(2 * precision * recall, precision + recall) / 100,
    )


def _percent(part: float, whole: float) -> float:
    return 100 * part / whole if whole else 0.0
