"""What a search is asked, and what it answers. Letters of shapes as in `mt.search`."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Protocol

import torch
from torch import Tensor

from mt import config
from mt.core.special import PAD
from mt.models.contract import NOTHING, Look, Seq2Seq
from mt.search.rules import Rules
from mt.search.trace import Trace
from mt.search.trail import Hypothesis


@dataclass(frozen=True)
class Sources:
    """A batch of sentences to translate, and what holds for the outputs of each."""

    source_BS: Tensor
    mask_BS: Tensor
    limit_B: Tensor
    """The most pieces an output may have, </s> included (at least 1); the last of them is always </s>."""
    prefix_BP: Tensor | None = None
    """Pieces that every output begins with, <pad> after the shorter ones; the limit leaves room for them and </s>."""
    numbers: Sequence[int] = ()
    """Of each sentence among all, which with sample_seed decide what sampling draws; none: its place in the batch."""
    rules: Rules | None = None
    """What outputs must say, and must not; a forced prefix may. The limit leaves room for what they must."""

    def limits(self) -> Tensor:
        """Return the most pieces of each output, [B], with room for its prefix and for what it must say."""
        least_B = 1 + (self.rules.longest_B if self.rules else torch.zeros_like(self.limit_B))
        if self.prefix_BP is not None:
            least_B = least_B + (self.prefix_BP != PAD).sum(1)
        return self.limit_B.maximum(least_B)

    def forced(self, sentences_B: Tensor, step: int) -> Tensor | None:
        """Return the piece that each of these sentences must have at a step, [B], <pad> where any may come.

        None where none has a prefix so long.
        """
        if self.prefix_BP is None or step >= self.prefix_BP.shape[1]:
            return None
        return self.prefix_BP[sentences_B, step]


@dataclass(frozen=True)
class Found:
    """What a search found for a sentence: its hypotheses, and what it dropped on the way, where that was asked for."""

    hypotheses: list[Hypothesis] = field(default_factory=list)
    trace: Trace | None = None


class Search(Protocol):
    """A way to decode.

    `n_best` hypotheses of each sentence are found, where so many are possible. `look` says which attention they have,
    and what replaces the model's own; `trace` asks for what was dropped.
    """

    def __call__(
        self,
        model: Seq2Seq,
        sources: Sources,
        settings: config.Search,
        *,
        n_best: int = 1,
        look: Look = NOTHING,
        trace: bool = False,
    ) -> list[Found]:
        """Return what is found for each sentence, in order."""
        ...
