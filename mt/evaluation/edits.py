"""What a human has to mend, as TER counts it (Snover et al. 2006): edits of a sentence, and which words are wrong."""

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
from sacrebleu.metrics.lib_ter import _MAX_SHIFT_CANDIDATES, BeamEditDistance, _flip_trace, _shift, trace_to_alignment

from mt.core.arrays import Floats, Whole
from mt.evaluation.metrics import Texts
from mt.evaluation.sums import count, score_sentences
from mt.text.words import words_in


class Rated(NamedTuple):
    """Translations held against their references. N sentences, W words of all of them."""

    edits_N: Floats
    lengths_N: Floats
    """Words of each reference."""
    chrf_N: Floats
    """Of each sentence, in percent."""
    wrong_W: Floats
    """1 for a word that is to be replaced or taken out, else 0."""
    sentence_W: Whole
    """The sentence that each word is of."""

    def ter(self) -> Floats:
        """Return the TER of each sentence in percent, [N]."""
        return np.asarray(100 * self.edits_N / self.lengths_N.clip(1))

    def take(self, rows: Sequence[int] | np.ndarray[Any, Any]) -> tuple["Rated", np.ndarray[Any, Any]]:
        """Return these sentences, which may come more than once, and the places of their words among all."""
        bounds = np.searchsorted(self.sentence_W, np.arange(len(self.edits_N) + 1))
        starts, sizes = bounds[:-1][rows], np.diff(bounds)[rows]
        owner = np.repeat(np.arange(len(sizes)), sizes)
        words = np.repeat(starts - (sizes.cumsum() - sizes), sizes) + np.arange(sizes.sum())
        part = Rated(self.edits_N[rows], self.lengths_N[rows], self.chrf_N[rows], self.wrong_W[words], owner)
        return part, words


def rate(texts: Texts) -> Rated:
    """Return how translations compare with their references: by sacreBLEU's TER and chrF, and word by word."""
    edits_N, lengths_N = count("TER", texts).T
    pairs = zip(texts.hypotheses, texts.references, strict=True)
    wrong = [find_wrong(_words(hypothesis), _words(reference)) for hypothesis, reference in pairs]
    return Rated(
        edits_N,
        lengths_N,
        score_sentences("chrF", texts),
        np.array([one for line in wrong for one in line], np.float64),
        np.repeat(np.arange(len(wrong)), [len(line) for line in wrong]),
    )


def _words(text: str) -> list[str]:
    """Return the words of a text in lower case, as TER compares them."""
    return [word.lower() for word in words_in(text)]


class _Placed(str):
    """A word that knows where it stood before TER moved it."""

    place: int


def find_wrong(hypothesis: Sequence[str], reference: Sequence[str]) -> list[bool]:
    """Return for each word of the hypothesis whether TER replaces it or takes it out.

    A word that is only moved is right: moving is an edit of the sentence, not of the word. The moves are those that
    sacreBLEU finds; it tells their number only, so that they are made here with its own parts.
    """
    words = [_Placed(word) for word in hypothesis]
    for place, word in enumerate(words):
        word.place = place
    if not reference:
        return [True] * len(words)
    distance, checked = BeamEditDistance(list(reference)), 0
    while True:
        gain, moved, checked = _shift(words, list(reference), distance, checked)
        if gain <= 0 or checked >= _MAX_SHIFT_CANDIDATES:
            break
        words = moved
    _, trace = distance(words)
    _, _, errors = trace_to_alignment(_flip_trace(trace))
    found = {word.place: bool(error) for word, error in zip(words, errors, strict=True)}
    return [found[place] for place in range(len(words))]
