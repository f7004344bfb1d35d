"""The recurrent encoder-decoder: bidirectional encoder; Bahdanau's or Luong's wiring; with or without attention.

Shapes as in models/contract.py; besides, E is the width of an embedding, C of an encoder output, G of a cell's gates.
"""

import torch
from torch import Tensor
from torch.utils.checkpoint import checkpoint

from mt.attention import masked_mean
from mt.attention.parameters import Linear
from mt.config.models import RNNModel
from mt.models.contract import (
    NOTHING,
    Look,
    Memory,
    Output,
    Read,
    Seq2Seq,
    State,
    attention_of,
    likelihood,
    posterior,
)
from mt.models.dropout import Dropout
from mt.models.embedding import Embedding
from mt.models.rnn.cells import CELLS
from mt.models.rnn.encoder import Encoder
from mt.models.rnn.lexical import Lexical
from mt.models.rnn.wirings import WIRINGS, Bahdanau, Luong

KEPT, REMADE = 2**20, 2**17
"""Attention weights of a batch, target by source pieces, whose making is kept for the gradient: 1 GiB of the tanh of an
additive score 256 wide. Where there are more, those of some steps are made again at a time, so many at most."""


def _summarize(config: RNNModel) -> str:
    """Return what a model of this configuration is, in a few words."""
    cell, attention = config.cell.upper(), config.attention
    if not config.has_attention:
        return f"{cell}, no attention"
    told = {
        attention.window: attention.window != "global",
        "coverage": attention.coverage,
        f"{attention.heads} heads": attention.heads > 1,
        "one cell a step": attention.wiring == "bahdanau" and not attention.conditional,
        "no input feeding": attention.wiring == "luong" and not attention.feeding,
        "lexical model": config.lexical,
    }
    extras = [what for what, holds in told.items() if holds]
    return ", ".join([cell, f"{attention.wiring} wiring", f"{attention.score} score", *extras])


class RNN(Seq2Seq):
    """Seq2Seq (models/contract.py) from the parts above."""

    def __init__(self, config: RNNModel, source_size: int, target_size: int, joint: bool):
        super().__init__()
        self.sites = (1, config.attention.heads) if config.has_attention else (0, 0)
        self.summary = _summarize(config)
        self.target_embedding = Embedding(target_size, config.embedding)
        shared = config.tied and joint
        self.source_embedding = self.target_embedding if shared else Embedding(source_size, config.embedding)
        self.encoder = Encoder(config)
        self.decoder: Bahdanau | Luong = WIRINGS[config.attention.wiring](config)
        parts = CELLS[config.cell].parts
        self.names = [part + str(layer) for part in parts for layer in range(config.layers)]
        self.start = Linear(2 * config.encoder_hidden, len(self.names) * config.hidden)
        self.output = Linear(config.embedding, target_size)
        if config.tied:
            self.output.weight = self.target_embedding.weight
        self.lexical = Lexical(config, target_size) if config.lexical else None
        self.embedding_dropout = Dropout(config.dropout.embedding)
        self.readout_dropout = Dropout(config.dropout.readout)

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
        read, state = self.read_step(previous_BK, state, memory, look)
        return Output(self.predict(read.readouts), read.attention), state

    def forward(self, source_BS: Tensor, mask_BS: Tensor, target_in_BT: Tensor, look: Look = NOTHING) -> Output:
        """Predict every next piece of given targets."""
        read = self.read(source_BS, mask_BS, target_in_BT, look)
        return Output(self.predict(read.readouts), read.attention)

    def read_step(self, previous_BK: Tensor, state: State, memory: Memory, look: Look = NOTHING) -> tuple[Read, State]:
        """Return what the output layers see, the attention that is asked for, and the next state."""
        word_BKE = self.embedding_dropout(self.target_embedding(previous_BK))
        features, weights_BNKS, state = self._advance(self.decoder.word(word_BKE), state, memory, look)
        return self._read(features, word_BKE, weights_BNKS, memory, look), state

    def read(self, source_BS: Tensor, mask_BS: Tensor, target_in_BT: Tensor, look: Look = NOTHING) -> Read:
        """Return what the output layers see at every piece; what needs no state is computed for all steps at once."""
        memory, state = self.encode(source_BS, mask_BS)
        word_BTE = self.embedding_dropout(self.target_embedding(target_in_BT))
        gates_BTG, weights_a_step = self.decoder.word(word_BTE), source_BS.numel()
        if weights_a_step * target_in_BT.shape[1] <= KEPT or not torch.is_grad_enabled() or look.replace is not None:
            features_BTF, weights_BNTS, _ = self._walk(gates_BTG, state, memory, look)
            return self._read(features_BTF, word_BTE, weights_BNTS, memory, look)
        features: list[Tensor] = []
        weights: list[Tensor] = []
        for gates_BUG in gates_BTG.split(max(1, REMADE // weights_a_step), 1):
            some_BUF, some_BNUS, state = checkpoint(self._walk, gates_BUG, state, memory, look, use_reentrant=False)
            features.append(some_BUF)
            weights += [] if some_BNUS is None else [some_BNUS]
        weights_BNTS = torch.cat(weights, 2) if weights else None
        return self._read(torch.cat(features, 1), word_BTE, weights_BNTS, memory, look)

    @property
    def outputs(self) -> tuple[Linear, ...]:
        """The output layers, one for each readout."""
        return (self.output,) if self.lexical is None else (self.output, self.lexical.output)

    def predict(self, readouts: tuple[Tensor, ...]) -> Tensor:
        """Return the logits of the readouts: the output layer's, plus the lexical model's where there is one."""
        logits: Tensor = self.output(readouts[0])
        if self.lexical is not None:
            logits += self.lexical.output(readouts[1])
        return logits

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
            given.append(
                likelihood(self.predict(self._read(features, word_BSE, one_BNSS, memory, NOTHING).readouts), piece_B)
            )
            _, state = self.decoder.answer(context, gates, asked | past)
        return posterior(torch.cat(weights, 2), torch.stack(given, 1))

    def _walk(self, gates_BTG: Tensor, state: State, memory: Memory, look: Look) -> tuple[Tensor, Tensor | None, State]:
        """Take some steps: features for the readout, attention weights where they are asked for, next state.

        Checkpointed, it is walked a second time for the gradient, and keeps nothing until then (Chen et al. 2016).
        """
        features: list[Tensor] = []
        weights: list[Tensor] = []
        for gates_BG in gates_BTG.unbind(1):
            features_B1F, weights_BN1S, state = self._advance(gates_BG[:, None], state, memory, look)
            features.append(features_B1F)
            if weights_BN1S is not None:
                weights.append(weights_BN1S)
        weights_BNTS = torch.cat(weights, 2) if weights and (look.sites or self.lexical is not None) else None
        return torch.cat(features, 1), weights_BNTS, state

    def _advance(
        self, gates_BKG: Tensor, state: State, memory: Memory, look: Look
    ) -> tuple[Tensor, Tensor | None, State]:
        """Take one step: features for the readout, attention weights, next state."""
        query, gates, state = self.decoder.ask(gates_BKG, state)
        context, weights_BNKS, past = self.decoder.attention(query, memory, state, look.change(1))
        features, state = self.decoder.answer(context, gates, state | past)
        return features, weights_BNKS, state

    def _read(self, features: Tensor, word: Tensor, weights_BNQS: Tensor | None, memory: Memory, look: Look) -> Read:
        readouts: tuple[Tensor, ...] = (self.readout_dropout(self.decoder.read(features, word)),)
        if weights_BNQS is None:
            return Read(readouts, None)
        if self.lexical is not None:
            readouts += (self.lexical(weights_BNQS[:, 0] @ memory["words"]),)
        return Read(readouts, attention_of(look.sites, {1: weights_BNQS}))
