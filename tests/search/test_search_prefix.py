"""Forced prefixes against plain loops (slow_search.py): each output begins with its prefix, all else is as ever."""

import math
from collections import Counter

import pytest
import torch
from slow_search import Forced, Refusing, Toy, assert_same, batch, find, random_sources, repeats
from test_search_sampling import WAYS, Way, distribution, drawn
from tiny_models import one_thread as one_thread

from mt.core.special import EOS, PAD
from mt.search import Sources, beam, greedy, sample

PREFIXES = [[5], [], [6, 4, 6], [4, 4]]
"""The last two leave no room, or repeat a piece."""
LIMITS = [5, 4, 3, 4]


@pytest.mark.parametrize("no_repeat", [0, 1, 2])
@pytest.mark.parametrize(("alpha", "beta"), [(0.0, 0.0), (1.0, 0.5)])
def test_beam_of_full_width_is_brute_force_over_what_begins_so(alpha: float, beta: float, no_repeat: int) -> None:
    sources, model = random_sources(7, [3, 5, 2, 4]), Toy(vocabulary=7, seed=1)
    asked = {"beam": 121, "length_penalty": alpha, "coverage_penalty": beta, "no_repeat": no_repeat}
    found = find(beam, model, sources, LIMITS, 121, prefixes=PREFIXES, **asked)
    for source, limit, prefix, hypotheses in zip(sources, LIMITS, PREFIXES, found, strict=True):
        expected = Forced(model, source).every_output(limit, alpha, beta, no_repeat, prefix)
        assert_same(hypotheses, expected)
        assert all(one.tokens[: len(prefix)] == prefix for one in hypotheses)
    assert [one.tokens for one in found[2]] == [[6, 4, 6]]  # the limit is raised to prefix and </s>, no more
    assert len(found[3]) == {0: 4, 1: 3, 2: 3}[no_repeat]


@pytest.mark.parametrize("width", [1, 2, 4])
@pytest.mark.parametrize("no_repeat", [0, 2])
@pytest.mark.parametrize("beta", [0.0, 0.6])
def test_narrow_beam_is_the_rule_without_early_stop(width: int, no_repeat: int, beta: float) -> None:
    sources, limits = random_sources(12, [4, 6, 3, 5], seed=5), [9, 7, 9, 3]
    prefixes = [[7, 7, 7], [], [5, 9, 5, 9, 11], [8]]
    model = Toy(vocabulary=12, seed=2, ending=1.0)
    asked = {"beam": width, "length_penalty": 0.7, "coverage_penalty": beta, "no_repeat": no_repeat}
    found = find(beam, model, sources, limits, width, prefixes=prefixes, **asked)
    for source, limit, prefix, hypotheses in zip(sources, limits, prefixes, found, strict=True):
        forced = Forced(model, source)
        assert_same(hypotheses, forced.beam(limit, width, 0.7, beta, no_repeat, prefix))
        for one in hypotheses:
            own = forced.log_probabilities([*one.tokens, EOS])
            assert one.log_probabilities == pytest.approx(own, abs=1e-12)
            torch.testing.assert_close(one.attention, forced.attention(one.tokens), rtol=0, atol=1e-12)


@pytest.mark.parametrize("no_repeat", [0, 1, 2])
def test_greedy_is_the_naive_loop_after_the_prefix(no_repeat: int) -> None:
    model, sources = Toy(vocabulary=12, seed=6, ending=-1.0), random_sources(12, [4, 7, 3, 1, 6])
    prefixes, limits = [[5, 5, 5], [], [9], [10, 4], [11]], [8, 9, 7, 2, 1]
    found = find(greedy, model, sources, limits, prefixes=prefixes, no_repeat=no_repeat)
    for (one,), source, limit, prefix in zip(found, sources, limits, prefixes, strict=True):
        forced, tokens = Forced(model, source), list(prefix)
        while len(tokens) + 1 < limit:
            chances = forced.after(tokens)[0]
            allowed = [x for x in range(EOS, 12) if x == EOS or not repeats([*tokens, x], no_repeat, len(prefix))]
            best = max(allowed, key=chances.__getitem__)
            if best == EOS:
                break
            tokens.append(best)
        assert one.tokens == tokens
        own = forced.log_probabilities([*tokens, EOS])
        assert one.log_probabilities == pytest.approx(own, abs=1e-12)
        assert one.score == one.log_probability == pytest.approx(sum(own), abs=1e-12)
        torch.testing.assert_close(one.attention, forced.attention(tokens), rtol=0, atol=1e-12)


@pytest.mark.parametrize("way", [WAYS["plain"], WAYS["both"], WAYS["all"]])
def test_samples_have_the_exact_probabilities_after_the_prefix(way: Way) -> None:
    model, sources, limits = Toy(8, seed=2, ending=1.0, attention=False), random_sources(8, [4, 3, 5]), [4, 4, 2]
    prefixes, draws = [[5], [4, 4], [6, 7, 5]], 2000
    found = drawn(model, sources, limits, draws, way, prefixes=prefixes)
    for source, limit, prefix, hypotheses in zip(sources, limits, prefixes, found, strict=True):
        forced = Forced(model, source)
        expected = distribution(forced, max(limit, len(prefix) + 1), way, prefix)
        assert math.fsum(expected.values()) == pytest.approx(1)
        seen = Counter(tuple(one.tokens) for one in hypotheses)
        assert seen.keys() <= expected.keys()
        for output, probability in expected.items():
            spread = math.sqrt(draws * probability * (1 - probability))
            assert abs(seen[output] - draws * probability) <= 5 * spread + 1e-9
        for one in hypotheses[:20]:
            assert one.score == pytest.approx(forced.log_probability([*one.tokens, EOS]), abs=1e-12)
    assert {tuple(one.tokens) for one in found[2]} == {(6, 7, 5)}


def test_an_output_begun_by_its_own_best_prefix_is_the_same_output() -> None:
    model, sources, limits = Toy(vocabulary=8, seed=4, ending=-1.0), random_sources(8, [4, 3, 6]), [5, 4, 5]
    for search, n_best, asked in ((greedy, 1, {}), (beam, 1, {"beam": 900}), (sample, 1, {"temperature": 0.001})):
        free = find(search, model, sources, limits, n_best, **asked)
        assert max(len(best.tokens) for (best,) in free) > 2
        for size in range(1, 5):
            prefixes = [best.tokens[:size] for (best,) in free]
            for (one,), (best,) in zip(
                find(search, model, sources, limits, n_best, prefixes=prefixes, **asked), free, strict=True
            ):
                assert one.tokens == best.tokens
                assert one.score == pytest.approx(best.score, abs=1e-12)
                assert one.log_probabilities == pytest.approx(best.log_probabilities, abs=1e-12)
                torch.testing.assert_close(one.attention, best.attention, rtol=0, atol=1e-12)


def test_prefixes_of_other_sentences_change_nothing() -> None:
    model, sources, limits = Toy(20, seed=4, ending=1.0), random_sources(20, [9, 2, 5, 7]), [12, 6, 9, 9]
    prefixes = [[9, 8], [], [17, 5, 5, 6], [4]]
    for search, n_best, asked in ((greedy, 1, {}), (beam, 3, {"beam": 3}), (sample, 2, {"sample_seed": 4})):
        together = find(search, model, sources, limits, n_best, prefixes=prefixes, **asked)
        for row, found in enumerate(together):
            (alone,) = find(
                search, model, [sources[row]], [limits[row]], n_best, prefixes=[prefixes[row]], numbers=[row], **asked
            )
            assert [one.tokens for one in found] == [one.tokens for one in alone]
            assert [one.score for one in found] == pytest.approx([one.score for one in alone], abs=1e-12)


def test_a_prefix_of_no_probability_is_kept_by_greedy_search_and_found_by_no_beam() -> None:
    model, sources = Refusing(6), [[5, EOS], [4, EOS]]
    found = find(greedy, model, sources, [5, 5], prefixes=[[4, 5], []])
    assert [(one.tokens, one.score) for (one,) in found[:1]] == [([4, 5], -math.inf)]
    assert found[1][0].tokens == []
    assert [len(one) for one in find(beam, model, sources, [5, 5], 3, beam=3, prefixes=[[4, 5], []])] == [0, 1]


def test_limits_leave_room_for_prefixes() -> None:
    sources = Sources(*batch([[5, EOS], [4, EOS]]), torch.tensor([2, 7]), torch.tensor([[5, 6, 7], [4, PAD, PAD]]))
    assert sources.limits().tolist() == [4, 7]
    asked = [sources.forced(torch.tensor([1, 0]), step) for step in range(4)]
    assert [None if one is None else one.tolist() for one in asked] == [[4, 5], [PAD, 6], [PAD, 7], None]
