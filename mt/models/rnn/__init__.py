"""The recurrent encoder-decoder: bidirectional encoder; Bahdanau's or Luong's wiring; with or without attention.

Shapes as in models/contract.py; besides, E is the width of an embedding, C of an encoder output, G of a cell's gates.
"""

import torch
from torch import Tensor, nn

from mt.attention import Attention, FixedVector, MultiHead, build, masked_mean
from mt.config.models import RNNModel
from mt.core.special import PAD
from mt.models.contract import (
    NOTHING,
    Look,
    Memory,
    Output,
    Seq2Seq,
    State,
    attention_of,
    likelihood,
    posterior,
)
from mt.models.dropout import Dropout
from mt.models.rnn.cells import CELLS


class Encoder(nn.Module):
    """Reads the source in both directions; reversed by length for the second, so that padding comes last in both."""

    def __init__(self, config: RNNModel):
        super().__init__()
        rnn = {"gru": nn.GRU, "lstm": nn.LSTM}[config.cell]
        widths = [config.embedding] + [2 * config.encoder_hidden] * (config.layers - 1)
        self.forwards = nn.ModuleList(rnn(width, config.encoder_hidden, batch_first=True) for width in widths)
        self.backwards = nn.ModuleList(rnn(width, config.encoder_hidden, batch_first=True) for width in widths)
        self.dropout = Dropout(config.dropout.encoder)

    def forward(self, embedded_BSE: Tensor, mask_BS: Tensor) -> Tensor:
        """Return values_BSC, C = 2 x encoder_hidden. What stands on padding is not to be read."""
        position_S = torch.arange(mask_BS.shape[1], device=mask_BS.device)
        reversal_BS1 = (mask_BS.sum(1, keepdim=True) - 1 - position_S).remainder(mask_BS.shape[1])[:, :, None]
        values = embedded_BSE
        for ahead, back in zip(self.forwards, self.backwards, strict=True):
            reversed_BSE = values.gather(1, reversal_BS1.expand_as(values))
            ahead_BSH, back_BSH = ahead(values)[0], back(reversed_BSE)[0]
            back_BSH = back_BSH.gather(1, reversal_BS1.expand_as(back_BSH))
            values = self.dropout(torch.cat((ahead_BSH, back_BSH), -1))
        return values


class Stack(nn.Module):
    """The decoder's cells, one above the other; the lowest takes gates, each other the state below it."""

    def __init__(self, config: RNNModel):
        super().__init__()
        cell = CELLS[config.cell]
        self.gates = cell.gates * config.hidden
        self.cells = nn.ModuleList(cell(config.hidden) for _ in range(config.layers))
        self.between = nn.ModuleList(nn.Linear(config.hidden, self.gates) for _ in range(config.layers - 1))
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


def _attention(config: RNNModel) -> Attention | MultiHead | FixedVector:
    """Return the attention that a decoder of this configuration asks."""
    asked = config.attention
    return build(
        asked.score,
        config.hidden,
        2 * config.encoder_hidden,
        asked.width,
        window=asked.window,
        half_width=asked.half_width,
        coverage=asked.coverage,
        longest=asked.longest,
        heads=asked.heads,
    )


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
        self.word = nn.Linear(config.embedding, self.stack.gates)
        self.context = nn.Linear(value, self.stack.gates, bias=config.attention.conditional)
        self.asker = CELLS[config.cell](config.hidden) if config.attention.conditional else None
        self.readout = nn.Linear(config.hidden + value + config.embedding, config.embedding)

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
        self.word = nn.Linear(config.embedding, self.stack.gates)
        self.feed = nn.Linear(config.embedding, self.stack.gates, bias=False) if config.attention.feeding else None
        self.combine = nn.Linear(value + config.hidden, config.embedding)

    def start(self, values_BSC: Tensor) -> State:
        """Return the entries of the start state besides the cells': the vector fed to the first step is zero."""
        past = self.attention.start(values_BSC)
        if self.feed is None:
            return past
        return past | {"fed": values_BSC.new_zeros(len(values_BSC), 1, self.feed.in_features)}

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


class Lexical(nn.Module):
    """What attended source words say of the next piece without the decoder: Nguyen and Chiang 2018, section 4.

    Logits to add: W h, h = tanh(V f) + f, f = tanh(the source embeddings, weighted as attention weighs).
    h is a readout.
    """

    def __init__(self, config: RNNModel, target_size: int):
        super().__init__()
        self.hidden = nn.Linear(config.embedding, config.embedding, bias=False)
        self.output = nn.Linear(config.embedding, target_size, bias=False)
        self.dropout = Dropout(config.dropout.readout)

    def forward(self, attended: Tensor) -> Tensor:
        """Return the readout of attended words, [..., E]."""
        words = torch.tanh(attended)
        readout: Tensor = self.dropout(torch.tanh(self.hidden(words)) + words)
        return readout


class RNN(Seq2Seq):
    """Seq2Seq (models/contract.py) from the parts above."""

    def __init__(self, config: RNNModel, source_size: int, target_size: int, joint: bool):
        super().__init__()
        self.sites, self.summary = config.places if config.has_attention else (0, 0), config.summary
        self.target_embedding = nn.Embedding(target_size, config.embedding, padding_idx=PAD)
        shared = config.tied and joint
        self.source_embedding = (
            self.target_embedding if shared else nn.Embedding(source_size, config.embedding, padding_idx=PAD)
        )
        self.encoder = Encoder(config)
        self.decoder: Bahdanau | Luong = WIRINGS[config.attention.wiring](config)
        parts = CELLS[config.cell].parts
        self.names = [part + str(layer) for part in parts for layer in range(config.layers)]
        self.start = nn.Linear(2 * config.encoder_hidden, len(self.names) * config.hidden)
        self.output = nn.Linear(config.embedding, target_size)
        if config.tied:
            self.output.weight = self.target_embedding.weight
        self.lexical = Lexical(config, target_size) if config.lexical else None
        self.embedding_dropout = Dropout(config.dropout.embedding)
        self.readout_dropout = Dropout(config.dropout.readout)
        self._initialise()

    def _initialise(self) -> None:
        """Glorot for matrices, orthogonal for each recurrent gate, small normals for embeddings, zero for biases."""
        for name, parameter in self.named_parameters():
            if "embedding" in name:
                nn.init.normal_(parameter, std=parameter.shape[1] ** -0.5)
                nn.init.zeros_(parameter[PAD])
            elif "weight_hh" in name or "recurrent.weight" in name:
                for gate in parameter.chunk(parameter.shape[0] // parameter.shape[1]):
                    nn.init.orthogonal_(gate)
            elif name.endswith(("vector", "coverage")):
                nn.init.normal_(parameter, std=len(parameter) ** -0.5)
            elif parameter.dim() > 1:
                nn.init.xavier_uniform_(parameter)
            else:
                nn.init.zeros_(parameter)

    def encode(self, source_BS: Tensor, mask_BS: Tensor) -> tuple[Memory, State]:
        """Return the memory for attention, and the start state tanh(W mean of the encoder's outputs), K = 1."""
        embedded_BSE = self.embedding_dropout(self.source_embedding(source_BS))
        values_BSC = self.encoder(embedded_BSE, mask_BS)
        start_BX = torch.tanh(self.start(masked_mean(values_BSC, mask_BS)))
        state = dict(zip(self.names, start_BX[:, None].chunk(len(self.names), -1), strict=True))
        memory = self.decoder.attention.memory(values_BSC, mask_BS)
        if self.lexical is not None:
            memory["words"] = embedded_BSE
        return memory, state | self.decoder.start(values_BSC)

    def step(self, previous_BK: Tensor, state: State, memory: Memory, look: Look = NOTHING) -> tuple[Output, State]:
        """Predict the piece after `previous_BK`."""
        word_BKE = self.embedding_dropout(self.target_embedding(previous_BK))
        features, weights_BNKS, state = self._advance(self.decoder.word(word_BKE), state, memory, look)
        return self._predict(features, word_BKE, weights_BNKS, memory, look), state

    def forward(self, source_BS: Tensor, mask_BS: Tensor, target_in_BT: Tensor, look: Look = NOTHING) -> Output:
        """Predict every next piece of given targets; what needs no state is computed for all steps at once."""
        memory, state = self.encode(source_BS, mask_BS)
        word_BTE = self.embedding_dropout(self.target_embedding(target_in_BT))
        features: list[Tensor] = []
        weights: list[Tensor] = []
        for gates_BG in self.decoder.word(word_BTE).unbind(1):
            features_B1F, weights_BN1S, state = self._advance(gates_BG[:, None], state, memory, look)
            features.append(features_B1F)
            if weights_BN1S is not None:
                weights.append(weights_BN1S)
        weights_BNTS = torch.cat(weights, 2) if weights and (look.sites or self.lexical is not None) else None
        return self._predict(torch.cat(features, 1), word_BTE, weights_BNTS, memory, look)

    def posterior(self, source_BS: Tensor, mask_BS: Tensor, target_in_BT: Tensor, target_out_BT: Tensor) -> Tensor:
        """Return the weights times the likelihood of each piece, had the source piece been the whole context."""
        memory, state = self.encode(source_BS, mask_BS)
        word_BTE = self.embedding_dropout(self.target_embedding(target_in_BT))
        alone_BSC, pieces = self.decoder.attention.alone(memory), mask_BS.shape[1]
        weights, given = list[Tensor](), list[Tensor]()
        for word_BE, piece_B in zip(word_BTE.unbind(1), target_out_BT.unbind(1), strict=True):
            query, gates, asked = self.decoder.ask(self.decoder.word(word_BE[:, None]), state)
            context, weights_BN1S, past = self.decoder.attention(query, memory, asked)
            if weights_BN1S is None:
                raise ValueError("without attention there is no posterior")
            each = {name: tensor.expand(-1, pieces, *tensor.shape[2:]) for name, tensor in asked.items()}
            features, _ = self.decoder.answer(alone_BSC, gates.expand(-1, pieces, -1), each)
            word_BSE, one_BNSS = word_BE[:, None].expand(-1, pieces, -1), mask_BS.to(weights_BN1S).diag_embed()[:, None]
            weights.append(weights_BN1S)
            given.append(likelihood(self._predict(features, word_BSE, one_BNSS, memory, NOTHING).logits, piece_B))
            _, state = self.decoder.answer(context, gates, asked | past)
        return posterior(torch.cat(weights, 2), torch.stack(given, 1))

    def _advance(
        self, gates_BKG: Tensor, state: State, memory: Memory, look: Look
    ) -> tuple[Tensor, Tensor | None, State]:
        """Take one step: features for the readout, attention weights, next state."""
        query, gates, state = self.decoder.ask(gates_BKG, state)
        context, weights_BNKS, past = self.decoder.attention(query, memory, state, look.change(1))
        features, state = self.decoder.answer(context, gates, state | past)
        return features, weights_BNKS, state

    def _predict(
        self, features: Tensor, word: Tensor, weights_BNQS: Tensor | None, memory: Memory, look: Look
    ) -> Output:
        readout = self.readout_dropout(self.decoder.read(features, word))
        logits = self.output(readout)
        attention = None if weights_BNQS is None else attention_of(look.sites, {1: weights_BNQS})
        if self.lexical is None or weights_BNQS is None:
            return Output(logits, attention, (readout,))
        lexical = self.lexical(weights_BNQS[:, 0] @ memory["words"])
        logits += self.lexical.output(lexical)
        return Output(logits, attention, (readout, lexical))
