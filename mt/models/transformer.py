"""The Transformer, Vaswani et al. 2017, with the norm before each sublayer (Xiong et al. 2020).

Shapes as in models/contract.py; besides, E is the width, N the heads, D = E / N the width of a head, X any number of
pieces. Attention runs in PyTorch's fused kernel, which gives no weights; in the layers whose weights are asked for, or
replaced, it is written out.
"""

import math
from collections.abc import Iterable
from functools import cache
from typing import cast

import torch
from torch import Tensor, nn
from torch.nn import functional

from mt.attention import Change
from mt.attention.parameters import Linear
from mt.config.models import TransformerModel
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

Source = tuple[Tensor, Tensor, Tensor]
"""Keys and values, each [B, N, X, D], and the mask, [B, X]."""


def _sinusoids(places: int, width: int, device: torch.device, dtype: torch.dtype) -> Tensor:
    """Return the sinusoids of the first places, [X, E], section 3.5."""
    rate_E = torch.exp(torch.arange(0, width, 2, device=device) * (-math.log(10000) / width))
    angle_XE = torch.arange(places, device=device)[:, None] * rate_E
    return torch.stack((angle_XE.sin(), angle_XE.cos()), -1).flatten(1).to(dtype)


_kept_sinusoids = cache(torch.inference_mode(False)(_sinusoids))
"""A step needs one row; and training reads what a search may have made."""


class Heads(nn.Module):
    """Multi-head attention, softmax(Q K / sqrt(D)) V, eq. 1 and section 3.2.2."""

    def __init__(self, config: TransformerModel):
        super().__init__()
        self.heads, self.dropout = config.heads, config.dropout.attention
        self.query, self.key, self.value, self.join = (Linear(config.width, config.width) for _ in range(4))

    def project(self, input_BXE: Tensor) -> tuple[Tensor, Tensor]:
        """Return the keys and the values of these places, each [B, N, X, D]."""
        return self._split(self.key(input_BXE)), self._split(self.value(input_BXE))

    def forward(
        self,
        input_BQE: Tensor,
        keys_BNXD: Tensor,
        values_BNXD: Tensor,
        mask_BX: Tensor | None = None,
        causal: bool = False,
    ) -> Tensor:
        """Return what each query gathers, [B, Q, E]; `causal`: query q sees the keys up to q."""
        context_BNQD = functional.scaled_dot_product_attention(
            self._split(self.query(input_BQE)),
            keys_BNXD,
            values_BNXD,
            attn_mask=None if mask_BX is None else mask_BX[:, None, None],
            dropout_p=self.dropout if self.training else 0.0,
            is_causal=causal,
        )
        return self._join(context_BNQD)

    def explicit(self, input_BQE: Tensor, source: Source, change: Change | None = None) -> tuple[Tensor, Tensor]:
        """Return the same as `forward`, and the weights_BNQX, changed where that is asked for."""
        keys_BNXD, values_BNXD, mask_BX = source
        query_BNQD = self._split(self.query(input_BQE)) * keys_BNXD.shape[-1] ** -0.5
        scores_BNQX = query_BNQD @ keys_BNXD.transpose(2, 3)
        weights_BNQX = scores_BNQX.masked_fill(~mask_BX[:, None, None], -torch.inf).softmax(-1)
        if change is not None:
            weights_BNQX = change(weights_BNQX, mask_BX)
        dropped = functional.dropout(weights_BNQX, self.dropout, self.training)
        return self._join(dropped @ values_BNXD), weights_BNQX

    def _split(self, tensor_BXE: Tensor) -> Tensor:
        split_BNXD: Tensor = tensor_BXE.unflatten(-1, (self.heads, -1)).transpose(1, 2)
        return split_BNXD

    def _join(self, tensor_BNXD: Tensor) -> Tensor:
        joined_BXE: Tensor = self.join(tensor_BNXD.transpose(1, 2).flatten(2))
        return joined_BXE


class FeedForward(nn.Module):
    """W2 · relu(W1 x), eq. 2."""

    def __init__(self, config: TransformerModel):
        super().__init__()
        self.inner = Linear(config.width, config.feedforward)
        self.outer = Linear(config.feedforward, config.width)

    def forward(self, input_BXE: Tensor) -> Tensor:
        """Transform each place alone."""
        output_BXE: Tensor = self.outer(functional.relu(self.inner(input_BXE)))
        return output_BXE


class EncoderLayer(nn.Module):
    """Self-attention, then the feed-forward network; each adds to what it read."""

    def __init__(self, config: TransformerModel):
        super().__init__()
        self.own, self.feed = Heads(config), FeedForward(config)
        self.own_norm, self.feed_norm = nn.LayerNorm(config.width), nn.LayerNorm(config.width)
        self.dropout = Dropout(config.dropout.residual)

    def forward(self, x_BSE: Tensor, mask_BS: Tensor) -> Tensor:
        """Return the next layer's input."""
        normed_BSE = self.own_norm(x_BSE)
        x_BSE = x_BSE + self.dropout(self.own(normed_BSE, *self.own.project(normed_BSE), mask_BS))
        output_BSE: Tensor = x_BSE + self.dropout(self.feed(self.feed_norm(x_BSE)))
        return output_BSE


class DecoderLayer(nn.Module):
    """Self-attention to the pieces so far, attention to the source, the feed-forward network."""

    def __init__(self, config: TransformerModel):
        super().__init__()
        self.own, self.cross, self.feed = Heads(config), Heads(config), FeedForward(config)
        self.own_norm, self.cross_norm, self.feed_norm = (nn.LayerNorm(config.width) for _ in range(3))
        self.dropout = Dropout(config.dropout.residual)

    def forward(self, x_BTE: Tensor, source: Source, number: int, look: Look) -> tuple[Tensor, Tensor | None]:
        """Return the next layer's input, and the weights of attention to the source where this layer's are looked at.

        `number`: which decoder layer this is, from 1.
        """
        return self.look(self.before(x_BTE), source, number, look)

    def before(self, x_BTE: Tensor) -> Tensor:
        """Return what self-attention makes of the input, before the source is looked at."""
        normed_BTE = self.own_norm(x_BTE)
        looked_BTE: Tensor = x_BTE + self.dropout(self.own(normed_BTE, *self.own.project(normed_BTE), causal=True))
        return looked_BTE

    def alone(self, looked_BE: Tensor, values_BNSD: Tensor) -> Tensor:
        """Return the layer's output had all heads looked at one source piece alone, for each piece, [B, S, E]."""
        x_BSE = looked_BE[:, None] + self.cross.join(values_BNSD.transpose(1, 2).flatten(2))
        output_BSE: Tensor = x_BSE + self.feed(self.feed_norm(x_BSE))
        return output_BSE

    def step(
        self, x_BKE: Tensor, past: tuple[Tensor, Tensor], source: Source, number: int, look: Look
    ) -> tuple[Tensor, Tensor | None, Tensor, Tensor]:
        """Return what `forward` returns for one more piece of each hypothesis, and the keys and values with it.

        `past`: the keys and values of the pieces before, each [B, K, N, X, D].
        """
        normed_X1E = self.own_norm(x_BKE).flatten(0, 1)[:, None]
        new = (tensor.unflatten(0, x_BKE.shape[:2]) for tensor in self.own.project(normed_X1E))
        keys, values = (torch.cat((old, more), 3) for old, more in zip(past, new, strict=True))
        context_X1E = self.own(normed_X1E, keys.flatten(0, 1), values.flatten(0, 1))
        x_BKE = x_BKE + self.dropout(context_X1E.view_as(x_BKE))
        return *self.look(x_BKE, source, number, look), keys, values

    def look(self, x_BQE: Tensor, source: Source, number: int, look: Look) -> tuple[Tensor, Tensor | None]:
        """Return the layer's output from what `before` returned, and the weights where they are looked at."""
        normed_BQE = self.cross_norm(x_BQE)
        weights_BNQS: Tensor | None = None
        if look.at(number):
            context_BQE, weights_BNQS = self.cross.explicit(normed_BQE, source, look.change(number))
        else:
            context_BQE = self.cross(normed_BQE, *source)
        x_BQE = x_BQE + self.dropout(context_BQE)
        return x_BQE + self.dropout(self.feed(self.feed_norm(x_BQE))), weights_BNQS


class Transformer(Seq2Seq):
    """Seq2Seq (models/contract.py) from the parts above."""

    def __init__(self, config: TransformerModel, source_size: int, target_size: int, joint: bool):
        super().__init__()
        self.sites = config.layers, config.heads
        self.summary = f"Transformer, {config.layers} layers, {config.heads} heads"
        self.target_embedding = Embedding(target_size, config.width)
        shared = config.tied and joint
        self.source_embedding = self.target_embedding if shared else Embedding(source_size, config.width)
        self.encoder = nn.ModuleList(EncoderLayer(config) for _ in range(config.layers))
        self.decoder = nn.ModuleList(DecoderLayer(config) for _ in range(config.layers))
        self.encoder_norm, self.decoder_norm = nn.LayerNorm(config.width), nn.LayerNorm(config.width)
        self.output = Linear(config.width, target_size)
        if config.tied:
            self.output.weight = self.target_embedding.weight
        self.dropout = Dropout(config.dropout.embedding)

    def encode(self, source_BS: Tensor, mask_BS: Tensor) -> tuple[Memory, State]:
        """Return keys and values of every decoder layer, and a state of no pieces."""
        x_BSE = self.embed(self.source_embedding, source_BS, 0)
        for layer in self.encoder:
            x_BSE = layer(x_BSE, mask_BS)
        x_BSE = self.encoder_norm(x_BSE)
        memory, state = Memory(mask=mask_BS), State()
        for number, layer in enumerate(self._layers()):
            keys_BNSD, values_BNSD = layer.cross.project(x_BSE)
            memory |= {f"keys{number}": keys_BNSD, f"values{number}": values_BNSD}
            nothing = keys_BNSD[:, None, :, :0]
            state |= {f"keys{number}": nothing, f"values{number}": nothing}
        return memory, state

    def step(self, previous_BK: Tensor, state: State, memory: Memory, look: Look = NOTHING) -> tuple[Output, State]:
        """Predict the piece after `previous_BK`; the keys and values of earlier pieces stay in the state."""
        read, state = self.read_step(previous_BK, state, memory, look)
        return Output(self.predict(read.readouts), read.attention), state

    def forward(self, source_BS: Tensor, mask_BS: Tensor, target_in_BT: Tensor, look: Look = NOTHING) -> Output:
        """Predict every next piece of given targets, all at once."""
        read = self.read(source_BS, mask_BS, target_in_BT, look)
        return Output(self.predict(read.readouts), read.attention)

    def read_step(self, previous_BK: Tensor, state: State, memory: Memory, look: Look = NOTHING) -> tuple[Read, State]:
        """Return what the output layer sees, the attention that is asked for, and the next state."""
        x_BKE = self.embed(self.target_embedding, previous_BK[..., None], state["keys0"].shape[3])[:, :, 0]
        weights, grown = dict[int, Tensor](), dict(state)
        for number, layer in enumerate(self._layers()):
            names = f"keys{number}", f"values{number}"
            past, source = (state[names[0]], state[names[1]]), self._source(memory, number)
            x_BKE, weights_BNKS, *cache = layer.step(x_BKE, past, source, number + 1, look)
            grown |= zip(names, cache, strict=True)
            if weights_BNKS is not None:
                weights[number + 1] = weights_BNKS
        return Read((self.decoder_norm(x_BKE),), attention_of(look.sites, weights)), grown

    def read(self, source_BS: Tensor, mask_BS: Tensor, target_in_BT: Tensor, look: Look = NOTHING) -> Read:
        """Return what the output layer sees at every piece, and the attention that is asked for."""
        memory, _ = self.encode(source_BS, mask_BS)
        x_BTE, weights = self.embed(self.target_embedding, target_in_BT, 0), dict[int, Tensor]()
        for number, layer in enumerate(self._layers()):
            x_BTE, weights_BNTS = layer(x_BTE, self._source(memory, number), number + 1, look)
            if weights_BNTS is not None:
                weights[number + 1] = weights_BNTS
        return Read((self.decoder_norm(x_BTE),), attention_of(look.sites, weights))

    @property
    def outputs(self) -> tuple[nn.Linear, ...]:
        """The output layers, one for each readout."""
        return (self.output,)

    def predict(self, readouts: tuple[Tensor, ...]) -> Tensor:
        """Return the logits of the readouts."""
        (readout_BQE,) = readouts
        logits_BQV: Tensor = self.output(readout_BQE)
        return logits_BQV

    def posterior(self, source_BS: Tensor, mask_BS: Tensor, target_in_BT: Tensor, target_out_BT: Tensor) -> Tensor:
        """Return the last layer's weights times the likelihood of each piece, had the piece been all it looked at."""
        memory, _ = self.encode(source_BS, mask_BS)
        x_BTE = self.embed(self.target_embedding, target_in_BT, 0)
        *below, last = self._layers()
        for number, layer in enumerate(below):
            x_BTE, _ = layer(x_BTE, self._source(memory, number), number + 1, NOTHING)
        source, looked_BTE = self._source(memory, len(below)), last.before(x_BTE)
        _, weights_BNTS = last.cross.explicit(last.cross_norm(looked_BTE), source)
        given = [
            likelihood(self.predict((self.decoder_norm(last.alone(looked_BE, source[1])),)), piece_B)
            for looked_BE, piece_B in zip(looked_BTE.unbind(1), target_out_BT.unbind(1), strict=True)
        ]
        return posterior(weights_BNTS, torch.stack(given, 1))

    def embed(self, embedding: nn.Embedding, pieces_X: Tensor, start: int) -> Tensor:
        """Return scaled embeddings plus the sinusoids of their places (section 3.5), the first at `start`."""
        width, end, weight = embedding.embedding_dim, start + pieces_X.shape[-1], embedding.weight
        if not isinstance(end, int):  # in an export, where lengths are tensors
            sinusoid_XE = _sinusoids(end, width, weight.device, weight.dtype)[start:end]
        else:
            sinusoid_XE = _kept_sinusoids(1 << (end - 1).bit_length(), width, weight.device, weight.dtype)[start:end]
        embedded: Tensor = self.dropout(embedding(pieces_X) * math.sqrt(width) + sinusoid_XE)
        return embedded

    def _layers(self) -> Iterable[DecoderLayer]:
        return cast("Iterable[DecoderLayer]", self.decoder)

    def _source(self, memory: Memory, layer: int) -> Source:
        return memory[f"keys{layer}"], memory[f"values{layer}"], memory["mask"]
