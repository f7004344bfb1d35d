"""A moving average of a model's weights (Polyak and Juditsky 1992), as training goes."""

from collections.abc import Iterator
from contextlib import contextmanager

import torch
from torch import Tensor, nn

from mt.runs import checkpoint


class Average:
    """average = decay x average + (1 - decay) x weights, after each update; `tensors` are named as the weights are.

    Early the decay is (1 + update) / (10 + update), where that is less, so that the first weights are soon forgotten.
    """

    def __init__(self, model: nn.Module, decay: float):
        self.model, self.decay = model, decay
        self.tensors = {name: tensor.clone() for name, tensor in checkpoint.weights(model).items()}

    def add(self, update: int) -> None:
        """Take in the weights after this update (from 0)."""
        mine, its = self._pairs()
        torch._foreach_lerp_(mine, its, 1 - min(self.decay, (1 + update) / (10 + update)))

    @contextmanager
    def in_the_model(self) -> Iterator[None]:
        """Let the model have the average as its weights for a while."""
        self._exchange()
        try:
            yield
        finally:
            self._exchange()

    def _exchange(self) -> None:
        for mine, its in zip(*self._pairs(), strict=True):
            kept = its.clone()
            its.copy_(mine)
            mine.copy_(kept)

    def _pairs(self) -> tuple[list[Tensor], list[Tensor]]:
        """Return the averages, and the weights in the same order."""
        its = checkpoint.weights(self.model)
        return [self.tensors[name] for name in its], list(its.values())
