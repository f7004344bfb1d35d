"""Gradient times input: how fast a target piece's log probability grows with each source piece's embedding."""

from collections.abc import Sequence
from typing import Any, Protocol, runtime_checkable

import torch
from torch import Tensor, nn

from mt.core.arrays import Floats
from mt.core.device import differentiable_in_evaluation
from mt.data.batches import group
from mt.inference.scorer import Scored, batch_again
from mt.models.contract import Seq2Seq


@runtime_checkable
class HasSourceEmbedding(Protocol):
    """What gradients ask of a model: one layer embeds the source, and does so before it embeds anything else."""

    source_embedding: nn.Embedding


def gradient_times_input(model: Seq2Seq, read: Sequence[Scored], batch: int) -> list[Floats]:
    """Return the sum over the embedding of (d log p(y_t) / d embedding) x embedding, [T, S], </s> included.

    Raises TypeError when the model has no embedding of the source.
    """
    if not isinstance(model, HasSourceEmbedding):
        raise TypeError("the model has no embedding of the source")
    found: dict[int, Floats] = {}
    for rows in group([max(len(one.source), len(one.target)) for one in read], batch):
        some_BTS = _of_batch(model, model.source_embedding, [read[row] for row in rows])
        for place, row in enumerate(rows):
            found[row] = some_BTS[place, : len(read[row].target), : len(read[row].source)].double().numpy()
    return [found[row] for row in range(len(read))]


@torch.enable_grad()
def _of_batch(model: Seq2Seq, embedding: nn.Embedding, read: Sequence[Scored]) -> Tensor:
    """Return the same for a batch, [B, T, S].

    Sentences do not know each other, so one pass back from the sum over all of them gives the gradients of each.
    """
    embedded = list[Tensor]()

    def keep(module: nn.Module, inputs: Any, output: Tensor) -> Tensor:
        if embedded:  # the target's, where both sides share a layer
            return output
        embedded.append(output.detach().requires_grad_())
        return embedded[0]

    given = batch_again(read, model)
    hook = embedding.register_forward_hook(keep)
    try:
        with differentiable_in_evaluation():
            logits_BTV = model(*given.given).logits
    finally:
        hook.remove()
    own_BT = logits_BTV.log_softmax(-1).gather(2, given.target_out_BT[..., None])[..., 0]
    rows = list[Tensor]()
    for own_B in own_BT.unbind(1):
        (slope_BSE,) = torch.autograd.grad(own_B.sum(), embedded[0], retain_graph=True)
        rows.append((slope_BSE * embedded[0]).sum(-1).detach())
    return torch.stack(rows, 1).cpu()
