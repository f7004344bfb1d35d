"""What outputs must say and must not, against all outputs of a tiny vocabulary, read as text by regular expressions."""

import re

import pytest
import torch
from slow_search import Forced, Toy, find, random_sources
from tiny_models import one_thread as one_thread

from mt.core.errors import UserError
from mt.inference.speller import make_automaton
from mt.inference.wording import Wording, holds
from mt.search import Search, beam, greedy, sample
from mt.search.rules import Rules

SURFACES = ["", "", "", "", " a", "a", " b", "ab", "."]


def says(tokens: list[int], phrase: str) -> bool:
    text = "".join(SURFACES[piece] for piece in tokens).removeprefix(" ")
    return (
        re.search(rf"(?<!\w){re.escape(phrase)}(?!\w)" if phrase[0].isalnum() else re.escape(phrase), text) is not None
    )


def rules(must: list[list[str]], must_not: list[list[str]], sentences: int) -> Rules:
    sides = ([make_automaton(one, SURFACES) for one in side] for side in (must, must_not))
    first, second = ([side] * sentences for side in sides)
    made = Rules.of(first, second, len(SURFACES), torch.device("cpu"))
    assert made is not None
    return made


@pytest.mark.parametrize("wide", [True, False])
@pytest.mark.parametrize(
    ("must", "must_not"),
    [
        ([[" a"]], []),
        ([], [[" a"]]),
        ([[" a", "ab"]], [[" b"]]),
        ([[" b", " a"], ["."]], []),
        ([[" a"], [" b"]], [[" a", "a"]]),
    ],
)
def test_beams_are_brute_force_over_what_says_so(must: list[list[str]], must_not: list[list[str]], wide: bool) -> None:
    model, sources, limit = Toy(vocabulary=9, seed=1, ending=0.5), random_sources(9, [3, 4]), 5
    asked, forbidden = (["".join(one).strip() for one in side] for side in (must, must_not))
    width = 700 if wide else 3
    found = find(beam, model, sources, [limit, limit], width, beam=width, rules=rules(must, must_not, 2))
    for source, hypotheses in zip(sources, found, strict=True):
        expected = [
            (score, tokens)
            for score, tokens in Forced(model, source).every_output(limit, 1.0)
            if all(says(tokens, one) for one in asked) and not any(says(tokens, one) for one in forbidden)
        ]
        scores = {tuple(tokens): score for score, tokens in expected}
        assert hypotheses
        assert {tuple(one.tokens) for one in hypotheses} <= scores.keys()
        assert [one.score for one in hypotheses] == pytest.approx([scores[tuple(one.tokens)] for one in hypotheses])
        if wide:
            assert [one.score for one in hypotheses] == pytest.approx([score for score, _ in expected[:width]])


@pytest.mark.parametrize("search", [greedy, sample])
def test_other_searches_never_say_what_they_must_not(search: Search) -> None:
    model, sources = Toy(vocabulary=9, seed=1), random_sources(9, [3, 4, 5, 2])
    many = {} if search is greedy else {"temperature": 2.0, "sample": True}
    n_best = 1 if search is greedy else 50
    free = find(search, model, sources, [6] * 4, n_best, **many)
    assert any(says(one.tokens, "a") for each in free for one in each)
    found = find(search, model, sources, [6] * 4, n_best, rules=rules([], [[" a"]], 4), **many)
    assert not any(says(one.tokens, "a") for each in found for one in each)
    with pytest.raises(ValueError, match="only beam search"):
        find(search, model, sources, [6] * 4, n_best, rules=rules([[" a"]], [], 4), **many)


def test_rules_of_one_sentence_do_not_touch_another() -> None:
    model, sources = Toy(vocabulary=9, seed=3, ending=0.5), random_sources(9, [3, 4])
    automaton = make_automaton([" b", " a"], SURFACES)
    made = Rules.of([[automaton], []], [[], []], len(SURFACES), torch.device("cpu"))
    (_, second), (_, free) = (find(beam, model, sources, [6, 6], 2, beam=2, **extra) for extra in ({"rules": made}, {}))
    assert [one.tokens for one in second] == [one.tokens for one in free]


def test_the_last_piece_of_a_narrow_beam_is_one_after_which_it_may_end() -> None:
    for seed in range(12):
        model, sources = Toy(vocabulary=9, seed=seed, ending=-9.0), random_sources(9, [3])
        ((found,),) = find(beam, model, sources, [2], 1, beam=1, length_penalty=4.0, rules=rules([], [[" a"]], 1))
        assert len(found.tokens) == 1
        assert not says(found.tokens, "a")


def test_a_limit_leaves_room_for_what_must_be_said() -> None:
    model, sources = Toy(vocabulary=9, seed=1, ending=0.5), random_sources(9, [3, 4])
    for hypotheses in find(beam, model, sources, [1, 2], 2, beam=2, rules=rules([[" b", " a"]], [], 2)):
        assert hypotheses
        assert all(says(one.tokens, "b a") and len(one.tokens) == 2 for one in hypotheses)


def test_what_one_sentence_must_say_another_must_not() -> None:
    model, sources = Toy(vocabulary=9, seed=1, ending=0.5), random_sources(9, [3, 4])
    automaton = make_automaton([" a"], SURFACES)
    made = Rules.of([[automaton], []], [[], [automaton]], len(SURFACES), torch.device("cpu"))
    first, second = find(beam, model, sources, [5, 5], 20, beam=20, rules=made)
    assert all(says(one.tokens, "a") for one in first)
    assert not any(says(one.tokens, "a") for one in second)


def test_banks_count_the_pieces_of_all_phrases_that_must_be_said() -> None:
    phrases = [[" a", "ab"], [" b"], ["ab", " b", "."]]
    automata = [make_automaton(one, SURFACES) for one in phrases]
    made = Rules.of([automata[:2], automata[1:]], [[automata[2]], []], len(SURFACES), torch.device("cpu"))
    assert made.banks == 5
    draw = torch.Generator().manual_seed(1)
    pieces_BT = torch.randint(4, 9, (2, 8), generator=draw)
    pieces_BT[1, :3] = torch.tensor([7, 6, 8])
    state_BKC, seen = made.start(), set()
    for place in range(8):
        bank_BKV = made.bank(state_BKC)
        for sentence, must in enumerate((automata[:2], automata[1:])):
            for piece in range(9):
                count = 0
                for automaton in must:
                    state = 0
                    for before in [*pieces_BT[sentence, :place].tolist(), piece]:
                        state = int(automaton.next_XV[state, before])
                    count += int(automaton.steps_X[state])
                assert bank_BKV[sentence, 0, piece] == count
                seen.add(count)
        state_BKC = made.follow(state_BKC, pieces_BT[:, place : place + 1])
    assert seen >= {0, 1, 2, 3, 4}


@pytest.mark.parametrize(("text", "phrase", "is_there"), [
    ("The cats sleep.", "cat", False),
    ("The cat's bed.", "cat", True),
    ("A New York taxi", "New York", True),
    ("A New Yorker", "New York", False),
    ("bobcat cat", "cat", True),
    ("我喜欢猫。", "喜欢", True),
    ("C++ and C", "C++", True),
    ("aab aabaab", "aabaab", True),
])  # fmt: skip
def test_whole_words_are_found(text: str, phrase: str, is_there: bool) -> None:
    assert holds(text, phrase) is is_there
    if is_there:
        with pytest.raises(UserError, match="must be said"):
            Wording((text,), (phrase,))
