"""What sacreBLEU counts in each sentence, and corpus scores from its sums, for thousands of resamples at once.

Shapes: S sentences, N counts of a sentence, any leading dimensions of sums. Scores are in percent.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from sacrebleu.metrics import BLEU, CHRF, TER

from mt.core.arrays import Floats
from mt.core.errors import UserError
from mt.evaluation.metrics import Texts

EPSILON = 1e-16
"""What sacreBLEU's chrF takes for the precision of nothing."""


@dataclass(frozen=True)
class Measure:
    """A metric whose corpus score depends only on sums over sentences."""

    make: Callable[[Texts], Any]
    """sacreBLEU's metric, as evaluation.metrics makes it."""
    score: Callable[[Floats], Floats]
    """Corpus scores from sums, the last dimension."""


def _bleu(sums: Floats) -> Floats:
    """Return BLEU with exponential smoothing: N is 10, lengths, then matches and totals of four orders."""
    length, reference = sums[..., 0], sums[..., 1]
    matches, totals = sums[..., 2:6], sums[..., 6:10]
    # The k-th order without a match has the precision 1 / (2^k total) (Chen and Cherry 2014, smoothing 3).
    halvings = np.cumsum(matches == 0, axis=-1)
    numerators = np.where(matches == 0, 0.5**halvings, matches)
    possible = (totals > 0).all(-1) & (matches > 0).any(-1)
    precisions = numerators / np.maximum(totals, 1)
    with np.errstate(divide="ignore", invalid="ignore"):  # no words at all, also in the references
        brevity = np.exp(np.minimum(0, 1 - reference / length))
    return np.where(possible, 100 * brevity * np.exp(np.log(precisions).mean(-1)), 0.0)


def _chrf(sums: Floats) -> Floats:
    """Return chrF: N is 18, the n-grams of hypothesis and reference and their matches, for six orders."""
    hypothesis, reference, matches = (sums[..., part::3] for part in range(3))
    precisions = np.where(hypothesis > 0, matches / np.maximum(hypothesis, 1), EPSILON)
    recalls = np.where(reference > 0, matches / np.maximum(reference, 1), EPSILON)
    counted = (hypothesis > 0) & (reference > 0)
    orders = np.maximum(counted.sum(-1), 1)
    precision, recall = (np.where(counted, part, 0).sum(-1) / orders for part in (precisions, recalls))
    both = precision + recall > 0
    # F with recall worth twice as much as precision (Popović 2015): beta 2.
    return np.where(both, 100 * 5 * precision * recall / np.where(both, 4 * precision + recall, 1), 0.0)


def _ter(sums: Floats) -> Floats:
    """Return TER: N is 2, the edits and the words of the reference."""
    edits, words = sums[..., 0], sums[..., 1]
    return 100 * np.where(words > 0, edits / np.maximum(words, 1), edits > 0)


MEASURES: dict[str, Measure] = {
    "BLEU": Measure(lambda texts: BLEU(tokenize=texts.tokenize), _bleu),
    "chrF": Measure(lambda texts: CHRF(), _chrf),
    "TER": Measure(lambda texts: TER(), _ter),
}


def measure_of(metric: str) -> Measure:
    """Return a metric by its name. Raises UserError where its score is not made of sums over sentences."""
    if metric not in MEASURES:
        raise UserError(f"significance is known for {', '.join(MEASURES)}, not for {metric}")
    return MEASURES[metric]


def prepare(metric: str, texts: Texts) -> Texts:
    """Return texts as the metric reads them: TER knows words by the spaces around them."""
    return texts.split() if metric == "TER" and texts.tokenize != "13a" else texts


def count(metric: str, texts: Texts) -> Floats:
    """Return the counts of each sentence, (S, N)."""
    texts = prepare(metric, texts)
    counts = measure_of(metric).make(texts)._extract_corpus_statistics(texts.hypotheses, texts.every)
    return np.array(counts, dtype=np.float64)


def score_sentences(metric: str, texts: Texts) -> Floats:
    """Return the score of each sentence alone, (S,)."""
    return measure_of(metric).score(count(metric, texts))
