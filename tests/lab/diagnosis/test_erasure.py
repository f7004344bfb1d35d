"""Erasure, reasons and gradients, against plain loops over one sentence at a time."""

import numpy as np
import pytest
import torch
from tiny_translators import settings, translator
from torch import Tensor, nn

from mt.core.special import BOS, EOS
from mt.inference.scorer import Scorer
from mt.lab.diagnosis.erasure import diagonal, own, read_with_only, read_without, share_of_hits, top
from mt.lab.diagnosis.gradients import gradient_times_input
from mt.lab.diagnosis.rated import percent, sum_groups
from mt.models.contract import Seq2Seq

SOURCES = [[40, 41, 42, 43, EOS], [44, 45, EOS]]
TARGETS = [[50, 51, 52, EOS], [53, EOS]]


@pytest.fixture(scope="module")
def scorer() -> Scorer:
    made = translator(settings())
    return Scorer(made.model, made.tokenizers, settings())


def plainly(model: Seq2Seq, source: list[int], target: list[int]) -> list[float]:
    """How likely each target piece is, by single steps."""
    given = torch.tensor([source])
    memory, state = model.encode(given, torch.ones_like(given, dtype=torch.bool))
    found = []
    for before, piece in zip([BOS, *target[:-1]], target, strict=True):
        output, state = model.step(torch.tensor([[before]]), state, memory)
        found.append(float(output.logits[0, 0].log_softmax(-1)[piece]))
    return found


@torch.inference_mode()
def test_erasure_against_single_steps(scorer: Scorer) -> None:
    read = scorer.score_pieces(SOURCES, TARGETS)
    groups = [[[0], [3], [1, 2]], [[1]]]
    without, only = read_without(scorer, read, groups), read_with_only(scorer, read, groups)
    for number, (source, target) in enumerate(zip(SOURCES, TARGETS, strict=True)):
        np.testing.assert_allclose(own(read[number])[:, 0], plainly(scorer.model, source, target)[:-1], atol=1e-5)
        for column, group in enumerate(groups[number]):
            left = [piece for place, piece in enumerate(source) if place not in group]
            kept = [source[place] for place in group] + [EOS]
            expected = plainly(scorer.model, left, target)[:-1]
            np.testing.assert_allclose(without[number][:, column], expected, atol=1e-5)
            np.testing.assert_allclose(only[number][:, column], plainly(scorer.model, kept, target)[:-1], atol=1e-5)


def test_hits_on_paper() -> None:
    weights = np.array([[0.7, 0.2, 0.1], [0.1, 0.8, 0.1], [0.4, 0.4, 0.2], [0.3, 0.3, 0.3]])
    effects = np.array([[2.0, 1.0, 0.0], [0.0, 1.0, 3.0], [0.0, 1.0, 0.5], [-3.0, -2.0, -1.0]])
    # right; wrong; one of two that are equal; one of three
    assert share_of_hits(weights, effects).tolist() == pytest.approx([1, 0, 1 / 2, 1 / 3])
    assert percent([np.array([1.0, 0.0]), np.array([1.0])]) == pytest.approx(200 / 3)


def test_guesses_and_reasons_on_paper() -> None:
    assert diagonal(3, 5).argmax(1).tolist() == [0, 2, 4]
    assert diagonal(1, 2).tolist() == [[0, -1]]
    rows = np.array([[0.1, 0.5, 0.4, 0.0, 0.0], [0.2, 0.2, 0.2, 0.2, 0.2]])
    assert top(rows, 0.2) == [frozenset({1}), frozenset({0})]
    assert top(rows, 0.4) == [frozenset({1, 2}), frozenset({0, 1})]
    assert sum_groups(rows, [[0, 1], [4]]).tolist() == [pytest.approx([0.6, 0.0]), pytest.approx([0.4, 0.2])]


def test_gradient_times_input_against_differences(scorer: Scorer) -> None:
    """Scale the embedding of one source piece a little up and down: the slope is gradient times input."""
    read, model = scorer.score_pieces(SOURCES, TARGETS), scorer.model.double()
    found = gradient_times_input(model, read, 10)
    embedding = model.get_submodule("source_embedding")
    assert isinstance(embedding, nn.Embedding)
    little = 1e-5

    def scaled(source: list[int], target: list[int], place: int, factor: float) -> list[float]:
        def change(module: nn.Module, inputs: tuple[Tensor], output: Tensor) -> Tensor:
            if inputs[0].shape[1] != len(source) or not torch.equal(inputs[0][0], torch.tensor(source)):
                return output
            factors = torch.ones(len(source), 1, dtype=output.dtype)
            factors[place] = factor
            return output * factors

        hook = embedding.register_forward_hook(change)
        with torch.no_grad():
            numbers = plainly(model, source, target)
        hook.remove()
        return numbers

    for rows, source, target in zip(found, SOURCES, TARGETS, strict=True):
        for place in range(len(source)):
            up, down = (scaled(source, target, place, 1 + sign * little) for sign in (1, -1))
            slope = [(one - two) / (2 * little) for one, two in zip(up, down, strict=True)]
            np.testing.assert_allclose(rows[:, place], slope, atol=1e-6)
    assert all(parameter.grad is None for parameter in model.parameters())
    model.float()
