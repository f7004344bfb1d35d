"""Greedy and beam search in NumPy, by the rules of `mt.search`. No torch.

Letters of shapes: K live hypotheses of one sentence, V vocabulary, S source pieces.
"""

from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from mt.config import Search
from mt.core.special import BOS, EOS, PAD, UNK

Array = NDArray[Any]
Arrays = dict[str, Array]
NEVER = [PAD, UNK, BOS]
"""Pieces that no hypothesis emits. Their probability is not shared out: log probabilities stay the model's own."""


class Model(Protocol):
    """A model that an engine runs, for one sentence at a time."""

    def encode(self, source: list[int]) -> tuple[Arrays, Arrays]:
        """Return what is known of a source, and the state of one hypothesis without pieces."""
        ...

    def step(self, previous_K: Array, state: Arrays, memory: Arrays) -> tuple[Array, Array | None, Arrays]:
        """Return log probabilities [K, V] of the next pieces, attention [K, S] where there is any, the next state."""
        ...


@dataclass(frozen=True)
class Sentence:
    """What is searched: the pieces of a source, </s> included, and how its translations begin and how long they get."""

    source: list[int]
    prefix: list[int]
    limit: int
    """Of its pieces, </s> included."""


@dataclass(frozen=True)
class Hypothesis:
    """One translation: `tokens` without </s>, and what the model says of them, </s> included."""

    tokens: list[int]
    score: float
    log_probabilities: list[float]
    attention: Array | None
    """[len(tokens) + 1, S]."""


@dataclass(frozen=True)
class _Step:
    """What led to the live hypotheses of a step, and what the model then said."""

    piece_K: Array
    parent_K: Array
    own_K: Array
    ending_K: Array
    attention_KS: Array | None


def greedy(model: Model, sentence: Sentence) -> Hypothesis:
    """Take the most probable piece at each step until </s>; the score is the log probability."""
    memory, state = model.encode(sentence.source)
    limit, prefix = sentence.limit, sentence.prefix
    pieces, own, rows = [BOS], list[float](), list[Array]()
    for step in range(limit):
        log_probs_1V, attention_1S, state = model.step(np.array(pieces[-1:]), state, memory)
        if attention_1S is not None:
            rows.append(attention_1S[0])
        allowed_V = log_probs_1V[0].copy()
        allowed_V[NEVER] = -np.inf
        free = EOS if step + 1 >= limit else int(allowed_V.argmax())
        pieces.append(prefix[step] if step < len(prefix) else free)
        own.append(float(log_probs_1V[0, pieces[-1]]))
        if pieces[-1] == EOS:
            break
    return Hypothesis(pieces[1:-1], float(np.sum(own)), own, np.stack(rows) if rows else None)


def beam(model: Model, sentence: Sentence, settings: Search, n_best: int) -> list[Hypothesis]:
    """Return at most `n_best` hypotheses, best first, from a beam at least so wide that stops exactly.

    A score is the log probability divided by ((5 + length) / 6)^length_penalty.
    """
    width, (memory, state) = max(settings.beam, n_best), model.encode(sentence.source)
    limit, prefix = sentence.limit, sentence.prefix
    piece_K, parent_K, own_K, total_K = np.array([BOS]), np.array([0]), np.zeros(1), np.zeros(1, np.float32)
    steps, pool = list[_Step](), list[tuple[float, int, int]]()
    for step in range(limit):
        own_KV, attention_KS, state = model.step(piece_K, state, memory)
        steps.append(_Step(piece_K, parent_K, own_K, own_KV[:, EOS].copy(), attention_KS))
        _restrict(own_KV, prefix[step : step + 1])
        score_K = (own_KV[:, EOS] + total_K).astype(float) / _penalty(step + 1, settings)
        pool += [(score, step, number) for number, score in enumerate(score_K.tolist()) if score > -np.inf]
        pool = sorted(pool, key=lambda ended: -ended[0])[:width]
        own_KV[:, EOS] = -np.inf
        total_X = (own_KV + total_K[:, None]).ravel()
        some = np.argpartition(-total_X, min(width, len(total_X)) - 1)[:width]
        best = some[np.argsort(-total_X[some], kind="stable")]
        parent_K, piece_K = np.divmod(best, own_KV.shape[1])
        own_K, total_K = own_KV[parent_K, piece_K], total_X[best]
        # Log probabilities only fall, and length penalties grow: nothing alive can score more.
        reachable = float(total_K[0]) / _penalty(limit, settings)
        if not (pool[n_best - 1][0] if len(pool) >= n_best else -np.inf) < reachable:
            break
        state = {name: array[:, parent_K] for name, array in state.items()}
    return [_walk_back(steps[: step + 1], score, number) for score, step, number in pool[:n_best]]


def _penalty(length: int, settings: Search) -> float:
    return float(((5 + length) / 6) ** settings.length_penalty)


def _restrict(own_KV: Array, forced: list[int]) -> None:
    """Take all probability, in place, from special pieces, and where a piece is forced from all others."""
    kept_K = own_KV[:, forced].copy()
    own_KV[:, NEVER] = -np.inf
    if forced:
        own_KV[:] = -np.inf
        own_KV[:, forced] = kept_K


def _walk_back(steps: list[_Step], score: float, number: int) -> Hypothesis:
    """Return the hypothesis that ended at the last of the steps, where it was the live one of that number."""
    tokens, own, rows = list[int](), [float(steps[-1].ending_K[number])], list[Array]()
    for step in reversed(steps):
        if step.attention_KS is not None:
            rows.append(step.attention_KS[number])
        tokens.append(int(step.piece_K[number]))
        own.append(float(step.own_K[number]))
        number = int(step.parent_K[number])
    # The first step was led to by <s>, which is no token and has no probability.
    return Hypothesis(tokens[-2::-1], score, own[-2::-1], np.stack(rows[::-1]) if rows else None)
