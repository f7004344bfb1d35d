"""What a word is: what people read, where pieces are what a model reads."""

import re


def word_spans(text: str) -> tuple[tuple[int, int], ...]:
    """Return the half-open character spans of the words of a text: those between white space."""
    return tuple(match.span() for match in re.finditer(r"\S+", text))
