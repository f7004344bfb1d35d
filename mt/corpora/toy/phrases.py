"""Phrases of the toy grammar: both languages at once, as tokens that carry the concepts they express.

Two words are linked when they share a concept. A concept is a number, fresh in each sentence; a token may carry several
(a synthetic verb form carries finiteness and meaning; "im" is a preposition and an article).
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from itertools import count
from random import Random
from typing import Literal, NamedTuple, TypeVar

from mt.corpora.toy import lexicon
from mt.corpora.toy.morphology import (
    CONTRACTIONS,
    THIRD,
    THIRD_PLURAL,
    Case,
    Determiner,
    Gender,
    Noun,
    article_english,
    decline_adjective,
)

T = TypeVar("T")

ANY = (
    *[lexicon.THE] * 14,
    *[lexicon.A] * 8,
    *[lexicon.BARE] * 2,
    *[lexicon.THIS] * 3,
    *lexicon.POSSESSIVES * 2,
    *lexicon.QUANTIFIERS,
    *lexicon.COUNTS,
)
DEFINITE = (*[lexicon.THE] * 8, *lexicon.POSSESSIVES, lexicon.THIS)
"""What "nicht" goes with; an indefinite object would ask for "kein"."""
PLACED = (*DEFINITE, lexicon.A)
"""In these, accusative and dative differ: in die Schulen, in den Schulen."""
NEGATIVE = (lexicon.NO,)


class Token(NamedTuple):
    """A word, or a comma, which carries no concept."""

    text: str
    concepts: tuple[int, ...] = ()


COMMA = Token(",")


@dataclass(frozen=True, slots=True)
class Phrase:
    """The same constituent in both languages, each in its own order."""

    german: tuple[Token, ...] = ()
    english: tuple[Token, ...] = ()

    def __add__(self, other: "Phrase") -> "Phrase":
        return Phrase(self.german + other.german, self.english + other.english)

    def __bool__(self) -> bool:
        return bool(self.german or self.english)


EMPTY = Phrase()


@dataclass(frozen=True, slots=True)
class Nominal:
    """A noun phrase and what the rest of the clause must know of it."""

    phrase: Phrase
    person: int
    kind: str
    gender: Gender
    form: Literal["noun", "pronoun", "other"] = "noun"


class Phrases:
    """Builds phrases from random choices; one object makes one sentence."""

    def __init__(self, random: Random) -> None:
        self.random = random
        self.concept = count().__next__
        """Returns a fresh concept."""
        self.strangers = list(lexicon.NAMES)
        """Names that the sentence does not have yet."""

    def chance(self, probability: float) -> bool:
        """Return True with this probability."""
        return self.random.random() < probability

    def pick(self, choices: Sequence[T]) -> T:
        """Return one of the choices."""
        return choices[int(self.random.random() * len(choices))]

    def words(self, entry: tuple[str, str]) -> Phrase:
        """Return an entry of the lexicon, its words linked by position."""
        german: list[Token] = []
        english: list[Token] = []
        for left, right in zip(entry[0].split(), entry[1].split(), strict=True):
            concept = (self.concept(),)
            german += [Token(word, concept) for word in left.split("_")]
            english += [Token(word, concept) for word in right.split("_")]
        return Phrase(tuple(german), tuple(english))

    def noun_phrase(self, case: Case, kinds: tuple[str, ...], determiners: Sequence[Determiner]) -> Nominal:
        """Return determiner, perhaps an adjective, and noun."""
        noun = self.pick(_nouns(kinds))
        determiner = self.pick(_MASS if noun.kind == "mass" and determiners is ANY else determiners)
        plural = (
            "p" in determiner.numbers and noun.kind != "mass" and ("s" not in determiner.numbers or self.chance(0.3))
        )
        gender: Gender = "p" if plural else noun.gender
        german: list[Token] = []
        english: list[Token] = []
        if determiner is not lexicon.BARE:
            concept = (self.concept(),)
            german.append(Token(determiner.german + determiner.endings[case, gender], concept))
            english.append(Token(determiner.english_plural if plural else determiner.english, concept))
        if self.chance(0.3):
            stem, translation = self.pick(lexicon.ADJECTIVES[noun.kind])
            concept = (self.concept(),)
            german.append(Token(decline_adjective(stem, determiner.adjective, case, gender), concept))
            english.append(Token(translation, concept))
        concept = (self.concept(),)
        german.append(Token(noun.decline(case, plural), concept))
        english.append(Token(noun.english_plural if plural else noun.english, concept))
        if determiner is lexicon.A:
            english[0] = Token(article_english(english[1].text), english[0].concepts)
        phrase = Phrase(tuple(german), tuple(english))
        if determiner is lexicon.THE and noun.kind in lexicon.THINGS and self.chance(0.15):
            phrase += self.owner()
        return Nominal(phrase, THIRD_PLURAL if plural else THIRD, noun.kind, gender)

    def owner(self) -> Phrase:
        """Return a genitive: "des Mannes" is "of the man", where "of" belongs to the article."""
        owner = self.noun_phrase("genitive", ("person",), DEFINITE).phrase
        return Phrase(owner.german, (Token("of", owner.german[0].concepts), *owner.english))

    def name(self) -> Nominal:
        """Return the name of a person, the same in both languages and in all cases."""
        name = self.pick(self.strangers)
        self.strangers.remove(name)
        return Nominal(self.words((name, name)), THIRD, "person", "m", "other")

    def pronoun(self, case: Case, avoid: tuple[int, ...] = ()) -> Nominal:
        """Return a personal pronoun whose person is not one to `avoid`."""
        column = ("nominative", "accusative", "dative").index(case)
        rows = [row for row in lexicon.PRONOUNS if row[column] != "-" and int(row[5]) not in avoid]
        row = self.pick(rows)
        phrase = self.words((row[column], row[3 if case == "nominative" else 4]))
        return Nominal(phrase, int(row[5]), "person", "m", "pronoun")

    def subject(self, kinds: tuple[str, ...], determiners: Sequence[Determiner]) -> Nominal:
        """Return a subject: a pronoun or a name if a person may be one, two noun phrases, or one."""
        living = "person" in kinds and determiners is not NEGATIVE
        choice = self.random.random()
        if living and choice < 0.25:
            return self.pronoun("nominative")
        if living and choice < 0.35:
            return self.name()
        first = self.noun_phrase("nominative", kinds, determiners)
        if not living or choice < 0.93:
            return first
        both = (
            first.phrase
            + self.words(("und", "and"))
            + self.noun_phrase("nominative", (first.kind,), determiners).phrase
        )
        return Nominal(both, THIRD_PLURAL, first.kind, "p", "other")

    def object(self, case: Case, kinds: tuple[str, ...], determiners: Sequence[Determiner], subject: int) -> Nominal:
        """Return an object; a pronoun if it may be a person, but never one that would have to be reflexive."""
        if "person" in kinds and determiners is not NEGATIVE:
            choice = self.random.random()
            if choice < 0.25:
                return self.pronoun(case, avoid={0: (0, 3), 3: (0, 3), 1: (1,)}.get(subject, ()))
            if choice < 0.32:
                return self.name()
        return self.noun_phrase(case, kinds, determiners)

    def prepositional(self, german: str, english: str, nominal: Nominal) -> Phrase:
        """Return preposition and noun phrase, contracted where German does: "in dem" is "im"."""
        opening = self.words((german, english))
        preposition, first, *rest = (*opening.german, *nominal.phrase.german)
        contraction = CONTRACTIONS.get((preposition.text, first.text))
        words = opening.german + nominal.phrase.german
        if contraction:
            words = (Token(contraction, preposition.concepts + first.concepts), *rest)
        return Phrase(words, opening.english + nominal.phrase.english)

    def place(self) -> Phrase:
        """Return where something happens."""
        if self.chance(0.1):
            return self.words(("in", "in")) + self.words(self.pick(lexicon.CITIES))
        preposition = self.pick(lexicon.STATIC)
        nominal = self.noun_phrase(preposition.case, preposition.kinds, PLACED)
        return self.prepositional(preposition.german, preposition.english, nominal)

    def direction(self) -> Phrase:
        """Return where a movement goes."""
        if self.chance(0.12):
            return self.words(("nach", "to")) + self.words(self.pick(lexicon.CITIES))
        preposition = self.pick(lexicon.DIRECTIONS)
        nominal = self.noun_phrase(preposition.case, preposition.kinds, PLACED)
        return self.prepositional(preposition.german, preposition.english, nominal)

    def time(self, tense: str) -> Phrase:
        """Return when something happens; `tense` is present, past or future."""
        if tense == "past" and self.chance(0.25):
            ago = self.words(("vor", "ago"))
            span = self.words(self.pick(lexicon.NUMBERS)) + self.words(self.pick(lexicon.SPANS_OF_TIME))
            return Phrase(ago.german + span.german, span.english + ago.english)
        return self.words(self.pick(lexicon.TIMES[tense]))


_MASS = (*[lexicon.BARE] * 4, *[lexicon.THE] * 4, *lexicon.POSSESSIVES, lexicon.THIS)


@cache
def _nouns(kinds: tuple[str, ...]) -> tuple[Noun, ...]:
    return tuple(noun for noun in lexicon.NOUNS if noun.kind in kinds)
