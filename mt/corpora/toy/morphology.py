"""Kinds of words in the toy grammar, and how they change: rules, so that the lexicon lists only what they cannot know.

Persons are numbered 0 ich, 1 du, 2 er/sie/es, 3 wir, 4 sie. Genders are m, f, n, and p for the plural, which has none.
"""

from dataclasses import dataclass
from typing import Literal

Case = Literal["nominative", "accusative", "dative", "genitive"]
Gender = Literal["m", "f", "n", "p"]
Endings = dict[tuple[Case, str], str]

THIRD, THIRD_PLURAL = 2, 4


def _endings(nominative: str, accusative: str, dative: str, genitive: str) -> Endings:
    """Read four rows of endings for m, f, n, p; "-" is no ending."""
    rows: dict[Case, str] = {
        "nominative": nominative,
        "accusative": accusative,
        "dative": dative,
        "genitive": genitive,
    }
    return {
        (case, gender): ending.strip("-")
        for case, row in rows.items()
        for gender, ending in zip("mfnp", row.split(), strict=True)
    }


ARTICLE = _endings("er ie as ie", "en ie as ie", "em er em en", "es er es er")
EIN = _endings("- e - e", "en e - e", "em er em en", "es er es er")
NONE = _endings("- - - -", "- - - -", "- - - -", "- - - -")
# The strong genitive of determiners (dieses); that of adjectives (-en) never arises: a genitive here has a determiner.
STRONG = _endings("er e es e", "en e es e", "em er em en", "es er es er")
WEAK = _endings("e e e en", "en e e en", "en en en en", "en en en en")
MIXED = _endings("er e es en", "en e es en", "en en en en", "en en en en")

CONTRACTIONS = {
    ("in", "dem"): "im",
    ("in", "das"): "ins",
    ("an", "dem"): "am",
    ("an", "das"): "ans",
    ("zu", "dem"): "zum",
    ("zu", "der"): "zur",
    ("von", "dem"): "vom",
}


def decline_adjective(stem: str, endings: Endings, case: Case, gender: Gender) -> str:
    """Return an attributive German adjective: müde, ein müder Hund."""
    return stem.removesuffix("e") + endings[case, gender]


def conjugate_german(infinitive: str, third: str) -> tuple[str, ...]:
    """Return the five forms of the present, from the infinitive and the third person (which shows a changed vowel)."""
    stem = infinitive.removesuffix("n").removesuffix("e")
    first = stem.removesuffix("el") + "le" if stem.endswith("el") else stem + "e"
    root = third.removesuffix("t")
    second = root + ("t" if root[-1] in "sßzx" else "st")
    return first, second, third, infinitive, infinitive


def third_english(base: str) -> str:
    """Return the third person singular of the present, or the regular plural of a noun: both take the same -s."""
    if base == "have":
        return "has"
    if base.endswith(("s", "sh", "ch", "x", "o")):
        return base + "es"
    if base.endswith("y") and base[-2] not in "aeiou":
        return base[:-1] + "ies"
    return base + "s"


def past_english(base: str) -> str:
    """Return the regular simple past."""
    if base.endswith("e"):
        return base + "d"
    if base.endswith("y") and base[-2] not in "aeiou":
        return base[:-1] + "ied"
    return base + "ed"


def article_english(following: str) -> str:
    """Return "a" or "an"; the lexicon has no word where spelling and sound disagree (hour, useful)."""
    return "an" if following[0] in "aeiou" else "a"


@dataclass(frozen=True, slots=True)
class Noun:
    """A noun; `weak` masculines (der Junge, den Jungen) look plural in all cases but one.

    `kind` is what it means, as far as grammar cares: person, animal, thing, inside (of it one says "in"), ...
    """

    german: str
    german_plural: str
    gender: Gender
    weak: bool
    english: str
    english_plural: str
    kind: str

    def decline(self, case: Case, plural: bool) -> str:
        """Return the German form."""
        if plural:
            return self.german_plural + ("n" if case == "dative" and self.german_plural[-1] not in "ns" else "")
        if self.weak and case != "nominative":
            return self.german_plural
        if case == "genitive" and self.gender != "f":
            syllables = "".join(c if c in "aeiouyäöü" else " " for c in self.german.lower()).split()
            return self.german + ("es" if len(syllables) == 1 else "s")
        return self.german


@dataclass(frozen=True, slots=True)
class Determiner:
    """What opens a noun phrase: its own endings, those it asks of an adjective, and the numbers it goes with."""

    german: str
    endings: Endings
    adjective: Endings
    english: str
    english_plural: str
    numbers: str
    """Some of "s" (singular) and "p" (plural)."""


@dataclass(frozen=True, slots=True)
class Frame:
    """What goes with a verb: kinds of subject, objects by case, and which further phrases it may or must have."""

    subject: tuple[str, ...]
    accusative: tuple[str, ...] = ()
    dative: tuple[str, ...] = ()
    prepositional: tuple[str, ...] = ()
    conjunctions: tuple[str, ...] = ()
    """What may open the clause that is the verb's object."""
    direction: bool = False
    position: bool = False
    """It says where something is."""
    predicate: bool = False
    adjunct: tuple[str, ...] = ()
    """Some of "manner", "companion" and "beneficiary"."""
    place: bool = False


@dataclass(frozen=True, slots=True)
class Verb:
    """A verb; `prefix` is separable or empty, `particle` follows the English verb or is empty."""

    prefix: str
    infinitive: str
    present: tuple[str, ...]
    preterite: tuple[str, ...]
    """Of sein and haben, which use it in place of the Perfekt; else empty."""
    participle: str
    auxiliary: str
    english: str
    english_past: str
    particle: str
    preposition: tuple[str, Case, str] | None
    frame: Frame


@dataclass(frozen=True, slots=True)
class Modal:
    """A modal verb, or werden of the future. `full`: English uses a full verb and "to", with do-support."""

    present: tuple[str, ...]
    preterite: tuple[str, ...]
    english: str
    english_past: str
    full: bool


@dataclass(frozen=True, slots=True)
class Preposition:
    """A preposition of place or direction, the case it asks for, and the kinds of nouns it goes with."""

    german: str
    case: Case
    english: str
    kinds: tuple[str, ...]
