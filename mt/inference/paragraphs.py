"""Paragraphs: split into sentences, which models are trained on, translated, and put together again."""

from collections.abc import Callable, Iterable, Sequence
from itertools import islice

from mt.core.errors import UserError
from mt.corpora.languages import code_of
from mt.inference.translation import Translation
from mt.text.words import UNSPACED


def splitter(language: str) -> Callable[[str], list[str]]:
    """Return what splits a text of a language into sentences. Raises UserError where its library is not installed."""
    try:
        from sentencex import segment
    except ImportError as error:
        raise UserError("paragraphs are split by sentencex: pip install 'mt[paragraphs]', or sentencex") from error
    code = code_of(language) or language
    return lambda text: [one.strip() for one in segment(code, text) if one.strip()]


def translate_paragraphs(
    lines: Sequence[str], split: Callable[[str], list[str]], translate: Callable[[list[str]], Iterable[Translation]]
) -> list[Translation]:
    """Return a translation of each line, a paragraph, made of those of its sentences; an empty one stays empty."""
    sentences = [split(line) for line in lines]
    found = iter(translate([one for part in sentences for one in part]))
    return [_join(list(islice(found, len(part)))) for part in sentences]


def _join(parts: Sequence[Translation]) -> Translation:
    text = ""
    for one in parts:
        spaced = text and one.text and not (UNSPACED.match(one.text[0]) or text[-1] in "。！？")
        text += f" {one.text}" if spaced else one.text
    return Translation(text, sum(one.score for one in parts), cut=any(one.cut for one in parts))
