"""Several models of one vocabulary as one."""

import math
from collections.abc import Sequence
from dataclasses import replace
from typing import cast

import torch
from torch import Tensor, nn

from mt.models.contract import NOTHING, Look, Memory, Output, Seq2Seq, Site, State


class Ensemble(Seq2Seq):
    """Predicts with the mean of its members' probabilities; looks with the mean of the attention of those that have it.

    Members may differ in layers and heads, and no head of one is the like of a head of another. So the ensemble has one
    site, whichever is asked for: the mean of each member's own, which are given with the members; None where a member
    has no attention. Names in memory and state are the members' own, each behind its member's number: "0.hidden0".
    """

    def __init__(self, members: Sequence[Seq2Seq], looked_at: Sequence[Site | None]):
        super().__init__()
        self.members = cast(Sequence[Seq2Seq], nn.ModuleList(members))  # which is what it holds
        self.looked_at = list(looked_at)
        self.sites = (1, 1) if any(looked_at) else (0, 0)
        self.summary = f"ensemble of {len(members)}: " + "; ".join(member.summary for member in members)

    def encode(self, source_BS: Tensor, mask_BS: Tensor) -> tuple[Memory, State]:
        """Return the memories and the start states of all members."""
        memories, states = zip(*(member.encode(source_BS, mask_BS) for member in self.members), strict=True)
        return _join(memories), _join(states)

    def step(self, previous_BK: Tensor, state: State, memory: Memory, look: Look = NOTHING) -> tuple[Output, State]:
        """Predict the piece after `previous_BK`."""
        outputs, states = zip(
            *(
                member.step(previous_BK, _part(state, number), _part(memory, number), own)
                for number, (member, own) in enumerate(zip(self.members, self._looks(look), strict=True))
            ),
            strict=True,
        )
        return _mean(outputs, look), _join(states)

    def forward(self, source_BS: Tensor, mask_BS: Tensor, target_in_BT: Tensor, look: Look = NOTHING) -> Output:
        """Predict every next piece of given targets."""
        members = zip(self.members, self._looks(look), strict=True)
        return _mean([member(source_BS, mask_BS, target_in_BT, own) for member, own in members], look)

    def _looks(self, look: Look) -> list[Look]:
        """Return how each member is looked at: at its own site, if at all."""
        return [replace(look, sites=site if look.sites else None) for site in self.looked_at]


def _join(parts: Sequence[dict[str, Tensor]]) -> dict[str, Tensor]:
    return {f"{number}.{name}": tensor for number, part in enumerate(parts) for name, tensor in part.items()}


def _part(tensors: dict[str, Tensor], number: int) -> dict[str, Tensor]:
    prefix = f"{number}."
    return {name.removeprefix(prefix): tensor for name, tensor in tensors.items() if name.startswith(prefix)}


def _mean(outputs: Sequence[Output], look: Look) -> Output:
    """Return the log of the mean probability as logits, and the mean attention."""
    log_probs = torch.stack([output.logits.log_softmax(-1) for output in outputs])
    logits = log_probs.logsumexp(0) - math.log(len(outputs))
    attention = [output.attention for output in outputs if output.attention is not None]
    if not attention:
        return Output(logits, None)
    mean_BQS = torch.stack(attention).mean(0)
    return Output(logits, mean_BQS[:, None, None] if look.sites == "all" else mean_BQS)
