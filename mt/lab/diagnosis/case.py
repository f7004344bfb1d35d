"""The run under diagnosis, and what several diagnoses need of it: each computed once, when it is first asked for."""

import random
from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from typing import Any, TypeVar

from mt.core.errors import UserError
from mt.core.progress import Meter
from mt.corpora.pairs import Split
from mt.evaluation.metrics import Texts
from mt.evaluation.tokenize import choose_tokenizer
from mt.inference.load import translator_of
from mt.inference.scorer import Scored, Scorer
from mt.inference.translator import Translation, Translator
from mt.runs.names import WEIGHTS
from mt.runs.run import Run
from mt.runs.scores import searched

Found = TypeVar("Found")
NO_ATTENTION = "This model has no attention (model.attention.score: none), so there are no weights to look at."
QUICK = 200
"""Pairs of a split that --quick looks at."""


class DoesNotApplyError(Exception):
    """Raised by a diagnosis that makes no sense of a run; the message is the sentence that says why."""


@dataclass(frozen=True)
class Case:
    """A run, the split it is questioned on, and the run that it is held against."""

    run: Run
    split: str
    quick: bool = False
    against: Run | None = None

    def check(self) -> None:
        """Raise UserError when a model cannot be read, or the other run is the same or of other languages.

        A run without a model is questioned, too: about its training and its pairs.
        """
        if (self.run / WEIGHTS).exists():
            _ = self.run.model
        if self.against is None:
            return
        ours, theirs = ((one.config.corpus.source, one.config.corpus.target) for one in (self.run, self.against))
        if ours != theirs:
            raise UserError(
                f"{self.run} translates {'-'.join(ours)} and {self.against} {'-'.join(theirs)}, so they cannot agree"
            )
        if self.against.fingerprint == self.run.fingerprint != "":
            raise UserError(f"{self.against} has the weights of {self.run} itself: name another run")
        _ = self.against.model

    def must_attend(self) -> None:
        """Raise DoesNotApplyError where the model has no attention."""
        if not self.run.model.has_attention:
            raise DoesNotApplyError(NO_ATTENTION)

    @cached_property
    def _known(self) -> dict[Any, Any]:
        return {}

    def once(self, compute: Callable[["Case"], Found]) -> Found:
        """Return what a function says of this case: computed once, however many diagnoses ask."""
        if compute not in self._known:
            self._known[compute] = compute(self)
        found: Found = self._known[compute]
        return found

    def draw(self, most: int) -> list[int]:
        """Return the numbers of so many pairs of the split, in order: drawn at random, but always the same."""
        every = range(len(self.pairs.sources))
        return sorted(random.Random(0).sample(every, min(most, len(every))))

    @cached_property
    def pairs(self) -> Split:
        """The pairs of the split, or the first of them when it is to be quick."""
        return first(self.run.splits[self.split], QUICK if self.quick else None)

    @cached_property
    def training(self) -> Split:
        """The pairs of training."""
        return self.run.splits["train"]

    @cached_property
    def translator(self) -> Translator:
        """What translates, as the run's config searches, but never by sampling."""
        return translator_of(self.run, [], searched(self.run.config))

    @cached_property
    def scorer(self) -> Scorer:
        """What reads given translations off the model; without neighbours."""
        return Scorer(self.run.model, self.run.tokenizers, self.run.config)

    @cached_property
    def translations(self) -> list[Translation]:
        """The translation of each source of the split, with its alignment where the model has attention."""
        meter = Meter("translating", "line", len(self.pairs.sources))
        found = self.translator.translate(self.pairs.sources, gold=self.pairs.gold, progress=meter.add)
        meter.close()
        return found

    @cached_property
    def texts(self) -> Texts:
        """What metrics compare: the translations with the references."""
        return self.texts_of([one.text for one in self.translations])

    def texts_of(self, hypotheses: list[str]) -> Texts:
        """Return what metrics compare where these are the translations."""
        corpus, asked = self.run.config.corpus, self.run.config.metrics.tokenize
        tokenize = choose_tokenizer(asked, corpus.target, self.training.targets)
        return Texts(hypotheses, self.pairs.targets, self.pairs.sources, tokenize)

    @cached_property
    def references_read(self) -> list[Scored]:
        """Each source with its reference, as the model reads them off."""
        return self.scorer.score(self.pairs.sources, self.pairs.targets)

    @cached_property
    def outputs_read(self) -> list[Scored]:
        """Each source with its translation, as the model reads them off."""
        return self.scorer.score(self.pairs.sources, [one.text for one in self.translations])


def first(pairs: Split, most: int | None) -> Split:
    """Return the first pairs of a split; all of them where no number is given."""
    return pairs.take(range(len(pairs.sources))[:most])


def spread(pairs: Split, most: int) -> Split:
    """Return at most so many of the pairs, evenly from the first to the last."""
    count = len(pairs.sources)
    return pairs if count <= most else pairs.take([count * place // most for place in range(most)])
