"""The searches of exported models, against all outputs of a tiny model."""

import itertools
import math

import numpy as np
import pytest

from mt.config import Search
from mt.core.special import BOS, EOS
from mt.export.search import Array, Arrays, Hypothesis, Sentence, beam, greedy

SOURCE, VOCABULARY = [4, 5, EOS], 7


def predict(seen: list[int], ending: float) -> tuple[Array, Array]:
    """Return log probabilities of the next piece, and attention, drawn anew for each past."""
    draw = np.random.default_rng([len(seen), *seen])
    logits = draw.normal(size=VOCABULARY) * 2
    logits[EOS] += ending
    logits[0] += 4  # which none may say
    logits[1:EOS] += 2
    weights = draw.random(len(SOURCE))
    return (logits - math.log(np.exp(logits).sum())).astype(np.float32), weights / weights.sum()


class Toy:
    """What it predicts depends on all that its hypothesis has seen."""

    def __init__(self, ending: float):
        self.ending, self.steps = ending, 0

    def encode(self, source: list[int]) -> tuple[Arrays, Arrays]:
        return {"memory.source": np.array([source])}, {"state.seen": np.zeros((1, 1, 0), int)}

    def step(self, previous_K: Array, state: Arrays, memory: Arrays) -> tuple[Array, Array | None, Arrays]:
        self.steps += 1
        seen_1KT = np.concatenate([state["state.seen"], previous_K[None, :, None]], 2)
        found = [predict(seen, self.ending) for seen in seen_1KT[0].tolist()]
        return np.stack([one for one, _ in found]), np.stack([one for _, one in found]), {"state.seen": seen_1KT}


def every(sentence: Sentence, alpha: float, ending: float) -> list[Hypothesis]:
    """Return all outputs, the best first."""
    found = []
    for length in range(sentence.limit):
        for tokens in itertools.product(range(EOS + 1, VOCABULARY), repeat=length):
            pieces = [*tokens, EOS]
            if pieces[: len(sentence.prefix)] != sentence.prefix or EOS in pieces[: len(sentence.prefix)]:
                continue
            told = [predict([BOS, *pieces[:place]], ending) for place in range(len(pieces))]
            own = [float(log_probs[piece]) for (log_probs, _), piece in zip(told, pieces, strict=True)]
            score = sum(own) / ((5 + len(pieces)) / 6) ** alpha
            found.append(Hypothesis([*tokens], score, own, np.stack([weights for _, weights in told])))
    return sorted(found, key=lambda one: -one.score)


def same(found: Hypothesis, wanted: Hypothesis) -> None:
    assert found.tokens == wanted.tokens
    assert found.score == pytest.approx(wanted.score, abs=1e-5)
    assert found.log_probabilities == pytest.approx(wanted.log_probabilities, abs=1e-6)
    np.testing.assert_allclose(found.attention, wanted.attention)


@pytest.mark.parametrize("ending", [-3.0, 1.0])
@pytest.mark.parametrize("alpha", [0.0, 1.0, 4.0])
@pytest.mark.parametrize("prefix", [[], [5], [6, 4]])
def test_a_wide_beam_is_brute_force(prefix: list[int], alpha: float, ending: float) -> None:
    sentence = Sentence(SOURCE, prefix, 5)
    wanted = every(sentence, alpha, ending)[:3]
    found = beam(Toy(ending), sentence, Search(beam=81, length_penalty=alpha), 3)
    for one, other in zip(found, wanted, strict=True):
        same(one, other)


@pytest.mark.parametrize("limit", [1, 2, 5])
@pytest.mark.parametrize("prefix", [[], [5], [6, 4]])
def test_greedy_takes_the_best_piece_at_each_step(prefix: list[int], limit: int) -> None:
    for ending in (-3.0, 0.0, 3.0):
        limit, pieces = max(limit, len(prefix) + 1), [*prefix]
        while len(pieces) < limit - 1:
            log_probs, _ = predict([BOS, *pieces], ending)
            best = max(range(EOS, VOCABULARY), key=lambda piece: log_probs[piece])
            if best == EOS:
                break
            pieces.append(best)
        (wanted,) = (one for one in every(Sentence(SOURCE, prefix, limit), 0.0, ending) if one.tokens == pieces)
        same(greedy(Toy(ending), Sentence(SOURCE, prefix, limit)), wanted)


def test_a_beam_ends_where_nothing_better_can_come() -> None:
    made = Toy(9.0)
    beam(made, Sentence(SOURCE, [], 50), Search(beam=2, length_penalty=0.0), 1)
    assert made.steps == 1
