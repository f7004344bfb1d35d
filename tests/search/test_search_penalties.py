"""Coverage penalty and no-repeat against plain loops (slow_search.py)."""

import math

import pytest
import torch
from slow_search import Forced, Toy, assert_same, find, random_sources, repeats
from tiny_models import one_thread as one_thread
from torch import Tensor

from mt.core.special import EOS
from mt.models.contract import NOTHING, Look, Memory, Output, State
from mt.search import Hypothesis, beam, greedy

EVERY_OUTPUT = sum(3**n for n in range(5))


class Hard(Toy):
    """Looks at one source piece only, at each step: most pieces get no attention at all."""

    def step(self, previous_BK: Tensor, state: State, memory: Memory, look: Look = NOTHING) -> tuple[Output, State]:
        output, state = super().step(previous_BK, state, memory, look)
        assert output.attention is not None
        best_BK1 = output.attention.argmax(-1, keepdim=True)
        return Output(output.logits, torch.zeros_like(output.attention).scatter(2, best_BK1, 1.0)), state


class Everywhere(Toy):
    """Reports one layer of one head as if all sites had been asked for."""

    def step(self, previous_BK: Tensor, state: State, memory: Memory, look: Look = NOTHING) -> tuple[Output, State]:
        output, state = super().step(previous_BK, state, memory, look)
        assert output.attention is not None
        return Output(output.logits, output.attention[:, None, None]), state


@pytest.mark.parametrize("no_repeat", [0, 1, 2])
@pytest.mark.parametrize(("alpha", "beta"), [(0.0, 0.2), (1.0, 0.5), (0.6, 3.0), (1.0, 0.0)])
def test_beam_of_full_width_is_brute_force(alpha: float, beta: float, no_repeat: int) -> None:
    sources, limits = random_sources(7, [3, 5, 2]), [5, 4, 5]
    for ending in (-2.0, 2.0):
        model = Toy(vocabulary=7, seed=1, ending=ending)
        for n_best in (1, 4, EVERY_OUTPUT):
            asked = {"beam": EVERY_OUTPUT, "length_penalty": alpha, "coverage_penalty": beta, "no_repeat": no_repeat}
            found = find(beam, model, sources, limits, n_best, **asked)
            for source, limit, hypotheses in zip(sources, limits, found, strict=True):
                assert_same(hypotheses, Forced(model, source).every_output(limit, alpha, beta, no_repeat)[:n_best])


@pytest.mark.parametrize("width", [1, 2, 4])
@pytest.mark.parametrize("no_repeat", [0, 1, 2, 3])
@pytest.mark.parametrize(("alpha", "beta"), [(0.0, 0.4), (1.0, 1.0), (1.0, 0.0)])
def test_narrow_beam_is_the_rule_without_early_stop(width: int, no_repeat: int, alpha: float, beta: float) -> None:
    sources, limits = random_sources(8, [4, 6, 3, 5], seed=5), [9, 8, 9, 1]
    model = Toy(vocabulary=8, seed=2, ending=1.0)
    for n_best in {1, width}:
        asked = {"beam": width, "length_penalty": alpha, "coverage_penalty": beta, "no_repeat": no_repeat}
        for source, limit, hypotheses in zip(
            sources, limits, find(beam, model, sources, limits, n_best, **asked), strict=True
        ):
            forced = Forced(model, source)
            assert_same(hypotheses, forced.beam(limit, width, alpha, beta, no_repeat)[:n_best])
            for one in hypotheses:
                assert one.log_probability == pytest.approx(forced.log_probability([*one.tokens, EOS]), abs=1e-12)
                torch.testing.assert_close(one.attention, forced.attention(one.tokens), rtol=0, atol=1e-12)


def test_coverage_changes_which_translation_is_best() -> None:
    model, several = Toy(12, seed=3, ending=2.0), (random_sources(12, [7, 6, 8, 5]), [12] * 4)
    plain, covering = (
        find(beam, model, *several, beam=20, length_penalty=0, coverage_penalty=beta) for beta in (0.0, 1.0)
    )
    assert [one.tokens for (one,) in plain] != [one.tokens for (one,) in covering]
    for (one,), (other,) in zip(plain, covering, strict=True):
        assert covered(other) >= covered(one)


def covered(hypothesis: Hypothesis) -> float:
    assert hypothesis.attention is not None
    return float(hypothesis.attention.sum(0).clamp(max=1).sum())


def test_a_piece_without_attention_costs_a_known_much_and_not_everything() -> None:
    model, source = Hard(9, seed=3), random_sources(9, [6])
    for one in find(beam, model, source, [5], 4, beam=4, length_penalty=0, coverage_penalty=0.5)[0]:
        assert one.attention is not None
        unseen = int((one.attention.sum(0) == 0).sum())
        assert unseen > 0
        assert one.score == pytest.approx(one.log_probability + 0.5 * unseen * math.log(1e-10), abs=1e-9)


@pytest.mark.parametrize("width", [0, 1, 4])
def test_batched_is_one_by_one(width: int) -> None:
    model, sources = Toy(9, seed=4, ending=1.0), random_sources(9, [9, 2, 5, 12, 1, 7])
    limits = [len(source) * 2 for source in sources]

    def search(rows: list[int]) -> list[list[Hypothesis]]:
        several = [sources[row] for row in rows], [limits[row] for row in rows]
        if not width:
            return find(greedy, model, *several, no_repeat=2)
        asked = {"beam": width, "length_penalty": 0.8, "coverage_penalty": 0.7, "no_repeat": 2}
        return find(beam, model, *several, width, **asked)

    for row, found in enumerate(search(list(range(6)))):
        for one, other in zip(found, search([row])[0], strict=True):
            assert one.tokens == other.tokens
            assert one.score == pytest.approx(other.score, abs=1e-12)
            torch.testing.assert_close(one.attention, other.attention, rtol=0, atol=1e-12)


@pytest.mark.parametrize("no_repeat", [1, 2, 3, 50])
def test_greedy_without_repeats_is_the_naive_loop(no_repeat: int) -> None:
    model, differ = Toy(vocabulary=8, seed=6, ending=-3.0), 0
    sources, limits = random_sources(8, [4, 7, 3, 1, 6]), [20, 9, 17, 2, 1]
    found = find(greedy, model, sources, limits, no_repeat=no_repeat)
    free = find(greedy, model, sources, limits)
    for (one,), (other,), source, limit in zip(found, free, sources, limits, strict=True):
        forced, tokens = Forced(model, source), list[int]()
        while len(tokens) + 1 < limit:
            chances = forced.after(tokens)[0]
            best = max(
                (piece for piece in range(EOS, 8) if piece == EOS or not repeats([*tokens, piece], no_repeat)),
                key=chances.__getitem__,
            )
            if best == EOS:
                break
            tokens.append(best)
        assert one.tokens == tokens
        assert one.score == pytest.approx(forced.log_probability([*tokens, EOS]), abs=1e-12)
        differ += one.tokens != other.tokens
    assert (differ > 0) == (no_repeat < 50)


def test_when_everything_would_repeat_the_output_ends() -> None:
    model, source = Toy(vocabulary=6, seed=5, ending=-50.0), random_sources(6, [4])
    assert sorted(find(greedy, model, source, [50], no_repeat=1)[0][0].tokens) == [4, 5]
    assert max(len(one.tokens) for one in find(beam, model, source, [50], 5, beam=5, no_repeat=1)[0]) == 2
    assert len(find(beam, model, source, [50], 9, beam=9, no_repeat=1)[0]) == 1 + 2 + 2


@pytest.mark.parametrize("model", [Toy(9, attention=False), Everywhere(9)])
def test_a_coverage_penalty_needs_the_attention_of_one_site(model: Toy) -> None:
    with pytest.raises(ValueError, match="the attention of one site"):
        find(beam, model, [[5, EOS]], [3], beam=2, coverage_penalty=0.5)
