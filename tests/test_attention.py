import math
import typing
from collections.abc import Callable

import pytest
import torch
from tiny_models import one_thread as one_thread
from tiny_models import redraw
from torch import Tensor

from mt import config
from mt.attention import SCORES, Additive, Attention, Concat, build

Vector = list[float]
Matrix = list[Vector]
LENGTHS = [5, 3, 1]


def times(matrix: Matrix, vector: Vector) -> Vector:
    return [sum(a * b for a, b in zip(row, vector, strict=True)) for row in matrix]


def inner(one: Vector, other: Vector) -> float:
    return math.fsum(a * b for a, b in zip(one, other, strict=True))


def plain_additive(q: Vector, k: Vector, p: dict[str, typing.Any]) -> float:
    """Bahdanau et al. 2015, A.1.2: v . tanh(W s + U h)."""
    asked, held = times(p["query.weight"], q), times(p["key.weight"], k)
    return inner(p["vector"], [math.tanh(a + h + bias) for a, h, bias in zip(asked, held, p["key.bias"], strict=True)])


def plain_concat(q: Vector, k: Vector, p: dict[str, typing.Any]) -> float:
    """Luong et al. 2015, eq. 8: v . tanh(W [h_t; h_s])."""
    both = times(p["matrix.weight"], [*q, *k])
    return inner(p["vector"], [math.tanh(x + bias) for x, bias in zip(both, p["matrix.bias"], strict=True)])


def plain_general(q: Vector, k: Vector, p: dict[str, typing.Any]) -> float:
    """Luong et al. 2015, eq. 8: h_t . W h_s."""
    return inner(q, times(p["matrix.weight"], k))


def plain_dot(q: Vector, k: Vector, p: dict[str, typing.Any]) -> float:
    """Luong et al. 2015, eq. 8: h_t . h_s."""
    return inner(q, k)


PLAIN: dict[str, Callable[[Vector, Vector, dict[str, typing.Any]], float]] = {
    "additive": plain_additive,
    "concat": plain_concat,
    "general": plain_general,
    "dot": plain_dot,
}
WIDTHS = [("dot", 4, 4)] + [
    (score, *widths) for score in ("additive", "concat", "general") for widths in ((3, 4), (4, 3), (4, 4))
]


def random(*shape: int, seed: int = 0) -> Tensor:
    return torch.randn(shape, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


def mask() -> Tensor:
    return torch.tensor([[place < length for place in range(5)] for length in LENGTHS])


def attention(score: str, query: int = 4, value: int = 4) -> Attention:
    made = build(score, query, value, 6)
    redraw(made, seed=2)
    assert isinstance(made, Attention)
    return made


def test_config_and_registry_name_the_same_scores() -> None:
    assert set(typing.get_args(config.Attention.model_fields["score"].annotation)) == {*SCORES, "none"}
    assert PLAIN.keys() == SCORES.keys()


@pytest.mark.parametrize(("score", "query", "value"), WIDTHS)
def test_scores_weights_and_context_are_the_papers(score: str, query: int, value: int) -> None:
    made, query_BQH, values_BSC = attention(score, query, value), random(3, 2, query, seed=3), random(3, 5, value)
    memory = made.memory(values_BSC, mask())
    scores_BQS = made.score(query_BQH, memory["keys"]).tolist()
    context_BQC, weights_BQS = made(query_BQH, memory)
    assert context_BQC.shape == (3, 2, value)
    parameters = {name: parameter.tolist() for name, parameter in made.score.named_parameters()}
    for b, length in enumerate(LENGTHS):
        values = values_BSC[b].tolist()[:length]
        for q, asked in enumerate(query_BQH[b].tolist()):
            scores = [PLAIN[score](asked, held, parameters) for held in values]
            assert scores_BQS[b][q][:length] == pytest.approx(scores, abs=1e-12)
            total = math.fsum(map(math.exp, scores))
            weights = [math.exp(x) / total for x in scores]
            assert weights_BQS[b, q].tolist() == pytest.approx([*weights, *[0] * (5 - length)], abs=1e-12)
            context = [inner(weights, column) for column in map(list, zip(*values, strict=True))]
            assert context_BQC[b, q].tolist() == pytest.approx(context, abs=1e-12)


def test_additive_is_concat_with_the_matrix_split() -> None:
    additive, concat = attention("additive", 3, 4), attention("concat", 3, 4)
    one, other = additive.score, concat.score
    assert isinstance(one, Additive)
    assert isinstance(other, Concat)
    query_BQH, values_BSC = random(3, 2, 3, seed=3), random(3, 5, 4)

    def both() -> list[tuple[Tensor, Tensor]]:
        return [made(query_BQH, made.memory(values_BSC, mask())) for made in (additive, concat)]

    (_, before), (_, expected) = both()
    assert (before - expected).abs().max() > 0.01
    other.matrix.weight.detach().copy_(torch.cat([one.query.weight, one.key.weight], 1))
    other.matrix.bias.detach().copy_(one.key.bias)
    other.vector.detach().copy_(one.vector)
    (context_a, weights_a), (context_c, weights_c) = both()
    torch.testing.assert_close(weights_a, weights_c, rtol=0, atol=1e-14)
    torch.testing.assert_close(context_a, context_c, rtol=0, atol=1e-14)
    assert sum(p.numel() for p in one.parameters()) == sum(p.numel() for p in other.parameters()) == 3 * 6 + 4 * 6 + 12


@pytest.mark.parametrize("score", SCORES)
def test_masked_pieces_weigh_exactly_nothing(score: str) -> None:
    made, query_BQH, values_BSC = attention(score), 50 * random(3, 2, 4, seed=3), random(3, 5, 4)
    values_BSC.requires_grad_()
    context, weights = made(query_BQH, made.memory(values_BSC, mask()))
    assert (weights[~mask()[:, None].expand_as(weights)] == 0).all()
    torch.testing.assert_close(weights.sum(-1), torch.ones(3, 2).double(), rtol=0, atol=1e-15)
    assert weights[2].tolist() == [[1, 0, 0, 0, 0]] * 2
    context.sum().backward()
    assert values_BSC.grad is not None
    assert (values_BSC.grad[~mask()] == 0).all()
    assert (values_BSC.grad[mask()] != 0).any(-1).all()
    other = torch.where(mask()[:, :, None], values_BSC.detach(), 1e9)
    for one, same in zip((context, weights), made(query_BQH, made.memory(other, mask())), strict=True):
        assert torch.equal(one, same)


@pytest.mark.parametrize("score", SCORES)
def test_scores_of_any_size_give_numbers(score: str) -> None:
    made = attention(score)
    redraw(made, seed=2, scale=1e4)
    made.float()
    context, weights = made(1e4 * random(3, 2, 4).float(), made.memory(1e4 * random(3, 5, 4).float(), mask()))
    assert context.isfinite().all()
    assert (weights[~mask()[:, None].expand_as(weights)] == 0).all()
    assert weights.sum(-1).tolist() == [[pytest.approx(1)] * 2] * 3


@pytest.mark.parametrize("score", [*SCORES, "none"])
def test_queries_together_are_query_by_query(score: str) -> None:
    made, query_BQH = build(score, 4, 4, 6), random(3, 6, 4, seed=3)
    redraw(made, seed=2)
    memory = made.memory(random(3, 5, 4), mask())
    kept = {name: tensor.clone() for name, tensor in memory.items()}
    context, weights = made(query_BQH, memory)
    assert len(context.unique(dim=1)[0]) == (1 if score == "none" else 6)
    for q in range(6):
        one_context, one_weights = made(query_BQH[:, q : q + 1], memory)
        torch.testing.assert_close(one_context, context[:, q : q + 1], rtol=0, atol=1e-14)
        if weights is not None:
            torch.testing.assert_close(one_weights, weights[:, q : q + 1], rtol=0, atol=1e-14)
    assert all(torch.equal(memory[name], kept[name]) for name in kept)


def test_none_is_the_mean_of_the_real_values_for_every_query() -> None:
    made, values_BSC = build("none", 3, 4, 6), random(3, 5, 4)
    assert list(made.parameters()) == []
    context_BQC, weights = made(random(3, 2, 3), made.memory(values_BSC, mask()))
    assert weights is None
    for b, length in enumerate(LENGTHS):
        mean = [math.fsum(column) / length for column in zip(*values_BSC[b].tolist()[:length], strict=True)]
        for q in range(2):
            assert context_BQC[b, q].tolist() == pytest.approx(mean, abs=1e-14)
