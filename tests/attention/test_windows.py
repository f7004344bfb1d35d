"""Windows: each against Luong et al. 2015, 3.2, in plain Python, and what must hold at every length."""

import math
import typing

import plain_attention as plain
import pytest
import torch
from tiny_models import LENGTHS, mask, random, redraw
from tiny_models import one_thread as one_thread
from tolerances import bound
from torch import Tensor

from mt.attention import WINDOWS, Attention, Plan, build
from mt.attention.windows import LocalM, LocalP, Window
from mt.config import models as keys


def window(name: str, reach: int) -> Window:
    made = WINDOWS[name](4, 6, reach)
    redraw(made, seed=2, scale=1.5)
    return made


def general(name: str, reach: int) -> Attention:
    made = build(Plan("general", 6, name, reach), 4, 4)
    redraw(made, seed=2, scale=1.2)
    assert isinstance(made, Attention)
    return made


def centred(reach: int, logit: float, lengths: list[int]) -> tuple[Tensor, Tensor]:
    """What local-p allows, and its factor, when its centre is S . sigmoid(logit)."""
    made = LocalP(1, 1, reach).double()
    made.query.weight.detach().fill_(1e3)  # tanh gives 1
    made.vector.detach().fill_(logit)
    mask_BS = torch.arange(max(lengths)) < torch.tensor(lengths)[:, None]
    ones = torch.ones(len(lengths), 1, 1, dtype=torch.float64)
    allowed, factor = made(ones, mask_BS, torch.zeros(len(lengths), 1, dtype=torch.long))
    assert factor is not None
    return allowed[:, 0], factor[:, 0]


def test_config_and_registry_name_the_same_windows() -> None:
    assert typing.get_args(keys.AttentionConfig.model_fields["window"].annotation) == tuple(WINDOWS)


@pytest.mark.parametrize("reach", [1, 2, 3, 10])
@pytest.mark.parametrize("name", WINDOWS)
def test_windows_are_the_papers(name: str, reach: int) -> None:
    made, query_BQH, step_BQ = window(name, reach), random(3, 9, 4, seed=3), torch.arange(9).expand(3, 9)
    allowed, factor = made(query_BQH, mask(), step_BQ)
    allowed_BQS = allowed.expand(3, 9, 5)
    p = {"window." + key: value.tolist() for key, value in made.named_parameters()}
    for b, q in ((b, q) for b in range(3) for q in range(9)):
        expected = plain.factors(name, query_BQH[b, q].tolist(), LENGTHS[b], q, reach, p)
        expected += [None] * (5 - LENGTHS[b])
        assert allowed_BQS[b, q].tolist() == [f is not None for f in expected]
        if factor is not None:
            inside = allowed_BQS[b, q]
            known = [one for one in expected if one is not None]
            assert factor[b, q][inside].tolist() == pytest.approx(known, abs=bound(1000))
    assert (factor is not None) == (name == "local-p")
    assert name == "global" or reach > 3 or not allowed_BQS[0].all()


def test_local_m_by_hand() -> None:
    """D = 1: the step and its neighbours; after the end of the source, its last two pieces."""
    allowed, _ = LocalM(4, 6, 1)(random(2, 6, 4), mask()[:2], torch.arange(6).expand(2, 6))
    assert allowed.int().tolist() == [
        [[1, 1, 0, 0, 0], [1, 1, 1, 0, 0], [0, 1, 1, 1, 0], [0, 0, 1, 1, 1], [0, 0, 0, 1, 1], [0, 0, 0, 1, 1]],
        [[1, 1, 0, 0, 0], [1, 1, 1, 0, 0], [0, 1, 1, 0, 0], [0, 1, 1, 0, 0], [0, 1, 1, 0, 0], [0, 1, 1, 0, 0]],
    ]


def test_local_p_by_hand() -> None:
    """Centre S / 2 = 2.5, D = 2, so sigma = 1: pieces 1 to 4, distances 1.5, 0.5, 0.5, 1.5. S = 2: centre 1."""
    allowed, factor = centred(2, 0.0, [5, 2])
    assert allowed.tolist() == [[False, True, True, True, True], [True, True, False, False, False]]
    near, far = math.exp(-0.125), math.exp(-1.125)
    assert factor[0, 1:].tolist() == pytest.approx([far, near, near, far], abs=bound(8))
    assert factor[1, :2].tolist() == pytest.approx([math.exp(-0.5), 1], abs=bound(8))


@pytest.mark.parametrize("logit", [-1e4, -40.0, -1.0, 0.0, 1.0, 40.0, 1e4])
def test_local_p_always_holds_a_real_piece(logit: float) -> None:
    lengths = [1, 2, 3, 10, 200]
    allowed, factor = centred(1, logit, lengths)
    assert allowed.any(-1).all()
    assert factor.isfinite().all()
    for row, length in enumerate(lengths):
        assert not allowed[row, length:].any()
        assert allowed[row].sum() <= 3
        assert factor[row][allowed[row]].max() >= math.exp(-2)


@pytest.mark.parametrize("reach", [1, 2, 5])
def test_rows_of_local_p_sum_to_the_gaussian_under_the_softmax(reach: int) -> None:
    """Less than one, and not renormalised: eq. 10 multiplies after the softmax. Equal scores sum to the mean factor."""
    made = general("local-p", reach)
    steps, query_BQH = {"step": torch.arange(9).expand(3, 9)}, random(3, 9, 4, seed=3)
    allowed, factor = made.window(query_BQH, mask(), steps["step"])
    assert factor is not None
    _, weights_B1QS, _ = made(query_BQH, made.memory(random(3, 5, 4), mask()), steps)
    assert weights_B1QS is not None
    sums, largest = weights_B1QS[:, 0].sum(-1), (factor * allowed).amax(-1)
    assert ((sums > 0) & (sums <= largest) & (sums < 1)).all()
    assert (sums < 0.9).any()
    _, equal_B1QS, _ = made(query_BQH, made.memory(torch.zeros(3, 5, 4).double(), mask()), steps)
    assert equal_B1QS is not None
    torch.testing.assert_close(
        equal_B1QS[:, 0].sum(-1), (factor * allowed).sum(-1) / allowed.sum(-1), rtol=0, atol=1e-14
    )


@pytest.mark.parametrize("name", WINDOWS)
def test_nothing_outside_a_window_has_weight_or_gradient(name: str) -> None:
    made, query_BQH, values_BSC = general(name, 1), random(3, 9, 4, seed=3), random(3, 5, 4).requires_grad_()
    steps = {"step": torch.arange(9).expand(3, 9)}
    context, weights, _ = made(query_BQH, made.memory(values_BSC, mask()), steps)
    allowed = made.window(query_BQH, mask(), steps["step"])[0].expand(3, 9, 5)
    assert weights is not None
    assert (weights[:, 0][~allowed] == 0).all()
    assert (weights[:, 0][allowed] > 0).all()
    for q in (0, 4, 8):
        (gradient,) = torch.autograd.grad(context[:, q].sum(), values_BSC, retain_graph=True)
        assert ((gradient != 0).any(-1) == allowed[:, q]).all()
