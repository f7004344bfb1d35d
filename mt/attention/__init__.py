"""Attention: a score for each (query, key), a window, a softmax over what it allows, a weighted sum of the values.

Shapes as in models/contract.py: B sentences, Q queries, S source pieces, H width of a query, C width of a value,
A width inside a score, N heads. Keys are computed once per sentence; every query of the sentence uses them. What a
query must know of its past (its step, the weights so far) is `past`, entries of the model's State with leading B, Q.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace

import torch
from torch import Tensor, nn

from mt.attention.parameters import Linear, small_vector
from mt.attention.scores import SCORES, Score, Tanh
from mt.attention.windows import WINDOWS, Window

Tensors = dict[str, Tensor]
Result = tuple[Tensor, Tensor | None, Tensors]
"""context_BQC, weights_BNQS or None, and the new past."""
Change = Callable[[Tensor, Tensor], Tensor]
"""(weights_BNQS, mask_BS) -> the weights to use instead, of the same shape."""


class Attention(nn.Module):
    """Weights = softmax of a score over what a window allows, times the window's factor; context = weights · values."""

    def __init__(self, score: Score, window: Window):
        super().__init__()
        self.score, self.window = score, window

    def memory(self, values_BSC: Tensor, mask_BS: Tensor) -> Tensors:
        """Return what `forward` needs of a source; the same for all of its queries."""
        return {"keys": self.score.keys(values_BSC), "values": values_BSC, "mask": mask_BS}

    def start(self, values_BSC: Tensor) -> Tensors:
        """Return the past of the first query, Q = 1: its step is 0."""
        return {"step": values_BSC.new_zeros(values_BSC.shape[0], 1, dtype=torch.long)}

    def forward(self, query_BQH: Tensor, memory: Tensors, past: Tensors, change: Change | None = None) -> Result:
        """Return contexts, the weights (of one head), changed where that is asked for, and the new past."""
        weights_BQS = self.weigh(query_BQH, memory, past)
        if change is not None:
            weights_BQS = change(weights_BQS[:, None], memory["mask"])[:, 0]
        return weights_BQS @ memory["values"], weights_BQS[:, None], self.passed(past, weights_BQS)

    def weigh(self, query_BQH: Tensor, memory: Tensors, past: Tensors) -> Tensor:
        """Return weights_BQS; rows sum to one over the allowed pieces, times the factor."""
        allowed_BQS, factor_BQS = self.window(query_BQH, memory["mask"], past["step"])
        scores_BQS = self.scores(query_BQH, memory["keys"], past)
        weights_BQS = scores_BQS.masked_fill(~allowed_BQS, -torch.inf).softmax(-1)
        if factor_BQS is not None:
            weights_BQS = weights_BQS * factor_BQS
        return weights_BQS

    def alone(self, memory: Tensors) -> Tensor:
        """Return the context of a query that looks at one piece alone, for each piece, [B, S, C]."""
        return memory["values"]

    def scores(self, query_BQH: Tensor, keys_BSA: Tensor, past: Tensors) -> Tensor:
        """Return scores_BQS."""
        scores_BQS: Tensor = self.score(query_BQH, keys_BSA)
        return scores_BQS

    def passed(self, past: Tensors, weights_BQS: Tensor) -> Tensors:
        """Return the past of the next query."""
        return {"step": past["step"] + 1}


class CoverageAttention(Attention):
    """The score also sees the sum of all earlier weights: v · tanh(W q + U k + w c), See et al. 2017, eq. 10-11."""

    score: Tanh

    def __init__(self, score: Tanh, window: Window):
        super().__init__(score, window)
        self.coverage = small_vector(len(score.vector))

    def start(self, values_BSC: Tensor) -> Tensors:
        """Return the past of the first query: nothing is covered."""
        return super().start(values_BSC) | {
            "coverage": values_BSC.new_zeros(values_BSC.shape[0], 1, values_BSC.shape[1])
        }

    def scores(self, query_BQH: Tensor, keys_BSA: Tensor, past: Tensors) -> Tensor:
        """Return scores_BQS."""
        scores_BQS: Tensor = self.score(query_BQH, keys_BSA, past["coverage"][..., None] * self.coverage)
        return scores_BQS

    def passed(self, past: Tensors, weights_BQS: Tensor) -> Tensors:
        """Add this query's weights to what is covered."""
        return super().passed(past, weights_BQS) | {"coverage": past["coverage"] + weights_BQS}


class MultiHead(nn.Module):
    """Several heads, each with its own projection of queries and values, after Vaswani et al. 2017, 3.2.2.

    Unlike there, keys are made of the projected values: by the score's own matrix, or as they are where it has none.
    The heads share the parameters of the attention that they ask, which sees each of them as a sentence of its own.
    """

    def __init__(self, inner: Attention, heads: int, query: int, value: int, width: int):
        super().__init__()
        self.inner, self.heads = inner, heads
        self.ask = Linear(query, width, bias=False)
        self.value = Linear(value, width, bias=False)
        self.combine = Linear(width, value, bias=False)

    def memory(self, values_BSC: Tensor, mask_BS: Tensor) -> Tensors:
        """Return what `forward` needs of a source, [B, N, ...]."""
        folded = self.inner.memory(self._fold(self.value(values_BSC)), mask_BS.repeat_interleave(self.heads, 0))
        return {name: tensor.unflatten(0, (-1, self.heads)) for name, tensor in folded.items()}

    def start(self, values_BSC: Tensor) -> Tensors:
        """Return the past of the first query; the heads have one past."""
        return self.inner.start(values_BSC)

    def forward(self, query_BQH: Tensor, memory: Tensors, past: Tensors, change: Change | None = None) -> Result:
        """Return the heads' contexts joined, the weights of each, changed where that is asked for, and the new past."""
        folded = {name: tensor.flatten(0, 1) for name, tensor in memory.items()}
        step_XQ = past["step"].repeat_interleave(self.heads, 0)
        weights_XQS = self.inner.weigh(self._fold(self.ask(query_BQH)), folded, {"step": step_XQ})
        weights_BNQS = weights_XQS.unflatten(0, (-1, self.heads))
        if change is not None:
            weights_BNQS = change(weights_BNQS, memory["mask"][:, 0])
        context_XQA = weights_BNQS.flatten(0, 1) @ folded["values"]
        joined_BQA = context_XQA.unflatten(0, (-1, self.heads)).transpose(1, 2).flatten(2)
        return self.combine(joined_BQA), weights_BNQS, {"step": past["step"] + 1}

    def alone(self, memory: Tensors) -> Tensor:
        """Return the context of a query all of whose heads look at one piece alone, for each piece, [B, S, C]."""
        alone_BSC: Tensor = self.combine(memory["values"].transpose(1, 2).flatten(2))
        return alone_BSC

    def _fold(self, tensor_BXA: Tensor) -> Tensor:
        """Return [B x N, X, A / N]."""
        folded: Tensor = tensor_BXA.unflatten(2, (self.heads, -1)).transpose(1, 2).flatten(0, 1)
        return folded


class FixedVector(nn.Module):
    """No attention: every query gets the same vector, the mean of the values.

    The control: what attention was invented to replace (Cho et al. 2014; Sutskever et al. 2014).
    """

    def memory(self, values_BSC: Tensor, mask_BS: Tensor) -> Tensors:
        """Return the one vector, [B, 1, C]."""
        return {"vector": masked_mean(values_BSC, mask_BS)[:, None]}

    def start(self, values_BSC: Tensor) -> Tensors:
        """Return no past: the vector is the same for every query."""
        return {}

    def forward(self, query_BQH: Tensor, memory: Tensors, past: Tensors, change: Change | None = None) -> Result:
        """Return the vector for every query, and no weights."""
        return memory["vector"].expand(-1, query_BQH.shape[1], -1), None, {}

    def alone(self, memory: Tensors) -> Tensor:
        """Return the vector."""
        return memory["vector"]


def masked_mean(values_BSC: Tensor, mask_BS: Tensor) -> Tensor:
    """Return the mean of the real values of each sentence, [B, C]."""
    return (values_BSC * mask_BS[:, :, None]).sum(1) / mask_BS.sum(1, keepdim=True)


@dataclass(frozen=True)
class Plan:
    """What attention to build: names from SCORES and WINDOWS, and their sizes."""

    score: str
    """"none" is the fixed-length vector."""
    width: int
    """Inside the score and local-p's predictor; with several heads, that of all of them together."""
    window: str = "global"
    half_width: int = 10
    """A local window reaches so many pieces to each side."""
    heads: int = 1
    coverage: bool = False
    longest: int = 200
    """The reach of the location score."""


def build(plan: Plan, query: int, value: int) -> Attention | MultiHead | FixedVector:
    """Return the attention that is planned, for queries and values of these widths."""
    if plan.score == "none":
        return FixedVector()
    if plan.heads > 1:
        inside = plan.width // plan.heads
        inner = _one_head(replace(plan, width=inside, coverage=False), inside, inside)
        return MultiHead(inner, plan.heads, query, value, plan.width)
    return _one_head(plan, query, value)


def _one_head(plan: Plan, query: int, value: int) -> Attention:
    score = SCORES[plan.score](query, value, plan.longest if plan.score == "location" else plan.width)
    window = WINDOWS[plan.window](query, plan.width, plan.half_width)
    if not plan.coverage:
        return Attention(score, window)
    if not isinstance(score, Tanh):
        raise TypeError(f"coverage is a term inside a tanh, and the {plan.score} score has none")
    return CoverageAttention(score, window)
