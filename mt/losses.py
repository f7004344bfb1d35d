"""What training lowers, each summed over a batch: the cross-entropy, and what teaches the attention itself.

Shapes as in models/base.py: B sentences, T target pieces, S source pieces, V vocabulary.
"""

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor
from torch.autograd.function import once_differentiable

from mt.special import PAD


def cross_entropy(logits_BTV: Tensor, target_out_BT: Tensor, smoothing: float) -> Tensor:
    """Return the cross-entropy in nats summed over real target pieces, with label smoothing (Szegedy et al. 2016)."""
    summed: Callable[[Tensor, Tensor, float], Tensor] = _CrossEntropy.apply
    return summed(logits_BTV.flatten(0, 1), target_out_BT.flatten(), smoothing)


class _CrossEntropy(torch.autograd.Function):
    """PyTorch's own, in half as many passes over memory: the gradient is written where the log probabilities were.

    N = B x T. So there is one backward for each forward, and no second derivative.
    """

    @staticmethod
    def forward(ctx: Any, logits_NV: Tensor, target_N: Tensor, smoothing: float) -> Tensor:
        log_probs_NV = logits_NV.log_softmax(-1)
        loss_N = (smoothing - 1) * log_probs_NV.gather(1, target_N[:, None])[:, 0]
        if smoothing:
            loss_N -= smoothing * log_probs_NV.mean(1)
        ctx.save_for_backward(log_probs_NV, target_N)
        ctx.smoothing = smoothing
        return loss_N[target_N != PAD].sum()

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor, None, None]:
        """Return the probabilities less the smoothed target, for real pieces."""
        log_probs_NV, target_N = ctx.saved_tensors
        wanted_N1 = target_N[:, None]
        gradient_NV = log_probs_NV.exp_().sub_(ctx.smoothing / log_probs_NV.shape[1])
        gradient_NV.scatter_add_(1, wanted_N1, torch.full_like(wanted_N1, ctx.smoothing - 1, dtype=gradient.dtype))
        return gradient_NV.mul_(gradient * (wanted_N1 != PAD)), None, None


def coverage_loss(attention_BTS: Tensor, target_out_BT: Tensor) -> Tensor:
    """Return the sum over real target pieces and source pieces of min(a, c), See et al. 2017, eq. 12.

    a is the weight of a source piece at a step, c the sum of its weights at all earlier steps.
    """
    covered_BTS = attention_BTS.cumsum(1) - attention_BTS
    overlap_BT = torch.minimum(attention_BTS, covered_BTS).sum(2)
    return overlap_BT[target_out_BT != PAD].sum()


def guide_loss(attention_BTS: Tensor, guide_BTS: Tensor) -> Tensor:
    """Return the cross-entropy in nats of the attention against known weights, Garg et al. 2019, eq. 3.

    Rows of `guide_BTS` sum to one, or to zero where nothing is known; a weight of 0 counts as 1e-9.
    """
    return -(guide_BTS * attention_BTS.clamp_min(1e-9).log()).sum()
