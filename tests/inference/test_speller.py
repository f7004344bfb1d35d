"""Automata over pieces, against regular expressions over the text that the pieces make."""

import random
import re

import pytest
import torch

from mt.core.special import EOS
from mt.inference.speller import Speller, make_automaton
from mt.inference.wording import Wording, holds
from mt.text.tokenizer import Tokenizer

SURFACES = ["", "", "", "", " a", "a", " ", " b", "ab", ".", "_", "\u0301", "\udce9", "猫", ". b", "a猫", "é "]
LETTERS = "abé_\u0301\udce9"
PHRASES = ["a", "ab", "a b", "aab", "b", ".", "a.", ". b", "猫", "a猫", "猫猫", "é", "a_", "_", "a\u0301", "b a b"]


def has(text: str, phrase: str) -> bool:
    before = f"(?<![{LETTERS}])" if phrase[0] in LETTERS else ""
    after = f"(?![{LETTERS}])" if phrase[-1] in LETTERS else ""
    return re.search(before + re.escape(phrase) + after, text) is not None


@pytest.mark.parametrize("phrase", PHRASES)
def test_a_phrase_is_found_in_the_text_of_any_pieces(phrase: str) -> None:
    draw = random.Random(phrase)
    made = make_automaton([f" {phrase}"], SURFACES)
    found, wanted = [], []
    likely = [piece for piece, surface in enumerate(SURFACES) if {*surface} & {*phrase, " "}]
    for _ in range(400):
        pieces = [draw.choice(likely if draw.random() < 0.7 else range(4, len(SURFACES))) for _ in range(7)]
        text = "".join(SURFACES[piece] for piece in pieces)
        state = 0
        for piece in [*pieces, EOS]:
            state = int(made.next_XV[state, piece])
        found.append(state == len(made.next_XV) - 1)
        wanted.append(has(text, phrase))
        assert holds(text, phrase) is wanted[-1], text
    assert found == wanted
    assert {*wanted} == {True, False}


@pytest.mark.parametrize("usual", [[4], [4, 7], [4, 5, 7], [6, 13], [6, 13, 13], [9, 7], [7, 4, 7, 12]])
def test_its_pieces_are_counted(usual: list[int]) -> None:
    made = make_automaton([SURFACES[piece] for piece in usual], SURFACES)
    counted = usual[1:] if usual[0] == 6 else usual  # a blank alone is no part of the phrase
    assert made.steps_X[-1] == len(counted)
    state, steps = 0, []
    for piece in [7, 9, *counted]:  # after something else
        state = int(made.next_XV[state, piece])
        steps.append(int(made.steps_X[state]))
    assert steps[2:] == [*range(1, len(counted) + 1)]


def test_a_phrase_is_asked_for_once_however_it_is_typed(monkeypatch: pytest.MonkeyPatch) -> None:
    pieces = {"a": [4], "a b": [4, 7]}
    monkeypatch.setattr(Tokenizer, "__init__", lambda self: None)
    monkeypatch.setattr(Tokenizer, "__len__", lambda self: len(SURFACES))
    monkeypatch.setattr(Tokenizer, "surface", lambda self, piece: SURFACES[piece])
    monkeypatch.setattr(Tokenizer, "encode", lambda self, text: pieces[text])
    speller = Speller(Tokenizer())
    rules = speller.rules([Wording(must=(" a b", "a", "a")), Wording()], torch.device("cpu"))
    assert rules.longest_B.tolist() == [3, 0]
    assert rules.start_BC.shape == (2, 2)
