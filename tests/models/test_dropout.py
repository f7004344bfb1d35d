"""Dropout against its definition."""

import pytest
import torch

from mt.models.dropout import Dropout


def test_each_value_is_dropped_or_divided_by_what_is_kept() -> None:
    torch.manual_seed(1)
    values = torch.randn(40, 50, 10, requires_grad=True)
    made = Dropout(0.3).train()
    result = made(values)
    kept = result != 0
    assert kept.float().mean().item() == pytest.approx(0.7, abs=5 * (0.3 * 0.7 / values.numel()) ** 0.5)
    torch.testing.assert_close(result[kept], values[kept] / 0.7)
    (gradient,) = torch.autograd.grad(result.sum(), values)
    torch.testing.assert_close(gradient, kept / 0.7)
    for axis in range(3):  # no two places share a mask
        first, second = kept.unbind(axis)[:2]
        assert 0.4 < (first == second).float().mean() < 0.75


def test_seeds_decide_and_outside_training_nothing_is_dropped() -> None:
    made, values = Dropout(0.5), torch.ones(30, 20)
    found = []
    for seed in (1, 1, 2):
        torch.manual_seed(seed)
        found.append(made(values))
    assert torch.equal(found[0], found[1])
    assert not torch.equal(found[0], found[2])
    assert made.eval()(values) is values
    assert Dropout(0.0).train()(values) is values
