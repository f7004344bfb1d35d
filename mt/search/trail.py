"""Hypotheses, and the way back from an ending to its start. Letters of shapes as in `mt.search`."""

from dataclasses import dataclass
from typing import NamedTuple

import torch
from torch import Tensor


@dataclass(frozen=True)
class Hypothesis:
    """One translation: `tokens` without </s>, and what the model says of them, </s> included.

    Log probabilities are natural, and the model's own, however the tokens were chosen; `score` is what they were ranked
    by. `attention` is [len(tokens) + 1, source pieces], or [layers, heads, len(tokens) + 1, source pieces] of all
    sites: row t holds the weights that predicted token t, the last row those of </s>; None when there is none.
    """

    tokens: list[int]
    score: float
    log_probability: float
    log_probabilities: list[float]
    """Of each token, and of </s>."""
    attention: Tensor | None


class Branches(NamedTuple):
    """Continuations of the live hypotheses of each sentence, [B, K]."""

    piece_BK: Tensor
    parent_BK: Tensor
    """The live hypothesis that is continued."""
    own_BK: Tensor
    """The log probability of the piece itself."""
    total_BK: Tensor
    """The log probability of all pieces so far; -inf: impossible."""


@dataclass(frozen=True)
class Step:
    """What one step leaves behind for every live hypothesis: enough to walk back from an ending to the start."""

    row: dict[int, int]
    """Sentence -> its row in the lists below."""
    piece: list[list[int]]
    """The piece that led here."""
    parent: list[list[int]]
    """The hypothesis of the step before that this one continues."""
    own: list[list[float]]
    """The log probability of the piece that led here."""
    ending: list[list[float]]
    """The log probability of </s> here."""
    attention: Tensor | None
    """[B, K, S], or [B, L, N, K, S]: weights that predict the next piece."""


class Trail:
    """The steps of a search, for sentences of so many source pieces each.

    The walk back takes tokens, log probabilities and attention along the same parents; nothing is copied as the beam
    moves on.
    """

    def __init__(self, mask_BS: Tensor):
        self.lengths = mask_BS.sum(1).tolist()
        self.steps: list[Step] = []

    def add(self, sentences_B: Tensor, branches: Branches, ending_BK: Tensor, attention: Tensor | None) -> None:
        """Add a step: what led to its live hypotheses, and what the model then said of </s> and looked at."""
        row = {sentence: row for row, sentence in enumerate(sentences_B.tolist())}
        piece, parent, own = (column.tolist() for column in branches[:3])
        self.steps.append(Step(row, piece, parent, own, ending_BK.tolist(), attention))

    def all_ended(self, sentence: int, steps: list[int], scores: list[float]) -> list[Hypothesis]:
        """Return the hypotheses of a sentence by number, from where each ended and its log probability."""
        ends = enumerate(zip(steps, scores, strict=True))
        return [self.hypothesis(sentence, step, number, score, score) for number, (step, score) in ends]

    def hypothesis(self, sentence: int, step: int, number: int, score: float, log_probability: float) -> Hypothesis:
        """Return the hypothesis that ended at a step, where it was the live one of that number."""
        tokens: list[int] = []
        log_probabilities = [self.steps[step].ending[self.steps[step].row[sentence]][number]]
        rows: list[Tensor] = []
        for here in reversed(self.steps[: step + 1]):
            row = here.row[sentence]
            if here.attention is not None:
                rows.append(here.attention[row, ..., number, : self.lengths[sentence]])
            tokens.append(here.piece[row][number])
            log_probabilities.append(here.own[row][number])
            number = here.parent[row][number]
        # The first step was led to by <s>, which is no token and has no probability.
        attention = torch.stack(rows[::-1], -2).cpu() if rows else None
        return Hypothesis(tokens[-2::-1], score, log_probability, log_probabilities[-2::-1], attention)
