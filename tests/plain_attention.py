"""The papers' equations of attention in plain Python: lists of floats, one number after the other.

`p` holds parameters by their names in a state dict, as nested lists. Places and steps count from 0.
"""

import math
from typing import Any

Vector = list[float]
Matrix = list[Vector]
Parameters = dict[str, Any]


def inner(one: Vector, other: Vector) -> float:
    return math.fsum(a * b for a, b in zip(one, other, strict=True))


def times(matrix: Matrix, vector: Vector) -> Vector:
    return [inner(row, vector) for row in matrix]


def plus(*vectors: Vector) -> Vector:
    return [math.fsum(numbers) for numbers in zip(*vectors, strict=True)]


def tanh(vector: Vector) -> Vector:
    return [math.tanh(x) for x in vector]


def sigmoid(x: float) -> float:
    return 1 / (1 + math.exp(-x))


def inside(name: str, p: Parameters) -> Parameters:
    """The parameters of one part."""
    return {key.removeprefix(name + "."): value for key, value in p.items() if key.startswith(name + ".")}


def score(name: str, q: Vector, k: Vector, place: int, p: Parameters, covered: float = 0.0) -> float:
    """The score of query q against the value k that stands at `place`, of which `covered` was attended so far."""
    seen = [covered * w for w in p.get("coverage", [])]  # See et al. 2017, eq. 11: + w_c c_i^t inside the tanh
    match name:
        case "additive":  # Bahdanau et al. 2015, A.1.2: v . tanh(W s + U h)
            asked, held = times(p["score.query.weight"], q), times(p["score.key.weight"], k)
            total = plus(asked, held, p["score.key.bias"], seen or [0.0] * len(asked))
            return inner(p["score.vector"], tanh(total))
        case "concat":  # Luong et al. 2015, eq. 8: v . tanh(W [h_t; h_s])
            both = times(p["score.matrix.weight"], [*q, *k])
            return inner(p["score.vector"], tanh(plus(both, p["score.matrix.bias"], seen or [0.0] * len(both))))
        case "general":  # h_t . W h_s
            return inner(q, times(p["score.matrix.weight"], k))
        case "dot":  # h_t . h_s
            return inner(q, k)
        case "location":  # a_t = softmax(W h_t): the number at this place
            return inner(p["score.places.weight"][place], q)
        case "scaled_dot":  # Vaswani et al. 2017, eq. 1: q . k / sqrt(d_k)
            return inner(q, k) / math.sqrt(len(q))
    raise KeyError(name)


def factors(name: str, q: Vector, length: int, step: int, reach: int, p: Parameters) -> list[float | None]:
    """What multiplies the weight of each place; None outside the window. Luong et al. 2015, 3.2."""
    if name == "global":
        return [1.0] * length
    if name == "local-m":  # p_t = t, the window [p_t - D, p_t + D]; after the last source word, it stays there
        centre = min(step, length - 1)
        return [1.0 if centre - reach <= s <= centre + reach else None for s in range(length)]
    # p_t = S . sigmoid(v . tanh(W h_t)), eq. 9; exp(-(s - p_t)^2 / (2 sigma^2)), eq. 10; sigma = D / 2
    centre_p = length * sigmoid(inner(p["window.vector"], tanh(times(p["window.query.weight"], q))))
    sigma = reach / 2
    return [
        math.exp(-((s - centre_p) ** 2) / (2 * sigma**2)) if centre_p - reach <= s <= centre_p + reach else None
        for s in range(length)
    ]


def weights(scores: Vector, multiply: list[float | None]) -> Vector:
    """Softmax over the window (Luong et al. 2015, eq. 7), then the factors; 0 outside."""
    top = max(e for e, factor in zip(scores, multiply, strict=True) if factor is not None)
    powers = [math.exp(e - top) if factor is not None else 0.0 for e, factor in zip(scores, multiply, strict=True)]
    return [power / math.fsum(powers) * (factor or 0.0) for power, factor in zip(powers, multiply, strict=True)]


def context(given: Vector, values: Matrix) -> Vector:
    return [inner(given, list(column)) for column in zip(*values, strict=True)]


def attend(
    names: tuple[str, str], q: Vector, values: Matrix, step: int, reach: int, p: Parameters, past: Vector | None = None
) -> tuple[Vector, Vector]:
    """Context and weights of one query. `names`: score and window. `past`: the sum of all earlier weights."""
    past = past or [0.0] * len(values)
    scores = [score(names[0], q, k, s, p, c) for s, (k, c) in enumerate(zip(values, past, strict=True))]
    found = weights(scores, factors(names[1], q, len(values), step, reach, p))
    return context(found, values), found


def attend_heads(
    names: tuple[str, str], q: Vector, values: Matrix, step: int, reach: int, p: Parameters, heads: int
) -> tuple[Vector, Matrix]:
    """Vaswani et al. 2017, 3.2.2: head_i = attention(W_i q, W'_i v), joined, times W. Context, weights by head."""
    asked, held = times(p["ask.weight"], q), [times(p["value.weight"], value) for value in values]
    width = len(asked) // heads
    parts = [slice(i * width, (i + 1) * width) for i in range(heads)]
    each = [attend(names, asked[i], [value[i] for value in held], step, reach, inside("inner", p)) for i in parts]
    joined = [number for found, _ in each for number in found]
    return times(p["combine.weight"], joined), [found for _, found in each]
