"""Batches of similar length, in an order that a key alone decides, so that training resumes exactly."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, fields
from typing import Any

import numpy as np
import torch
from torch import Tensor

from mt.core.special import BOS, PAD

LONG = 512
"""Source pieces beyond which a batch has fewer target pieces, so that its attention weights are not more."""


@dataclass(frozen=True)
class Batch:
    """What one update reads; target_in starts with <s>, target_out ends with </s>."""

    source_BS: Tensor
    mask_BS: Tensor
    target_in_BT: Tensor
    target_out_BT: Tensor

    @property
    def given(self) -> tuple[Tensor, Tensor, Tensor]:
        """What a model is given: all but what it is to predict."""
        return self.source_BS, self.mask_BS, self.target_in_BT

    def to(self, device: torch.device) -> "Batch":
        """Return the same batch where a model computes."""
        return Batch(*(getattr(self, one.name).to(device) for one in fields(self)))


def batch_of(sources: Sequence[Sequence[int]], targets: Sequence[Sequence[int]]) -> Batch:
    """Return pairs of pieces, </s> last on both sides, as one batch."""
    source_BS, target_BT = pad(sources), pad(targets)
    return Batch(source_BS, source_BS != PAD, pad([[BOS, *row[:-1]] for row in targets]), target_BT)


def pad(rows: Sequence[Sequence[int]]) -> Tensor:
    """Return the rows as one tensor, <pad> after the shorter ones."""
    width = max(map(len, rows))
    return torch.tensor([[*row, *[PAD] * (width - len(row))] for row in rows])


def batch_order(
    source_lengths: np.ndarray[Any, Any],
    target_lengths: np.ndarray[Any, Any],
    batch_tokens: int,
    max_pieces: int,
    key: tuple[int, ...],
) -> list[list[int]]:
    """Return the batches of one epoch: rows of similar length together, in a random order that `key` alone decides.

    A batch holds at most `batch_tokens` target pieces and twice as many source pieces, padding included. Its
    attention weights, target by source pieces, are at most LONG x `batch_tokens`: only sources of more than LONG pieces
    have more. A row that alone exceeds this is a batch. Rows with a side longer than `max_pieces` are left out.
    """
    random = np.random.default_rng(key)
    fits = np.flatnonzero(np.maximum(source_lengths, target_lengths) <= max_pieces)
    near = source_lengths[fits] + random.uniform(0, 3, len(fits))  # sources of nearly one length mix anew each epoch
    batches: list[list[int]] = []
    longest_source = 0
    for row in fits[np.lexsort((near, target_lengths[fits]))].tolist():
        longest_source = max(longest_source, int(source_lengths[row]))
        size = len(batches[-1]) + 1 if batches else 1
        targets, sources = size * int(target_lengths[row]), size * longest_source
        full = targets > batch_tokens or sources > 2 * batch_tokens or targets * longest_source > LONG * batch_tokens
        if not batches or full:
            batches.append([])
            longest_source = int(source_lengths[row])
        batches[-1].append(row)
    return [batches[index] for index in random.permutation(len(batches))]


def group(lengths: Sequence[int], most: int, width: int = 1) -> Iterator[list[int]]:
    """Yield the rows whose length is not 0, at most `most` of similar length together, the longest first.

    The fewer, the longer they are, beyond 100 pieces, and the more hypotheses (`width`) there are of each.
    """
    rows = sorted((row for row, length in enumerate(lengths) if length), key=lambda row: -lengths[row])
    while rows:
        size = max(1, min(most, most * 100 // lengths[rows[0]]) // max(1, width // 10))
        yield rows[:size]
        rows = rows[size:]
