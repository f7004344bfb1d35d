"""Linear models on standardised signals, fitted by Newton's method: twenty lines in place of scikit-learn."""

import numpy as np

from mt.core.arrays import Floats
from mt.inference.confidence import sigmoid

STEPS, ENOUGH = 100, 1e-10


def fit_logistic(inputs_NK: Floats, classes_N: Floats, penalty: float = 1.0) -> tuple[float, Floats]:
    """Return intercept and weights [K] of the logistic regression that has the least penalised loss.

    The loss is the sum of the cross-entropies + penalty / 2 x the squares of the weights, not of the intercept. Classes
    are 0 or 1, and count as Platt 1999 has them, (N1 + 1) / (N1 + 2) and 1 / (N0 + 2), so that there is a least loss
    also where all are of one class.
    """
    ones = classes_N.sum()
    wanted_N = np.where(classes_N > 0, (ones + 1) / (ones + 2), 1 / (len(classes_N) - ones + 2))
    design_NK, penalties_K = _with_intercept(inputs_NK, penalty)
    weights_K = np.zeros(design_NK.shape[1])
    weights_K[0] = np.log(wanted_N.mean() / (1 - wanted_N.mean()))

    def loss(weights_K: Floats) -> float:
        logits_N = design_NK @ weights_K
        costs_N = np.logaddexp(0, logits_N) - wanted_N * logits_N
        return float(costs_N.sum() + (penalties_K * weights_K**2).sum() / 2)

    for _ in range(STEPS):
        chances_N = sigmoid(design_NK @ weights_K)
        slope_K = design_NK.T @ (chances_N - wanted_N) + penalties_K * weights_K
        curve_KK = (design_NK.T * (chances_N * (1 - chances_N))) @ design_NK + np.diag(penalties_K)
        step_K = np.linalg.solve(curve_KK, slope_K)
        now = loss(weights_K)
        while loss(weights_K - step_K) > now and np.abs(step_K).max() >= ENOUGH:
            step_K = step_K / 2  # where the curve bends away, a whole step of Newton leads up
        if np.abs(step_K).max() < ENOUGH:
            break
        weights_K = weights_K - step_K
    return float(weights_K[0]), weights_K[1:]


def fit_linear(inputs_NK: Floats, values_N: Floats, penalty: float = 1.0) -> tuple[float, Floats]:
    """Return intercept and weights [K] of the ridge regression with this penalty; the intercept is not penalised."""
    design_NK, penalties_K = _with_intercept(inputs_NK, penalty)
    solution_K = np.linalg.solve(design_NK.T @ design_NK + np.diag(penalties_K), design_NK.T @ values_N)
    weights_K = np.asarray(solution_K, np.float64)
    return float(weights_K[0]), weights_K[1:]


def _with_intercept(inputs_NK: Floats, penalty: float) -> tuple[Floats, Floats]:
    """Return the inputs with a first column of ones, and the penalty of each column: none of the first."""
    size, count = inputs_NK.shape
    return np.column_stack([np.ones(size), inputs_NK]), np.r_[0.0, np.full(count, penalty)]
