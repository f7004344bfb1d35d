"""The Transformer against its equations in plain Python, and what its fast paths must keep."""

import itertools
import math
from collections import Counter
from typing import Any

import plain_attention as plain
import pytest
import torch
from plain_attention import Matrix, Vector
from tiny_models import SOURCES, TRANSFORMERS, batch, close, model, transformer
from tiny_models import one_thread as one_thread
from torch import Tensor
from torch.nn import functional
from torch.profiler import profile

from mt.config.models import TransformerModel
from mt.core.special import BOS, EOS, PAD
from mt.models import build_model
from mt.models.contract import NOTHING, Look, Site, reorder
from mt.models.transformer import Transformer

every = pytest.mark.parametrize("made_of", TRANSFORMERS.values(), ids=TRANSFORMERS.keys())
TARGET = [BOS, 7, 4, 4, 6]


class Plain:
    """Vaswani et al. 2017 in lists of floats, the norm before each sublayer; `p` holds the model's parameters."""

    def __init__(self, made: Transformer, made_of: TransformerModel) -> None:
        self.p: dict[str, Any] = {name: tensor.tolist() for name, tensor in made.state_dict().items()}
        self.width, self.layers, self.heads = made_of.width, made_of.layers, made_of.heads

    def linear(self, name: str, x: Vector) -> Vector:
        return plain.plus(plain.times(self.p[name + ".weight"], x), self.p[name + ".bias"])

    def norm(self, name: str, x: Vector) -> Vector:
        """Ba et al. 2016: (x - mean) / deviation, then gain and bias."""
        mean = math.fsum(x) / len(x)
        deviation = math.sqrt(math.fsum((v - mean) ** 2 for v in x) / len(x) + 1e-5)
        gains = zip(x, self.p[name + ".weight"], self.p[name + ".bias"], strict=True)
        return [gain * (v - mean) / deviation + bias for v, gain, bias in gains]

    def embed(self, name: str, pieces: list[int]) -> Matrix:
        """3.4 and 3.5: embedding x sqrt(d); PE(pos, 2i) = sin(pos / 10000^(2i/d)), PE(pos, 2i + 1) = cos(the same)."""
        rows = []
        for position, piece in enumerate(pieces):
            angles = [position / 10000 ** (2 * (e // 2) / self.width) for e in range(self.width)]
            wave = [math.cos(angle) if e % 2 else math.sin(angle) for e, angle in enumerate(angles)]
            rows.append([math.sqrt(self.width) * v + w for v, w in zip(self.p[name][piece], wave, strict=True)])
        return rows

    def attend(self, name: str, query: Vector, places: Matrix) -> tuple[Vector, Matrix]:
        """Eq. 1 and 3.2.2: what one query gathers from these places, and the weights of each head."""
        q, size = self.linear(name + ".query", query), self.width // self.heads
        keys = [self.linear(name + ".key", place) for place in places]
        values = [self.linear(name + ".value", place) for place in places]
        joined: Vector = []
        by_head = []
        for part in (slice(head * size, (head + 1) * size) for head in range(self.heads)):
            powers = [math.exp(plain.inner(q[part], key[part]) / math.sqrt(size)) for key in keys]
            by_head.append([power / math.fsum(powers) for power in powers])
            joined += plain.context(by_head[-1], [value[part] for value in values])
        return self.linear(name + ".join", joined), by_head

    def feed(self, name: str, x: Vector) -> Vector:
        """Eq. 2: x + W2 max(0, W1 norm(x) + b1) + b2."""
        inner = [max(0.0, v) for v in self.linear(f"{name}.feed.inner", self.norm(f"{name}.feed_norm", x))]
        return plain.plus(x, self.linear(f"{name}.feed.outer", inner))

    def encode(self, source: list[int]) -> Matrix:
        places = self.embed("source_embedding.weight", source)
        for name in (f"encoder.{layer}" for layer in range(self.layers)):
            normed = [self.norm(f"{name}.own_norm", x) for x in places]
            looks = [self.attend(f"{name}.own", x, normed)[0] for x in normed]
            places = [self.feed(name, plain.plus(x, look)) for x, look in zip(places, looks, strict=True)]
        return [self.norm("encoder_norm", x) for x in places]

    def decode(self, source: list[int], target_in: list[int]) -> tuple[Matrix, list[list[Matrix]]]:
        """Return the logits of each step, and the weights on the source by layer, step and head."""
        memory, places = self.encode(source), self.embed("target_embedding.weight", target_in)
        weights = []
        for name in (f"decoder.{layer}" for layer in range(self.layers)):
            normed = [self.norm(f"{name}.own_norm", x) for x in places]
            seen = [
                plain.plus(x, self.attend(f"{name}.own", normed[t], normed[: t + 1])[0]) for t, x in enumerate(places)
            ]
            looks = [self.attend(f"{name}.cross", self.norm(f"{name}.cross_norm", x), memory) for x in seen]
            places = [self.feed(name, plain.plus(x, look)) for x, (look, _) in zip(seen, looks, strict=True)]
            weights.append([by_head for _, by_head in looks])
        return [self.linear("output", self.norm("decoder_norm", x)) for x in places], weights


def built(made_of: TransformerModel, scale: float = 0.5) -> Transformer:
    made = model(made_of, scale=scale)
    assert isinstance(made, Transformer)
    return made


def rows(found: Tensor, expected: Matrix) -> None:
    """All numbers agree, within what sinusoids in single precision leave."""
    torch.testing.assert_close(found, torch.tensor(expected, dtype=torch.float64), rtol=0, atol=1e-7)


@every
@torch.inference_mode()
def test_it_is_the_papers_equations(made_of: TransformerModel) -> None:
    made = built(made_of)
    twin = Plain(made, made_of)
    output = made(*batch(SOURCES), torch.tensor([TARGET] * 3), Look("all"))
    assert output.attention is not None
    for b, source in enumerate(SOURCES):
        logits, weights = twin.decode(source, TARGET)
        rows(output.logits[b], logits)
        for layer, head in itertools.product(range(made_of.layers), range(made_of.heads)):
            rows(output.attention[b, layer, head, :, : len(source)], [by_head[head] for by_head in weights[layer]])
        assert (output.attention[b, ..., len(source) :] == 0).all()


@torch.inference_mode()
def test_every_layer_and_head_looks_elsewhere() -> None:
    attention = built(transformer(3, 2))(*batch(SOURCES), torch.tensor([TARGET] * 3), Look("all")).attention
    assert attention is not None
    for one, other in itertools.combinations(attention[0].flatten(0, 1), 2):
        assert (one - other).abs().max() > 0.01


@every
def test_fused_and_explicit_agree(made_of: TransformerModel) -> None:
    """Numbers and gradients."""
    made = built(made_of)
    results = []
    for look in (NOTHING, Look("all")):
        made.zero_grad()
        output = made(*batch(SOURCES), torch.tensor([TARGET] * 3), look)
        assert (output.attention is not None) == (look != NOTHING)
        functional.cross_entropy(output.logits.flatten(0, 1), torch.tensor([[7, 4, 4, 6, EOS] * 3])[0]).backward()
        gradients = [parameter.grad.flatten() for parameter in made.parameters() if parameter.grad is not None]
        results.append((output.logits.detach(), torch.cat(gradients)))
    for fused, explicit in zip(*results, strict=True):
        close(fused, explicit)
    assert len(results[0][1]) == sum(parameter.numel() for parameter in made.parameters())


def test_the_kernel_is_fused_but_where_weights_are_asked_for(monkeypatch: pytest.MonkeyPatch) -> None:
    calls = []
    fused = functional.scaled_dot_product_attention

    def counted(*tensors: Tensor, **how: Any) -> Tensor:
        calls.append(how["is_causal"])
        return fused(*tensors, **how)

    monkeypatch.setattr(functional, "scaled_dot_product_attention", counted)
    made, given = built(transformer(3, 2)), (*batch(SOURCES), torch.tensor([TARGET] * 3))
    made(*given)
    assert sorted(calls) == [False] * 6 + [True] * 3
    calls.clear()
    made(*given, Look(Site(2)))
    assert sorted(calls) == [False] * 5 + [True] * 3
    calls.clear()
    made(*given, Look("all"))
    assert sorted(calls) == [False] * 3 + [True] * 3
    calls.clear()
    made(*given, Look(replace=lambda weights, mask, layer: weights))
    assert sorted(calls) == [False] * 3 + [True] * 3


@pytest.mark.parametrize("dropout", [0.0, 0.1])
def test_the_fused_kernel_is_flash_attention_on_a_cpu_without_dropout(dropout: float) -> None:
    made = built(transformer(2, 2, attention=dropout)).train()
    with profile() as seen:
        made(*batch(SOURCES), torch.tensor([TARGET] * 3))
    kernels = Counter(event.name for event in seen.events() or [] if event.name.startswith("aten::_scaled_dot_product"))
    flash, plain = (f"aten::_scaled_dot_product_{name}" for name in ("flash_attention_for_cpu", "attention_math"))
    assert kernels == {plain if dropout else flash: 6}  # encoder, decoder and source, in two layers


@torch.inference_mode()
def test_the_cache_grows_by_a_place_and_follows_the_beam() -> None:
    """Keys and values of hypotheses are those of their own pieces, whichever way the beam turned; memory stays."""
    made = built(transformer(2, 2))
    memory, state = made.encode(*batch(SOURCES))
    assert {name: tuple(tensor.shape) for name, tensor in state.items()} == {
        f"{part}{layer}": (3, 1, 2, 0, 4) for part in ("keys", "values") for layer in (0, 1)
    }
    kept = {name: tensor.clone() for name, tensor in memory.items()}
    _, state = made.step(torch.full((3, 1), BOS), state, memory)
    state = reorder(state, torch.zeros(3, 3, dtype=torch.long))
    _, state = made.step(torch.tensor([[4, 5, 6]] * 3), state, memory)
    state = reorder(state, torch.tensor([[2, 0, 0], [1, 1, 2], [0, 2, 1]]))
    output, state = made.step(torch.tensor([[7, 8, 4]] * 3), state, memory)
    assert all(tensor.shape == (3, 3, 2, 3, 4) for tensor in state.values())
    assert all(torch.equal(memory[name], kept[name]) for name in kept)
    pieces = [[[6, 7], [4, 8], [4, 4]], [[5, 7], [5, 8], [6, 4]], [[4, 7], [6, 8], [5, 4]]]
    for b, k in itertools.product(range(3), range(3)):
        alone, own = made.encode(*batch([SOURCES[b]]))
        for piece in (BOS, *pieces[b][k]):
            expected, own = made.step(torch.tensor([[piece]]), own, alone)
        close(output.logits[b, k], expected.logits[0, 0])
        forward = made(*batch([SOURCES[b]]), torch.tensor([[BOS, *pieces[b][k]]]))
        close(output.logits[b, k], forward.logits[0, -1])
        for name, tensor in own.items():
            close(state[name][b, k], tensor[0, 0])


@torch.inference_mode()
def test_no_piece_sees_a_later_one() -> None:
    made, target = built(transformer(3, 2)), torch.tensor([TARGET])
    before = made(*batch(SOURCES[:1]), target, Look("all"))
    for place in range(1, len(TARGET)):
        other = target.clone()
        other[0, place:] = 8
        after = made(*batch(SOURCES[:1]), other, Look("all"))
        assert before.attention is not None
        assert after.attention is not None
        close(after.logits[0, :place], before.logits[0, :place])
        close(after.attention[..., :place, :], before.attention[..., :place, :])
        assert (after.logits[0, place] - before.logits[0, place]).abs().max() > 1e-3


def test_tied_weights_are_one_tensor() -> None:
    joint, separate, untied = (
        build_model(transformer(tied=tied), source, 9, shared)
        for tied, source, shared in ((True, 9, True), (True, 11, False), (False, 9, True))
    )
    assert joint.source_embedding.weight is joint.target_embedding.weight is joint.output.weight
    assert separate.output.weight is separate.target_embedding.weight
    numbers = [sum(parameter.numel() for parameter in made.parameters()) for made in (joint, separate, untied)]
    assert [number - numbers[0] for number in numbers] == [0, 11 * 8, 2 * 9 * 8]


@pytest.mark.parametrize("place", ["embedding", "residual", "attention"])
def test_each_dropout_acts_in_training_only(place: str) -> None:
    made, none = built(transformer(**{place: 0.5})), built(transformer())
    given = (*batch(SOURCES[:1]), torch.tensor([TARGET]))
    for look in (NOTHING, Look("all")):
        close(made.eval()(*given, look).logits, none(*given, look).logits)
        close(none.train()(*given, look).logits, none.eval()(*given, look).logits)
        torch.manual_seed(1)
        first, second = (made.train()(*given, look).logits for _ in range(2))
        assert (first - second).abs().max() > 1e-3


def test_weights_reported_in_training_are_not_dropped() -> None:
    made = built(transformer(attention=0.5)).train()
    attention_BLNTS = made(*batch(SOURCES), torch.tensor([TARGET] * 3), Look("all")).attention
    assert attention_BLNTS is not None
    close(attention_BLNTS[..., 0, :].sum(-1), torch.ones(3, 2, 2).double())


def test_every_first_weight_is_drawn(monkeypatch: pytest.MonkeyPatch) -> None:
    empty = torch.empty
    monkeypatch.setattr(torch, "empty", lambda *shape, **how: empty(*shape, **how).fill_(math.nan))
    torch.manual_seed(1)
    for name, parameter in build_model(transformer(2, 2, tied=False), 9, 9, joint=False).named_parameters():
        assert parameter.isfinite().all(), name
        if "norm" in name:
            assert (parameter == ("weight" in name)).all()
        else:
            assert parameter.std() > 0.05 if parameter.dim() > 1 else (parameter == 0).all(), name
        if "embedding" in name:
            assert (parameter[PAD] == 0).all()
