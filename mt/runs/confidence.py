"""RUN/confidence.json: what predicts how much a human will have to mend, and how well it does, as typed values."""

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

import numpy as np
from pydantic import TypeAdapter

from mt.core.arrays import Floats
from mt.core.errors import UserError
from mt.core.files import read_json, write_text
from mt.runs.names import CONFIDENCE
from mt.runs.run import Run


@dataclass(frozen=True)
class Weight:
    """What one signal adds to a prediction: weight x (value - mean) / scale."""

    mean: float
    scale: float
    weight: float


@dataclass(frozen=True)
class Linear:
    """A prediction that is linear in standardised signals."""

    intercept: float
    signals: dict[str, Weight]

    def predict(self, columns: Mapping[str, Floats]) -> Floats:
        """Return the prediction for each value of the signals, [N], given a column [N] of each.

        Raises UserError when it needs a signal that is not there, as what another version has fitted may do.
        """
        if unknown := self.signals.keys() - columns.keys():
            raise UserError(
                f"{CONFIDENCE} needs {min(unknown)}, which this version does not measure: delete it, and fit it anew"
            )
        terms = [one.weight * (columns[name] - one.mean) / one.scale for name, one in self.signals.items()]
        return np.asarray(self.intercept + np.sum(terms, axis=0), np.float64)


@dataclass(frozen=True)
class Predictors:
    """What is predicted of a sentence and of its words."""

    good: Linear
    """The logit of the probability that a sentence's TER is at most the bound."""
    ter: Linear
    """The TER of a sentence in percent; what is below 0 means 0."""
    wrong: Linear
    """The logit of the probability that a word is wrong."""


@dataclass(frozen=True)
class Figure:
    """A figure with its 95 % bootstrap interval, and what is gained over the mean log probability alone, paired.

    None where it is not defined, as when all sentences are good.
    """

    value: float | None
    low: float | None
    high: float | None
    alone: float | None
    """The same figure by the mean log probability alone."""
    gain: float | None
    gain_low: float | None
    gain_high: float | None


@dataclass(frozen=True)
class Measured:
    """How well confidence does on a split."""

    sentences: int
    good: float
    """The share of sentences whose TER is at most the bound."""
    ter: float
    """Of all translations as a corpus, in percent."""
    words: int
    wrong: float
    """The share of words that are wrong."""
    search: dict[str, Any]
    """The settings of the search that made the translations."""
    figures: dict[str, Figure]
    """By name; see evaluation/confidence.py."""
    flagged: dict[str, float | None]
    """Of the words to check: their share of all words, how many of them are wrong, how many of the wrong are among
    them."""
    pass_on: list[tuple[float, float]]
    """Share of sentences passed on untouched, those of the lowest expected TER; and their TER."""
    pass_on_interval: list[tuple[float, float]]
    pass_on_alone: list[tuple[float, float]]
    """The same by the mean log probability alone."""
    reliability: list[tuple[float, float, int]]
    """For each bin of the probability that a sentence is good: its mean, the share that is good, how many."""


@dataclass(frozen=True)
class Fitted:
    """What RUN/confidence.json holds."""

    weights: str
    """The fingerprint of the weights that it belongs to."""
    search: dict[str, Any]
    """The settings of the search that made the translations it was fitted on."""
    split: str
    sentences: int
    words: int
    bound: float
    """A sentence is good enough whose TER is at most this."""
    predictors: Predictors
    alone: Predictors
    """The same by the mean log probability alone, which is what they are held against."""
    measured: dict[str, Measured] = field(default_factory=dict)
    """By split."""

    def write(self, run: Run) -> None:
        """Write RUN/confidence.json."""
        write_text(run / CONFIDENCE, json.dumps(asdict(self), indent=1, allow_nan=False) + "\n")


def read_fitted(run: Run) -> Fitted | None:
    """Return what RUN/confidence.json holds; None where there is none, or it is of other weights.

    Raises UserError when it is damaged.
    """
    path = run / CONFIDENCE
    if not path.exists():
        return None
    remedy = f"delete it, and `mt eval {run} --confidence` writes it again"
    fitted = read_json(path, remedy, TypeAdapter(Fitted).validate_python)
    return fitted if fitted.weights == run.fingerprint else None
