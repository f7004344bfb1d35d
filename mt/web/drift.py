"""Whether later sentences are like validation: a two-sample Kolmogorov-Smirnov test of each signal over a window.

Letters: N values of a window, C centiles of validation. A window holds each source once, so that what is sent again and
again counts once. Sentences of one document are alike, and the test takes them for independent: an alarm says that the
window is not like validation, which is true of one document, too.
"""

import threading
from collections import OrderedDict
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

import numpy as np

from mt.core.arrays import Floats
from mt.lab.diagnosis.distributions import Distribution, Expected

WINDOW, FEWEST = 100, 20
"""Sentences that a window holds, and with how few it is judged."""
FALSE_ALARMS = 1e-4
"""The probability that a window of sentences like validation raises any alarm, at most, all signals together."""
MEANINGS = {
    "mean_log_probability": "how likely the model finds its translations",
    "least_log_probability": "how likely the model finds the least likely piece of each translation",
    "word_probability": "how likely the model finds the words of its translations",
    "output_entropy": "how undecided the model is about each next piece",
    "source_pieces": "how long sources are",
    "target_pieces": "how long translations are",
    "length_ratio": "how long translations are beside their sources",
    "attention_entropy": "how widely attention is spread",
    "coverage_deviation": "how evenly the source pieces are translated, each once",
    "transport_from_uniform": "on how few source pieces attention dwells",
    "byte_share": "how many characters of the sources the vocabulary lacks",
    "unknown_scripts": "how much of the sources is in scripts that training did not have",
    "unsupported_words": "how many words of the translations look at no source piece",
    "expected_ter": "how much a human will probably have to mend",
    "words_to_check": "how many words of the translations are probably wrong",
}


@dataclass(frozen=True)
class Drift:
    """How far a signal is from what it was on validation."""

    signal: str
    score: float
    """The Kolmogorov-Smirnov statistic: the largest difference between the two cumulative distributions, 0 to 1."""
    bound: float
    """Above it, there is an alarm; above 1 there are too few sentences for any."""
    higher: bool
    """Whether its mean is higher than on validation."""

    @property
    def alarm(self) -> bool:
        """Whether so large a score is more than chance."""
        return self.score > self.bound

    @property
    def says(self) -> str:
        """A sentence of what it means."""
        what = MEANINGS.get(self.signal, self.signal)
        if not self.alarm:
            return f"{what[0].upper()}{what[1:]}: like validation."
        return f"{what[0].upper()}{what[1:]}: not like validation, {'more' if self.higher else 'less'} on average."


class Window:
    """The signals of the last sentences, each source once. It may be asked while another thread adds."""

    def __init__(self, size: int = WINDOW):
        self.size, self.seen = size, 0
        self._rows: OrderedDict[int, Mapping[str, float]] = OrderedDict()
        self._lock = threading.Lock()

    def __len__(self) -> int:
        return len(self._rows)

    def add(self, source: str, signals: Mapping[str, float]) -> None:
        """Add a sentence, of which only a hash is kept; one that is in the window moves to its end."""
        with self._lock:
            self.seen += 1
            self._rows.pop(hash(source), None)
            self._rows[hash(source)] = signals
            if len(self._rows) > self.size:
                self._rows.popitem(last=False)

    def drifts(self, expected: Expected) -> list[Drift]:
        """Return how far each signal is from validation; nothing while there are too few sentences."""
        with self._lock:
            rows = list(self._rows.values())
        if len(rows) < FEWEST:
            return []
        names = [name for name in expected.signals if all(name in row for row in rows)]
        return [
            judge(name, np.array([row[name] for row in rows]), expected.signals[name], len(names)) for name in names
        ]


def judge(name: str, values_N: Floats, reference: Distribution, signals: int) -> Drift:
    """Return how far the values of a signal are from validation, where so many signals are judged together."""
    centiles_C = np.array(reference.centiles)
    score, bound = distance(values_N, centiles_C), bound_of(len(values_N), reference.count, signals)
    return Drift(name, score, bound, bool(values_N.mean() > centiles_C.mean()))


def distance(values_N: Floats, centiles_C: Floats) -> float:
    """Return the Kolmogorov-Smirnov statistic of values against a sample that is known by its centiles.

    Between two centiles that sample counts as even, so that the statistic is exact to one centile.
    """
    points, ordered_N = np.concatenate([values_N, centiles_C]), np.sort(values_N)
    at_most = np.searchsorted(ordered_N, points, "right") / len(values_N) - _share(points, centiles_C, "right")
    below = np.searchsorted(ordered_N, points, "left") / len(values_N) - _share(points, centiles_C, "left")
    return float(max(np.abs(at_most).max(), np.abs(below).max()))


def _share(points: Floats, centiles_C: Floats, side: Literal["left", "right"]) -> Floats:
    """Return which share of a sample is at most ("right"), or below ("left"), each point."""
    last = len(centiles_C) - 1
    count = np.searchsorted(centiles_C, points, side)
    low, high = centiles_C[np.clip(count - 1, 0, last)], centiles_C[np.clip(count, 0, last)]
    part = np.divide(points - low, high - low, out=np.zeros(len(points)), where=high > low)
    return np.asarray(np.clip((count - 1 + part) / last, 0, 1))


def bound_of(count: int, reference: int, signals: int) -> float:
    """Return what the statistic exceeds with a probability of at most FALSE_ALARMS / signals (Bonferroni) by chance.

    Both the window and validation are samples: c sqrt((n + m) / (n m)) with c = sqrt(-ln(p / 2) / 2), the two-sample
    bound of Smirnov 1939, which ties and small samples only make rarer. One centile is added: how exact `distance` is.
    """
    chance = FALSE_ALARMS / max(signals, 1)
    spread = np.sqrt(-np.log(chance / 2) / 2 * (1 / count + 1 / max(reference, 1)))
    return float(spread + 0.01)
