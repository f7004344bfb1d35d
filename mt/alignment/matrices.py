"""Attention matrices: from pieces to words.

Letters of shapes: T target pieces, S source pieces, both with </s> as the last; W words. A matrix_TS has a row per
output piece and a column per source piece. A sentence that was not translated has a matrix of shape (0, 0).
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from mt.alignment.links import hard
from mt.core.errors import shorten
from mt.corpora.pairs import Link, Span
from mt.text.words import Unit, spans_of

Matrix = NDArray[np.floating]
END = "</s>"


@dataclass(frozen=True, eq=False)
class Alignment:
    """What the attention looked at in one sentence, in pieces and in words.

    `attention` [T, S] belongs to `target_pieces` and `source_pieces`, whose last entry is </s>. `words` has a row per
    target word, and a column per source word plus a last one for </s>. Words are what `align` was told to divide into:
    they may be characters, or pieces.
    """

    source: str
    target: str
    source_pieces: list[str]
    target_pieces: list[str]
    attention: Matrix
    source_words: list[str]
    target_words: list[str]
    words: Matrix
    links: list[Link]

    def __repr__(self) -> str:
        words = f"{len(self.source_words)} to {len(self.target_words)} words, {len(self.links)} links"
        return f"<Alignment of {shorten(repr(self.source), 60)} with {shorten(repr(self.target), 60)}: {words}>"


@dataclass(frozen=True)
class Side:
    """The source or the target of a sentence: its text, and where its pieces and words stand in it."""

    text: str
    pieces: Sequence[tuple[str, Span]]
    """Each piece and its half-open character span, without </s>."""
    words: Sequence[Span] | None = None
    """The half-open character spans of its words where they are known, from gold."""

    def spans(self, unit: Unit) -> Sequence[Span]:
        """Return where its words stand, or what else it is divided into, but for pieces."""
        if self.words is not None and unit in {"words", "tokens"}:
            return self.words
        return spans_of(self.text, unit)

    def names(self, unit: Unit) -> list[str]:
        """Return the text of each of its words, or what else it is divided into; of a piece its name."""
        if unit == "pieces":
            return [name for name, _ in self.pieces]
        return [self.text[start:stop] for start, stop in self.spans(unit)]

    def piece_spans(self) -> list[Span]:
        """Return where its pieces stand."""
        return [span for _, span in self.pieces]


def align(
    source: Side, target: Side, matrix_TS: Matrix, threshold: float | None = None, unit: Unit = "words"
) -> Alignment:
    """Return the alignment of one sentence in a unit, its links by argmax, or by threshold where one is given."""
    if unit == "pieces":
        words: Matrix = matrix_TS[:-1].astype(np.float64)
    else:
        pieces = source.piece_spans(), target.piece_spans()
        words = to_words(matrix_TS, pieces[0], source.spans(unit), pieces[1], target.spans(unit))
    end = [END] if len(matrix_TS) else []
    return Alignment(
        source=source.text,
        target=target.text,
        source_pieces=[piece for piece, _ in source.pieces] + end,
        target_pieces=[piece for piece, _ in target.pieces] + end,
        attention=matrix_TS,
        source_words=source.names(unit),
        target_words=target.names(unit),
        words=words,
        links=hard(words, threshold),
    )


def to_words(
    matrix_TS: Matrix,
    source_pieces: Sequence[Span],
    source_words: Sequence[Span],
    target_pieces: Sequence[Span],
    target_words: Sequence[Span],
) -> Matrix:
    """Return the matrix [target words, source words + 1]; the last column is the source's </s>.

    All spans are half-open and in characters; piece spans do not include </s>, whose row is left out. A source word is
    the sum over its pieces, a target word the mean over its pieces. A piece that overlaps several words is shared among
    them in proportion to the characters of each that it covers, and weighs in a mean by its share. A piece that
    overlaps no word (white space, or punctuation outside gold words) belongs to none: its row or column is dropped, so
    that a row may sum to less than before. Words without a piece get zeros. The matrix (0, 0) gives (0, 0).
    Raises ValueError when the matrix does not have one row and one column more than there are pieces.
    """
    if matrix_TS.shape == (0, 0) and not target_pieces and not source_pieces and not target_words:
        return np.zeros((0, 0))
    if matrix_TS.shape != (len(target_pieces) + 1, len(source_pieces) + 1):
        raise ValueError(
            f"attention {matrix_TS.shape} does not fit {len(target_pieces)} target and {len(source_pieces)} source "
            f"pieces, each with </s>"
        )
    source_share_SW = _shares(source_pieces, source_words)
    target_share_TW = _shares(target_pieces, target_words)
    mean_TW = _ratio(target_share_TW, target_share_TW.sum(axis=0))
    rows_WS = mean_TW.T @ matrix_TS[:-1].astype(np.float64)
    return np.concatenate([rows_WS[:, :-1] @ source_share_SW, rows_WS[:, -1:]], axis=1)


def _shares(pieces: Sequence[Span], words: Sequence[Span]) -> NDArray[np.float64]:
    """Return the share of each piece in each word, [pieces, words]; a piece outside words has a row of zeros."""
    piece_P2, word_W2 = np.array(pieces, float).reshape(-1, 2), np.array(words, float).reshape(-1, 2)
    stop_PW = np.minimum(piece_P2[:, None, 1], word_W2[None, :, 1])
    start_PW = np.maximum(piece_P2[:, None, 0], word_W2[None, :, 0])
    overlap_PW = np.clip(stop_PW - start_PW, 0, None)
    covered_P1 = overlap_PW.sum(axis=1, keepdims=True)
    return _ratio(overlap_PW, covered_P1)


def _ratio(parts: NDArray[np.float64], totals: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return parts / totals; nothing shared out of nothing is 0."""
    return parts / np.where(totals > 0, totals, 1)


def shifted(matrix_TS: Matrix, shift: int) -> Matrix:
    """Return the matrix whose row t is row t + `shift` of this one: with 1, each piece has the next step's weights.

    The query of that step has read the piece: Shift-Att (Chen et al. 2020); Luong et al. 2015, footnote 14, has the
    same of RNNs. The last rows, which have no next step, all get the last one.
    """
    steps = np.arange(len(matrix_TS)) + shift
    return matrix_TS[np.minimum(steps, len(matrix_TS) - 1)]


EMPTY = align(Side("", []), Side("", []), np.zeros((0, 0)))
"""What stands for a line that was not translated."""
