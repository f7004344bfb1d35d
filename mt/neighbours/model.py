"""Nearest-neighbour translation: attention over every target piece of the training split, Khandelwal et al. 2021.

Shapes as in models/contract.py; besides, E is the width of all readouts, N the number of keys, C that of the nearest.
"""

import math
from typing import Protocol

import torch
from torch import Tensor, nn

from mt.config import Nearest
from mt.models.contract import NOTHING, Look, Memory, Output, Read, Seq2Seq, State, need_readouts


class Index(Protocol):
    """What finds the keys nearest to a query."""

    def find(self, query_XE: Tensor, count: int) -> tuple[Tensor, Tensor]:
        """Return the products with the keys that have the greatest, these first, and the places of the keys, [X, C]."""


class NearestNeighbours(Seq2Seq):
    """A model whose predictions are mixed with the pieces that followed the most similar readouts of training.

    p(y) = (1 - weight) p_model(y) + weight x the sum of a over the nearest keys that stand beside the piece y,
    a = softmax(-distance^2 / temperature) over the `count` nearest: eq. 2 and 3, for keys of length 1.
    """

    def __init__(self, model: Seq2Seq, index: Index, pieces_N: Tensor, settings: Nearest):
        super().__init__()
        self.model, self.index, self.settings = model, index, settings
        self.sites, self.summary = model.sites, f"{model.summary}, {settings.count} neighbours"
        self.pieces_N = pieces_N.to(model.device)

    def encode(self, source_BS: Tensor, mask_BS: Tensor) -> tuple[Memory, State]:
        """Return the model's memory and state: the keys are the same for all sentences."""
        return self.model.encode(source_BS, mask_BS)

    def step(self, previous_BK: Tensor, state: State, memory: Memory, look: Look = NOTHING) -> tuple[Output, State]:
        """Predict the piece after `previous_BK`."""
        read, state = need_readouts(self.model).read_step(previous_BK, state, memory, look)
        return self._mix(read), state

    def forward(self, source_BS: Tensor, mask_BS: Tensor, target_in_BT: Tensor, look: Look = NOTHING) -> Output:
        """Predict every next piece of given targets."""
        return self._mix(need_readouts(self.model).read(source_BS, mask_BS, target_in_BT, look))

    def _mix(self, read: Read) -> Output:
        """Return log p(y) as logits."""
        logits = need_readouts(self.model).predict(read.readouts)
        cosine_XC, pieces_XC = self.find(key(read).flatten(0, 1))
        votes_XC = votes(cosine_XC, self.settings.temperature).mul_(self.settings.weight)
        own = logits.softmax(-1).mul_(1 - self.settings.weight)
        mixed = own.flatten(0, 1).scatter_add_(1, pieces_XC, votes_XC)
        return Output(mixed.log_().view_as(logits), read.attention)

    def find(self, query_XE: Tensor) -> tuple[Tensor, Tensor]:
        """Return the cosines of the keys nearest to a `key`, the greatest first, and the pieces beside them, [X, C]."""
        cosine_XC, place_XC = self.index.find(query_XE, self.settings.count)
        return cosine_XC, self.pieces_N[place_XC]


def votes(cosine_XC: Tensor, temperature: float) -> Tensor:
    """Return softmax(-distance^2 / temperature), [X, C]: for vectors of length 1 distance^2 = 2 - 2 x cosine."""
    return (cosine_XC * (2 / temperature)).softmax(1)


def key(read: Read) -> Tensor:
    """Return what is looked up, [B, T or K, E]: the readouts side by side, each as long as the others, 1 in all."""
    parts = [nn.functional.normalize(readout, dim=-1) for readout in read.readouts]
    return torch.cat(parts, -1) / math.sqrt(len(parts))
