"""Confidence: what a human will have to mend in a translation, as fitted on validation (evaluation/confidence.py)."""

import logging
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from mt.config import Search
from mt.core.arrays import Floats
from mt.core.errors import UserError
from mt.corpora.pairs import Span
from mt.inference.scorer import Scored, Scorer
from mt.inference.signals import signals, word_signals
from mt.runs.confidence import Fitted, read_fitted
from mt.runs.run import Run
from mt.runs.scores import describe_search
from mt.text.tokenizer import Tokenizer
from mt.text.words import word_spans

log = logging.getLogger("mt")
CHECK = 0.5
"""A word is to be checked that is wrong with at least this probability."""

NO_ENSEMBLE = "an ensemble has no confidence, which is fitted for one run: leave out the other runs"


@dataclass(frozen=True)
class Word:
    """A word of a translation: what stands between white space; in scripts without spaces, a character."""

    word: str
    span: Span
    """Where it stands in the translation: half-open, in characters."""
    wrong: float
    """The probability that a human will replace it or take it out."""

    @property
    def check(self) -> bool:
        """Whether it is to be checked: it is wrong rather than right."""
        return self.wrong >= CHECK


@dataclass(frozen=True)
class Confidence:
    """What a human will probably have to mend in a translation."""

    ter: float
    """The expected TER in percent: how many edits for each 100 words."""
    good: float
    """The probability that its TER is at most `bound`."""
    bound: float
    words: tuple[Word, ...]


def mark(text: str, confidence: Confidence, signs: tuple[str, str]) -> str:
    """Return a translation with these signs before and after each word to check."""
    before, after = signs
    for word in reversed([word for word in confidence.words if word.check]):
        start, stop = word.span
        text = f"{text[:start]}{before}{text[start:stop]}{after}{text[stop:]}"
    return text


@dataclass(frozen=True)
class Observed:
    """Translations and their signals. N sentences, W words of all of them."""

    spans: list[tuple[Span, ...]]
    """Of each translation, where its words stand."""
    sentences: dict[str, Floats]
    """By name, a column [N]."""
    words: dict[str, Floats]
    """By name, a column [W]."""


def observe(scorer: Scorer, sources: Sequence[str], hypotheses: Sequence[str]) -> Observed:
    """Return the signals of translations, one at least, from one forced pass over each.

    They are those of signals.py, and `word_probability`, the mean probability of a translation's words.
    """
    return observed(scorer.score(sources, hypotheses), hypotheses, scorer.tokenizers.target)


def observed(read: Sequence[Scored], hypotheses: Sequence[str], tokenizer: Tokenizer) -> Observed:
    """Return the same of translations that the model has read already, given the tokenizer of their language."""
    spans = [word_spans(text) for text in hypotheses]
    words = [
        word_signals(one, [span for _, span in tokenizer.spans(one.target[:-1], text)], inside)
        for one, text, inside in zip(read, hypotheses, spans, strict=True)
    ]
    told = [
        signals(one) | {"word_probability": float(inside["probability"].mean()) if len(inside["probability"]) else 0.0}
        for one, inside in zip(read, words, strict=True)
    ]
    return Observed(
        spans,
        {name: np.array([one[name] for one in told]) for name in told[0]},
        {name: np.concatenate([one[name] for one in words]).astype(np.float64) for name in words[0]},
    )


class Estimator:
    """What says of the translations of a run how much a human will have to mend. It asks its files when first used."""

    def __init__(self, run: Run):
        self.run = run
        self._warned = False

    @cached_property
    def fitted(self) -> Fitted:
        """What was fitted on validation. Raises UserError when nothing was, for these weights."""
        fitted = read_fitted(self.run)
        if fitted is None:
            raise UserError(
                f"{self.run} has no confidence.json of these weights: `mt eval {self.run} --confidence` fits it on "
                f"the validation text"
            )
        return fitted

    def check(self, search: Search) -> None:
        """Raise UserError when nothing was fitted; warn, once, where it was fitted with settings other than these."""
        if describe_search(search) != self.fitted.search and not self._warned:
            self._warned = True
            log.warning("confidence was fitted on translations by other settings of search: trust it less")

    @cached_property
    def scorer(self) -> Scorer:
        """What reads translations off the run's model; neighbours have no say in it."""
        return Scorer(self.run.model, self.run.tokenizers, self.run.config)

    def estimate(self, sources: Sequence[str], hypotheses: Sequence[str]) -> list[Confidence | None]:
        """Return the confidence in each translation; None where the source has no text."""
        rows = [row for row, source in enumerate(sources) if source.strip()]
        found: list[Confidence | None] = [None] * len(sources)
        if not rows:
            return found
        texts = [hypotheses[row] for row in rows]
        seen, predictors = observe(self.scorer, [sources[row] for row in rows], texts), self.fitted.predictors
        good, ter = sigmoid(predictors.good.predict(seen.sentences)), predictors.ter.predict(seen.sentences).clip(0)
        wrong = iter(sigmoid(predictors.wrong.predict(seen.words)).tolist())
        for place, (row, text, spans) in enumerate(zip(rows, texts, seen.spans, strict=True)):
            words = tuple(Word(text[slice(*span)], span, next(wrong)) for span in spans)
            found[row] = Confidence(float(ter[place]), float(good[place]), self.fitted.bound, words)
        return found


def sigmoid(logits: Floats) -> Floats:
    """Return 1 / (1 + exp(-logits)), without overflow."""
    return np.asarray(0.5 * (1 + np.tanh(logits / 2)))
