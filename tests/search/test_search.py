"""Greedy and beam search against plain loops (slow_search.py): brute force, the rule without early stop, one by one."""

import pytest
import torch
from slow_search import Forced, Refusing, Toy, assert_same, find, random_sources
from tiny_models import one_thread as one_thread

from mt.config import Search
from mt.core.special import BOS, EOS, PAD, UNK
from mt.search import SEARCHES, Hypothesis, beam, choose, greedy


@pytest.mark.parametrize("alpha", [0.0, 0.6, 1.0, 3.0])
@pytest.mark.parametrize("ending", [-3.0, 0.0, 4.0])
def test_beam_of_full_width_is_brute_force(alpha: float, ending: float) -> None:
    model = Toy(vocabulary=7, seed=1, ending=ending)
    sources = random_sources(7, [3, 5, 2])
    limits = [5, 4, 5]
    width = sum(3**n for n in range(5))
    forced = [Forced(model, source) for source in sources]
    expected = [one.every_output(limit, alpha) for one, limit in zip(forced, limits, strict=True)]
    for n_best in (1, 4, width):
        found = find(beam, model, sources, limits, n_best, beam=width, length_penalty=alpha)
        for one, hypotheses, outputs in zip(forced, found, expected, strict=True):
            assert_same(hypotheses, outputs[:n_best])
            for h in hypotheses:
                assert h.log_probability == pytest.approx(one.log_probability([*h.tokens, EOS]), abs=1e-12)


def test_brute_force_sees_both_kinds_of_end() -> None:
    sources, limits = random_sources(7, [3, 5, 2]), [5, 4, 5]
    long, short = Toy(7, seed=1, ending=-3.0), Toy(7, seed=1, ending=4.0)
    assert 5 in [len(h.tokens) + 1 for (h,) in find(beam, long, sources, limits, beam=121, length_penalty=3.0)]
    assert len(long.rows) == 5
    found = find(beam, short, sources, limits, beam=121, length_penalty=0.6)
    assert all(len(h.tokens) + 1 < 4 for (h,) in found)
    assert len(short.rows) < 5


@pytest.mark.parametrize("width", [1, 2, 3, 5])
@pytest.mark.parametrize("alpha", [0.0, 0.6, 1.0, 3.0])
def test_narrow_beam_is_the_rule_without_early_stop(width: int, alpha: float) -> None:
    sources, limits = random_sources(12, [4, 6, 3, 5], seed=5), [6, 7, 5, 1]
    for seed, ending in ((2, 0.0), (3, 2.0)):
        model = Toy(vocabulary=12, seed=seed, ending=ending)
        forced = [Forced(model, source) for source in sources]
        expected = [one.beam(limit, width, alpha) for one, limit in zip(forced, limits, strict=True)]
        for n_best in {1, (width + 1) // 2, width}:
            found = find(beam, model, sources, limits, n_best, beam=width, length_penalty=alpha)
            for hypotheses, outputs in zip(found, expected, strict=True):
                assert_same(hypotheses, outputs[:n_best])


@pytest.mark.parametrize("width", [0, 1, 4])
def test_batched_is_one_by_one_in_order(width: int) -> None:
    model = Toy(vocabulary=20, seed=4, ending=3.0)
    sources = random_sources(20, [9, 2, 5, 12, 1, 7, 3, 5, 4, 8])
    limits = [len(s) * 2 for s in sources]

    def search(rows: list[int]) -> list[list[Hypothesis]]:
        several = [sources[row] for row in rows], [limits[row] for row in rows]
        return (
            find(beam, model, *several, width, beam=width, length_penalty=0.8)
            if width
            else find(greedy, model, *several)
        )

    together = search(list(range(10)))
    alone = [search([row])[0] for row in range(10)]
    assert len({len(found[0].tokens) for found in together}) > 2
    for found, expected, source in zip(together, alone, sources, strict=True):
        assert [h.tokens for h in found] == [h.tokens for h in expected]
        assert [h.score for h in found] == pytest.approx([h.score for h in expected], abs=1e-12)
        for one, other in zip(found, expected, strict=True):
            assert one.attention is not None
            assert one.attention.shape == (len(one.tokens) + 1, len(source))
            torch.testing.assert_close(one.attention, other.attention, rtol=0, atol=1e-12)


@pytest.mark.parametrize("ending", [-2.0, 1.0, 4.0])
def test_greedy_is_the_naive_loop(ending: float) -> None:
    model = Toy(vocabulary=15, seed=6, ending=ending)
    sources, limits = random_sources(15, [4, 7, 3, 1, 6]), [8, 9, 7, 2, 1]
    for (hypothesis,), source, limit in zip(find(greedy, model, sources, limits), sources, limits, strict=True):
        forced, tokens = Forced(model, source), list[int]()
        while len(tokens) + 1 < limit:
            log_probabilities = forced.after(tokens)[0]
            best = max(range(EOS, 15), key=log_probabilities.__getitem__)
            if best == EOS:
                break
            tokens.append(best)
        assert hypothesis.tokens == tokens
        assert hypothesis.score == pytest.approx(forced.log_probability([*tokens, EOS]), abs=1e-12)
        assert hypothesis.score == hypothesis.log_probability
        expected = forced.log_probabilities([*tokens, EOS])
        assert hypothesis.log_probabilities == pytest.approx(expected, abs=1e-12)
        torch.testing.assert_close(hypothesis.attention, forced.attention(tokens), rtol=0, atol=1e-12)


@pytest.mark.parametrize("width", [1, 3, 6])
def test_attention_and_log_probabilities_are_those_of_forced_decoding(width: int) -> None:
    model = Toy(vocabulary=30, seed=7, ending=1.0)
    sources = random_sources(30, [6, 4, 9, 2])
    found = find(beam, model, sources, [12, 8, 18, 4], width, beam=width)
    for hypotheses, source in zip(found, sources, strict=True):
        for hypothesis in hypotheses:
            forced = Forced(model, source)
            expected = forced.attention(hypothesis.tokens)
            assert expected.shape == (len(hypothesis.tokens) + 1, len(source))
            own = forced.log_probabilities([*hypothesis.tokens, EOS])
            assert hypothesis.log_probabilities == pytest.approx(own, abs=1e-12)
            torch.testing.assert_close(hypothesis.attention, expected, rtol=0, atol=1e-12)


def test_no_attention_where_the_model_has_none() -> None:
    model, several = Toy(9, attention=False), ([[5, EOS], [6, 7, EOS]], [4, 6])
    assert [h.attention for (h,) in find(greedy, model, *several)] == [None, None]
    assert [[h.attention for h in found] for found in find(beam, model, *several, 2, beam=3)] == [[None, None]] * 2


def test_special_pieces_are_never_emitted_and_keep_their_probability() -> None:
    model, source = Toy(vocabulary=9, seed=8), random_sources(9, [5])
    model.bias[[PAD, UNK, BOS]] = 8.0
    for found in (find(beam, model, source, [6], 4, beam=4)[0], find(greedy, model, source, [6])[0]):
        for hypothesis in found:
            assert not {PAD, UNK, BOS, EOS} & set(hypothesis.tokens)
            assert hypothesis.log_probability < -5 * len(hypothesis.tokens)
            assert hypothesis.log_probability == pytest.approx(Forced(model, source[0]).score(hypothesis.tokens, 0))


def test_finished_sentences_leave_the_batch() -> None:
    sources, limits = random_sources(9, [4, 4, 4, 4]), [3, 1, 7, 5]
    model = Toy(vocabulary=9, seed=9, ending=-50.0)
    find(greedy, model, sources, limits)
    assert model.rows == [4, 3, 3, 2, 2, 1, 1]
    model.rows.clear()
    find(beam, model, sources, limits, beam=3)
    assert model.rows == [4, 3, 3, 2, 2, 1, 1]


def test_beam_stops_as_soon_as_nothing_better_can_come() -> None:
    model = Toy(vocabulary=9, seed=9, ending=30.0)
    found = find(beam, model, random_sources(9, [4, 3]), [500, 900], beam=3)
    assert [h.tokens for (h,) in found] == [[], []]
    assert model.rows == [2]


def test_wider_finds_no_less_and_lists_are_sorted() -> None:
    model = Toy(vocabulary=12, seed=10)
    sources, limits = random_sources(12, [4, 6, 3]), [8, 8, 8]
    for alpha in (0.0, 1.0):
        for found in find(beam, model, sources, limits, 6, beam=6, length_penalty=alpha):
            scores = [h.score for h in found]
            assert len(scores) == 6
            assert scores == sorted(scores, reverse=True)
            assert len({tuple(h.tokens) for h in found}) == 6
    one, greedily = find(beam, model, sources, limits, beam=1, length_penalty=0), find(greedy, model, sources, limits)
    assert all(h.score >= g.score - 1e-12 for (h,), (g,) in zip(one, greedily, strict=True))


def test_width_beyond_what_exists_gives_only_what_exists() -> None:
    model = Toy(vocabulary=6, seed=11)
    source = random_sources(6, [3])
    (found,) = find(beam, model, source, [3], 50, beam=50)
    assert_same(found, Forced(model, source[0]).every_output(3, 1.0))
    assert len(found) == 1 + 2 + 4
    (found,) = find(beam, Refusing(6), source, [9], 5, beam=5)
    assert [(h.tokens, h.score) for h in found] == [([], found[0].log_probability)]


def test_limit_of_one_is_the_empty_output() -> None:
    model, several = Toy(9, ending=-9.0), ([[5, EOS]], [1])
    for (hypothesis,) in (*find(beam, model, *several, beam=4), *find(greedy, model, *several)):
        assert hypothesis.tokens == []
        assert hypothesis.score == pytest.approx(Forced(model, [5, EOS]).score([], 1.0))
        assert hypothesis.attention is not None
        assert hypothesis.attention.shape == (1, 2)


def test_float32_gives_the_same() -> None:
    model, source = Toy(9), random_sources(9, [5])
    exact = find(beam, model, source, [6], beam=4)[0][0]
    for name in ("source", "target", "turn", "look", "out", "bias"):
        setattr(model, name, getattr(model, name).float())
    single = find(beam, model, source, [6], beam=4)[0][0]
    assert single.tokens == exact.tokens
    assert single.score == pytest.approx(exact.score, rel=1e-5)


def test_more_hypotheses_than_the_beam_is_wide_widen_it() -> None:
    model, sources = Toy(12, seed=10), random_sources(12, [4, 6])
    for found, wide in zip(
        find(beam, model, sources, [8, 8], 5, beam=2), find(beam, model, sources, [8, 8], 5, beam=5), strict=True
    ):
        assert [(h.tokens, h.score) for h in found] == [(h.tokens, h.score) for h in wide]
        assert len(found) == 5


@pytest.mark.parametrize(
    ("name", "n_best", "settings"),
    [
        ("greedy", 1, {"beam": 1}),
        ("beam", 2, {"beam": 1}),
        ("beam", 1, {"beam": 2}),
        ("sample", 1, {"beam": 1, "sample": True}),
        ("sample", 3, {"beam": 5, "sample": True}),
    ],
)
def test_the_settings_choose_the_search(name: str, n_best: int, settings: dict[str, int | bool]) -> None:
    assert choose(Search.model_validate(settings), n_best) == name
    assert SEARCHES.keys() == {"greedy", "beam", "sample"}


def test_no_hypotheses_are_refused() -> None:
    with pytest.raises(ValueError, match="at least one"):
        choose(Search(), 0)
    with pytest.raises(ValueError, match="one hypothesis"):
        find(greedy, Toy(9), [[5, EOS]], [3], 2)
