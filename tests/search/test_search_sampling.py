"""Sampling against exact probabilities from plain loops (slow_search.py)."""

import math
from collections import Counter
from collections.abc import Sequence
from typing import Any

import pytest
import torch
from slow_search import Forced, Toy, find, random_sources, repeats
from tiny_models import one_thread as one_thread

from mt.core.special import EOS
from mt.search import Hypothesis, greedy, sample

DRAWS = 5000
WAYS = {
    "plain": (1.0, 0, 1.0, 0),
    "cold": (0.5, 0, 1.0, 0),
    "hot": (2.5, 0, 1.0, 0),
    "top-k": (1.3, 2, 1.0, 0),
    "top-p": (1.0, 0, 0.7, 0),
    "both": (1.5, 3, 0.8, 0),
    "once": (2.0, 0, 1.0, 1),
    "all": (1.4, 2, 0.9, 2),
}
"""Temperature, top-k, top-p, no-repeat."""
Way = tuple[float, int, float, int]


def drawn(
    model: Toy, sources: list[list[int]], limits: list[int], n: int, way: Way, **more: Any
) -> list[list[Hypothesis]]:
    names = ("temperature", "top_k", "top_p", "no_repeat")
    return find(sample, model, sources, limits, n, **dict(zip(names, way, strict=True)), **more)


def chances(forced: Forced, output: list[int], way: Way, free: int) -> dict[int, float]:
    """Each next piece that may be drawn, and its probability; the first `free` pieces may repeat."""
    temperature, k, p, n = way
    log_probabilities = forced.after(output)[0]
    allowed = [x for x in range(EOS, len(log_probabilities)) if x == EOS or not repeats([*output, x], n, free)]
    weights = {piece: math.exp(log_probabilities[piece] / temperature) for piece in allowed}
    best = sorted(weights, key=weights.__getitem__, reverse=True)[: k or None]
    total, kept, reached = math.fsum(weights[piece] for piece in best), list[int](), 0.0
    for piece in best:
        if reached < p * total:
            kept.append(piece)
            reached += weights[piece]
    return {piece: weights[piece] / math.fsum(weights[one] for one in kept) for piece in kept}


def distribution(forced: Forced, limit: int, way: Way, prefix: Sequence[int] = ()) -> dict[tuple[int, ...], float]:
    """Every output that may be drawn, and its probability."""
    outputs: dict[tuple[int, ...], float] = {}
    live = {(): 1.0}
    for step in range(limit):
        grown: dict[tuple[int, ...], float] = {}
        for output, probability in live.items():
            nexts = {EOS: 1.0} if step == limit - 1 else chances(forced, list(output), way, len(prefix))
            nexts = {prefix[step]: 1.0} if step < len(prefix) else nexts
            for piece, chance in nexts.items():
                where, key = (outputs, output) if piece == EOS else (grown, (*output, piece))
                where[key] = probability * chance
        live = grown
    return outputs


@pytest.mark.parametrize("way", WAYS.values(), ids=WAYS.keys())
def test_frequencies_are_the_exact_probabilities(way: Way) -> None:
    model, sources, limits = Toy(8, seed=2, ending=1.0, attention=False), random_sources(8, [4, 3]), [3, 4]
    found = drawn(model, sources, limits, DRAWS, way)
    for source, limit, hypotheses in zip(sources, limits, found, strict=True):
        expected = distribution(Forced(model, source), limit, way)
        assert math.fsum(expected.values()) == pytest.approx(1)
        seen = Counter(tuple(one.tokens) for one in hypotheses)
        assert seen.keys() <= expected.keys()
        likely = {output for output, probability in expected.items() if probability * DRAWS > 20}
        assert likely <= seen.keys()
        rest = sum(expected[output] for output in expected.keys() - likely)
        assert abs(sum(seen[output] for output in seen.keys() - likely) - rest * DRAWS) <= 5 * math.sqrt(rest * DRAWS)
        chi_square = sum((seen[o] - expected[o] * DRAWS) ** 2 / (expected[o] * DRAWS) for o in likely)
        # Its mean is at most the number of outputs, its variance twice that.
        assert chi_square < len(likely) + 4 * math.sqrt(2 * len(likely))


def test_the_ways_differ() -> None:
    forced = Forced(Toy(8, seed=2, ending=1.0, attention=False), random_sources(8, [4, 3])[0])
    found = [distribution(forced, 3, way) for way in WAYS.values()]
    assert len({tuple(sorted(one.items())) for one in found}) == len(WAYS)
    assert len({len(one) for one in found}) > 3


@pytest.mark.parametrize("way", [(1e-9, 0, 1.0, 0), (1e-300, 0, 0.5, 0), (3.0, 1, 1.0, 0), (3.0, 0, 1e-6, 0)])
def test_the_narrowest_sampling_is_greedy(way: Way) -> None:
    model, sources = Toy(15, seed=6, ending=1.0), random_sources(15, [4, 7, 3, 1, 6])
    several = sources, [8, 9, 7, 2, 1]
    for found, (one,) in zip(drawn(model, *several, 3, way), find(greedy, model, *several), strict=True):
        for hypothesis in found:
            assert hypothesis.tokens == one.tokens
            assert hypothesis.score == pytest.approx(one.score, abs=1e-12)
            torch.testing.assert_close(hypothesis.attention, one.attention, rtol=0, atol=1e-12)


@pytest.mark.parametrize("way", [WAYS["plain"], WAYS["all"]])
def test_score_and_attention_are_those_of_forced_decoding(way: Way) -> None:
    model, sources = Toy(20, seed=7, ending=2.0), random_sources(20, [6, 4, 9, 2])
    limits = [12, 8, 3, 1]
    found = drawn(model, sources, limits, 6, way, numbers=(1, 5, 6, 7))
    assert len({len(one.tokens) for hypotheses in found for one in hypotheses}) > 4
    for hypotheses, source, limit in zip(found, sources, limits, strict=True):
        assert len(hypotheses) == 6
        forced = Forced(model, source)
        for one in hypotheses:
            assert len(one.tokens) < limit
            assert not repeats(one.tokens, way[3])
            assert one.score == one.log_probability
            own = forced.log_probabilities([*one.tokens, EOS])
            assert one.log_probabilities == pytest.approx(own, abs=1e-12)
            assert one.score == pytest.approx(sum(own), abs=1e-12)
            torch.testing.assert_close(one.attention, forced.attention(one.tokens), rtol=0, atol=1e-12)


def test_samples_depend_on_the_seed_of_the_sentence_alone() -> None:
    model, sources = Toy(20, seed=4, ending=1.0), random_sources(20, [9, 2, 5, 12, 1, 7])
    limits = [len(source) * 2 for source in sources]

    def draw(rows: list[int], samples: int, shift: int = 0) -> list[list[Hypothesis]]:
        several = [sources[row] for row in rows], [limits[row] for row in rows]
        return drawn(model, *several, samples, (1.2, 9, 0.95, 3), numbers=[row + shift for row in rows])

    together = draw([0, 1, 2, 3, 4, 5], 4)
    for row, found in enumerate(together):
        (alone,) = draw([row], 4)
        (fewer,) = draw([row], 2)
        assert [one.tokens for one in found] == [one.tokens for one in alone]
        assert [one.tokens for one in found[:2]] == [one.tokens for one in fewer]
        assert [one.score for one in found] == pytest.approx([one.score for one in alone], abs=1e-12)
    assert len({tuple(one.tokens) for one in together[3]}) > 2
    assert [one.tokens for one in draw([3], 4, shift=1)[0]] != [one.tokens for one in together[3]]


def test_sentences_leave_when_all_their_samples_have_ended() -> None:
    model, several = Toy(9, seed=9, ending=-50.0), (random_sources(9, [4] * 4), [3, 1, 7, 5])
    find(sample, model, *several, 2)
    assert model.rows == [4, 3, 3, 2, 2, 1, 1]
