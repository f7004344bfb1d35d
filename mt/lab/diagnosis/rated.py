"""What attention, posterior, gradients and guesses say of what matters at each step, beside what does.

Steps are those of the model's own outputs, read by force; </s> is left out on both sides, as it cannot be taken away.
"""

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from mt.core.arrays import Floats
from mt.corpora.pairs import Split
from mt.inference.aligner import Aligner, View
from mt.inference.scorer import Scored
from mt.lab.diagnosis.case import NO_ATTENTION, Case, DoesNotApplyError
from mt.lab.diagnosis.erasure import diagonal, own, read_without, share_of_hits
from mt.lab.diagnosis.gradients import HasSourceEmbedding, gradient_times_input
from mt.lab.diagnosis.words import owners
from mt.models.contract import HasPosterior, Site
from mt.text.words import word_spans

MOST, QUICK_MOST = 200, 25
"""Sentences that are looked at, drawn at random."""
ATTENTION, POSTERIOR, GRADIENT = "attention", "posterior", "gradient x input"
DIAGONAL, CHANCE = "the diagonal", "chance"


@dataclass(frozen=True)
class Erased:
    """A pair whose source pieces, and words, were taken away one at a time. T, S and G without </s>."""

    number: int
    """Of the pair in the split."""
    read: Scored
    pieces_TS: Floats
    """How much the log probability of each target piece falls without each source piece."""
    words_TG: Floats
    """The same without each source word."""
    groups: list[list[int]]
    """The pieces of each word."""

    @property
    def weights(self) -> Floats:
        """The attention of each step on the pieces, [T, S]."""
        return weights_of(self.read)


def weights_of(read: Scored) -> Floats:
    """Return the attention of each step on the source pieces, [T, S], </s> left out on both sides."""
    if read.matrix_TS is None:
        raise DoesNotApplyError(NO_ATTENTION)
    return read.matrix_TS[:-1, :-1].astype(float)


def sum_groups(weights_TS: Floats, groups: list[list[int]]) -> Floats:
    """Return the weights of groups of pieces, [T, G]."""
    return np.stack([weights_TS[:, group].sum(1) for group in groups], 1)


def erase(case: Case) -> list[Erased]:
    """Return the sampled sentences that have at least two source pieces and some output, with what each piece does."""
    case.must_attend()
    read = case.outputs_read
    rows = [
        row
        for row in case.draw(QUICK_MOST if case.quick else MOST)
        if len(read[row].source) > 2 and len(read[row].target) > 1
    ]
    if not rows:
        raise DoesNotApplyError("No source has two pieces or more and a translation, so none can be taken away.")
    chosen = [read[row] for row in rows]
    pieces = [[[place] for place in range(len(one.source) - 1)] for one in chosen]
    words = [_words(case, case.pairs.sources[row], one) for row, one in zip(rows, chosen, strict=True)]
    longer = [[group for group in here if len(group) > 1] for here in words]  # the others are pieces
    both = [[*some, *others] for some, others in zip(pieces, longer, strict=True)]
    found = list[Erased]()
    for place, left_TX in enumerate(read_without(case.scorer, chosen, both)):
        fall_TX = own(chosen[place]) - left_TX
        columns = [both[place].index(word) for word in words[place]]
        fall_TS = fall_TX[:, : len(pieces[place])]
        found.append(Erased(rows[place], chosen[place], fall_TS, fall_TX[:, columns], words[place]))
    return found


def _words(case: Case, text: str, read: Scored) -> list[list[int]]:
    """Return the places of the pieces of each source word; a piece outside words is in none."""
    spans = word_spans(text)
    own_of = owners([span for _, span in case.run.tokenizers.source.spans(read.source[:-1], text)], spans)
    groups = [[place for place, owner in enumerate(own_of) if owner == number] for number in range(len(spans))]
    return [group for group in groups if group]


def rate_all(case: Case) -> dict[str, list[Floats]]:
    """Return how each method weighs the source pieces at each step, [T, S], of all erased sentences."""
    erased, model, batch = case.once(erase), case.run.model, case.run.config.search.batch
    read = [one.read for one in erased]
    found = {ATTENTION: [one.weights for one in erased]}
    if isinstance(model, HasPosterior):
        view = View(case.scorer.site or Site(1), posterior=True)
        texts = case.texts.take([one.number for one in erased])
        pairs = Split([*texts.sources], [*texts.hypotheses])
        forced = Aligner(model, case.run.tokenizers, case.run.config).forced(pairs, [view])[view]
        found[POSTERIOR] = [one.matrix_TS[:-1, :-1].astype(float) for one in forced]
    if isinstance(model, HasSourceEmbedding):
        found[GRADIENT] = [rows[:-1, :-1] for rows in gradient_times_input(model, read, batch)]
    found[DIAGONAL] = [diagonal(*one.pieces_TS.shape) for one in erased]
    found[CHANCE] = [np.zeros_like(one.pieces_TS) for one in erased]
    return found


def percent(shares: list[Floats]) -> float:
    """Return the mean over the steps of all sentences, in percent; NaN where there is no step."""
    every = np.concatenate(shares)
    return 100 * float(every.mean()) if every.size else float("nan")


class Hits(NamedTuple):
    """How often the largest weight is where erasure hurts most, in percent of the steps."""

    pieces: float
    words: float


def hits(case: Case) -> dict[str, Hits]:
    """Return the hits of each method."""
    erased = case.once(erase)
    return {
        name: Hits(
            percent([share_of_hits(one, each.pieces_TS) for one, each in zip(rated, erased, strict=True)]),
            percent(
                [
                    share_of_hits(sum_groups(one, each.groups), each.words_TG)
                    for one, each in zip(rated, erased, strict=True)
                    if len(each.groups) > 1
                ]
                or [np.full(1, np.nan)]
            ),
        )
        for name, rated in case.once(rate_all).items()
    }


def late_hits(case: Case) -> dict[int, float]:
    """Return how often the row of the step before (-1), of the step, of the next (1) names the piece, in percent."""
    found = dict[int, list[Floats]]({-1: [], 0: [], 1: []})
    for one in case.once(erase):
        weights_TS = one.weights
        for shift, hit in found.items():
            steps = np.arange(1, len(weights_TS) - 1)  # those that have both neighbours
            hit.append(share_of_hits(weights_TS[steps + shift], one.pieces_TS[steps]))
    return {shift: percent(hit) for shift, hit in found.items()}
