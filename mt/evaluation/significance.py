"""Whether two systems, or two configs with several seeds each, differ by more than chance.

docs/reference/significance.md has the formulas and how well each method is calibrated. Shapes: R resamples, S
sentences, N counts of a sentence (sums.py).
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from mt.core.arrays import Floats
from mt.core.errors import UserError
from mt.evaluation.metrics import RESAMPLES, Texts
from mt.evaluation.student import quantile, tail
from mt.evaluation.sums import count, measure_of

LEVEL = 0.05
SHUFFLES, SEED = 10_000, 12345
"""sacreBLEU's own, so that the same systems have the p that it prints."""
ROWS = 320
"""Shuffles that are drawn at once. A multiple of 32, because the generator throws away what is left of 32 bits."""
ROUNDING = 1e-9


@dataclass(frozen=True)
class Difference:
    """How much better or worse the other side is than the baseline, and whether that may be chance."""

    metric: str
    delta: float
    """The other's score minus the baseline's, in points. Of TER, less is better."""
    low: float
    """The ends of the 95 % interval of delta."""
    high: float
    p: float
    """How often a difference at least as large comes about by chance alone. The verdict."""
    method: str
    centred: float | None = None
    """The same by a bootstrap that is centred before its absolute value is taken; None over seeds."""
    paired_bootstrap: float | None = None
    """What sacreBLEU's paired bootstrap prints; None over seeds. It is no verdict: it takes the absolute difference
    first and centres then, which makes a one-sided p of it, and calls equal systems different twice too often."""

    @property
    def inside_noise(self) -> bool:
        """Whether the difference may be chance."""
        return self.p >= LEVEL


def compare(metric: str, baseline: Texts, other: Texts) -> Difference:
    """Compare two systems on the same sentences, as they stand: nothing is said of other seeds.

    p is that of sacreBLEU's paired approximate randomisation (Riezler and Maxwell 2005), ties counted; the interval
    that of a centred bootstrap. Raises UserError where the two cannot be compared (`_check`).
    """
    _check([baseline, other])
    return compare_counts(metric, count(metric, baseline), count(metric, other))


def compare_counts(metric: str, baseline: Floats, other: Floats) -> Difference:
    """Compare two systems by the counts of their sentences, (S, N) each."""
    score = measure_of(metric).score
    delta = float(score(other.sum(0)) - score(baseline.sum(0)))
    resampled = resample(metric, other) - resample(metric, baseline)
    noise, folded = resampled - resampled.mean(), np.abs(resampled)
    low, high = np.quantile(noise, [LEVEL / 2, 1 - LEVEL / 2])
    return Difference(
        metric,
        delta,
        low=delta + float(low),
        high=delta + float(high),
        p=_randomise(metric, baseline, other),
        method="approximate randomisation",
        centred=_share(np.abs(noise) >= abs(delta) - ROUNDING),
        paired_bootstrap=_share(folded - folded.mean() > abs(delta)),
    )


def compare_seeds(metric: str, baselines: Sequence[Texts], others: Sequence[Texts]) -> Difference:
    """Compare two configs by runs with several seeds each, all on the same sentences.

    p and interval allow for other seeds and for other sentences: a bootstrap in two levels, the level of seeds in
    closed form and with Student's t for their small number. Raises UserError where they cannot be compared (`_check`),
    or when a side has one seed only.
    """
    if min(len(baselines), len(others)) < 2:
        raise UserError("give at least two seeds of each side: one run does not say how much seeds differ")
    _check([*baselines, *others])
    score = measure_of(metric).score
    counts = [count(metric, texts) for texts in (*baselines, *others)]
    scores = np.array([score(one.sum(0)) for one in counts])
    resampled = np.array([resample(metric, one) for one in counts])
    return over_seeds(metric, scores, np.cov(resampled), baselines=len(baselines), sentences=len(counts[0]))


def over_seeds(metric: str, scores: Floats, covariance: Floats, *, baselines: int, sentences: int) -> Difference:
    """Compare by the scores of all runs, so many baselines first, and the covariance of their scores over resamples."""
    sides = [np.arange(baselines), np.arange(baselines, len(scores))]
    weights = np.concatenate([np.full(len(side), sign / len(side)) for side, sign in zip(sides, (-1, 1), strict=True)])
    delta = float(weights @ scores)
    seeds = [float(scores[side].var(ddof=1)) / len(side) for side in sides]
    # What sentences add beyond seeds: how far the resampled difference varies, less that part of it which differs from
    # seed to seed, because the spread of the scores holds that already.
    own = sum(_between(covariance[np.ix_(side, side)]) / len(side) for side in sides)
    common = max(0.0, float(weights @ covariance @ weights) - own)
    variance = sum(seeds) + common
    if variance < ROUNDING:  # nothing varies: a difference cannot be chance
        return Difference(metric, delta, delta, delta, float(abs(delta) < ROUNDING), "two-level bootstrap")
    error = math.sqrt(variance)
    # Welch and Satterthwaite
    parts = [(part, len(side) - 1) for part, side in zip(seeds, sides, strict=True)] + [(common, sentences - 1)]
    freedom = error**4 / sum(part**2 / max(degrees, 1) for part, degrees in parts)
    reach = quantile(LEVEL, freedom) * error
    p = tail(delta / error, freedom)
    return Difference(metric, delta, delta - reach, delta + reach, p, "two-level bootstrap")


def _between(covariance: Floats) -> float:
    """Return the mean variance between seeds of what resampling does to each, from its covariance (seeds, seeds)."""
    return float(np.trace(covariance) - covariance.mean() * len(covariance)) / (len(covariance) - 1)


def _check(sides: Sequence[Texts]) -> None:
    """Raise UserError when references or the words that are counted differ, or there is one sentence only."""
    first = sides[0]
    if any(one.every != first.every for one in sides):
        raise UserError("cannot compare systems on different references: score both on the same split")
    if len(kinds := {one.tokenize for one in sides}) > 1:
        raise UserError(
            f"cannot compare scores of different words ({' and '.join(sorted(kinds))}): score both with one "
            f"metrics.tokenize"
        )
    if len(first.references) < 2:
        raise UserError("one sentence does not say how much sentences differ: compare on more of them")


def resample(metric: str, counts: Floats) -> Floats:
    """Return the scores of R resamples of the sentences, those that sacreBLEU draws: the same for all systems."""
    draw, sentences, scores = np.random.default_rng(SEED), len(counts), []
    for start in range(0, RESAMPLES, ROWS):
        rows = min(ROWS, RESAMPLES - start)
        drawn = draw.integers(sentences, size=(rows, sentences)) + sentences * np.arange(rows)[:, None]
        times = np.bincount(drawn.ravel(), minlength=rows * sentences).reshape(rows, sentences)
        scores.append(measure_of(metric).score(times.astype(np.float64) @ counts))
    return np.concatenate(scores)


def _randomise(metric: str, baseline: Floats, other: Floats) -> float:
    """Return how often the difference is at least as large when each sentence's two outputs are swapped at random.

    The swaps are those that sacreBLEU draws, so p is that of its test "ar". Only that a swapped difference as large as
    the true one counts: sacreBLEU leaves ties out, and so calls a system different from itself, or from one that
    differs in a single sentence.
    """
    score = measure_of(metric).score
    sums, apart = (baseline.sum(0), other.sum(0)), baseline - other
    true = abs(float(score(sums[1]) - score(sums[0])))
    draw = np.random.default_rng(SEED)
    as_large = 0
    for start in range(0, SHUFFLES, ROWS):
        rows = min(ROWS, SHUFFLES - start)
        moved = draw.integers(2, size=(rows, len(apart)), dtype=bool).astype(np.float64) @ apart
        swapped = np.abs(score(sums[1] + moved) - score(sums[0] - moved))
        as_large += int((swapped >= true - ROUNDING).sum())
    return (as_large + 1) / (SHUFFLES + 1)


def _share(hits: Floats | np.ndarray) -> float:
    return float((hits.sum() + 1) / (len(hits) + 1))
