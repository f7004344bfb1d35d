"""Attention matrices: from pieces to words, to links and their error rate, and to files and back.

Letters of shapes: T target pieces, S source pieces, both with </s> as the last; W words. A matrix_TS has a row per
output piece and a column per source piece. A sentence that was not translated has a matrix of shape (0, 0).
"""

import json
import re
import zipfile
import zlib
from collections.abc import Sequence, Set
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from mt.corpora.pairs import Gold, Link, Span
from mt.disk import read_lines, replacing, write_lines
from mt.errors import UserError

Matrix = NDArray[np.floating]
END = "</s>"


@dataclass(frozen=True, eq=False)
class Alignment:
    """What the attention looked at in one sentence, in pieces and in words.

    `attention` [T, S] belongs to `target_pieces` and `source_pieces`, whose last entry is </s>. `words` has a row per
    target word, and a column per source word plus a last one for </s>.
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


@dataclass(frozen=True)
class AlignmentScore:
    """Alignment error rate, precision, recall and their harmonic mean, in percent, over a corpus."""

    aer: float
    precision: float
    recall: float
    f1: float


def word_spans(text: str) -> tuple[Span, ...]:
    """Return the half-open character spans of the words between white space."""
    return tuple(match.span() for match in re.finditer(r"\S+", text))


def align(
    source: str,
    target: str,
    source_pieces: Sequence[tuple[str, Span]],
    target_pieces: Sequence[tuple[str, Span]],
    matrix_TS: Matrix,
    source_words: Sequence[Span] | None = None,
    target_words: Sequence[Span] | None = None,
) -> Alignment:
    """Return the alignment of one sentence from pieces (text and character span, without </s>) and their matrix.

    Words are character spans of `source` and `target`; None means the words between white space.
    """
    source_words = word_spans(source) if source_words is None else source_words
    target_words = word_spans(target) if target_words is None else target_words
    words = to_words(
        matrix_TS, [span for _, span in source_pieces], source_words, [span for _, span in target_pieces], target_words
    )
    end = [END] if len(matrix_TS) else []
    return Alignment(
        source=source,
        target=target,
        source_pieces=[piece for piece, _ in source_pieces] + end,
        target_pieces=[piece for piece, _ in target_pieces] + end,
        attention=matrix_TS,
        source_words=[source[start:stop] for start, stop in source_words],
        target_words=[target[start:stop] for start, stop in target_words],
        words=words,
        links=links(words),
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


def links(words: Matrix) -> list[Link]:
    """Return (source word, target word) for each row's largest weight; none where that is on </s>, or the row is 0."""
    best = [(int(row.argmax()), target) for target, row in enumerate(words)]
    return [(source, target) for source, target in best if source < words.shape[1] - 1 and words[target, source] > 0]


def aer(predicted: Sequence[Set[Link]], gold: Sequence[Gold]) -> AlignmentScore:
    """Return the alignment error rate of a corpus, 1 - (|A & S| + |A & P|) / (|A| + |S|) (Och and Ney 2003).

    Precision is |A & P| / |A|, recall |A & S| / |S|; a ratio over nothing counts as 0.
    """
    pairs = list(zip(predicted, gold, strict=True))
    found = sum(len(guess) for guess in predicted)
    sure = sum(len(truth.sure) for truth in gold)
    found_sure = sum(len(guess & truth.sure) for guess, truth in pairs)
    found_possible = sum(len(guess & truth.possible) for guess, truth in pairs)
    precision, recall = _percent(found_possible, found), _percent(found_sure, sure)
    return AlignmentScore(
        aer=100 - _percent(found_sure + found_possible, found + sure),
        precision=precision,
        recall=recall,
        f1=_percent(2 * precision * recall, precision + recall) / 100,
    )


def _percent(part: float, whole: float) -> float:
    return 100 * part / whole if whole else 0.0


EMPTY = align("", "", [], [], np.zeros((0, 0)))
"""What stands for a line that was not translated."""


def write_all(stem: Path, alignments: Sequence[Alignment]) -> None:
    """Write stem.npz, stem.jsonl and stem.pharaoh, a sentence each."""
    write_npz(Path(f"{stem}.npz"), alignments)
    write_jsonl(Path(f"{stem}.jsonl"), alignments)
    write_pharaoh(Path(f"{stem}.pharaoh"), alignments)


def write_npz(path: Path, alignments: Sequence[Alignment]) -> None:
    """Write compressed float16 arrays, in order: "0", "1", ... in pieces, and "words0", "words1", ... in words."""
    pieces = {str(index): alignment.attention for index, alignment in enumerate(alignments)}
    words = {f"words{index}": alignment.words for index, alignment in enumerate(alignments)}
    arrays = {name: matrix.astype(np.float16) for name, matrix in (pieces | words).items()}
    with replacing(path) as temporary, open(temporary, "wb") as file:
        np.savez_compressed(file, allow_pickle=False, **arrays)


def write_jsonl(path: Path, alignments: Sequence[Alignment]) -> None:
    """Write one JSON object a line and sentence, with pieces, words, both matrices rounded to 4 digits, and links.

    Keys: id (0-based), source and target (pieces, </s> last), attention [target, source], source_words, target_words,
    words [target word, source word; the last column is </s>], links (Pharaoh).
    """
    write_lines(path, (_json(index, alignment) for index, alignment in enumerate(alignments)))


def _json(index: int, alignment: Alignment) -> str:
    record = {
        "id": index,
        "source": alignment.source_pieces,
        "target": alignment.target_pieces,
        "attention": _rounded(alignment.attention),
        "source_words": alignment.source_words,
        "target_words": alignment.target_words,
        "words": _rounded(alignment.words),
        "links": pharaoh(alignment.links),
    }
    return json.dumps(record, ensure_ascii=False, allow_nan=False)


def _rounded(matrix: Matrix) -> list[list[float]]:
    # In float64, because a rounded float32 prints as 0.33329999446868896.
    rows: list[list[float]] = matrix.astype(np.float64).round(4).tolist()
    return rows


def write_pharaoh(path: Path, alignments: Sequence[Alignment]) -> None:
    """Write the links as "i-j" (source word, target word, 0-based), one line a sentence, empty where there are none."""
    write_lines(path, (pharaoh(alignment.links) for alignment in alignments))


def pharaoh(links: Sequence[Link]) -> str:
    """Return links as "0-0 1-2": source word, target word."""
    return " ".join(f"{source}-{target}" for source, target in links)


def read_npz(path: Path) -> list[Matrix]:
    """Return the matrices in pieces that `write_npz` wrote, in order.

    Raises UserError that names the file and the array.
    """
    name = None
    matrices = []
    try:
        with zipfile.ZipFile(path) as members, np.load(path, allow_pickle=False) as arrays:
            count = sum(not member.startswith("words") for member in members.namelist())
            for name in map(str, range(count)):
                matrices.append(arrays[name])
    except OSError as error:
        raise UserError(f"cannot read {path}: {error.strerror or error}") from error
    except (ValueError, KeyError, EOFError, zipfile.BadZipFile, zlib.error) as error:
        where = "" if name is None else f", array {name!r}"
        raise UserError(f"{path}{where}: not an alignment file of mt ({error}); write it again with mt eval") from error
    return matrices


def read_pharaoh(path: Path) -> list[list[Link]]:
    """Return the links of each line of a Pharaoh file. Raises UserError that names the file and the line."""
    return [
        [_link(item, f"{path}, line {number}") for item in line.split()]
        for number, line in enumerate(read_lines(path), 1)
    ]


def _link(item: str, where: str) -> Link:
    match = re.fullmatch(r"([0-9]+)-([0-9]+)", item)
    if match is None:
        raise UserError(f"{where}: {item!r} is not a link; write source-target, counted from 0, for example 0-2")
    return int(match[1]), int(match[2])
