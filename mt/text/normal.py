"""One text for all the ways to type it: NFC, no invisible characters, one space wherever there is white space.

What is read so is never shown: whoever shows a text shows it as it was typed, and `spans_in` says where in it.
"""

import re
import unicodedata

Span = tuple[int, int]
INVISIBLE = re.compile(r"[\u00ad\u034f\u061c\u200b\u200e\u200f\u202a-\u202e\u2060-\u2064\u2066-\u206f\ufeff]+")
"""Soft hyphen, zero-width space, word joiner, byte-order mark, marks and isolates of direction, and the like.

Joiners and variation selectors are not among them: Persian, Indic scripts and emoji are other text without them.
"""
FOLLOWS = re.compile(r"[\u1161-\u1175\u11a8-\u11c2\U00016d63\U00016d67-\U00016d6a]")
"""Letters that may compose with the character before them, as marks do: vowels and last consonants of Hangul, ..."""


def normalise(text: str) -> str:
    """Return a text in NFC, without what is INVISIBLE, each run of white space one space, and none at its ends.

    White space is what Unicode calls so (no-break and ideographic spaces, tabs, separators of lines). A text that is
    normalised stays as it is.
    """
    if not text.isascii():
        text = unicodedata.normalize("NFC", INVISIBLE.sub("", text))
    return " ".join(text.split())


def spans_in(text: str) -> list[Span]:
    """Return for each character of normalise(text) the half-open span of what it was made of in `text`.

    Spans follow each other without a gap: what is INVISIBLE belongs to the character before it, or behind white space
    and at the beginning to the one after it. Characters that were made together (a letter and its marks, whose order
    may have changed) have one span, that of them all.
    """
    if normalise(text) == text:
        return [(place, place + 1) for place in range(len(text))]
    clusters = _clusters(text)
    starts = [start for start, _ in clusters] + [len(text)]
    if clusters and text[clusters[-1][1][0]].isspace():
        clusters.pop()
    spans: list[Span] = []
    for number, (start, places) in enumerate(clusters):
        old, end = "".join(text[place] for place in places), starts[number + 1]
        new = " " if old.isspace() else unicodedata.normalize("NFC", old)
        if new == old:
            spans += zip([start, *places[1:]], [*places[1:], end], strict=True)
        else:
            spans += [(start, end)] * len(new)
    return spans


def joins(character: str) -> bool:
    """Tell whether a character is a mark on the one before it, or may compose with it."""
    return unicodedata.category(character)[0] == "M" or bool(FOLLOWS.match(character))


def _clusters(text: str) -> list[tuple[int, list[int]]]:
    """Return what is normalised together, white space or a character with all that may compose with it.

    Of each: where it starts, and where its visible characters stand. White space at the beginning is left out.
    """
    clusters: list[tuple[int, list[int]]] = []
    free = 0  # where a character starts that has invisible ones before it
    for place, character in enumerate(text):
        if INVISIBLE.match(character):
            continue
        after_space = not clusters or text[clusters[-1][1][0]].isspace()
        if character.isspace():
            if not after_space:
                clusters.append((place, [place]))
            elif clusters:
                clusters[-1][1].append(place)
            free = place + 1
        elif joins(character) and not after_space:
            clusters[-1][1].append(place)
        else:
            clusters.append((free if after_space else place, [place]))
    return clusters
