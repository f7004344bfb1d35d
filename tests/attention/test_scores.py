"""Scores: each against its paper's equation, and what holds for every one."""

import math
import typing

import plain_attention as plain
import pytest
import torch
from tiny_models import mask, random, redraw
from tiny_models import one_thread as one_thread
from tolerances import FLOAT64, bound
from torch import Tensor

from mt.attention import SCORES, Attention, Plan, build, scores
from mt.attention.scores import Additive, Concat, Location, ScaledDot
from mt.config import models as keys

WIDTHS = [("dot", 4, 4), ("scaled_dot", 4, 4)] + [
    (score, *widths) for score in ("additive", "concat", "general", "location") for widths in ((3, 4), (4, 3), (4, 4))
]


def attention(score: str, query: int = 4, value: int = 4, **more: typing.Any) -> Attention:
    made = build(Plan(score, 6, **more), query, value)
    redraw(made, seed=2)
    assert isinstance(made, Attention)
    return made


def test_config_and_registry_name_the_same_scores() -> None:
    assert typing.get_args(keys.AttentionConfig.model_fields["score"].annotation) == (*SCORES, "none")
    assert {score for score, *_ in WIDTHS} == SCORES.keys()


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_the_quick_tanh_is_torchs(dtype: torch.dtype) -> None:
    within = bound(12, dtype)  # theirs 2; ours 4 of a sigmoid, twice as large, and those of the double and of the 1
    x = torch.cat([torch.linspace(-12, 12, 401), torch.tensor([0.0, 1e-9, -1e-4, 200, -200])]).to(dtype)
    x.requires_grad_()
    torch.testing.assert_close(scores._tanh(x), x.tanh(), rtol=0, atol=within)
    weights = torch.linspace(-1, 1, len(x), dtype=dtype)
    mine, torchs = (torch.autograd.grad((weights * y).sum(), x)[0] for y in (scores._tanh(x), x.tanh()))
    torch.testing.assert_close(mine, torchs, rtol=0, atol=3 * within)  # 1 - y * y


def test_the_quick_tanh_rounds_a_small_number_once() -> None:
    x = torch.linspace(-0.1, 0.1, 1001).bfloat16()
    once, rest = bound(1, torch.bfloat16), bound(2, torch.float32)
    torch.testing.assert_close(scores._tanh(x).double(), x.double().tanh(), rtol=once, atol=rest)


@pytest.mark.parametrize("learning", [True, False])
@pytest.mark.parametrize(("score", "query", "value"), WIDTHS)
def test_scores_are_the_papers(score: str, query: int, value: int, learning: bool) -> None:
    made, query_BQH, values_BSC = attention(score, query, value), random(3, 2, query, seed=3), random(3, 5, value)
    with torch.set_grad_enabled(learning):
        scores_BQS = made.score(query_BQH, made.memory(values_BSC, mask())["keys"])
    assert scores_BQS.shape == (3, 2, 5)
    parameters = {name: parameter.tolist() for name, parameter in made.named_parameters()}
    for b, q in ((b, q) for b in range(3) for q in range(2)):
        asked, values = query_BQH[b, q].tolist(), values_BSC[b].tolist()
        expected = [plain.score(score, asked, held, place, parameters) for place, held in enumerate(values)]
        assert scores_BQS[b, q].tolist() == pytest.approx(expected, abs=FLOAT64)


@pytest.mark.parametrize("learning", [True, False])
@pytest.mark.parametrize("score", ["additive", "concat"])
def test_one_more_summand_stands_inside_the_tanh(score: str, learning: bool) -> None:
    made = attention(score).score
    query_BQH, values_BSC, extra_BQSA = random(3, 2, 4, seed=3), random(3, 5, 4), random(3, 2, 5, 6, seed=4)
    with torch.set_grad_enabled(learning):
        keys_BSA = made.keys(values_BSC)
        found, parts = made(query_BQH, keys_BSA, extra_BQSA), (made.queries(query_BQH), keys_BSA, extra_BQSA)
    queries, keys, extra, vector = (part.tolist() for part in (*parts, made.vector))
    for b, q, s in ((b, q, s) for b in range(3) for q in range(2) for s in range(5)):
        summands = zip(vector, queries[b][q], keys[b][s], extra[b][q][s], strict=True)
        expected = sum(weight * math.tanh(asked + held + more) for weight, asked, held, more in summands)
        assert found[b, q, s].item() == pytest.approx(expected, abs=FLOAT64)


def test_in_bfloat16_small_scores_keep_their_digits_in_search_too() -> None:
    made = attention("additive").score.bfloat16()
    made.key.bias.detach().zero_()
    query_BQH, values_BSC = (0.01 * random(3, size, 4, seed=size).bfloat16() for size in (2, 5))
    with torch.no_grad():
        keys_BSA = made.keys(values_BSC)
        sums_BQSA = made.queries(query_BQH)[:, :, None] + keys_BSA[:, None]
        wanted = sums_BQSA.double().tanh() @ made.vector.double()
        room = bound(8, torch.bfloat16) * (sums_BQSA.double().tanh().abs() @ made.vector.double().abs())
        assert ((made(query_BQH, keys_BSA).double() - wanted).abs() <= room).all()


def test_additive_is_concat_with_the_matrix_split() -> None:
    additive, concat = attention("additive", 3, 4), attention("concat", 3, 4)
    one, other = additive.score, concat.score
    assert isinstance(one, Additive)
    assert isinstance(other, Concat)
    query_BQH, values_BSC = random(3, 2, 3, seed=3), random(3, 5, 4)

    def both() -> list[Tensor]:
        return [made.score(query_BQH, made.score.keys(values_BSC)) for made in (additive, concat)]

    before, expected = both()
    assert (before - expected).abs().max() > 0.01
    other.matrix.weight.detach().copy_(torch.cat([one.query.weight, one.key.weight], 1))
    other.matrix.bias.detach().copy_(one.key.bias)
    other.vector.detach().copy_(one.vector)
    torch.testing.assert_close(*both(), rtol=0, atol=bound(100))
    assert sum(p.numel() for p in one.parameters()) == sum(p.numel() for p in other.parameters()) == 3 * 6 + 4 * 6 + 12


def test_scaled_dot_does_not_grow_with_the_width() -> None:
    """Vaswani et al. 2017, footnote 4: products of random vectors have variance d, scaled ones 1."""
    query_BQH, keys_BSA = random(1, 60, 400), random(1, 60, 400, seed=1)
    assert ScaledDot(400, 400, 0)(query_BQH, keys_BSA).var().item() == pytest.approx(1, abs=0.1)


# Location -------------------------------------------------------------------------------------------------------------


def location(longest: int) -> Attention:
    return attention("location", longest=longest)


def test_location_looks_at_places_and_not_at_what_stands_there() -> None:
    made, query_BQH = location(5), random(3, 2, 4, seed=3)
    past = {"step": torch.tensor([[0, 1]] * 3)}
    (_, one, _), (_, other, _) = (made(query_BQH, made.memory(random(3, 5, 4, seed=s), mask()), past) for s in (1, 2))
    assert torch.equal(one, other)
    assert one[0, 0, 0].std() > 0.01


@pytest.mark.parametrize("longest", [1, 3, 4])
def test_location_gives_places_out_of_reach_nothing(longest: int) -> None:
    made, query_BQH, values_BSC = location(longest), 50 * random(3, 2, 4, seed=3), random(3, 5, 4)
    assert isinstance(made.score, Location)
    assert made.score.places.weight.shape == (longest, 4)
    _, weights_B1QS, _ = made(query_BQH, made.memory(values_BSC, mask()), {"step": torch.tensor([[0, 1]] * 3)})
    assert (weights_B1QS[..., longest:] == 0).all()
    torch.testing.assert_close(weights_B1QS.sum(-1), torch.ones(3, 1, 2).double(), rtol=0, atol=bound(16))
    within = location(longest)
    short = within.memory(values_BSC[:, :longest], mask()[:, :longest])
    _, expected, _ = within(query_BQH, short, {"step": torch.tensor([[0, 1]] * 3)})
    torch.testing.assert_close(weights_B1QS[..., :longest], expected, rtol=0, atol=bound(16))


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_a_window_wholly_out_of_reach_is_shared_equally(dtype: torch.dtype) -> None:
    made = location(2).to(dtype)
    narrow = build(Plan("location", 6, "local-m", 1, longest=2), 4, 4).to(dtype)
    narrow.load_state_dict(made.state_dict())
    values_BSC = random(1, 7, 4).to(dtype)
    memory, steps = narrow.memory(values_BSC, torch.ones(1, 7, dtype=torch.bool)), torch.tensor([[1, 4, 6, 9]])
    _, weights, _ = narrow(random(1, 4, 4).to(dtype), memory, {"step": steps})
    third = [0, 0, 0, *[pytest.approx(1 / 3)] * 3, 0]
    assert weights is not None
    weights = weights[:, 0]
    assert (weights[0, 0, :2].sum().item(), *weights[0, 0, 2:].tolist()) == (pytest.approx(1), 0, 0, 0, 0, 0)
    assert weights[0, 1].tolist() == third
    assert weights[0, 2].tolist() == weights[0, 3].tolist() == [0, 0, 0, 0, 0, 0.5, 0.5]
