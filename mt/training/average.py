"""A moving average of a model's weights (Polyak and Juditsky 1992), as training goes."""

import torch
from torch import Tensor
from torch.optim.swa_utils import AveragedModel

from mt.models.contract import Seq2Seq
from mt.models.rnn.encoder import lay_together

Tensors = tuple[Tensor, ...] | list[Tensor]


class Average(AveragedModel):
    """average = decay x average + (1 - decay) x weights, after each update; `module` is a model that has the average.

    Early the decay is (1 + update) / (10 + update), where that is less, so that the first weights are soon forgotten.
    """

    module: Seq2Seq

    def __init__(self, model: Seq2Seq, decay: float):
        def blend(averages: Tensors, weights: Tensors, updates: Tensor | int) -> None:
            torch._foreach_lerp_(averages, weights, 1 - min(decay, float(updates) / (9 + float(updates))))

        super().__init__(model, multi_avg_fn=blend)
        lay_together(self.module)
        self.stand_at(0)

    def stand_at(self, update: int) -> None:
        """Go on after so many updates; PyTorch counts the first weights, which are averaged in too, as one more."""
        self.n_averaged.fill_(1 + update)
