"""A model whose attention comes a step late: each step uses the weights that its step before would have had."""

from dataclasses import replace

import torch
from torch import Tensor

from mt.models.contract import NOTHING, Look, Memory, Output, Seq2Seq, State

PAST = "weights of the step before, layer "


class Delayed(Seq2Seq):
    """A model with the weights of the step before, of every layer and head; the first step has its own.

    They are part of the state, so they follow their hypothesis through any search and any batch.
    """

    def __init__(self, model: Seq2Seq):
        super().__init__()
        self.model, self.sites, self.summary = model, model.sites, f"{model.summary}, attention a step late"

    def encode(self, source_BS: Tensor, mask_BS: Tensor) -> tuple[Memory, State]:
        """Return what the model returns, with weights of 0 before the first step."""
        memory, state = self.model.encode(source_BS, mask_BS)
        layers, heads = self.sites
        nothing_B1NS = torch.zeros(len(mask_BS), 1, heads, mask_BS.shape[1], device=mask_BS.device)
        return memory, state | {f"{PAST}{layer}": nothing_B1NS for layer in range(1, layers + 1)}

    def step(self, previous_BK: Tensor, state: State, memory: Memory, look: Look = NOTHING) -> tuple[Output, State]:
        """Predict by the weights of the step before, and keep those that the model would have used now."""
        own = dict[str, Tensor]()

        def late(weights_BNKS: Tensor, mask_BS: Tensor, layer: int) -> Tensor:
            own[f"{PAST}{layer}"] = weights_BNKS.transpose(1, 2)
            before_BNKS = state[f"{PAST}{layer}"].transpose(1, 2).to(weights_BNKS)
            return before_BNKS.where(before_BNKS.sum(-1, keepdim=True) > 0, weights_BNKS)

        known = {name: tensor for name, tensor in state.items() if not name.startswith(PAST)}
        output, after = self.model.step(previous_BK, known, memory, replace(look, replace=late))
        return output, after | own

    def forward(self, source_BS: Tensor, mask_BS: Tensor, target_in_BT: Tensor, look: Look = NOTHING) -> Output:
        """Predict every next piece of given targets, step by step."""
        memory, state = self.encode(source_BS, mask_BS)
        logits, attention = list[Tensor](), list[Tensor]()
        for piece_B in target_in_BT.unbind(1):
            output, state = self.step(piece_B[:, None], state, memory, look)
            logits.append(output.logits)
            attention += [] if output.attention is None else [output.attention]
        return Output(torch.cat(logits, 1), torch.cat(attention, -2) if attention else None)
