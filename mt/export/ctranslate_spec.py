"""A Transformer in the format of CTranslate2."""

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any, cast

import torch
from torch import Tensor, nn

from mt.core.errors import UserError
from mt.models.contract import Site
from mt.models.embedding import Embedding
from mt.models.transformer import DecoderLayer, EncoderLayer, FeedForward, Heads, Transformer
from mt.text.tokenizer import Tokenizers


@torch.no_grad()
def write_model(
    model: Transformer, tokenizers: Tokenizers, site: Site, folder: Path, *, positions: int, weights: str
) -> None:
    """Write the model into a folder, its weights as float32, float16 or int8, for so many positions.

    CTranslate2 tells the attention of the first heads of a layer: those of `site` are put there. Raises UserError where
    CTranslate2 is not installed.
    """
    try:
        from ctranslate2.specs import TransformerSpec
    except ImportError as error:
        raise UserError("this format needs CTranslate2: pip install 'mt[export]'") from error

    layers, heads = model.sites
    told = heads if site.head is None else 1
    spec = TransformerSpec.from_config(layers, heads, alignment_layer=site.layer - 1, alignment_heads=told)
    nothing = Embedding(1, model.target_embedding.embedding_dim)  # zeros, to which places are added
    for side, embedding, vocabulary, register in (
        (spec.encoder, model.source_embedding, tokenizers.source, spec.register_source_vocabulary),
        (spec.decoder, model.target_embedding, tokenizers.target, spec.register_target_vocabulary),
    ):
        side.position_encodings.encodings = _array(model.embed(nothing, torch.zeros(positions, dtype=torch.long), 0))
        embeddings = side.embeddings[0] if isinstance(side.embeddings, list) else side.embeddings
        embeddings.weight = _array(embedding.weight)
        register([vocabulary.name(piece) for piece in range(len(vocabulary))])
    for part, encoder_layer in zip(spec.encoder.layer, cast("Iterable[EncoderLayer]", model.encoder), strict=True):
        _set_layer(part, encoder_layer)
    decoder_layers = cast("Iterable[DecoderLayer]", model.decoder)
    for number, (part, layer) in enumerate(zip(spec.decoder.layer, decoder_layers, strict=True), 1):
        _set_layer(part, layer)
        first = site.head if number == site.layer else None
        _set_norm(part.attention.layer_norm, layer.cross_norm)
        _set_heads(part.attention.linear, layer.cross, first, fused=False)
    _set_norm(spec.encoder.layer_norm, model.encoder_norm)
    _set_norm(spec.decoder.layer_norm, model.decoder_norm)
    _set_linear(spec.decoder.projection, [model.output])
    spec.validate()
    spec.optimize(quantization=None if weights == "float32" else weights)
    spec.save(str(folder))


def _set_layer(spec: Any, layer: EncoderLayer | DecoderLayer) -> None:
    """Set self-attention and the feed-forward network."""
    _set_norm(spec.self_attention.layer_norm, layer.own_norm)
    _set_heads(spec.self_attention.linear, layer.own, None, fused=True)
    _set_norm(spec.ffn.layer_norm, layer.feed_norm)
    feed: FeedForward = layer.feed
    _set_linear(spec.ffn.linear_0, [feed.inner])
    _set_linear(spec.ffn.linear_1, [feed.outer])


def _set_heads(specs: Sequence[Any], heads: Heads, first: int | None, *, fused: bool) -> None:
    """Set the projections of an attention; the head of number `first`, from 1, comes before the others."""
    order = list(range(heads.heads))
    if first is not None:
        order.insert(0, order.pop(first - 1))
    query, key, value = (_reorder(part, order) for part in (heads.query, heads.key, heads.value))
    groups = [[query, key, value]] if fused else [[query], [key, value]]
    for spec, group in zip(specs, groups, strict=False):
        _set_linear(spec, group)
    join = nn.Linear(1, 1)
    split = heads.join.weight.unflatten(1, (heads.heads, -1))[:, order].flatten(1)
    join.weight, join.bias = nn.Parameter(split), heads.join.bias
    _set_linear(specs[-1], [join])


def _reorder(linear: nn.Linear, order: list[int]) -> nn.Linear:
    """Return a projection whose heads come in another order."""
    made = nn.Linear(1, 1)
    made.weight = nn.Parameter(linear.weight.unflatten(0, (len(order), -1))[order].flatten(0, 1))
    made.bias = nn.Parameter(linear.bias.unflatten(0, (len(order), -1))[order].flatten())
    return made


def _set_linear(spec: Any, layers: Sequence[nn.Linear]) -> None:
    spec.weight = _array(torch.cat([layer.weight for layer in layers]))
    spec.bias = _array(torch.cat([layer.bias for layer in layers]))


def _set_norm(spec: Any, norm: nn.Module) -> None:
    spec.gamma, spec.beta = _array(norm.weight), _array(norm.bias)


def _array(tensor: Tensor | nn.Module) -> Any:
    assert isinstance(tensor, Tensor)
    return tensor.detach().cpu().float().contiguous().numpy()
