"""The parts of mt/models/rnn against torch's own, and its steps against the papers' equations in plain Python."""

import math
from typing import Any

import pytest
import torch
from pydantic import ValidationError
from tiny_models import RARE, RNNS, SOURCES, batch, close, config, model, random, redraw
from tiny_models import one_thread as one_thread
from torch import Tensor, nn

from mt.config.models import RNNModel
from mt.core.special import BOS, PAD
from mt.models import build_model
from mt.models.contract import Look, Site
from mt.models.rnn.cells import GRU, LSTM
from mt.models.rnn.encoder import Encoder
from mt.models.rnn.model import RNN
from mt.training.average import Average

Vector = list[float]


def test_the_weights_of_a_copied_encoder_are_laid_together(monkeypatch: pytest.MonkeyPatch) -> None:
    made, laid = model(config("lstm", layers=2)), []
    monkeypatch.setattr(nn.RNNBase, "flatten_parameters", lambda part: laid.append(part))
    copied = Average(made, 0.9).module
    parts = [part for part in copied.modules() if isinstance(part, nn.RNNBase)]
    assert len(parts) == 4
    assert {*map(id, parts)} <= {*map(id, laid)}


# Against torch --------------------------------------------------------------------------------------------------------


def copied(cell: GRU | LSTM, twin: nn.RNNCellBase) -> Tensor:
    """Copy torch's weights into the cell; return the gates for one input of two sentences with three hypotheses."""
    redraw(twin, seed=4)
    cell.double().recurrent.weight.detach().copy_(twin.weight_hh)
    cell.recurrent.bias.detach().copy_(twin.bias_hh)
    return nn.functional.linear(random(2, 3, 5), twin.weight_ih, twin.bias_ih)


def test_gru_is_torch_gru_cell() -> None:
    cell, twin, hidden_BKH = GRU(4), nn.GRUCell(5, 4), random(2, 3, 4, seed=1)
    after = cell(copied(cell, twin), {"hidden7": hidden_BKH}, "7")
    assert list(after) == ["hidden7"]
    close(after["hidden7"].flatten(0, 1), twin(random(6, 5), hidden_BKH.flatten(0, 1)))


def test_lstm_is_torch_lstm_cell() -> None:
    cell, twin, hidden_BKH, cell_BKH = LSTM(4), nn.LSTMCell(5, 4), random(2, 3, 4, seed=1), random(2, 3, 4, seed=2)
    after = cell(copied(cell, twin), {"hidden0": hidden_BKH, "cell0": cell_BKH}, "0")
    hidden, memory = twin(random(6, 5), (hidden_BKH.flatten(0, 1), cell_BKH.flatten(0, 1)))
    assert after.keys() == {"hidden0", "cell0"}
    close(after["hidden0"].flatten(0, 1), hidden)
    close(after["cell0"].flatten(0, 1), memory)


@pytest.mark.parametrize("layers", [1, 2, 3])
@pytest.mark.parametrize(("cell", "kind"), [("gru", nn.GRU), ("lstm", nn.LSTM)])
def test_encoder_is_torch_packed_bidirectional(cell: str, kind: Any, layers: int) -> None:
    encoder = Encoder(config(cell, layers=layers))
    redraw(encoder, seed=6)
    twin = kind(5, 3, num_layers=layers, batch_first=True, bidirectional=True).double()
    for layer in range(layers):
        for part, suffix in ((encoder.forwards[layer], ""), (encoder.backwards[layer], "_reverse")):
            for name, parameter in part.named_parameters():
                getattr(twin, name.replace("l0", f"l{layer}") + suffix).detach().copy_(parameter)
    lengths, embedded_BSE = torch.tensor([4, 6, 1, 3]), random(4, 6, 5)
    mask_BS = torch.arange(6) < lengths[:, None]
    packed = nn.utils.rnn.pack_padded_sequence(embedded_BSE, lengths, batch_first=True, enforce_sorted=False)
    expected, _ = nn.utils.rnn.pad_packed_sequence(twin(packed)[0], batch_first=True)
    found = encoder(embedded_BSE, mask_BS)
    assert found.shape == (4, 6, 6)
    close(found[mask_BS], expected[mask_BS])


# Against the papers' equations, one number at a time ------------------------------------------------------------------


class Plain:
    """One decoder in lists of floats; `p` holds the model's parameters by name."""

    def __init__(self, made: RNN) -> None:
        self.p: dict[str, Any] = {name: tensor.tolist() for name, tensor in made.state_dict().items()}

    def linear(self, name: str, x: Vector, bias: bool = True) -> Vector:
        rows = zip(self.p[name + ".weight"], self.p[name + ".bias"] if bias else [0.0] * 99, strict=False)
        return [math.fsum([b, *(w * v for w, v in zip(row, x, strict=True))]) for row, b in rows]

    def start(self, values: list[Vector]) -> Vector:
        """tanh(W mean h), all entries of the state one after the other."""
        return [
            math.tanh(x) for x in self.linear("start", [math.fsum(v) / len(values) for v in zip(*values, strict=True)])
        ]

    def gru(self, name: str, gates: Vector, s: Vector) -> Vector:
        """Bahdanau et al. 2015, A.1.1, the reset gate after the product."""
        width, u = len(s), self.linear(name + ".recurrent", s)
        new = []
        for i in range(width):
            r, z = sigmoid(gates[i] + u[i]), sigmoid(gates[width + i] + u[width + i])
            proposal = math.tanh(gates[2 * width + i] + r * u[2 * width + i])
            new.append((1 - z) * proposal + z * s[i])
        return new

    def lstm(self, name: str, gates: Vector, h: Vector, c: Vector) -> tuple[Vector, Vector]:
        width, u = len(h), self.linear(name + ".recurrent", h)
        total = [g + x for g, x in zip(gates, u, strict=True)]
        keep, forget, new, out = (total[n * width : (n + 1) * width] for n in range(4))
        cell = [sigmoid(f) * o + sigmoid(k) * math.tanh(n) for f, o, k, n in zip(forget, c, keep, new, strict=True)]
        return [sigmoid(o) * math.tanh(x) for o, x in zip(out, cell, strict=True)], cell

    def context(self, scores: Vector, values: list[Vector]) -> tuple[Vector, Vector]:
        weights = [math.exp(e) / math.fsum(map(math.exp, scores)) for e in scores]
        return [math.fsum(w * x for w, x in zip(weights, v, strict=True)) for v in zip(*values, strict=True)], weights

    def bahdanau(
        self, conditional: bool, word: Vector, s: Vector, values: list[Vector]
    ) -> tuple[Vector, Vector, Vector]:
        """Return logits, weights and s_i: e_ij = v . tanh(W s_{i-1} + U h_j), s_i = f(s_{i-1}, y_{i-1}, c_i)."""
        gates = self.linear("decoder.word", word)
        asks = self.gru("decoder.asker", gates, s) if conditional else s
        query, score = self.linear("decoder.attention.score.query", asks, bias=False), "decoder.attention.score"
        scores = [
            math.fsum(
                v * math.tanh(q + k)
                for v, q, k in zip(self.p[score + ".vector"], query, self.linear(score + ".key", h), strict=True)
            )
            for h in values
        ]
        c, weights = self.context(scores, values)
        seen = self.linear("decoder.context", c, bias=conditional)
        total = seen if conditional else [a + b for a, b in zip(gates, seen, strict=True)]
        s = self.gru("decoder.stack.cells.0", total, asks)
        read = [math.tanh(x) for x in self.linear("decoder.readout", [*s, *c, *word])]
        return self.linear("output", read), weights, s

    def luong(
        self, feeding: bool, word: Vector, state: list[tuple[Vector, Vector]], fed: Vector, values: list[Vector]
    ) -> tuple[Vector, Vector, list[tuple[Vector, Vector]], Vector]:
        """Return logits, weights, states and h~: eq. 5 to 8 (general), two layers of LSTM, input feeding (3.3)."""
        gates = self.linear("decoder.word", word)
        if feeding:
            gates = [a + b for a, b in zip(gates, self.linear("decoder.feed", fed, bias=False), strict=True)]
        low = self.lstm("decoder.stack.cells.0", gates, *state[0])
        top = self.lstm("decoder.stack.cells.1", self.linear("decoder.stack.between.0", low[0]), *state[1])
        h = top[0]
        keys = [self.linear("decoder.attention.score.matrix", value, bias=False) for value in values]
        c, weights = self.context([math.fsum(a * b for a, b in zip(h, k, strict=True)) for k in keys], values)
        vector = [math.tanh(x) for x in self.linear("decoder.combine", [*c, *h])]
        return self.linear("output", vector), weights, [low, top], vector

    def lexical(self, weights: Vector, source: list[int]) -> Vector:
        """Nguyen and Chiang 2018, section 4: f = tanh(sum a(s) f_s), h = tanh(W f) + f; what it adds to the logits."""
        words = [self.p["source_embedding.weight"][piece] for piece in source]
        f = [math.tanh(math.fsum(a * word[i] for a, word in zip(weights, words, strict=True))) for i in range(5)]
        h = [math.tanh(x) + y for x, y in zip(self.linear("lexical.hidden", f, bias=False), f, strict=True)]
        return self.linear("lexical.output", h, bias=False)


def sigmoid(x: float) -> float:
    return 1 / (1 + math.exp(-x))


def prepared(made_of: RNNModel) -> tuple[RNN, Plain, list[list[Vector]], list[int]]:
    """A model, its plain twin, the encoder's outputs of each source, and the pieces to force."""
    made = model(made_of)
    assert isinstance(made, RNN)
    source_BS, mask_BS = batch(SOURCES)
    with torch.inference_mode():
        values_BSC = made.encoder(made.source_embedding(source_BS), mask_BS)
    return made, Plain(made), [v[m].tolist() for v, m in zip(values_BSC, mask_BS, strict=True)], [BOS, 6, 4]


def assert_row(found: Tensor, expected: Vector) -> None:
    assert found.tolist() == pytest.approx([*expected, *[0] * (len(found) - len(expected))], abs=1e-12)


@pytest.mark.parametrize("conditional", [False, True])
def test_bahdanau_is_the_papers_equations(conditional: bool) -> None:
    made, plain, sentences, pieces = prepared(config("gru", "bahdanau", conditional, "additive"))
    output = made(*batch(SOURCES), torch.tensor([pieces] * 3), Look(Site(1)))
    assert output.attention is not None
    for b, values in enumerate(sentences):
        s = plain.start(values)
        for t, piece in enumerate(pieces):
            word = plain.p["target_embedding.weight"][piece]
            logits, weights, s = plain.bahdanau(conditional, word, s, values)
            assert_row(output.logits[b, t], logits)
            assert_row(output.attention[b, t], weights)


@pytest.mark.parametrize("feeding", [False, True])
def test_luong_is_the_papers_equations(feeding: bool) -> None:
    made, plain, sentences, pieces = prepared(config("lstm", "luong", feeding, "general", layers=2))
    output = made(*batch(SOURCES), torch.tensor([pieces] * 3), Look(Site(1)))
    assert output.attention is not None
    for b, values in enumerate(sentences):
        start = plain.start(values)
        low_h, top_h, low_c, top_c = (start[n : n + 4] for n in (0, 4, 8, 12))
        state, fed = [(low_h, low_c), (top_h, top_c)], [0.0] * 5
        for t, piece in enumerate(pieces):
            word = plain.p["target_embedding.weight"][piece]
            logits, weights, state, fed = plain.luong(feeding, word, state, fed, values)
            assert_row(output.logits[b, t], logits)
            assert_row(output.attention[b, t], weights)


@pytest.mark.parametrize("tied", [False, True])
def test_the_lexical_model_is_the_papers_equations(tied: bool) -> None:
    made, plain, sentences, pieces = prepared(config(tied=tied, lexical=True))
    output = made(*batch(SOURCES), torch.tensor([pieces] * 3))
    assert output.attention is None
    for b, (values, source) in enumerate(zip(sentences, SOURCES, strict=True)):
        s = plain.start(values)
        for t, piece in enumerate(pieces):
            word = plain.p["target_embedding.weight"][piece]
            logits, weights, s = plain.bahdanau(True, word, s, values)
            both = zip(logits, plain.lexical(weights, source), strict=True)
            assert_row(output.logits[b, t], [one + other for one, other in both])


# Widths, ties, dropout, first weights ---------------------------------------------------------------------------------


def test_dot_is_refused_unless_the_widths_agree() -> None:
    tree = {"attention": {"score": "dot"}, "hidden": 8, "encoder_hidden": 3}
    with pytest.raises(ValidationError, match="hidden is 8 and 2 x encoder_hidden is 6"):
        RNNModel.model_validate(tree)
    assert RNNModel.model_validate(tree | {"encoder_hidden": 4}).attention.score == "dot"
    assert RNNModel.model_validate(tree | {"attention": {"score": "general"}}).hidden == 8


def test_tied_weights_are_one_tensor() -> None:
    joint, separate, untied = (
        build_model(config(tied=tied), source, 9, shared)
        for tied, source, shared in ((True, 9, True), (True, 11, False), (False, 9, True))
    )
    for made in (joint, separate, untied):
        assert isinstance(made, RNN)
    assert joint.source_embedding.weight is joint.target_embedding.weight is joint.output.weight
    assert separate.output.weight is separate.target_embedding.weight
    assert separate.source_embedding.weight.shape == (11, 5)
    assert separate.target_embedding.weight.shape == (9, 5)
    three = (untied.source_embedding.weight, untied.target_embedding.weight, untied.output.weight)
    assert len({tensor.data_ptr() for tensor in three}) == 3
    numbers = [sum(p.numel() for p in made.parameters()) for made in (joint, separate, untied)]
    assert [number - numbers[0] for number in numbers] == [0, 11 * 5, 2 * 9 * 5]


def test_dropout_before_the_output_layer_acts_on_the_lexical_model_too() -> None:
    made = model(config(lexical=True, readout=0.5)).lexical.train()
    torch.manual_seed(1)
    first, second = (made(random(1, 2, 5)) for _ in range(2))
    assert (first - second).abs().max() > 1e-3


@pytest.mark.parametrize("place", ["embedding", "encoder", "decoder", "readout"])
@pytest.mark.parametrize("wiring", ["bahdanau", "luong"])
def test_each_dropout_acts_in_training_only(wiring: str, place: str) -> None:
    made, none = (model(config("gru", wiring, layers=2, **{place: p})) for p in (0.5, 0.0))
    target_in, source = torch.tensor([[BOS, 5, 7]]), batch(SOURCES[:1])
    close(made(*source, target_in).logits, none(*source, target_in).logits)
    close(none.train()(*source, target_in).logits, none.eval()(*source, target_in).logits)
    torch.manual_seed(1)
    first, second = (made.train()(*source, target_in).logits for _ in range(2))
    assert (first - second).abs().max() > 1e-3


@pytest.mark.parametrize("name", [*list(RNNS)[::7], "lexical"])
def test_every_first_weight_is_drawn(monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    empty = torch.empty
    monkeypatch.setattr(torch, "empty", lambda *shape, **how: empty(*shape, **how).fill_(math.nan))
    torch.manual_seed(1)
    made = build_model((RNNS | RARE)[name].model_copy(update={"tied": False}), 9, 9, joint=False)
    for name, parameter in made.named_parameters():
        assert parameter.isfinite().all(), name
        drawn = parameter.dim() > 1 or name.endswith(("vector", "coverage"))
        assert parameter.std() > 0.05 if drawn else (parameter == 0).all(), name
        if "embedding" in name:
            assert (parameter[PAD] == 0).all()
        if "weight_hh" in name or "recurrent.weight" in name:
            width = parameter.shape[1]
            for gate in parameter.split(width):
                torch.testing.assert_close(gate @ gate.T, torch.eye(width))
