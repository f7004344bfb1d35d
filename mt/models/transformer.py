"""The Transformer, Vaswani et al. 2017, with the norm before each sublayer (Xiong et al. 2020).

Shapes as in models/base.py; besides, E is the width, N the heads, D = E / N the width of a head, X any number of
pieces. Attention runs in PyTorch's fused kernel, which gives no weights; where weights are asked for, in the reported
layer alone, it is written out.
"""

import math
from collections.abc import Iterable
from typing import cast

import torch
from torch import Tensor, nn
from torch.nn import functional

from mt.config.models import TransformerModel
from mt.core.special import PAD
from mt.models.contract import Memory, Output, Seq2Seq, State, posterior
from mt.models.dropout import Dropout


class Heads(nn.Module):
    """Multi-head attention, softmax(Q K / sqrt(D)) V, eq. 1 and section 3.2.2."""

    def __init__(self, config: TransformerModel):
        super().__init__()
        self.heads, self.dropout = config.heads, config.dropout.attention
        self.query, self.key, self.value, self.join = (nn.Linear(config.width, config.width) for _ in range(4))

    def project(self, input_BXE: Tensor) -> tuple[Tensor, Tensor]:
        """Return the keys and the values of these places, each [B, N, X, D]."""
        return self._split(self.key(input_BXE)), self._split(self.value(input_BXE))

    def forward(
        self, input_BQE: Tensor, keys_BNXD: Tensor, values_BNXD: Tensor, mask_BX: Tensor | None = None,
        causal: bool = False,
    ) -> Tensor:  # fmt: skip
        """Return what each query gathers, [B, Q, E]; `causal`: query q sees the keys up to q."""
        context_BNQD = functional.scaled_dot_product_attention(
            self._split(self.query(input_BQE)), keys_BNXD, values_BNXD,
            attn_mask=None if mask_BX is None else mask_BX[:, None, None],
            dropout_p=self.dropout if self.training else 0.0, is_causal=causal,
        )  # fmt: skip
        return self._join(context_BNQD)

    def explicit(
        self, input_BQE: Tensor, keys_BNXD: Tensor, values_BNXD: Tensor, mask_BX: Tensor
    ) -> tuple[Tensor, Tensor]:
        """Return the same as `forward`, and the weights_BNQX."""
        query_BNQD = self._split(self.query(input_BQE)) * keys_BNXD.shape[-1] ** -0.5
        scores_BNQX = query_BNQD @ keys_BNXD.transpose(2, 3)
        weights_BNQX = scores_BNQX.masked_fill(~mask_BX[:, None, None], -torch.inf).softmax(-1)
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
        self.inner = nn.Linear(config.width, config.feedforward)
        self.outer = nn.Linear(config.feedforward, config.width)

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

    def forward(self, x_BTE: Tensor, source: tuple[Tensor, Tensor, Tensor], weights: bool) -> tuple[Tensor, Tensor]:
        """Return the next layer's input and the weights of attention to the source (empty unless asked for)."""
        return self._look(self.before(x_BTE), source, weights)

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
        self, x_BKE: Tensor, keys_BKNXD: Tensor, values_BKNXD: Tensor, source: tuple[Tensor, Tensor, Tensor],
        weights: bool,
    ) -> tuple[Tensor, Tensor, Tensor, Tensor]:  # fmt: skip
        """Return what `forward` returns for one more piece of each hypothesis, and the keys and values with it."""
        normed_X1E = self.own_norm(x_BKE).flatten(0, 1)[:, None]
        new = (tensor.unflatten(0, x_BKE.shape[:2]) for tensor in self.own.project(normed_X1E))
        keys, values = (torch.cat((old, more), 3) for old, more in zip((keys_BKNXD, values_BKNXD), new, strict=True))
        context_X1E = self.own(normed_X1E, keys.flatten(0, 1), values.flatten(0, 1))
        x_BKE = x_BKE + self.dropout(context_X1E.view_as(x_BKE))
        return *self._look(x_BKE, source, weights), keys, values

    def _look(self, x_BQE: Tensor, source: tuple[Tensor, Tensor, Tensor], weights: bool) -> tuple[Tensor, Tensor]:
        normed_BQE = self.cross_norm(x_BQE)
        context_BQE, weights_BNQS = (
            self.cross.explicit(normed_BQE, *source)
            if weights
            else (self.cross(normed_BQE, *source), x_BQE.new_empty(0))
        )
        x_BQE = x_BQE + self.dropout(context_BQE)
        return x_BQE + self.dropout(self.feed(self.feed_norm(x_BQE))), weights_BNQS


class Transformer(Seq2Seq):
    """Seq2Seq (models/base.py) from the parts above."""

    def __init__(self, config: TransformerModel, source_size: int, target_size: int, joint: bool):
        super().__init__()
        self.layer, self.head = (config.report.layer or max(config.layers - 1, 1)) - 1, config.report.head
        self.target_embedding = nn.Embedding(target_size, config.width, padding_idx=PAD)
        shared = config.tied and joint
        self.source_embedding = (
            self.target_embedding if shared else nn.Embedding(source_size, config.width, padding_idx=PAD)
        )
        self.encoder = nn.ModuleList(EncoderLayer(config) for _ in range(config.layers))
        self.decoder = nn.ModuleList(DecoderLayer(config) for _ in range(config.layers))
        self.encoder_norm, self.decoder_norm = nn.LayerNorm(config.width), nn.LayerNorm(config.width)
        self.output = nn.Linear(config.width, target_size)
        if config.tied:
            self.output.weight = self.target_embedding.weight
        self.dropout = Dropout(config.dropout.embedding)
        self._initialise()

    def _initialise(self) -> None:
        """Glorot for matrices, small normals for embeddings, zero for biases."""
        for module in self.modules():
            if isinstance(module, nn.Linear):
                nn.init.xavier_uniform_(module.weight)
                nn.init.zeros_(module.bias)
        for embedding in (self.source_embedding, self.target_embedding):
            nn.init.normal_(embedding.weight, std=embedding.embedding_dim**-0.5)
            nn.init.zeros_(embedding.weight[PAD])

    def encode(self, source_BS: Tensor, mask_BS: Tensor) -> tuple[Memory, State]:
        """Return keys and values of every decoder layer, and a state of no pieces."""
        x_BSE = self._embed(self.source_embedding, source_BS, 0)
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

    def step(self, previous_BK: Tensor, state: State, memory: Memory) -> tuple[Output, State]:
        """Predict the piece after `previous_BK`; the keys and values of earlier pieces stay in the state."""
        x_BKE = self._embed(self.target_embedding, previous_BK[..., None], state["keys0"].shape[3])[:, :, 0]
        reported, grown = x_BKE, dict(state)
        for number, layer in enumerate(self._layers()):
            names = f"keys{number}", f"values{number}"
            past, source = (state[names[0]], state[names[1]]), self._source(memory, number)
            x_BKE, weights, *cache = layer.step(x_BKE, *past, source, number == self.layer)
            grown |= zip(names, cache, strict=True)
            reported = weights if number == self.layer else reported
        return self._predict(x_BKE, self._reported(reported)), grown

    def forward(self, source_BS: Tensor, mask_BS: Tensor, target_in_BT: Tensor, attention: bool = False) -> Output:
        """Predict every next piece of given targets, all at once."""
        memory, _ = self.encode(source_BS, mask_BS)
        x_BTE = self._embed(self.target_embedding, target_in_BT, 0)
        reported = x_BTE
        for number, layer in enumerate(self._layers()):
            asked = attention and number == self.layer
            x_BTE, weights = layer(x_BTE, self._source(memory, number), asked)
            reported = weights if asked else reported
        return self._predict(x_BTE, self._reported(reported) if attention else None)

    def posterior(self, source_BS: Tensor, mask_BS: Tensor, target_in_BT: Tensor, target_out_BT: Tensor) -> Tensor:
        """Return the last layer's weights times the likelihood of each piece, had the piece been all it looked at."""
        memory, _ = self.encode(source_BS, mask_BS)
        x_BTE = self._embed(self.target_embedding, target_in_BT, 0)
        *below, last = self._layers()
        for number, layer in enumerate(below):
            x_BTE, _ = layer(x_BTE, self._source(memory, number), False)
        source = self._source(memory, len(below))
        looked_BTE, (_, weights_BNTS) = last.before(x_BTE), last(x_BTE, source, True)
        rows = [
            posterior(weights_BS, self._predict(last.alone(looked_BE, source[1]), None).logits, piece_B)
            for weights_BS, looked_BE, piece_B in zip(
                self._reported(weights_BNTS).unbind(1), looked_BTE.unbind(1), target_out_BT.unbind(1), strict=True
            )
        ]
        return torch.stack(rows, 1)

    def _embed(self, embedding: nn.Embedding, pieces_X: Tensor, start: int) -> Tensor:
        """Return scaled embeddings plus the sinusoids of their places (section 3.5), the first at `start`."""
        width = embedding.embedding_dim
        place_X1 = torch.arange(start, start + pieces_X.shape[-1], device=pieces_X.device)[:, None]
        rate_E = torch.exp(torch.arange(0, width, 2, device=pieces_X.device) * (-math.log(10000) / width))
        angle_XE = place_X1 * rate_E
        sinusoid_XE = torch.stack((angle_XE.sin(), angle_XE.cos()), -1).flatten(1).to(embedding.weight.dtype)
        embedded: Tensor = self.dropout(embedding(pieces_X) * math.sqrt(width) + sinusoid_XE)
        return embedded

    def _layers(self) -> Iterable[DecoderLayer]:
        return cast("Iterable[DecoderLayer]", self.decoder)

    def _source(self, memory: Memory, layer: int) -> tuple[Tensor, Tensor, Tensor]:
        return memory[f"keys{layer}"], memory[f"values{layer}"], memory["mask"]

    def _reported(self, weights_BNQS: Tensor) -> Tensor:
        return weights_BNQS.mean(1) if self.head is None else weights_BNQS[:, self.head - 1]

    def _predict(self, x_BQE: Tensor, weights: Tensor | None) -> Output:
        readout_BQE = self.decoder_norm(x_BQE)
        return Output(self.output(readout_BQE), weights, (readout_BQE,))
