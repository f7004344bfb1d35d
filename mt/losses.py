"""What training lowers, each summed over a batch: the cross-entropy, and what teaches the attention itself.

Shapes as in models/base.py: B sentences, T target pieces, S source pieces, V vocabulary.
"""

import torch
from torch import Tensor
from torch.nn import functional

from mt.special import PAD


def cross_entropy(logits_BTV: Tensor, target_out_BT: Tensor, smoothing: float) -> Tensor:
    """Return the cross-entropy in nats summed over real target pieces, with label smoothing (Szegedy et al. 2016)."""
    return functional.cross_entropy(
        logits_BTV.flatten(0, 1), target_out_BT.flatten(), ignore_index=PAD, label_smoothing=smoothing, reduction="sum"
    )


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
