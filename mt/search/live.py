"""What is alive in a search: the sentences not yet done, and their hypotheses. Letters of shapes as in `mt.search`."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import torch
from torch import Tensor

from mt.core.special import BOS, EOS
from mt.models.contract import Look, Memory, Seq2Seq, State, reorder
from mt.search.past import remember
from mt.search.rules import Rules
from mt.search.sources import Sources
from mt.search.trail import Branches, Trail


@dataclass(frozen=True)
class Live:
    """The sentences still searched, what led to the live hypotheses of each, and what is known of them."""

    sentences_B: Tensor
    """Their places in the batch."""
    limit_B: Tensor
    branches: Branches
    memory: Memory
    state: State
    past: State
    """See past.py."""
    rules: Rules | None

    @classmethod
    def start(cls, model: Seq2Seq, sources: Sources, past: State) -> "Live":
        """Return one <s> for each sentence."""
        memory, state = model.encode(sources.source_BS, sources.mask_BS)
        sentences_B = torch.arange(len(sources.source_BS), device=sources.source_BS.device)
        nothing_B1 = torch.zeros((len(sentences_B), 1), device=sentences_B.device)
        zeros_B1 = nothing_B1.long()
        branches = Branches(torch.full_like(zeros_B1, BOS), zeros_B1, nothing_B1, nothing_B1)
        return cls(sentences_B, sources.limits(), branches, memory, state, past, sources.rules)

    def ask(self, model: Seq2Seq, look: Look, trail: Trail) -> tuple["Live", Tensor]:
        """Return what the model says of every next piece, log probabilities [B, K, V], and what is known thereafter.

        What was looked at, and how likely </s> is, goes to the trail.
        """
        output, state = model.step(self.branches.piece_BK, self.state, self.memory, look)
        own_BKV = output.logits.log_softmax(-1)
        trail.add(self.sentences_B, self.branches, own_BKV[:, :, EOS], output.attention)
        past = remember(self.past, self.branches.piece_BK, output.attention, self.rules)
        return replace(self, state=state, past=past), own_BKV

    def select(self, going: Sequence[bool]) -> "Live":
        """Keep the sentences that go on."""
        if all(going):
            return self
        going_B = torch.tensor(going, device=self.limit_B.device)
        branches = Branches(*(column[going_B] for column in self.branches))
        memory, state, past = (_rows(tensors, going_B) for tensors in (self.memory, self.state, self.past))
        return Live(self.sentences_B[going_B], self.limit_B[going_B], branches, memory, state, past, self.rules)

    def follow(self, parent_BK: Tensor) -> "Live":
        """Let state and past be those of the hypotheses that are continued."""
        return replace(self, state=reorder(self.state, parent_BK), past=reorder(self.past, parent_BK))


def _rows(tensors: dict[str, Tensor], going_B: Tensor) -> dict[str, Tensor]:
    """Return the rows that go on; index_select copies whole rows, four times as fast as a mask."""
    rows = going_B.nonzero()[:, 0]
    return {name: tensor.index_select(0, rows) for name, tensor in tensors.items()}
