"""Attention: a score for each (query, key), a softmax over the real source pieces, and a weighted sum of the values.

Shapes as in models/base.py: B sentences, Q queries, S source pieces, H width of a query, C width of a value,
A width inside a score. Keys are computed once per sentence; every query of the sentence uses them.
"""

from abc import abstractmethod
from collections.abc import Callable

import torch
from torch import Tensor, nn
from torch.nn import functional


class Score(nn.Module):
    """How well each query matches each key, before the softmax. Widths: of a query, of a value, inside the score."""

    @abstractmethod
    def __init__(self, query: int, value: int, width: int):
        super().__init__()

    @abstractmethod
    def keys(self, values_BSC: Tensor) -> Tensor:
        """Return what depends on the source alone, [B, S, A]."""

    @abstractmethod
    def forward(self, query_BQH: Tensor, keys_BSA: Tensor) -> Tensor:
        """Return scores_BQS."""


class Additive(Score):
    """v · tanh(W q + U k), Bahdanau et al. 2015, A.1.2."""

    def __init__(self, query: int, value: int, width: int):
        super().__init__(query, value, width)
        self.query = nn.Linear(query, width, bias=False)
        self.key = nn.Linear(value, width)
        self.vector = nn.Parameter(torch.empty(width))

    def keys(self, values_BSC: Tensor) -> Tensor:
        """U k, and the bias."""
        keys_BSA: Tensor = self.key(values_BSC)
        return keys_BSA

    def forward(self, query_BQH: Tensor, keys_BSA: Tensor) -> Tensor:
        """Score every query against every key."""
        hidden_BQSA = torch.tanh(self.query(query_BQH)[:, :, None] + keys_BSA[:, None])
        return hidden_BQSA @ self.vector


class Concat(Score):
    """v · tanh(W [q; k]), one matrix over the concatenation, Luong et al. 2015, eq. 8.

    W is learned whole; in Luong's own runs one of its blocks was the identity (his footnote 15).
    """

    def __init__(self, query: int, value: int, width: int):
        super().__init__(query, value, width)
        self.matrix = nn.Linear(query + value, width)
        self.vector = nn.Parameter(torch.empty(width))

    def keys(self, values_BSC: Tensor) -> Tensor:
        """Multiply the values by the columns of W that meet them: W [q; k] is the sum of two products."""
        return functional.linear(values_BSC, self.matrix.weight[:, -values_BSC.shape[-1] :], self.matrix.bias)

    def forward(self, query_BQH: Tensor, keys_BSA: Tensor) -> Tensor:
        """Score every query against every key."""
        query_BQA = functional.linear(query_BQH, self.matrix.weight[:, : query_BQH.shape[-1]])
        hidden_BQSA = torch.tanh(query_BQA[:, :, None] + keys_BSA[:, None])
        return hidden_BQSA @ self.vector


class General(Score):
    """q · W k, Luong et al. 2015, eq. 8."""

    def __init__(self, query: int, value: int, width: int):
        super().__init__(query, value, width)
        self.matrix = nn.Linear(value, query, bias=False)

    def keys(self, values_BSC: Tensor) -> Tensor:
        """W k."""
        keys_BSH: Tensor = self.matrix(values_BSC)
        return keys_BSH

    def forward(self, query_BQH: Tensor, keys_BSA: Tensor) -> Tensor:
        """Score every query against every key."""
        return query_BQH @ keys_BSA.transpose(1, 2)


class Dot(Score):
    """q · k, Luong et al. 2015, eq. 8; query and value have one width."""

    def keys(self, values_BSC: Tensor) -> Tensor:
        """Return the values themselves."""
        return values_BSC

    def forward(self, query_BQH: Tensor, keys_BSA: Tensor) -> Tensor:
        """Score every query against every key."""
        return query_BQH @ keys_BSA.transpose(1, 2)


class Attention(nn.Module):
    """Weights = softmax of a score over the real pieces; context = weights · values."""

    def __init__(self, score: Score):
        super().__init__()
        self.score = score

    def memory(self, values_BSC: Tensor, mask_BS: Tensor) -> dict[str, Tensor]:
        """Return what `forward` needs of a source; the same for all of its queries."""
        return {"keys": self.score.keys(values_BSC), "values": values_BSC, "mask": mask_BS}

    def forward(self, query_BQH: Tensor, memory: dict[str, Tensor]) -> tuple[Tensor, Tensor | None]:
        """Return context_BQC and the weights_BQS, whose rows sum to one over the real pieces."""
        scores_BQS = self.score(query_BQH, memory["keys"]).masked_fill(~memory["mask"][:, None], -torch.inf)
        weights_BQS = scores_BQS.softmax(-1)
        return weights_BQS @ memory["values"], weights_BQS


class FixedVector(nn.Module):
    """No attention: every query gets the same vector, the mean of the values.

    The control: what attention was invented to replace (Cho et al. 2014; Sutskever et al. 2014).
    """

    def memory(self, values_BSC: Tensor, mask_BS: Tensor) -> dict[str, Tensor]:
        """Return the one vector, [B, 1, C]."""
        return {"vector": masked_mean(values_BSC, mask_BS)[:, None]}

    def forward(self, query_BQH: Tensor, memory: dict[str, Tensor]) -> tuple[Tensor, Tensor | None]:
        """Return the vector for every query, and no weights."""
        return memory["vector"].expand(-1, query_BQH.shape[1], -1), None


def masked_mean(values_BSC: Tensor, mask_BS: Tensor) -> Tensor:
    """Return the mean of the real values of each sentence, [B, C]."""
    return (values_BSC * mask_BS[:, :, None]).sum(1) / mask_BS.sum(1, keepdim=True)


SCORES: dict[str, Callable[[int, int, int], Score]] = {
    "additive": Additive,
    "dot": Dot,
    "general": General,
    "concat": Concat,
}


def build(score: str, query: int, value: int, width: int) -> Attention | FixedVector:
    """Return the attention named `score` for queries and values of these widths; "none" is the fixed-length vector."""
    return FixedVector() if score == "none" else Attention(SCORES[score](query, value, width))
