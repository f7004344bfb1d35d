"""What outputs must say, and must not: automata over pieces. Letters of shapes as in `mt.search`.

C phrases of a sentence, X states of all automata.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from mt.core.special import EOS


@dataclass(frozen=True)
class Automaton:
    """Reads pieces one by one, and finds a phrase. It starts in state 0; its last state is that of having found it."""

    next_XV: Tensor
    steps_X: Tensor
    """How many pieces of the phrase have been read, of those that it is usually made of; all of them once it is found,
    and where only the end of its last word is yet to be seen."""


@dataclass(frozen=True)
class Rules:
    """The phrases of a batch of sentences: those that each must say, and those that it must not."""

    next_XV: Tensor
    """State 0 is that of no phrase, and stays."""
    steps_XV: Tensor
    """How many pieces of a phrase that must be said have been read after a piece; 0 for other phrases."""
    unmet_XV: Tensor
    """Whether a phrase that must be said has not been found after a piece."""
    said_XV: Tensor
    """Whether a phrase that must not be said has been, after a piece."""
    start_BC: Tensor
    longest_B: Tensor
    """Pieces of all phrases that each sentence must say."""

    @classmethod
    def of(
        cls,
        must: Sequence[Sequence[Automaton]],
        must_not: Sequence[Sequence[Automaton]],
        size: int,
        device: torch.device,
    ) -> "Rules | None":
        """Return the rules of sentences, for a vocabulary of that size; None where there are none."""
        width = max(len(one) + len(other) for one, other in zip(must, must_not, strict=True))
        if not width:
            return None
        start_BC = torch.zeros((len(must), width), dtype=torch.long)
        nexts, steps = [torch.zeros((1, size), dtype=torch.long)], [torch.zeros(1, dtype=torch.long)]
        unmet, said = [torch.zeros(1, dtype=torch.bool)], [torch.zeros(1, dtype=torch.bool)]
        placed: dict[tuple[int, bool], int] = {}
        for row, both in enumerate(zip(must, must_not, strict=True)):
            phrases = [(one, needed) for side, needed in zip(both, (True, False), strict=True) for one in side]
            for column, (automaton, needed) in enumerate(phrases):
                key = id(automaton), needed
                if key not in placed:
                    placed[key] = sum(map(len, nexts))
                    found = torch.arange(len(automaton.next_XV)) == len(automaton.next_XV) - 1
                    nexts.append(automaton.next_XV + placed[key])
                    steps.append(automaton.steps_X * needed)
                    unmet.append(~found & needed)
                    said.append(found & (not needed))
                start_BC[row, column] = placed[key]
        next_XV = torch.cat(nexts)
        longest_B = torch.tensor([sum(int(one.steps_X[-1]) for one in each) for each in must])
        tables = [torch.cat(column)[next_XV] for column in (steps, unmet, said)]
        return cls(*(one.to(device) for one in (next_XV, *tables, start_BC, longest_B)))

    @property
    def banks(self) -> int:
        """How many beams the sentences need: one for each number of pieces that have been read of what must be said."""
        return int(self.longest_B.max()) + 1

    def start(self) -> Tensor:
        """Return the states of empty outputs, [B, 1, C]."""
        return self.start_BC[:, None]

    def follow(self, state_BKC: Tensor, piece_BK: Tensor) -> Tensor:
        """Return the states after one more piece."""
        return self.next_XV[state_BKC, piece_BK[:, :, None]]

    def restrict(self, log_probs_BKV: Tensor, state_BKC: Tensor, last_B: Tensor) -> None:
        """Take all probability, in place, from what would say a phrase that must not be, or end without one that must.

        `last_B`: where no piece but </s> can follow, so that </s> must not end a forbidden phrase either.
        """
        for state_BK in state_BKC.unbind(2):
            log_probs_BKV.masked_fill_(self.said_XV[state_BK], -torch.inf)
            log_probs_BKV[:, :, EOS].masked_fill_(self.unmet_XV[state_BK, EOS], -torch.inf)
            if last_B.any():
                after_LKV = self.next_XV[state_BK[last_B]]
                log_probs_BKV[last_B] = log_probs_BKV[last_B].masked_fill(self.said_XV[after_LKV, EOS], -torch.inf)

    def bank(self, state_BKC: Tensor) -> Tensor:
        """Return how many pieces of what must be said have been read after each next piece, [B, K, V]."""
        return sum((self.steps_XV[state_BK] for state_BK in state_BKC.unbind(2)), torch.zeros((), dtype=torch.long))
