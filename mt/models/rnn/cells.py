"""CELLS: recurrent units, one step at a time, and several of them one above the other.

Shapes as in models/contract.py; besides, G is the width of a cell's gates.
"""

from abc import abstractmethod

import torch
from torch import Tensor, nn

from mt.attention.parameters import Linear
from mt.config.models import RNNModel
from mt.models.contract import State
from mt.models.dropout import Dropout


def draw_recurrent(matrix: Tensor) -> None:
    """Make the part of each gate, [H, H], orthogonal: what a state holds neither grows nor shrinks at first."""
    for gate in matrix.chunk(matrix.shape[0] // matrix.shape[1]):
        nn.init.orthogonal_(gate)


class Cell(nn.Module):
    """One step of a recurrent unit. `gates`: rows of its input per unit of width; `parts`: its entries in the state."""

    gates: int
    parts: tuple[str, ...]

    def __init__(self, width: int):
        super().__init__()
        self.recurrent = Linear(width, self.gates * width)
        draw_recurrent(self.recurrent.weight)

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
        width = hidden.shape[-1]
        both_in, new_in = gates_BKG.split((2 * width, width), -1)
        both_h, new_h = self.recurrent(hidden).split((2 * width, width), -1)
        reset, update = torch.sigmoid(both_in + both_h).chunk(2, -1)
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


class Stack(nn.Module):
    """The decoder's cells, one above the other; the lowest takes gates, each other the state below it."""

    def __init__(self, config: RNNModel):
        super().__init__()
        cell = CELLS[config.cell]
        self.gates = cell.gates * config.hidden
        self.cells = nn.ModuleList(cell(config.hidden) for _ in range(config.layers))
        self.between = nn.ModuleList(Linear(config.hidden, self.gates) for _ in range(config.layers - 1))
        self.dropout = Dropout(config.dropout.decoder)

    def forward(self, gates_BKG: Tensor, state: State) -> State:
        """Return `state` with the entries of every layer renewed."""
        state = state | self.cells[0](gates_BKG, state, "0")
        for layer, (cell, between) in enumerate(zip(self.cells[1:], self.between, strict=True), 1):
            below = self.dropout(state[f"hidden{layer - 1}"])
            state = state | cell(between(below), state, str(layer))
        return state

    def top(self, state: State) -> Tensor:
        """Return the highest layer's hidden state, [B, K, H]."""
        return state[f"hidden{len(self.cells) - 1}"]
