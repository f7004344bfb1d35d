"""Gradients, dead units and grown weights, by hand and against finite differences."""

import pytest
import torch
from toy_runs import HEADS, TRANSFORMER, aligner, config

from mt.inference.scorer import Scored, Scorer
from mt.lab.diagnosis.parts import dead_units, growth, hidden_units, mean_gradients, norms, part_of, silent


def test_parts_are_named_without_numbers() -> None:
    assert part_of("decoder.stack.cells.0.recurrent.weight") == "decoder.stack.cells.recurrent"
    assert part_of("output.bias") == "output"


def test_norms_and_silence_by_hand() -> None:
    gradients = {"a.0.weight": torch.tensor([[3.0]]), "a.1.weight": torch.tensor([[4.0]]), "b.bias": torch.zeros(2)}
    assert norms(gradients) == {"a": (5.0, 2), "b": (0.0, 2)}
    assert silent(gradients) == []  # a bias may well be without
    assert silent(gradients | {"c.vector": torch.full((3,), 1e-5)}) == ["c.vector"]


def test_dead_units_by_hand() -> None:
    assert dead_units(torch.tensor([[1.0, 0.0, 2.0, 5.0], [2.0, 0.0, 2.00001, 3.0], [3.0, 0.0, 2.0, 4.0]])) == 2
    assert dead_units(torch.ones(3, 4)) == 4


def test_growth_by_hand() -> None:
    weights = {"x": torch.tensor([[3.0, 4.0]]), "bias": torch.ones(2)}
    assert growth(weights, {"x": torch.tensor([[0.5, 0.5]]), "bias": torch.zeros(2)}) == {"x": pytest.approx(50**0.5)}


def read(model: dict[str, object]) -> tuple[Scorer, list[Scored]]:
    known = aligner(config(model))
    made = Scorer(known.model, known.tokenizers, known.config)
    return made, made.score(["Die Katze schläft.", "Der Hund läuft heute."], ["The cat sleeps.", "The dog runs today."])


def loss(made: Scorer, pairs: list[Scored]) -> float:
    found = [made.score_pieces([one.source], [one.target])[0].log_probabilities_T for one in pairs]
    return -sum(map(sum, (line.tolist() for line in found))) / sum(map(len, found))


def test_gradients_are_finite_differences() -> None:
    made, pairs = read(HEADS)
    gradients = mean_gradients(made.model, [pairs[:1], pairs[1:]])
    assert all(one.grad is None for one in made.model.parameters())
    parameters = dict(made.model.named_parameters())
    for name, place in (("output.bias", (5,)), ("decoder.readout.weight", (1, 2)), ("start.weight", (0, 3))):
        weight, step = parameters[name].data, 3e-2
        before, values = float(weight[place]), []
        for sign in (1, -1):
            weight[place] = before + sign * step
            values.append(loss(made, pairs))
        weight[place] = before
        assert float(gradients[name][place]) == pytest.approx((values[0] - values[1]) / (2 * step), abs=2e-4)


@pytest.mark.parametrize("model", [HEADS, TRANSFORMER], ids=["rnn", "transformer"])
def test_a_unit_that_nothing_moves_is_found(model: dict[str, object]) -> None:
    made, pairs = read(model)
    before = hidden_units(made.model, pairs)
    assert before["output"][0] == 0
    layer = made.model.get_submodule("decoder.readout" if model is HEADS else "encoder.0.feed.inner")
    layer.weight.data[1] = 0
    after = hidden_units(made.model, pairs)
    found = {name: (one[0] - before[name][0]) for name, one in after.items() if one != before[name]}
    assert found == {"output": 1} if model is HEADS else set(found.values()) == {1}
