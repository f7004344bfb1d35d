"""Links by hand-worked examples, and symmetrisation against plain loops over the published pseudo-code."""

import random
from pathlib import Path

import numpy as np
import pytest

from mt.alignment.links import SYMMETRISATIONS, aer, by_target, grow_diag_final_and, hard
from mt.corpora.pairs import Gold


def test_links_leave_out_words_aligned_to_the_end_and_words_without_weight():
    words = np.array([[0.2, 0.5, 0.3], [0.3, 0.2, 0.5], [0.0, 0.0, 0.0], [0.9, 0.1, 0.0]])
    assert hard(words) == [(1, 0), (0, 3)]
    assert hard(np.zeros((0, 0))) == []
    assert hard(np.ones((2, 1))) == []


def test_a_threshold_links_every_word_with_at_least_that_weight():
    words = np.array([[0.5, 0.3, 0.2], [0.25, 0.2, 0.55], [0.0, 0.0, 1.0]])
    assert hard(words, 0.25) == [(0, 0), (1, 0), (0, 1)]
    assert hard(words, 0.51) == []
    assert hard(np.zeros((0, 0)), 0.1) == []
    assert hard(np.ones((2, 1)), 0.1) == []


def gold(sure, possible) -> Gold:
    return Gold(source_spans=(), target_spans=(), sure=frozenset(sure), possible=frozenset(sure) | frozenset(possible))


def test_alignment_error_rate_of_a_hand_example():
    truths = [gold({(0, 0), (1, 1)}, {(1, 2)}), gold({(0, 1), (2, 2)}, set())]
    ours = [{(0, 0), (1, 2), (2, 2)}, {(0, 1)}]
    # |A| = 4, |S| = 4; A & S = {0-0} and {0-1}; A & P = {0-0, 1-2} and {0-1}.
    score = aer(ours, truths)
    assert score.aer == pytest.approx(100 * (1 - (2 + 3) / (4 + 4)))
    assert score.precision == pytest.approx(75)
    assert score.recall == pytest.approx(50)
    assert score.f1 == pytest.approx(60)


def test_alignment_error_rate_at_its_ends():
    truths = [gold({(0, 0), (1, 1)}, {(1, 0)})]
    perfect, nothing = aer([truths[0].sure], truths), aer([set()], truths)
    assert (perfect.aer, perfect.precision, perfect.recall, perfect.f1) == (0, 100, 100, 100)
    assert (nothing.aer, nothing.precision, nothing.recall, nothing.f1) == (100, 0, 0, 0)
    assert aer([truths[0].possible], truths).aer == 0
    with pytest.raises(ValueError, match="longer than"):
        aer([], truths)


def test_the_example_of_the_documentation():
    text = (Path(__file__).parents[2] / "docs/experiments/alignment.md").read_text(encoding="utf-8")
    truth = gold({(0, 0), (1, 1), (2, 2), (4, 3)}, {(3, 3)})
    score = aer([{(0, 0), (1, 1), (1, 2), (3, 3)}], [truth])
    assert (score.precision, score.recall, score.f1, score.aer) == pytest.approx((75, 50, 60, 37.5))
    for said in ("0-0 1-1 2-2 4-3 3?3", "0-0 1-1 1-2 3-3", "75.0 %", "50.0 %", "60.0 %", "37.5 %"):
        assert said in text


# Symmetrisation -------------------------------------------------------------------------------------------------------


def slow_grow_diag_final_and(e2f, f2e, english, foreign):
    """Koehn et al. 2003, line by line, on tables of booleans [e][f]; e is the target, f the source."""
    neighboring = [(-1, 0), (0, -1), (1, 0), (0, 1), (-1, -1), (-1, 1), (1, -1), (1, 1)]
    one = [[(f, e) in e2f for f in range(foreign)] for e in range(english)]
    two = [[(f, e) in f2e for f in range(foreign)] for e in range(english)]
    a = [[one[e][f] and two[e][f] for f in range(foreign)] for e in range(english)]

    def e_aligned(e):
        return any(a[e])

    def f_aligned(f):
        return any(a[e][f] for e in range(english))

    while True:
        added = False
        for e in range(english):
            for f in range(foreign):
                if a[e][f]:
                    for de, df in neighboring:
                        e_new, f_new = e + de, f + df
                        inside = 0 <= e_new < english and 0 <= f_new < foreign
                        free = inside and (not e_aligned(e_new) or not f_aligned(f_new))
                        if free and (one[e_new][f_new] or two[e_new][f_new]):
                            a[e_new][f_new] = added = True
        if not added:
            break
    for table in (one, two):
        for e_new in range(english):
            for f_new in range(foreign):
                if not e_aligned(e_new) and not f_aligned(f_new) and table[e_new][f_new]:
                    a[e_new][f_new] = True
    return {(f, e) for e in range(english) for f in range(foreign) if a[e][f]}


@pytest.mark.parametrize("seed", range(30))
def test_grow_diag_final_and_equals_the_pseudo_code(seed):
    rng = random.Random(seed)
    several = 0
    for _ in range(20):
        foreign, english, density = rng.randint(1, 9), rng.randint(1, 9), rng.choice((0.1, 0.25, 0.5))
        cells = [(f, e) for f in range(foreign) for e in range(english)]
        both = {cell for cell in cells if rng.random() < density / 3}
        forward, backward = ({cell for cell in cells if rng.random() < density} | both for _ in range(2))
        expected = slow_grow_diag_final_and(forward, backward, english, foreign)
        assert grow_diag_final_and(forward, backward) == expected
        several += (forward & backward) < expected < (forward | backward)
    assert several


def test_growing_takes_neighbours_of_the_union_that_have_a_free_word():
    forward, backward = {(0, 0), (1, 1), (3, 3)}, {(0, 0), (0, 1), (1, 0), (2, 2)}
    # From 0-0, in the order of the neighbours: 0-1 (target word 1 is free), 1-0 (source word 1 is free); then 1-1 has
    # no free word. 0-1 and 1-0 reach 2-2 only through 1-1. Final-and adds 3-3 (forward) and 2-2 (backward).
    assert grow_diag_final_and(forward, backward) == {(0, 0), (0, 1), (1, 0), (3, 3), (2, 2)}
    # Without 0-1 and 1-0, 1-1 is taken diagonally, and 2-2 and 3-3 follow it, the last in the same round.
    assert grow_diag_final_and({(0, 0), (1, 1), (3, 3)}, {(0, 0), (2, 2)}) == {(0, 0), (1, 1), (2, 2), (3, 3)}


def test_final_asks_for_two_free_words_and_the_forward_links_come_first():
    # Nothing in common, so nothing grows. 0-0 is first by forward; it takes source word 0 from 0-5 and 0-2.
    assert grow_diag_final_and({(0, 0), (0, 5)}, {(0, 2), (3, 3)}) == {(0, 0), (3, 3)}
    assert grow_diag_final_and({(0, 2), (3, 3)}, {(0, 0), (0, 5)}) == {(0, 2), (3, 3)}
    assert grow_diag_final_and(set(), set()) == set()


def test_intersection_and_union():
    forward, backward = {(0, 0), (1, 1)}, {(1, 1), (2, 1)}
    assert SYMMETRISATIONS["intersection"](forward, backward) == {(1, 1)}
    assert SYMMETRISATIONS["union"](forward, backward) == {(0, 0), (1, 1), (2, 1)}
    assert by_target({(2, 0), (0, 1), (1, 0)}) == [(1, 0), (2, 0), (0, 1)]
