"""WIRINGS: when the decoder looks at the source, and what it does with what it sees.

Shapes as in models/contract.py; besides, E is the width of an embedding, C of an encoder output, G of a cell's gates.
"""

import torch
from torch import Tensor, nn

from mt.attention import Attention, FixedVector, MultiHead, Plan, build
from mt.attention.parameters import Linear
from mt.config.models import RNNModel
from mt.models.contract import State
from mt.models.rnn.cells import CELLS, Stack


def _attention(config: RNNModel) -> Attention | MultiHead | FixedVector:
    """Return the attention that a decoder of this configuration asks."""
    asked = config.attention
    plan = Plan(
        asked.score,
        asked.width,
        asked.window,
        half_width=asked.half_width,
        heads=asked.heads,
        coverage=asked.coverage,
        longest=asked.longest,
    )
    return build(plan, query=config.hidden, value=2 * config.encoder_hidden)


class Bahdanau(nn.Module):
    """Attention asks before the state's update, which reads the context: Bahdanau et al. 2015, A.1.2 and A.2.2.

    With `conditional` a first cell takes the previous word before the state asks (Sennrich et al. 2017, Nematus).
    Features for the readout: [state; context], to which it adds the previous word.
    """

    def __init__(self, config: RNNModel):
        super().__init__()
        value = 2 * config.encoder_hidden
        self.stack = Stack(config)
        self.attention = _attention(config)
        self.word = Linear(config.embedding, self.stack.gates)
        self.context = Linear(value, self.stack.gates, bias=config.attention.conditional)
        self.asker = CELLS[config.cell](config.hidden) if config.attention.conditional else None
        self.readout = Linear(config.hidden + value + config.embedding, config.embedding)

    def start(self, values_BSC: Tensor) -> State:
        """Return the entries of the start state besides the cells'."""
        return self.attention.start(values_BSC)

    def ask(self, gates_BKG: Tensor, state: State) -> tuple[Tensor, Tensor, State]:
        """Return the query, the gates, and the state, as they are before the source is looked at."""
        if self.asker is not None:
            state = state | self.asker(gates_BKG, state, "0")
        return state["hidden0"], gates_BKG, state

    def answer(self, context_BKC: Tensor, gates_BKG: Tensor, state: State) -> tuple[Tensor, State]:
        """Return features for the readout, and the next state."""
        gates = self.context(context_BKC)
        state = self.stack(gates if self.asker is not None else gates_BKG + gates, state)
        return torch.cat((self.stack.top(state), context_BKC), -1), state

    def read(self, features: Tensor, word: Tensor) -> Tensor:
        """Return what the output layer sees, [..., E]: tanh(W [state; context; previous word])."""
        return torch.tanh(self.readout(torch.cat((features, word), -1)))


class Luong(nn.Module):
    """Attention asks after the state's update; features are the attentional vector, Luong et al. 2015, eq. 5.

    The vector is tanh(W [context; state]). With `feeding` (section 3.3) it is part of the next step's input.
    """

    def __init__(self, config: RNNModel):
        super().__init__()
        value = 2 * config.encoder_hidden
        self.stack = Stack(config)
        self.attention = _attention(config)
        self.word = Linear(config.embedding, self.stack.gates)
        self.feed = Linear(config.embedding, self.stack.gates, bias=False) if config.attention.feeding else None
        self.combine = Linear(value + config.hidden, config.embedding)

    def start(self, values_BSC: Tensor) -> State:
        """Return the entries of the start state besides the cells': the vector fed to the first step is zero."""
        past = self.attention.start(values_BSC)
        if self.feed is None:
            return past
        return past | {"fed": values_BSC.new_zeros(values_BSC.shape[0], 1, self.feed.in_features)}

    def ask(self, gates_BKG: Tensor, state: State) -> tuple[Tensor, Tensor, State]:
        """Return the query, the gates, and the state, as they are before the source is looked at."""
        gates = gates_BKG if self.feed is None else gates_BKG + self.feed(state["fed"])
        state = self.stack(gates, state)
        return self.stack.top(state), gates, state

    def answer(self, context_BKC: Tensor, gates_BKG: Tensor, state: State) -> tuple[Tensor, State]:
        """Return features for the readout, and the next state."""
        vector_BKE = torch.tanh(self.combine(torch.cat((context_BKC, self.stack.top(state)), -1)))
        return vector_BKE, state if self.feed is None else state | {"fed": vector_BKE}

    def read(self, features: Tensor, word: Tensor) -> Tensor:
        """Return what the output layer sees, [..., E]: the attentional vector itself."""
        return features


WIRINGS: dict[str, type[Bahdanau] | type[Luong]] = {"bahdanau": Bahdanau, "luong": Luong}
