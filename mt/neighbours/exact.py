"""The nearest keys by looking at all of them.

Shapes as in model.py.
"""

import torch
from torch import Tensor

GROUP = 32
"""Keys that are looked at together before each alone."""
WIDENED = 2**12
"""Keys that are brought to the precision of the queries at once, so that a cache holds them."""
PRODUCTS = 2**24
"""Products that are held at once: 64 MiB."""


class Exact:
    """All keys, part after part: they may be of another precision than the queries, and stay in their file."""

    def __init__(self, keys_NE: Tensor):
        self.keys_NE = keys_NE

    def find(self, query_XE: Tensor, count: int) -> tuple[Tensor, Tensor]:
        """Return the products with the keys that have the greatest, these first, and the places of the keys, [X, C]."""
        query_EX, count = query_XE.t().contiguous(), min(count, len(self.keys_NE))
        size = max(1, PRODUCTS // len(query_XE) // GROUP) * GROUP
        product_CX = query_EX.new_zeros(0, len(query_XE))
        place_CX = torch.zeros_like(product_CX, dtype=torch.long)
        for start in range(0, len(self.keys_NE), size):
            part_CX, at_CX = _greatest(self._products(query_EX, start, start + size), count)
            product_CX, place_CX = torch.cat((product_CX, part_CX)), torch.cat((place_CX, at_CX + start))
            product_CX, best_CX = product_CX.topk(min(count, len(product_CX)), 0)
            place_CX = place_CX.gather(0, best_CX)
        return product_CX.t(), place_CX.t()

    def _products(self, query_EX: Tensor, start: int, end: int) -> Tensor:
        """Return those of the keys from start to end, [N, X], filled up to a whole group."""
        keys_NE = self.keys_NE[start:end]
        product_NX = query_EX.new_full((len(keys_NE) + -len(keys_NE) % GROUP, query_EX.shape[1]), -torch.inf)
        wide_NE = query_EX.new_empty(min(WIDENED, len(keys_NE)), len(query_EX))
        for place in range(0, len(keys_NE), WIDENED):
            some_NE = wide_NE[: len(keys_NE) - place]
            torch.mm(
                some_NE.copy_(keys_NE[place : place + WIDENED]), query_EX, out=product_NX[place : place + len(some_NE)]
            )
        return product_NX


def _greatest(product_NX: Tensor, count: int) -> tuple[Tensor, Tensor]:
    """Return the greatest numbers of each column and their places, [C, X].

    Exact: the C greatest stand in the C groups whose maxima are greatest.
    """
    groups_NGX = product_NX.unflatten(0, (-1, GROUP))
    chosen_CX = groups_NGX.amax(1).topk(min(count, len(groups_NGX)), 0).indices
    within = groups_NGX.gather(0, chosen_CX[:, None].expand(-1, GROUP, -1)).flatten(0, 1)
    greatest_CX, place_CX = within.topk(min(count, len(within)), 0)
    return greatest_CX, chosen_CX.gather(0, place_CX // GROUP) * GROUP + place_CX % GROUP
