"""Pairs as pieces: encoded into Arrow tables, put into batches of similar length in an order that resumes."""

import hashlib
import logging
import sys
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from mt.core import exchange, ranks
from mt.core.errors import DamagedError, UserError
from mt.core.files import replacing
from mt.core.manifest import must_be_whole
from mt.core.special import EOS
from mt.corpora.pairs import Split
from mt.data.batches import Batch, batch_of, batch_order
from mt.text.tokenizer import Tokenizers


class Encoded:
    """Rows of piece numbers in an Arrow table; each side ends with </s>."""

    def __init__(self, rows: Any):
        self.rows = rows
        self.source_lengths = self._lengths("source")
        self.target_lengths = self._lengths("target")

    def _lengths(self, side: str) -> np.ndarray[Any, Any]:
        chunks = self.rows.data.column(side).chunks
        lengths = [np.diff(chunk.offsets.to_numpy()) for chunk in chunks]
        return np.concatenate(lengths or [np.zeros(0)]).astype(np.int64)

    def batch(self, indices: Sequence[int]) -> Batch:
        """Return these rows, padded, in this order."""
        rows = self.rows[list(indices)]
        return batch_of(rows["source"], rows["target"])


class Pieces(Encoded):
    """An encoded split: memory-mapped, from a file that is written once."""

    def __init__(self, split: Split, tokenizers: Tokenizers, cache: Path):
        self.digest = digest(split, tokenizers)
        file = cache / f"{self.digest}.arrow"
        super().__init__(_stored(file, len(split.sources)) or _encode(split, tokenizers, file))

    def batches(self, batch_tokens: int, max_pieces: int = sys.maxsize) -> Iterator[tuple[list[int], Batch]]:
        """Yield all batches with the numbers of their rows, in an order that is always the same: to read them once.

        The sizes are those of `batch_order`.
        """
        for rows in batch_order(self.source_lengths, self.target_lengths, batch_tokens, max_pieces, (0, 0)):
            yield rows, self.batch(rows)


class Chunk(Encoded):
    """Pairs of a stream, in memory. Processes that train together divide the work of encoding them."""

    def __init__(self, split: Split, tokenizers: Tokenizers):
        import datasets

        pairs = ranks.deal(list(zip(split.sources, split.targets, strict=True)))
        mine = [
            (
                np.array([*tokenizers.source.encode(source), EOS], np.int32),
                np.array([*tokenizers.target.encode(target), EOS], np.int32),
            )
            for source, target in pairs
        ]
        rows = exchange.collect(mine)
        columns = {"source": [source for source, _ in rows], "target": [target for _, target in rows]}
        super().__init__(datasets.Dataset.from_dict(columns, _features()))


def digest(split: Split, tokenizers: Tokenizers) -> str:
    """Return 16 characters that change with the text or the vocabularies."""
    whole = hashlib.sha256(tokenizers.source.identity + tokenizers.target.identity)
    for line in (*split.sources, *split.targets):
        whole.update(line.encode() + b"\n")
    whole.update("\n".join(split.tags or ()).encode())
    return whole.hexdigest()[:16]


def _stored(file: Path, count: int) -> Any:
    """Return the rows of a cache file, or None when it is missing or damaged (as a power cut can leave it)."""
    import datasets  # takes a second, which a translation need not wait for

    if not file.exists():
        return None
    remedy = "the split is encoded again"
    try:
        must_be_whole(file, remedy)
        rows = datasets.Dataset.from_file(str(file))
        _must_be_rows(rows, count)
    except (OSError, ValueError, TypeError, LookupError, NotImplementedError, AttributeError) as error:
        told = DamagedError(file, remedy, error)
    except DamagedError as error:
        told = error
    else:
        return rows
    logging.getLogger("mt").warning("%s", told)
    return None


def _must_be_rows(rows: Any, count: int) -> None:
    """Raise ValueError where a table is not so many rows of piece numbers."""
    table = rows.data.table
    if table.num_rows != count or rows.features != _features():
        raise ValueError(f"it has {table.num_rows:,} rows of {table.column_names}, and not {count:,} of pieces")
    table.validate(full=True)
    for side in ("source", "target"):
        if any(chunk.null_count or chunk.values.null_count for chunk in table.column(side).chunks):
            raise ValueError("it has rows, or pieces, that are nothing")


def _encode(split: Split, tokenizers: Tokenizers, file: Path) -> Any:
    """Write the rows of a split to a cache file and return them, memory-mapped."""
    import datasets

    datasets.disable_progress_bars()
    tags = split.tags or [""] * len(split.sources)
    text = datasets.Dataset.from_dict({"source": split.sources, "target": split.targets, "tag": tags})
    # `map` leaves half a file behind when the disk is full, so it works in a folder of its own.
    with replacing(file) as temporary, tempfile.TemporaryDirectory(dir=file.parent, prefix=f".{file.name}.") as folder:
        text.map(
            lambda batch: {
                "source": [
                    [*tokenizers.source.tag(tag), *tokenizers.source.encode(line), EOS]
                    for line, tag in zip(batch["source"], batch["tag"], strict=True)
                ],
                "target": [[*tokenizers.target.encode(line), EOS] for line in batch["target"]],
            },
            batched=True,
            remove_columns=["tag"],
            features=_features(),
            cache_file_name=f"{folder}/{file.name}",
            new_fingerprint=file.stem,  # else `map` hashes the tokenizers
        )
        Path(folder, file.name).replace(temporary)
    return datasets.Dataset.from_file(str(file))


def _features() -> Any:
    import datasets

    integers = datasets.List(datasets.Value("int32"))
    return datasets.Features({"source": integers, "target": integers})


def must_fit(split: Split, tokenizers: Tokenizers, max_pieces: int) -> None:
    """Raise UserError when no pair of the training split is short enough to be trained on."""
    sides = zip(split.sources, split.targets, strict=True)
    if not any(
        max(len(tokenizers.source.encode(source)), len(tokenizers.target.encode(target))) < max_pieces
        for source, target in sides
    ):
        raise UserError(f"no training pair has at most train.max_pieces = {max_pieces} pieces; raise it")


def report_split(name: str, split: Split, pieces: Pieces, max_pieces: int) -> None:
    """Log how many pairs a split has and how many were left out, and why."""
    long = int((np.maximum(pieces.source_lengths, pieces.target_lengths) > max_pieces).sum())
    out = [f"{split.dropped} with an empty side"] * bool(split.dropped) + [f"{long} over {max_pieces} pieces"] * bool(
        long
    )
    note = f" ({', '.join(out)} left out)" if out else ""
    logging.getLogger("mt").info("%s: %s pairs%s", name, f"{len(split.sources) - long:,}", note)
