"""What training lowers, each summed over a batch: the cross-entropy, and what teaches the attention itself.

Shapes as in models/contract.py: B sentences, T target pieces, S source pieces, V vocabulary.
"""

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor
from torch.autograd.function import once_differentiable

from mt.core.special import PAD


def cross_entropy(
    logits_BTV: Tensor,
    target_out_BT: Tensor,
    smoothing: float,
    taught: tuple[Tensor, Tensor] | None = None,
    weight: float = 0.0,
) -> Tensor:
    """Return the cross-entropy in nats summed over real target pieces, with label smoothing (Szegedy et al. 2016).

    `taught` are candidates_BTC and their probabilities, each row's summing to one: the cross-entropy to them gets this
    weight, the other the rest (Kim and Rush 2016, eq. 4 and 5).
    """
    summed: Callable[[Tensor, Tensor, Tensor, Tensor, float], Tensor] = _CrossEntropy.apply
    wanted_BTC, smoothing = target_out_BT[:, :, None], (1 - weight) * smoothing
    shares_BTC = torch.full_like(wanted_BTC, 1 - weight - smoothing, dtype=logits_BTV.dtype)
    if taught is not None:
        candidates_BTC, probabilities_BTC = taught
        wanted_BTC = torch.cat((wanted_BTC, candidates_BTC), 2)
        shares_BTC = torch.cat((shares_BTC, weight * probabilities_BTC), 2)
    real_N = target_out_BT.flatten() != PAD
    return summed(logits_BTV.flatten(0, 1), wanted_BTC.flatten(0, 1), shares_BTC.flatten(0, 1), real_N, smoothing)


class _CrossEntropy(torch.autograd.Function):
    """PyTorch's own, in half as many passes over memory: the gradient is written where the log probabilities were.

    N = B x T; of each, C pieces are wanted. Shares and smoothing sum to one. So there is one backward for each forward,
    and no second derivative.
    """

    @staticmethod
    def forward(
        ctx: Any, logits_NV: Tensor, wanted_NC: Tensor, shares_NC: Tensor, real_N: Tensor, smoothing: float
    ) -> Tensor:
        log_probs_NV = logits_NV.log_softmax(-1)
        loss_N = -(shares_NC * log_probs_NV.gather(1, wanted_NC)).sum(1)
        if smoothing:
            loss_N -= smoothing * log_probs_NV.mean(1)
        ctx.save_for_backward(log_probs_NV, wanted_NC, shares_NC, real_N)
        ctx.smoothing = smoothing
        return loss_N[real_N].sum()

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor, None, None, None, None]:
        """Return the probabilities less what is wanted, for real pieces."""
        log_probs_NV, wanted_NC, shares_NC, real_N = ctx.saved_tensors
        gradient_NV = log_probs_NV.exp_().sub_(ctx.smoothing / log_probs_NV.shape[1])
        gradient_NV.scatter_add_(1, wanted_NC, -shares_NC)
        return gradient_NV.mul_(gradient * real_N[:, None]), None, None, None, None


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
