"""WINDOWS: which source pieces a query may look at, and with what factor (Luong et al. 2015, 3.2).

Shapes: B sentences, Q queries, S source pieces, H width of a query. Places and steps count from 0.
"""

from abc import abstractmethod

import torch
from torch import Tensor, nn

from mt.attention.parameters import Linear, small_vector


class Window(nn.Module):
    """What a query sees. Built from the width of a query, the width inside, and D, the reach to each side."""

    @abstractmethod
    def __init__(self, query: int, width: int, half_width: int):
        super().__init__()

    @abstractmethod
    def forward(self, query_BQH: Tensor, mask_BS: Tensor, step_BQ: Tensor) -> tuple[Tensor, Tensor | None]:
        """Return allowed_BQS, True for at least one real piece, and what multiplies the weights, or None for one."""


class Global(Window):
    """All real pieces."""

    def __init__(self, query: int, width: int, half_width: int):
        super().__init__(query, width, half_width)

    def forward(self, query_BQH: Tensor, mask_BS: Tensor, step_BQ: Tensor) -> tuple[Tensor, Tensor | None]:
        """Every query sees every real piece."""
        return mask_BS[:, None], None


class LocalM(Window):
    """Pieces t - D to t + D at step t ("monotonic"); past the end of the source, those around its last piece."""

    def __init__(self, query: int, width: int, half_width: int):
        super().__init__(query, width, half_width)
        self.half_width = half_width

    def forward(self, query_BQH: Tensor, mask_BS: Tensor, step_BQ: Tensor) -> tuple[Tensor, Tensor | None]:
        """Centre the window on the step."""
        centre_BQ = step_BQ.minimum(mask_BS.sum(1, keepdim=True) - 1)
        return _distance(centre_BQ, mask_BS).abs() <= self.half_width, None


class LocalP(Window):
    """Pieces p - D to p + D, p = S · sigmoid(v · tanh(W q)), eq. 9; times exp(-(s - p)² / (2 σ²)), σ = D / 2, eq. 10.

    The softmax comes before the factor, so that weights sum to less than one.
    """

    def __init__(self, query: int, width: int, half_width: int):
        super().__init__(query, width, half_width)
        self.query = Linear(query, width, bias=False)
        self.vector = small_vector(width)
        self.half_width = half_width

    def forward(self, query_BQH: Tensor, mask_BS: Tensor, step_BQ: Tensor) -> tuple[Tensor, Tensor | None]:
        """Centre the window on the predicted place."""
        centre_BQ = mask_BS.sum(1, keepdim=True) * torch.sigmoid(torch.tanh(self.query(query_BQH)) @ self.vector)
        distance_BQS = _distance(centre_BQ, mask_BS)
        factor_BQS = torch.exp(-2 * (distance_BQS / self.half_width) ** 2)
        return distance_BQS.abs() <= self.half_width, factor_BQS


def _distance(centre_BQ: Tensor, mask_BS: Tensor) -> Tensor:
    """Return how far each piece stands from the centre, [B, Q, S]; infinitely far where it is padding."""
    place_S = torch.arange(mask_BS.shape[1], device=mask_BS.device)
    distance_BQS = place_S.to(centre_BQ.dtype) - centre_BQ[:, :, None]
    return distance_BQS.masked_fill(~mask_BS[:, None], 1 << 30)


WINDOWS: dict[str, type[Window]] = {"global": Global, "local-m": LocalM, "local-p": LocalP}
