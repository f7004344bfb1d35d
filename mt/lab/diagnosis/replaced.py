"""What attention's weights are replaced by, to see whether a model needs them.

Each is a `Replace` of models/contract.py: (weights_BNQS, mask_BS, layer) -> the weights to use instead. None knows the
step, so that they hold in training's pass and in search alike; what must remember the step before is in delayed.py.
"""

import functools
import random

import torch
from torch import Tensor

from mt.models.contract import Replace


def uniform(weights_BNQS: Tensor, mask_BS: Tensor, layer: int) -> Tensor:
    """Return equal weights for all real pieces."""
    real_BS = mask_BS.to(weights_BNQS)
    return (real_BS / real_BS.sum(1, keepdim=True))[:, None, None].expand_as(weights_BNQS)


def permuted(weights_BNQS: Tensor, mask_BS: Tensor, layer: int) -> Tensor:
    """Return the weights of other pieces: one permutation for each number of real pieces, which moves every piece."""
    size = mask_BS.shape[1]
    rows = [[*_moved(real, layer), *range(real, size)] for real in mask_BS.sum(1).tolist()]
    places_BS = torch.tensor(rows, device=mask_BS.device)
    return weights_BNQS.gather(3, places_BS[:, None, None].expand_as(weights_BNQS))


@functools.cache
def _moved(size: int, seed: int) -> list[int]:
    """Return the numbers below `size` in a random order with none in its own place; one alone stays."""
    draw, order = random.Random(f"{seed} {size}"), list(range(size))
    while size > 1 and any(place == number for place, number in enumerate(order)):
        draw.shuffle(order)
    return order


def without_largest(weights_BNQS: Tensor, mask_BS: Tensor, layer: int) -> Tensor:
    """Return the weights without the largest, the others raised to the same sum; equal ones where these are all 0."""
    largest_BNQ1 = weights_BNQS.argmax(-1, keepdim=True)
    others_BNQS = mask_BS[:, None, None].expand_as(weights_BNQS).scatter(3, largest_BNQ1, False)
    kept_BNQS = weights_BNQS * others_BNQS
    kept_BNQS = kept_BNQS.where(kept_BNQS.sum(-1, keepdim=True) > 0, others_BNQS.to(weights_BNQS))
    left_BNQ1 = kept_BNQS.sum(-1, keepdim=True).clamp_min(torch.finfo(weights_BNQS.dtype).tiny)
    return kept_BNQS * (weights_BNQS.sum(-1, keepdim=True) / left_BNQ1)


def only_largest(weights_BNQS: Tensor, mask_BS: Tensor, layer: int) -> Tensor:
    """Return the whole weight on the piece of the largest."""
    largest_BNQ1 = weights_BNQS.argmax(-1, keepdim=True)
    return torch.zeros_like(weights_BNQS).scatter(3, largest_BNQ1, weights_BNQS.sum(-1, keepdim=True))


REPLACEMENTS: dict[str, Replace] = {
    "uniform": uniform,
    "permuted": permuted,
    "largest zeroed": without_largest,
    "largest only": only_largest,
}
