"""What a word is: what people read, where pieces are what a model reads."""

import re
import unicodedata

from mt.config.alignment import Unit as Unit
from mt.text.normal import INVISIBLE, Span, joins, normalise
from mt.text.scripts import WITHOUT_SPACES

UNSPACED = re.compile(f"[{''.join(WITHOUT_SPACES.values())}]")
PUNCTUATION = re.compile(
    r"[\u3000-\u303f\u30a0\u30fb\ufe10-\ufe1f\ufe30-\ufe6f\uff01-\uff0f\uff1a-\uff20\uff3b-\uff40\uff5b-\uff65]"
)
"""Of East Asia."""
FOLLOWERS = re.compile(r"[\u0e33\u0eb3\u200c\u200d\uff9e\uff9f\U0001f3fb-\U0001f3ff]")
"""No marks, but part of the character before: am of Thai and Lao, joiners, voicing of narrow kana, skin tones."""
STACKERS = "\u1039\u17d2\u1a60\u1b44\ua9c0"
"""Marks that put the next letter below the last, of Myanmar, Khmer, Tai Tham, Balinese and Javanese."""
JOINER = "\u200d"


def word_spans(text: str) -> tuple[Span, ...]:
    """Return the half-open character spans of the words of a text: those between white space, without the unseen ones.

    In scripts without spaces each character is a word, with its marks and what is stacked below it, and so is each sign
    of their punctuation; names, numbers and other scripts between them stay whole.
    """
    spans = spans_of(text, "tokens")
    if text.isascii():
        return spans
    if UNSPACED.search(text):
        spans = tuple(part for span in spans for part in _divide_unspaced(text, span))
    return tuple(span for span in spans if INVISIBLE.sub("", text[slice(*span)]))


def words_in(text: str) -> list[str]:
    """Return the words of a text as they stand there."""
    return [text[slice(*span)] for span in word_spans(text)]


def plain(word: str) -> str:
    """Return a word without the signs around its letters, with their marks, and digits; nothing where it has none."""
    kept = [place for place, sign in enumerate(word) if sign.isalnum()]
    if not kept:
        return ""
    end = kept[-1] + 1
    while end < len(word) and joins(word[end]):
        end += 1
    return word[kept[0] : end]


def plain_words(line: str) -> list[str]:
    """Return the words of a line as models read it, without the signs around them; signs alone are left out."""
    return [word for word in map(plain, words_in(normalise(line))) if word]


def spans_of(text: str, unit: Unit) -> tuple[Span, ...]:
    """Return the half-open character spans of what a text is divided into; only a model knows its pieces."""
    if unit == "words":
        return word_spans(text)
    tokens = tuple(match.span() for match in re.finditer(r"\S+", text))
    if unit == "tokens":
        return tokens
    if unit == "pieces":
        raise ValueError("pieces are a model's: ask its tokenizer where they stand")
    parts = (part for span in tokens for part in _divide(text, span, every=True))
    return tuple(span for span in parts if INVISIBLE.sub("", text[slice(*span)]))


def _divide_unspaced(text: str, span: Span) -> list[Span]:
    """Return the words of a stretch without white space, which is one where it has no script without spaces."""
    inside = text[slice(*span)]
    return _divide(text, span, every=False) if UNSPACED.search(inside) or PUNCTUATION.search(inside) else [span]


def _divide(text: str, span: Span, every: bool) -> list[Span]:
    """Return the parts of a stretch without white space: those of one character each, and what is between them.

    One character each have scripts without spaces, or with `every` all.
    """
    starts, was_alone = list[int](), False
    for place in range(*span):
        alone = every or _stands_alone(text, place, span)
        if place == span[0] or (not _belongs(text, place) and (alone or was_alone)):
            starts.append(place)
            was_alone = alone
    return list(zip(starts, [*starts[1:], span[1]], strict=True))


def _stands_alone(text: str, place: int, span: Span) -> bool:
    character = text[place]
    if PUNCTUATION.match(character):
        inside = span[0] < place < span[1] - 1 and text[place - 1].isdecimal() and text[place + 1].isdecimal()
        return not inside  # a number stays whole
    if unicodedata.category(character)[0] == "P" and character != "_" and not UNSPACED.match(character):
        return not (_goes_on(text, place, -1, span) and _goes_on(text, place, 1, span))
    return bool(UNSPACED.match(character)) and not character.isdecimal()


def _goes_on(text: str, place: int, step: int, span: Span) -> bool:
    """Tell whether a name or a number stands on that side of a punctuation mark, behind none or more others."""
    place += step
    while span[0] <= place < span[1]:
        character = text[place]
        if PUNCTUATION.match(character):
            return False
        if unicodedata.category(character)[0] != "P":
            return character.isdecimal() or not UNSPACED.match(character)
        place += step
    return False


def _belongs(text: str, place: int) -> bool:
    """Tell whether a character belongs to the one before it."""
    character, before = text[place], text[place - 1]
    stacked = before in STACKERS and UNSPACED.match(character)
    linked = before == JOINER and unicodedata.category(character) == "So"
    return bool(joins(character) or FOLLOWERS.match(character) or INVISIBLE.match(character) or stacked or linked)
