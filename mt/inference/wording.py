"""What translations must say, and must not: words or phrases as they are typed, found in text. No torch."""

from dataclasses import dataclass

from mt.core.errors import UserError
from mt.text.normal import joins
from mt.text.words import UNSPACED

State = tuple[frozenset[int], bool]
"""How many signs of a phrase may have been read, each way to read it; and whether the last sign was of a word."""
FOUND: State = (frozenset([-1]), False)


@dataclass(frozen=True)
class Wording:
    """Words or phrases that a translation must have, and must not have, in the letters and the case given.

    Only whole words count: "cat" is not in "cats". In scripts without spaces each character is a word.
    """

    must: tuple[str, ...] = ()
    must_not: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        for phrase in (*self.must, *self.must_not):
            if not phrase.strip():
                raise UserError("a word that must or must not be said has no letters: leave it out")
        if both := [phrase for phrase in self.must if any(holds(phrase, other) for other in self.must_not)]:
            raise UserError(f"{both[0]!r} must be said, and has what must not be: leave one of them out")


NOTHING = Wording()


def is_of_word(sign: str) -> bool:
    """Tell whether a sign goes on with the word before it, or begins one that goes on with the sign after it."""
    return (sign.isalnum() or sign == "_" or "\udc80" <= sign <= "\udcff" or joins(sign)) and not UNSPACED.match(sign)


def holds(text: str, phrase: str) -> bool:
    """Tell whether a text has a phrase, as whole words."""
    state: State = (frozenset(), False)
    for sign in (*text, ""):
        state = read_sign(phrase, state, sign)
    return state == FOUND


def read_sign(phrase: str, state: State, sign: str) -> State:
    """Return the state after one more sign; "" is the end of the text."""
    reached, after_word = state
    if state == FOUND:
        return FOUND
    of_word = bool(sign) and is_of_word(sign)
    if len(phrase) in reached and not (of_word and is_of_word(phrase[-1])):
        return FOUND
    begins = not (after_word and is_of_word(phrase[0]))
    starts = reached | {0} if begins else reached
    return frozenset(place + 1 for place in starts if phrase[place : place + 1] == sign != ""), of_word
