"""Several models of one vocabulary as one."""

import math
from collections.abc import Sequence
from typing import cast

import torch
from torch import Tensor, nn

from mt.models.contract import Memory, Output, Seq2Seq, State


class Ensemble(Seq2Seq):
    """Predicts with the mean of its members' probabilities; looks with the mean of the attention of those that have it.

    Names in memory and state are the members' own, each behind its member's number: "0.hidden0".
    """

    def __init__(self, members: Sequence[Seq2Seq]):
        super().__init__()
        self.members = cast(Sequence[Seq2Seq], nn.ModuleList(members))  # which is what it holds

    def encode(self, source_BS: Tensor, mask_BS: Tensor) -> tuple[Memory, State]:
        """Return the memories and the start states of all members."""
        memories, states = zip(*(member.encode(source_BS, mask_BS) for member in self.members), strict=True)
        return _join(memories), _join(states)

    def step(self, previous_BK: Tensor, state: State, memory: Memory) -> tuple[Output, State]:
        """Predict the piece after `previous_BK`."""
        outputs, states = zip(
            *(
                member.step(previous_BK, _part(state, number), _part(memory, number))
                for number, member in enumerate(self.members)
            ),
            strict=True,
        )
        return _mean(outputs), _join(states)

    def forward(self, source_BS: Tensor, mask_BS: Tensor, target_in_BT: Tensor, attention: bool = False) -> Output:
        """Predict every next piece of given targets."""
        return _mean([member(source_BS, mask_BS, target_in_BT, attention) for member in self.members])

    def posterior(self, source_BS: Tensor, mask_BS: Tensor, target_in_BT: Tensor, target_out_BT: Tensor) -> Tensor:
        """Return the mean of the members' posteriors, all of which must have attention."""
        found = [member.posterior(source_BS, mask_BS, target_in_BT, target_out_BT) for member in self.members]
        return torch.stack(found).mean(0)


def _join(parts: Sequence[dict[str, Tensor]]) -> dict[str, Tensor]:
    return {f"{number}.{name}": tensor for number, part in enumerate(parts) for name, tensor in part.items()}


def _part(tensors: dict[str, Tensor], number: int) -> dict[str, Tensor]:
    prefix = f"{number}."
    return {name.removeprefix(prefix): tensor for name, tensor in tensors.items() if name.startswith(prefix)}


def _mean(outputs: Sequence[Output]) -> Output:
    """Return the log of the mean probability as logits, and the mean attention."""
    log_probs = torch.stack([output.logits.log_softmax(-1) for output in outputs])
    attention = [output.attention for output in outputs if output.attention is not None]
    return Output(
        log_probs.logsumexp(0) - math.log(len(outputs)), torch.stack(attention).mean(0) if attention else None
    )
