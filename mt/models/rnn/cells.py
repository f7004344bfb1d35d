"""CELLS: recurrent units, one step at a time.

Shapes as in models/base.py; besides, G is the width of a cell's gates.
"""

from abc import abstractmethod

import torch
from torch import Tensor, nn

from mt.models.contract import State


class Cell(nn.Module):
    """One step of a recurrent unit. `gates`: rows of its input per unit of width; `parts`: its entries in the state."""

    gates: int
    parts: tuple[str, ...]

    def __init__(self, width: int):
        super().__init__()
        self.recurrent = nn.Linear(width, self.gates * width)

    @abstractmethod
    def forward(self, gates_BKG: Tensor, state: State, layer: str) -> State:
        """Return the new entries of the state for this layer."""


class GRU(Cell):
    """One step of a gated recurrent unit, Cho et al. 2014, with the reset gate after the product, as in cuDNN.

    Inputs come as gates, already multiplied: what does not depend on the state can then be computed for all steps.
    """

    gates, parts = 3, ("hidden",)

    def forward(self, gates_BKG: Tensor, state: State, layer: str) -> State:
        """Return the new entries of the state for this layer."""
        hidden = state["hidden" + layer]
        reset_in, update_in, new_in = gates_BKG.chunk(3, -1)
        reset_h, update_h, new_h = self.recurrent(hidden).chunk(3, -1)
        reset, update = torch.sigmoid(reset_in + reset_h), torch.sigmoid(update_in + update_h)
        new = torch.tanh(torch.addcmul(new_in, reset, new_h))
        return {"hidden" + layer: torch.lerp(new, hidden, update)}


class LSTM(Cell):
    """One step of a long short-term memory, Hochreiter and Schmidhuber 1997, with a forget gate."""

    gates, parts = 4, ("hidden", "cell")

    def forward(self, gates_BKG: Tensor, state: State, layer: str) -> State:
        """Return the new entries of the state for this layer."""
        keep, forget, new, out = (gates_BKG + self.recurrent(state["hidden" + layer])).chunk(4, -1)
        cell = torch.sigmoid(forget) * state["cell" + layer] + torch.sigmoid(keep) * torch.tanh(new)
        return {"hidden" + layer: torch.sigmoid(out) * torch.tanh(cell), "cell" + layer: cell}


CELLS: dict[str, type[Cell]] = {"gru": GRU, "lstm": LSTM}
