"""Alignments to files and back: npz, JSONL, Pharaoh."""

import json
import re
import zipfile
import zlib
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from mt.alignment.matrices import Alignment, Matrix
from mt.core.errors import UserError, shorten
from mt.core.files import read_lines, replacing, write_lines
from mt.core.manifest import must_be_whole
from mt.corpora.pairs import Link

NUMBER = "([0-9]{1,9})"
"""Of a word or of a sentence: no text has more of them."""


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
    # One by one: as text, the matrices of a training split are many times larger than as numbers.
    with replacing(path) as temporary, open(temporary, "w", encoding="utf-8", newline="\n") as file:
        file.writelines(to_json(index, alignment) + "\n" for index, alignment in enumerate(alignments))


def to_json(index: int, alignment: Alignment) -> str:
    """Return an alignment as a line of `write_jsonl`."""
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
        must_be_whole(path, "write it again with mt eval or mt align")
        with zipfile.ZipFile(path) as members, np.load(path, allow_pickle=False) as arrays:
            count = sum(not member.startswith("words") for member in members.namelist())
            for name in map(str, range(count)):
                matrices.append(arrays[name])
    except OSError as error:
        raise UserError(f"cannot read {path}: {error.strerror or error}") from error
    except (ValueError, KeyError, EOFError, NotImplementedError, zipfile.BadZipFile, zlib.error) as error:
        where = "" if name is None else f", array {name!r}"
        raise UserError(
            f"{path}{where}: not an alignment file of mt ({error}); write it again with mt eval or mt align"
        ) from error
    return matrices


def read_pharaoh(path: Path) -> list[list[Link]]:
    """Return the links of each line of a Pharaoh file. Raises UserError that names the file and the line."""
    return [
        [_link(item, f"{path}, line {number}") for item in line.split()]
        for number, line in enumerate(read_lines(path), 1)
    ]


def _link(item: str, where: str) -> Link:
    match = re.fullmatch(rf"{NUMBER}-{NUMBER}", item)
    if match is None:
        raise UserError(
            f"{where}: {shorten(repr(item))} is not a link; write source-target, counted from 0, for example 0-2"
        )
    return int(match[1]), int(match[2])
