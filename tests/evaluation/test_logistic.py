"""The logistic and the linear fit, against plain gradient descent on a few rows."""

import math
import random

import numpy as np
import pytest

from mt.evaluation.logistic import fit_linear, fit_logistic


def rows(seed: int) -> tuple[list[list[float]], list[float]]:
    rng = random.Random(seed)
    inputs = [[rng.gauss(0, 1), rng.gauss(0, 1)] for _ in range(14)]
    return inputs, [float(rng.random() < 1 / (1 + math.exp(-1 - 2 * one))) for one, _ in inputs]


def descend(inputs: list[list[float]], wanted: list[float], penalty: float, *, linear: bool) -> list[float]:
    """Return intercept and two weights, from thousands of small steps down the slope."""
    weights = [0.0, 0.0, 0.0]
    for _ in range(20000):
        slope = [0.0, penalty * weights[1], penalty * weights[2]]
        for row, aim in zip(inputs, wanted, strict=True):
            value = weights[0] + weights[1] * row[0] + weights[2] * row[1]
            off = (value if linear else 1 / (1 + math.exp(-value))) - aim
            for place, part in enumerate((1.0, *row)):
                slope[place] += off * part
        weights = [weight - 0.02 * step for weight, step in zip(weights, slope, strict=True)]
        if max(map(abs, slope)) < 1e-10:
            break
    return weights


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_the_logistic_fit_is_that_of_gradient_descent(seed: int) -> None:
    inputs, classes = rows(seed)
    ones = sum(classes)
    aims = [(ones + 1) / (ones + 2) if one else 1 / (len(classes) - ones + 2) for one in classes]
    intercept, weights = fit_logistic(np.array(inputs), np.array(classes), 0.7)
    assert [intercept, *weights] == pytest.approx(descend(inputs, aims, 0.7, linear=False), abs=1e-6)


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_the_linear_fit_is_that_of_gradient_descent(seed: int) -> None:
    inputs, classes = rows(seed)
    values = [30 * one + row[1] for one, row in zip(classes, inputs, strict=True)]
    intercept, weights = fit_linear(np.array(inputs), np.array(values), 0.7)
    assert [intercept, *weights] == pytest.approx(descend(inputs, values, 0.7, linear=True), abs=1e-5)


@pytest.mark.parametrize("one", [0.0, 1.0])
def test_where_all_are_of_one_class_the_chance_is_nearly_and_not_quite_sure(one: float) -> None:
    """Of 8 of one class: 9 / 10, or 1 / 10."""
    intercept, weights = fit_logistic(np.zeros((8, 1)), np.full(8, one))
    assert 1 / (1 + math.exp(-intercept)) == pytest.approx(0.9 if one else 0.1)
    assert weights.tolist() == [0]


def test_separable_rows_have_a_fit() -> None:
    intercept, weights = fit_logistic(np.array([[-1.0], [-2.0], [1.0], [2.0]]), np.array([0.0, 0, 1, 1]))
    assert intercept == pytest.approx(0, abs=1e-9)
    assert 0.1 < weights[0] < 10


@pytest.mark.parametrize("size", [30, 50, 200])
def test_one_that_stands_apart_is_fitted_too(size: int) -> None:
    """Of one class alone and far from all others: whole steps of Newton lead from one wrong side to the other.

    The loss is convex, so where it does not slope it is the least.
    """
    column = [math.sqrt(size - 1), *[-1 / math.sqrt(size - 1)] * (size - 1)]  # mean 0, variance 1
    intercept, (weight,) = fit_logistic(np.array(column)[:, None], np.array([1.0, *[0.0] * (size - 1)]))
    off = [
        1 / (1 + math.exp(-intercept - weight * one)) - aim
        for one, aim in zip(column, [2 / 3, *[1 / (size + 1)] * (size - 1)], strict=True)
    ]
    assert math.fsum(off) == pytest.approx(0, abs=1e-6)
    assert math.fsum(one * by for one, by in zip(column, off, strict=True)) + weight == pytest.approx(0, abs=1e-6)
    assert weight > 0.2
