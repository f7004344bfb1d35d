"""The losses against plain loops over their papers' equations."""

import math

import pytest
import torch
from torch.nn import functional

from mt.core.special import PAD
from mt.training.losses import coverage_loss, cross_entropy, guide_loss

ATTENTION = torch.tensor(
    [[[0.7, 0.2, 0.1], [0.5, 0.5, 0.0], [0.1, 0.1, 0.8]], [[0.6, 0.4, 0.0], [0.9, 0.1, 0.0], [0.3, 0.7, 0.0]]],
    dtype=torch.float64,
)


def test_loss_is_the_papers_sum_over_real_pieces():
    torch.manual_seed(1)
    logits, smoothing, vocabulary = torch.randn(2, 3, 5, dtype=torch.float64), 0.1, 5
    target = torch.tensor([[4, 2, 3], [1, 3, 0]])
    expected = 0.0
    for sentence in range(2):
        for position in range(3):
            piece = int(target[sentence, position])
            if piece == 0:
                continue
            row = logits[sentence, position].tolist()
            total = math.log(sum(math.exp(value) for value in row))
            for candidate, value in enumerate(row):
                wanted = smoothing / vocabulary + (1 - smoothing) * (candidate == piece)
                expected -= wanted * (value - total)
    assert cross_entropy(logits, target, smoothing).item() == pytest.approx(expected, rel=1e-12)


def test_gradient_is_that_of_pytorchs_own_loss():
    torch.manual_seed(1)
    logits, target = torch.randn(4, 6, 9, dtype=torch.float64, requires_grad=True), torch.randint(0, 9, (4, 6))
    for smoothing in (0.0, 0.1):
        reference = functional.cross_entropy(
            logits.flatten(0, 1), target.flatten(), ignore_index=PAD, label_smoothing=smoothing, reduction="sum"
        )
        (expected,) = torch.autograd.grad(reference * 0.3, logits)
        loss = cross_entropy(logits, target, smoothing)
        assert loss.item() == pytest.approx(reference.item(), rel=1e-12)
        (found,) = torch.autograd.grad(loss * 0.3, logits)
        torch.testing.assert_close(found, expected)
        assert not found[target == PAD].any()


def test_a_teachers_share_of_the_loss_and_its_gradient_are_the_sum_written_out():
    torch.manual_seed(1)
    logits, target = torch.randn(3, 4, 7, dtype=torch.float64, requires_grad=True), torch.randint(0, 7, (3, 4))
    candidates = torch.stack([torch.randperm(7)[:3] for _ in range(12)]).view(3, 4, 3)
    shares = torch.rand(3, 4, 3, dtype=torch.float64).softmax(-1)
    expected = torch.zeros((), dtype=torch.float64)
    for b, t in (target != PAD).nonzero().tolist():
        wanted = torch.full((7,), 0.2 * 0.1 / 7, dtype=torch.float64)
        wanted[target[b, t]] += 0.2 * 0.9
        for candidate, share in zip(candidates[b, t].tolist(), shares[b, t].tolist(), strict=True):
            wanted[candidate] += 0.8 * share
        expected = expected - (wanted * (logits[b, t].exp() / logits[b, t].exp().sum()).log()).sum()
    found = cross_entropy(logits, target, 0.1, (candidates, shares), 0.8)
    assert found.item() == pytest.approx(expected.item(), rel=1e-12)
    torch.testing.assert_close(torch.autograd.grad(found * 0.3, logits), torch.autograd.grad(expected * 0.3, logits))


def test_a_second_gradient_of_one_loss_is_refused():
    logits = torch.randn(1, 2, 5, requires_grad=True)
    loss = cross_entropy(logits, torch.tensor([[1, 2]]), 0.1)
    torch.autograd.grad(loss, logits, retain_graph=True)
    with pytest.raises(RuntimeError, match="modified by an inplace operation"):
        torch.autograd.grad(loss, logits)


def test_coverage_loss_is_what_was_looked_at_twice():
    target = torch.tensor([[4, 5, 3], [4, 3, PAD]])
    expected = 0.0
    for rows, pieces in zip(ATTENTION.tolist(), target.tolist(), strict=True):
        covered = [0.0, 0.0, 0.0]
        for row, piece in zip(rows, pieces, strict=True):
            if piece != PAD:
                expected += sum(min(a, c) for a, c in zip(row, covered, strict=True))
            covered = [a + c for a, c in zip(row, covered, strict=True)]
    assert coverage_loss(ATTENTION, target).item() == pytest.approx(expected, rel=1e-12)
    # By hand: .5 + .2, then .1 + .1 + .1; the second sentence .6 + .1, its last row is padding.
    assert expected == pytest.approx(0.7 + 0.3 + 0.7)


def test_guide_loss_is_the_cross_entropy_of_the_rows_that_are_known():
    guide = torch.tensor([[[1, 0, 0], [0, 0.5, 0.5], [0, 0, 0]], [[0, 0, 0], [0, 0, 0], [0, 1, 0]]]).double()
    expected = -math.log(0.7) - 0.5 * math.log(0.5) - 0.5 * math.log(1e-9) - math.log(0.7)
    assert guide_loss(ATTENTION, guide).item() == pytest.approx(expected, rel=1e-12)
