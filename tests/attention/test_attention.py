"""Attention: weights and contexts of every score in every window, coverage and heads, against the papers' equations."""

import itertools
import math

import plain_attention as plain
import pytest
import torch
from tiny_models import LENGTHS, mask, random, redraw
from tiny_models import one_thread as one_thread
from tolerances import FLOAT64, bound
from torch import Tensor

from mt.attention import SCORES, WINDOWS, Attention, CoverageAttention, FixedVector, MultiHead, Plan, build

Parts = Attention | MultiHead | FixedVector
QUERIES = 7
EVERY = list(itertools.product(SCORES, WINDOWS))
COVERAGE = list(itertools.product(("additive", "concat"), WINDOWS))


def attention(score: str, window: str, *, heads: int = 1, coverage: bool = False) -> Parts:
    """Queries of width 4; values of width 4 for one head, else 3. D = 1."""
    plan = Plan(score, 6, window, half_width=1, heads=heads, coverage=coverage, longest=5)
    made = build(plan, query=4, value=4 if heads == 1 else 3)
    redraw(made, seed=2, scale=1.0)
    return made


def steps() -> dict[str, Tensor]:
    return {"step": torch.arange(QUERIES).expand(3, QUERIES)}


def parameters(made: Parts) -> plain.Parameters:
    return {name: parameter.tolist() for name, parameter in made.named_parameters()}


def assert_row(found: Tensor, expected: plain.Vector) -> None:
    assert found.tolist() == pytest.approx([*expected, *[0] * (len(found) - len(expected))], abs=FLOAT64)


@pytest.mark.parametrize(("score", "window"), EVERY)
def test_weights_and_contexts_are_the_papers(score: str, window: str) -> None:
    made, query_BQH, values_BSC = attention(score, window), random(3, QUERIES, 4, seed=3), random(3, 5, 4)
    context_BQC, weights_B1QS, past = made(query_BQH, made.memory(values_BSC, mask()), steps())
    assert past.keys() == {"step"}
    assert torch.equal(past["step"], steps()["step"] + 1)
    for b, q in itertools.product(range(3), range(QUERIES)):
        asked, values = query_BQH[b, q].tolist(), values_BSC[b].tolist()[: LENGTHS[b]]
        context, weights = plain.attend((score, window), asked, values, q, 1, parameters(made))
        assert_row(weights_B1QS[b, 0, q], weights)
        assert_row(context_BQC[b, q], context)


@pytest.mark.parametrize("heads", [2, 3])
@pytest.mark.parametrize(("score", "window"), EVERY)
def test_heads_are_the_papers(score: str, window: str, heads: int) -> None:
    made, query_BQH, values_BSC = attention(score, window, heads=heads), random(3, QUERIES, 4, seed=3), random(3, 5, 3)
    context_BQC, weights_BNQS, past = made(query_BQH, made.memory(values_BSC, mask()), steps())
    assert context_BQC.shape == (3, QUERIES, 3)
    assert torch.equal(past["step"], steps()["step"] + 1)
    for b, q in itertools.product(range(3), range(QUERIES)):
        asked, values, p = query_BQH[b, q].tolist(), values_BSC[b].tolist()[: LENGTHS[b]], parameters(made)
        context, by_head = plain.attend_heads((score, window), asked, values, q, 1, p, heads)
        assert_row(context_BQC[b, q], context)
        for found, weights in zip(weights_BNQS[b, :, q], by_head, strict=True):
            assert_row(found, weights)
    assert (weights_BNQS[0, 0] - weights_BNQS[0, 1]).abs().max() > 0.01


@pytest.mark.parametrize(("score", "window"), COVERAGE)
def test_coverage_is_the_sum_of_earlier_weights(score: str, window: str) -> None:
    """See et al. 2017, eq. 10-11, step by step: c_0 = 0, c_t = a_0 + ... + a_{t-1}."""
    made, queries, values_BSC = attention(score, window, coverage=True), random(3, QUERIES, 4, seed=3), random(3, 5, 4)
    assert isinstance(made, CoverageAttention)
    memory, past = made.memory(values_BSC, mask()), made.start(values_BSC)
    covered: list[plain.Vector] = [[0.0] * length for length in LENGTHS]
    for q in range(QUERIES):
        kept = {name: tensor.clone() for name, tensor in past.items()}
        context_BQC, weights_B1QS, after = made(queries[:, q : q + 1], memory, past)
        assert all(torch.equal(past[name], kept[name]) for name in kept)
        past = after
        for b, length in enumerate(LENGTHS):
            asked, values = queries[b, q].tolist(), values_BSC[b].tolist()[:length]
            context, weights = plain.attend((score, window), asked, values, q, 1, parameters(made), covered[b])
            covered[b] = plain.plus(covered[b], weights)
            assert_row(weights_B1QS[b, 0, 0], weights)
            assert_row(context_BQC[b, 0], context)
            assert_row(past["coverage"][b, 0], covered[b])


def test_coverage_is_refused_where_there_is_no_tanh() -> None:
    with pytest.raises(TypeError, match="coverage is a term inside a tanh, and the general score has none"):
        build(Plan("general", 6, coverage=True), 4, 4)


def test_none_is_the_mean_of_the_real_values_for_every_query() -> None:
    made, values_BSC = build(Plan("none", 6), 3, 4), random(3, 5, 4)
    assert list(made.parameters()) == []
    assert made.start(values_BSC) == {}
    context_BQC, weights, past = made(random(3, 2, 3), made.memory(values_BSC, mask()), {})
    assert weights is None
    assert past == {}
    for b, length in enumerate(LENGTHS):
        mean = [math.fsum(column) / length for column in zip(*values_BSC[b].tolist()[:length], strict=True)]
        for q in range(2):
            assert context_BQC[b, q].tolist() == pytest.approx(mean, abs=bound(100))


# What holds for every one ---------------------------------------------------------------------------------------------

SOME = [(*both, heads, False) for both in EVERY for heads in (1, 2)] + [(*both, 1, True) for both in COVERAGE]
some = pytest.mark.parametrize(("score", "window", "heads", "coverage"), SOME)


def past_of(made: Parts, values_BSC: Tensor) -> dict[str, Tensor]:
    """The past of queries at steps 0 to 6, of which the later have attended to more."""
    covered = random(3, QUERIES, 5).abs().cumsum(1) * mask()[:, None]
    return steps() | ({"coverage": covered.to(values_BSC)} if "coverage" in made.start(values_BSC) else {})


@some
def test_padding_weighs_exactly_nothing(score: str, window: str, heads: int, coverage: bool) -> None:
    made, values_BSC = attention(score, window, heads=heads, coverage=coverage), random(3, 5, 4 if heads == 1 else 3)
    query_BQH, past = 50 * random(3, QUERIES, 4, seed=3), past_of(made, values_BSC)
    values_BSC.requires_grad_()
    context, weights, _ = made(query_BQH, made.memory(values_BSC, mask()), past)
    assert (weights[~mask()[:, None, None].expand_as(weights)] == 0).all()
    if window == "local-p":
        assert (weights.sum(-1) < 1).all()
    else:
        torch.testing.assert_close(weights.sum(-1), torch.ones(3, heads, QUERIES).double(), rtol=0, atol=bound(100))
        assert weights[2].tolist() == [[[pytest.approx(1), 0, 0, 0, 0]] * QUERIES] * heads
    context.sum().backward()
    assert values_BSC.grad is not None
    assert (values_BSC.grad[~mask()] == 0).all()
    other = torch.where(mask()[:, :, None], values_BSC.detach(), 1e9)
    for one, same in zip((context, weights), made(query_BQH, made.memory(other, mask()), past), strict=False):
        assert torch.equal(one, same)


@some
def test_numbers_of_any_size_give_numbers(score: str, window: str, heads: int, coverage: bool) -> None:
    made, values_BSC = attention(score, window, heads=heads, coverage=coverage), random(3, 5, 4 if heads == 1 else 3)
    for scale in (0.0, 1e-30, 1e3):
        redraw(made, seed=2, scale=scale)
        made.float()
        values, past = (1e3 * values_BSC).float().requires_grad_(), past_of(made, values_BSC.float())
        context, weights, after = made(1e3 * random(3, QUERIES, 4).float(), made.memory(values, mask()), past)
        context.sum().backward()
        for found in (context, weights, *after.values(), values.grad, *(p.grad for p in made.parameters())):
            assert found.isfinite().all()
        assert (weights[~mask()[:, None, None].expand_as(weights)] == 0).all()
        if window != "local-p":
            assert weights.sum(-1).tolist() == [[[pytest.approx(1)] * QUERIES] * heads] * 3


@some
def test_queries_together_are_query_by_query(score: str, window: str, heads: int, coverage: bool) -> None:
    made, values_BSC = attention(score, window, heads=heads, coverage=coverage), random(3, 5, 4 if heads == 1 else 3)
    query_BQH, memory, past = random(3, QUERIES, 4, seed=3), made.memory(values_BSC, mask()), past_of(made, values_BSC)
    kept = {name: tensor.clone() for name, tensor in (memory | past).items()}
    together = made(query_BQH, memory, past)
    assert len(together[0].unique(dim=1)[0]) == QUERIES
    for q in range(QUERIES):
        here = slice(q, q + 1)
        context, weights, after = made(query_BQH[:, here], memory, {name: x[:, here] for name, x in past.items()})
        assert after.keys() == together[2].keys() == past.keys()
        for one, all_of_them in ((context, together[0]), (weights, together[1])):
            torch.testing.assert_close(one, all_of_them[..., here, :], rtol=0, atol=bound(1000))
        for name in after:
            torch.testing.assert_close(after[name], together[2][name][:, here], rtol=0, atol=bound(1000))
    assert all(torch.equal((memory | past)[name], kept[name]) for name in kept)


@pytest.mark.parametrize(
    ("score", "window", "heads", "coverage"),
    [
        ("general", "local-p", 1, False),
        ("additive", "global", 1, True),
        ("concat", "local-p", 1, True),
        ("location", "local-p", 2, False),
    ],
)
def test_gradients_are_the_numerical_ones(score: str, window: str, heads: int, coverage: bool) -> None:
    made, values_BSC = attention(score, window, heads=heads, coverage=coverage), random(2, 5, 4 if heads == 1 else 3)

    def run(query: Tensor, values: Tensor, *of_the_module: Tensor) -> tuple[Tensor, ...]:
        past, found = made.start(values), []
        for q in range(3):
            context, weights, past = made(query[:, q : q + 1], made.memory(values, mask()[:2]), past)
            found += [context, weights]
        return tuple(found)

    query_BQH = random(2, 3, 4, seed=3).requires_grad_()
    assert torch.autograd.gradcheck(run, (query_BQH, values_BSC.requires_grad_(), *made.parameters()))
