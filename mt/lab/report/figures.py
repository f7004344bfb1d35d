"""Numbers of a report: differences with their significance, BLEU by source length, sentences worth looking at."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from mt.core.arrays import Floats
from mt.evaluation.metrics import Texts
from mt.evaluation.significance import LEVEL, Difference, compare, compare_seeds, resample
from mt.evaluation.sums import MEASURES, count, measure_of, score_sentences
from mt.lab.report.told import Told
from mt.text.words import word_spans
from mt.views.curves import MARKED, Points

BINS = 5
WORST = 6
MATRIX_WORDS = range(5, 15)
"""Source words of a sentence whose attention is shown."""


@dataclass(frozen=True)
class Group:
    """Runs whose configs differ in nothing but the seed."""

    name: str
    runs: Sequence[Told]


@dataclass(frozen=True)
class Bin:
    """BLEU of the sentences of some lengths, for each run, with its interval."""

    words: tuple[int, int]
    sentences: int
    middle: float
    """The mean number of words."""
    scores: Sequence[tuple[float, float, float]]
    """Score, low, high."""


def differences(told: Sequence[Told]) -> dict[str, dict[str, Difference]]:
    """Return by run and metric how each run differs from the first; nothing where there is one sentence only."""
    first = told[0].texts
    if len(first.references) < 2:
        return {}
    return {one.name: {metric: compare(metric, first, one.texts) for metric in MEASURES} for one in told[1:]}


def groups(told: Sequence[Told]) -> list[Group]:
    """Return the configs that have several seeds, as they come; a seed counts once, however many runs have it."""
    kinds: dict[str, dict[int, Told]] = {}
    for one in told:
        config = one.config
        seed = config.pop("seed")
        kinds.setdefault(repr(sorted(config.items())), {}).setdefault(seed, one)
    found = [[*seeds.values()] for seeds in kinds.values() if len(seeds) > 1]
    return [Group(f"{runs[0].name} and its seeds", runs) for runs in found]


def differences_of_seeds(found: Sequence[Group]) -> dict[str, dict[str, Difference]]:
    """Return by config and metric how each config differs from the first, over the seeds of both."""
    first = [one.texts for one in found[0].runs]
    return {
        group.name: {metric: compare_seeds(metric, first, [one.texts for one in group.runs]) for metric in MEASURES}
        for group in found[1:]
    }


def by_length(told: Sequence[Told], bins: int = BINS) -> list[Bin]:
    """Return BLEU by the words of the source, in bins of about as many sentences each."""
    lengths = np.array([len(word_spans(source)) for source in told[0].texts.sources])
    counts = [count("BLEU", one.texts) for one in told]
    bin_S, found = np.searchsorted(divide(lengths, bins), lengths), []
    for rows in (np.flatnonzero(bin_S == number) for number in range(bin_S.max() + 1)):
        words = lengths[rows]
        scores = [_interval(one[rows]) for one in counts]
        found.append(Bin((int(words.min()), int(words.max())), len(rows), float(words.mean()), scores))
    return found


def divide(lengths: Sequence[int] | np.ndarray, bins: int) -> list[int]:
    """Return the longest length of each bin: all of one length share a bin, and a small rest joins the last."""
    ends, held = list[int](), 0
    for length, many in zip(*np.unique(lengths, return_counts=True), strict=True):
        held += many
        if bins * held >= len(lengths):
            ends.append(int(length))
            held = 0
    if 2 * bins * held >= len(lengths):
        return [*ends, max(lengths)]
    return [*ends[:-1], max(lengths)]


def _interval(counts: Floats) -> tuple[float, float, float]:
    low, high = np.quantile(resample("BLEU", counts), [LEVEL / 2, 1 - LEVEL / 2])
    return float(measure_of("BLEU").score(counts.sum(0))), float(low), float(high)


def sentence_scores(told: Sequence[Told]) -> Floats:
    """Return chrF of each sentence, (runs, sentences): it tells sentences apart where most have no BLEU."""
    return np.array([score_sentences("chrF", one.texts) for one in told])


def worst(scores: Floats) -> list[int]:
    """Return the sentences that the runs translate worst, by the mean over runs."""
    return [int(row) for row in np.argsort(scores.mean(0), kind="stable")[:WORST]]


def chosen(scores: Floats, texts: Texts) -> list[tuple[int, str]]:
    """Return sentences whose attention is worth a look, and why: a usual one, one that divides the runs, a bad one."""
    fitting = [row for row, source in enumerate(texts.sources) if len(word_spans(source)) in MATRIX_WORDS]
    if not fitting:
        return []
    mean, apart = scores.mean(0)[fitting], np.ptp(scores, axis=0)[fitting]
    usual = fitting[int(np.argsort(mean, kind="stable")[len(fitting) // 2])]
    found = [(usual, "A usual sentence"), (fitting[int(np.argmin(mean))], "A sentence that goes wrong")]
    if len(scores) > 1:
        found.insert(1, (fitting[int(np.argmax(apart))], "The sentence that divides the runs most"))
    rows = [row for row, _ in found]
    return [(row, why) for number, (row, why) in enumerate(found) if row not in rows[:number]]


def thin(points: Points) -> Points:
    """Return a curve of at most MARKED points, each the mean of neighbours, at the last of them."""
    size = math.ceil(len(points) / MARKED) or 1
    parts = [points[first : first + size] for first in range(0, len(points), size)]
    return [(part[-1][0], sum(y for _, y in part) / len(part)) for part in parts]
