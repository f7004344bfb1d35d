"""SCORES: how well a query matches each key, before the softmax.

Shapes: B sentences, Q queries, S source pieces, H width of a query, C width of a value, A width inside a score.
"""

from abc import abstractmethod
from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional

from mt.attention.parameters import Linear, small_vector


class Score(nn.Module):
    """How well each query matches each key. Widths: of a query, of a value, inside the score."""

    @abstractmethod
    def __init__(self, query: int, value: int, width: int):
        super().__init__()

    def keys(self, values_BSC: Tensor) -> Tensor:
        """Return what depends on the source alone, [B, S, A]: the values themselves where a score has no more to do."""
        return values_BSC

    @abstractmethod
    def forward(self, query_BQH: Tensor, keys_BSA: Tensor) -> Tensor:
        """Return scores_BQS."""


class _QuickTanh(torch.autograd.Function):
    """tanh x = 2 sigmoid(2 x) - 1: on a CPU it takes less than half the time of torch.tanh.

    In float32 even of bfloat16: the difference would leave a small x no digits.
    """

    @staticmethod
    def forward(ctx: Any, x: Tensor) -> Tensor:
        wide = x.float() if x.dtype == torch.bfloat16 else x
        result = (2 * wide).sigmoid_().mul_(2).sub_(1).to(x.dtype)
        ctx.save_for_backward(result)
        return result

    @staticmethod
    def backward(ctx: Any, gradient: Tensor) -> Tensor:
        passed_on: Tensor = torch.ops.aten.tanh_backward(gradient, *ctx.saved_tensors)
        return passed_on


_tanh: Callable[[Tensor], Tensor] = _QuickTanh.apply


class Tanh(Score):
    """A score of the form v · tanh(query part + key part)."""

    vector: nn.Parameter

    @abstractmethod
    def queries(self, query_BQH: Tensor) -> Tensor:
        """Return the query's part, [B, Q, A]."""

    def forward(self, query_BQH: Tensor, keys_BSA: Tensor, extra_BQSA: Tensor | None = None) -> Tensor:
        """Score every query against every key; `extra_BQSA` is one more summand inside the tanh."""
        queries_BQ1A, keys_B1SA = self.queries(query_BQH)[:, :, None], keys_BSA[:, None]
        if extra_BQSA is None and not torch.is_grad_enabled() and keys_BSA.dtype != torch.bfloat16:
            # The same, but what _QuickTanh does besides the sigmoid is done where there is one query, or one score.
            twice_BQSA = torch.add(2 * queries_BQ1A, keys_B1SA, alpha=2)
            return twice_BQSA.sigmoid_() @ (2 * self.vector) - self.vector.sum()
        sum_BQSA = queries_BQ1A + keys_B1SA
        return _tanh(sum_BQSA if extra_BQSA is None else sum_BQSA + extra_BQSA) @ self.vector


class Additive(Tanh):
    """v · tanh(W q + U k), Bahdanau et al. 2015, A.1.2."""

    def __init__(self, query: int, value: int, width: int):
        super().__init__(query, value, width)
        self.query = Linear(query, width, bias=False)
        self.key = Linear(value, width)
        self.vector = small_vector(width)

    def keys(self, values_BSC: Tensor) -> Tensor:
        """U k, and the bias."""
        keys_BSA: Tensor = self.key(values_BSC)
        return keys_BSA

    def queries(self, query_BQH: Tensor) -> Tensor:
        """W q."""
        query_BQA: Tensor = self.query(query_BQH)
        return query_BQA


class Concat(Tanh):
    """v · tanh(W [q; k]), one matrix over the concatenation, Luong et al. 2015, section 3.1.

    W is learned whole; in Luong's own runs one of its blocks was the identity (his footnote 15).
    """

    def __init__(self, query: int, value: int, width: int):
        super().__init__(query, value, width)
        self.matrix = Linear(query + value, width)
        self.vector = small_vector(width)

    def keys(self, values_BSC: Tensor) -> Tensor:
        """Multiply the values by the columns of W that meet them: W [q; k] is the sum of two products."""
        return functional.linear(values_BSC, self.matrix.weight[:, -values_BSC.shape[-1] :], self.matrix.bias)

    def queries(self, query_BQH: Tensor) -> Tensor:
        """Multiply the queries by the columns of W that meet them."""
        return functional.linear(query_BQH, self.matrix.weight[:, : query_BQH.shape[-1]])


class Dot(Score):
    """q · k, Luong et al. 2015, section 3.1; query and value have one width."""

    def __init__(self, query: int, value: int, width: int):
        super().__init__(query, value, width)

    def forward(self, query_BQH: Tensor, keys_BSA: Tensor) -> Tensor:
        """Score every query against every key."""
        return query_BQH @ keys_BSA.transpose(1, 2)


class General(Dot):
    """q · W k, Luong et al. 2015, section 3.1."""

    def __init__(self, query: int, value: int, width: int):
        super().__init__(query, value, width)
        self.matrix = Linear(value, query, bias=False)

    def keys(self, values_BSC: Tensor) -> Tensor:
        """W k."""
        keys_BSH: Tensor = self.matrix(values_BSC)
        return keys_BSH


class ScaledDot(Dot):
    """q · k / sqrt(H), Vaswani et al. 2017, eq. 1; query and value have one width."""

    def forward(self, query_BQH: Tensor, keys_BSA: Tensor) -> Tensor:
        """Score every query against every key."""
        scale: float = query_BQH.shape[-1] ** -0.5
        return super().forward(query_BQH * scale, keys_BSA)


class Location(Score):
    """W q, a score for each place, whatever stands there, Luong et al. 2015, eq. 8. `width`: how many places."""

    def __init__(self, query: int, value: int, width: int):
        super().__init__(query, value, width)
        self.places = Linear(query, width, bias=False)

    def keys(self, values_BSC: Tensor) -> Tensor:
        """Return keys of width 0: they say only how many places there are."""
        return values_BSC[:, :, :0]

    def forward(self, query_BQH: Tensor, keys_BSA: Tensor) -> Tensor:
        """Score every place; those out of reach get the lowest number, which a window of such places alone survives."""
        scores_BQS: Tensor = self.places(query_BQH)[:, :, : keys_BSA.shape[1]]
        beyond = keys_BSA.shape[1] - scores_BQS.shape[2]
        return functional.pad(scores_BQS, (0, beyond), value=torch.finfo(scores_BQS.dtype).min)


SCORES: dict[str, type[Score]] = {
    "additive": Additive,
    "dot": Dot,
    "general": General,
    "concat": Concat,
    "location": Location,
    "scaled_dot": ScaledDot,
}
