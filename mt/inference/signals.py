"""Signals: what one forced pass over a translation tells of its quality, without a reference.

Letters: T target pieces, S source pieces, both with </s> as the last; W target words.
"""

from collections.abc import Sequence
from typing import Any

import numpy as np

from mt.corpora.pairs import Span
from mt.inference.scorer import Scored

Floats = np.ndarray[Any, np.dtype[np.floating]]


def signals(read: Scored) -> dict[str, float]:
    """Return the signals of one translation as the model reads it off: lengths in pieces, the others in nats.

    Without attention there are none of attention.
    """
    found = {
        "mean_log_probability": float(read.log_probabilities_T.mean()),
        "least_log_probability": float(read.log_probabilities_T.min()),
        "output_entropy": float(read.entropies_T.mean()),
        "source_pieces": float(len(read.source)),
        "target_pieces": float(len(read.target)),
    }
    if read.matrix_TS is not None:
        found["attention_entropy"] = attention_entropy(read.matrix_TS)
        found["coverage_deviation"] = coverage_deviation(read.matrix_TS)
        found["transport_from_uniform"] = transport_from_uniform(read.matrix_TS)
    return found


def attention_entropy(matrix_TS: Floats) -> float:
    """Return the mean entropy of the rows, in nats (Fomicheva et al. 2020, eq. 5)."""
    weights_TS = matrix_TS.clip(1e-12)
    return float(-(weights_TS * np.log(weights_TS)).sum(-1).mean())


def coverage_deviation(matrix_TS: Floats) -> float:
    """Return how far the mass that a source piece gets in all is from 1, the mean over the pieces.

    It goes back to Rikters and Fishel 2017, who square it and take a logarithm.
    """
    return float(np.abs(1 - matrix_TS.sum(0)).mean())


def transport_from_uniform(matrix_TS: Floats) -> float:
    """Return the optimal-transport distance of the mass that each source piece gets from a uniform one, 0 to 1.

    Moving mass from a piece to any other costs 1, so that it is half the sum of the differences (Wass-to-Unif,
    Guerreiro et al. 2023).
    """
    mass_S = matrix_TS.sum(0)
    return float(np.abs(mass_S / mass_S.sum() - 1 / len(mass_S)).sum() / 2)


def word_signals(read: Scored, pieces: Sequence[Span], words: Sequence[Span]) -> dict[str, Floats]:
    """Return the signals of each word of a translation, [W] each, given the half-open spans of its pieces and words.

    `probability` is that of the whole word, the product over its pieces; `entropy` the mean of what predicted them;
    both are also there of the word `before` and the word `after`, which is </s> behind the last one; the first has
    nothing before it: 0. `log_probability` is the mean over its pieces, `least_log_probability` the least of them.
    `sentence`: the mean log probability of all pieces of the sentence. `source_pieces`, `length`: how many pieces its
    source has, and how many words it has itself. `place`: 0 at the first word, towards 1 at the last. `first`: 1 for
    the first word, else 0. A piece belongs to each word that it overlaps; a word without any has probability 1 and
    entropy 0.
    """
    rows = [_inside(pieces, word) for word in words]
    end = [[len(read.target) - 1]]
    sums = [read.log_probabilities_T[row].sum() for row in rows + end]
    chances, spreads = np.exp(sums), np.array([_mean(read.entropies_T[row]) for row in rows + end])
    count = len(words)
    return {
        "probability": chances[:-1],
        "probability_before": np.r_[0.0, chances][:count],
        "probability_after": chances[1:],
        "entropy": spreads[:-1],
        "entropy_before": np.r_[0.0, spreads][:count],
        "entropy_after": spreads[1:],
        "log_probability": np.array([_mean(read.log_probabilities_T[row]) for row in rows], np.float64),
        "least_log_probability": np.array([read.log_probabilities_T[row].min(initial=0) for row in rows], np.float64),
        "sentence": np.full(count, read.log_probabilities_T.mean()),
        "source_pieces": np.full(count, float(len(read.source))),
        "place": np.arange(count) / max(count, 1),
        "length": np.full(count, float(count)),
        "first": (np.arange(count) == 0).astype(np.float64),
    }


def _inside(pieces: Sequence[Span], word: Span) -> list[int]:
    """Return which pieces overlap a word."""
    return [number for number, (start, stop) in enumerate(pieces) if start < word[1] and stop > word[0]]


def _mean(values: Floats) -> float:
    return float(values.mean()) if len(values) else 0.0
