"""How phrases are found in the text that pieces make, whatever the pieces."""

from collections.abc import Sequence
from functools import cached_property

import torch

from mt.core.special import EOS
from mt.inference.wording import FOUND, State, Wording, is_of_word, read_sign
from mt.search.rules import Automaton, Rules
from mt.text.tokenizer import Tokenizer


class Speller:
    """Knows how the pieces of a vocabulary are written, and makes automata that find phrases in what they make."""

    def __init__(self, tokenizer: Tokenizer):
        self.tokenizer = tokenizer
        self._made: dict[str, Automaton] = {}

    @cached_property
    def surfaces(self) -> list[str]:
        """How each piece is written; a byte that is a part of a character is half a surrogate pair."""
        return [self.tokenizer.surface(piece) for piece in range(len(self.tokenizer))]

    def rules(self, wordings: Sequence[Wording], device: torch.device) -> Rules | None:
        """Return the rules of a batch of sentences; None where there are none."""
        if not any(one.must or one.must_not for one in wordings):
            return None
        must, must_not = (
            [[self.automaton(phrase) for phrase in dict.fromkeys(side)] for side in sides]
            for sides in ([one.must for one in wordings], [one.must_not for one in wordings])
        )
        return Rules.of(must, must_not, len(self.surfaces), device)

    def automaton(self, phrase: str) -> Automaton:
        """Return what finds a phrase, made once."""
        if phrase not in self._made:
            pieces = [self.surfaces[piece] for piece in self.tokenizer.encode(phrase.strip())]
            self._made[phrase] = make_automaton(pieces, self.surfaces)
        return self._made[phrase]


def make_automaton(pieces: Sequence[str], surfaces: Sequence[str]) -> Automaton:
    """Return what finds the phrase that these pieces make, a blank at its beginning left out, among all pieces."""
    phrase = "".join(pieces).removeprefix(" ")
    ends = [len("".join(pieces[: count + 1])) - len("".join(pieces)) + len(phrase) for count in range(len(pieces))]
    ends = [end for end in ends if end > 0]
    states: list[State] = [(frozenset(), False)]
    rows: list[list[State]] = []
    for state in states:  # which grows
        rows.append([_follow(phrase, state, surface, piece == EOS) for piece, surface in enumerate(surfaces)])
        states += [new for new in dict.fromkeys(rows[-1]) if new not in states and new != FOUND]
    numbers = {state: number for number, state in enumerate([*states, FOUND])}
    rows.append([FOUND] * len(surfaces))
    steps = [sum(end <= max(reached, default=0) for end in ends) for reached, _ in states]
    return Automaton(torch.tensor([[numbers[new] for new in row] for row in rows]), torch.tensor([*steps, len(ends)]))


def _follow(phrase: str, state: State, surface: str, ends: bool) -> State:
    reached, _ = state
    if state == FOUND or (not surface and not ends):
        return state
    if surface and phrase[0] not in surface and not any(phrase[place : place + 1] == surface[0] for place in reached):
        # Nothing of the phrase is in the piece, but it may show that the phrase has ended.
        state = read_sign(phrase, state, surface[0])
        return state if state == FOUND else (frozenset(), is_of_word(surface[-1]))
    for sign in surface or [""]:
        state = read_sign(phrase, state, sign)
    return state
