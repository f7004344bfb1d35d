"""Each pair is encoded once and seen once an epoch, in batches within their budget and an order that repeats."""

import itertools
import logging
import os
import random
import resource
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from mt.config import Vocabulary
from mt.core.errors import UserError
from mt.core.special import BOS, EOS, PAD
from mt.corpora.pairs import Split
from mt.data.batches import batch_order
from mt.data.pieces import Pieces, report_split
from mt.text.tokenizer import Tokenizer, Tokenizers, train_tokenizers

ROOT = Path(__file__).parents[2]
WORDS = ["der", "Hund", "läuft", "Straße", "größer", "über", "Äpfel", "schläft", "nicht", "Katze"]
Lengths = np.ndarray[Any, Any]


def lines(count: int, seed: int) -> list[str]:
    chosen = random.Random(seed)
    return [" ".join(chosen.choices(WORDS, k=chosen.randint(1, 9))) for _ in range(count)]


SPLIT = Split(lines(1200, 1), lines(1200, 2))  # more than one chunk of the Arrow file


@pytest.fixture(scope="module")
def tokenizers() -> Tokenizers:
    return train_tokenizers(SPLIT.sources, SPLIT.targets, Vocabulary(size=300, joint=False))


@pytest.fixture
def encoded(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Return the lines encoded since the test began."""
    seen: list[str] = []
    encode = Tokenizer.encode

    def noting(self: Tokenizer, line: str) -> list[int]:
        seen.append(line)
        return encode(self, line)

    monkeypatch.setattr(Tokenizer, "encode", noting)
    return seen


def rows(pieces: Pieces) -> list[tuple[list[int], list[int]]]:
    return [(row["source"], row["target"]) for row in pieces.rows]


# Encoding -------------------------------------------------------------------------------------------------------------


def test_rows_are_the_pieces_of_the_lines(tokenizers: Tokenizers, tmp_path: Path) -> None:
    pieces = Pieces(SPLIT, tokenizers, tmp_path / "new" / "cache")
    expected = [
        ([*tokenizers.source.encode(source), EOS], [*tokenizers.target.encode(target), EOS])
        for source, target in zip(SPLIT.sources, SPLIT.targets, strict=True)
    ]
    assert rows(pieces) == expected
    assert pieces.source_lengths.tolist() == [len(source) for source, _ in expected]
    assert pieces.target_lengths.tolist() == [len(target) for _, target in expected]


def test_a_split_is_read_once_always_in_the_same_order(tokenizers: Tokenizers, tmp_path: Path) -> None:
    pieces = Pieces(SPLIT, tokenizers, tmp_path)
    seen, read = list[list[int]](), list(pieces.batches(200, max_pieces=20))
    for numbers, batch in read:
        seen.append(numbers)
        assert batch.target_in_BT[:, 0].tolist() == [BOS] * len(numbers)
        for place, row in enumerate(numbers):
            source = [*tokenizers.source.encode(SPLIT.sources[row]), EOS]
            target = [*tokenizers.target.encode(SPLIT.targets[row]), EOS]
            assert batch.source_BS[place][batch.mask_BS[place]].tolist() == source
            assert batch.target_out_BT[place].tolist() == target + [PAD] * (batch.target_out_BT.shape[1] - len(target))
            assert batch.target_in_BT[place, 1 : len(target)].tolist() == target[:-1]
        assert batch.target_out_BT.numel() <= 200
    short = [row for row, sides in enumerate(rows(pieces)) if max(map(len, sides)) <= 20]
    assert sorted(itertools.chain(*seen)) == short
    assert 0 < len(short) < 1200
    assert [numbers for numbers, _ in pieces.batches(200, max_pieces=20)] == seen
    assert sorted(itertools.chain(*(numbers for numbers, _ in pieces.batches(200)))) == list(range(1200))


def test_an_encoded_split_is_found_again(tokenizers: Tokenizers, tmp_path: Path, encoded: list[str]) -> None:
    once = Pieces(SPLIT, tokenizers, tmp_path)
    assert sorted(encoded) == sorted(SPLIT.sources + SPLIT.targets)
    encoded.clear()
    again = Pieces(SPLIT, tokenizers, tmp_path)
    assert encoded == []
    assert again.digest == once.digest
    assert rows(again) == rows(once)
    assert [path.name for path in tmp_path.iterdir()] == [f"{once.digest}.arrow"]


@pytest.mark.parametrize("change", ["a source", "a target", "the order", "the sides", "the vocabulary", "what is read"])
def test_another_split_is_encoded_anew(tokenizers: Tokenizers, tmp_path: Path, encoded: list[str], change: str) -> None:
    first = Split(SPLIT.sources[:20], SPLIT.targets[:20])
    before = Pieces(first, tokenizers, tmp_path)
    encoded.clear()
    other = {
        "a source": Split([*first.sources[:-1], "Hund"], first.targets),
        "a target": Split(first.sources, [*first.targets[:-1], "Hund"]),
        "the order": Split(first.sources[::-1], first.targets[::-1]),
        "the sides": Split(first.targets, first.sources),
    }.get(change, first)
    if change == "the vocabulary":
        tokenizers = Tokenizers(tokenizers.source, tokenizers.source)
    if change == "what is read":
        tokenizers = Tokenizers(*(Tokenizer(one.model, normalizes=not one.normalizes) for one in tokenizers))
    after = Pieces(other, tokenizers, tmp_path)
    assert after.digest != before.digest
    assert len(encoded) == 40
    assert rows(after)[-1] == (
        [*tokenizers.source.encode(other.sources[-1]), EOS],
        [*tokenizers.target.encode(other.targets[-1]), EOS],
    )


@pytest.mark.parametrize("keep", [0, 1, 100, 0.5, -10])
def test_a_damaged_cache_file_is_made_anew(
    tokenizers: Tokenizers, tmp_path: Path, encoded: list[str], keep: float
) -> None:
    whole = rows(Pieces(SPLIT, tokenizers, tmp_path))
    (file,) = tmp_path.iterdir()
    stored = file.read_bytes()
    file.write_bytes(stored[: int(keep * len(stored)) if isinstance(keep, float) else keep])
    encoded.clear()
    assert rows(Pieces(SPLIT, tokenizers, tmp_path)) == whole
    assert len(encoded) == 2400
    assert file.read_bytes() == stored


def test_a_cache_file_of_fewer_rows_is_made_anew(tokenizers: Tokenizers, tmp_path: Path) -> None:
    whole = Pieces(SPLIT, tokenizers, tmp_path)
    short = Pieces(Split(SPLIT.sources[:7], SPLIT.targets[:7]), tokenizers, tmp_path)
    (tmp_path / f"{short.digest}.arrow").replace(tmp_path / f"{whole.digest}.arrow")
    assert rows(Pieces(SPLIT, tokenizers, tmp_path)) == rows(whole)


def test_a_full_disk_is_said_and_leaves_nothing(tokenizers: Tokenizers, tmp_path: Path) -> None:
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (5000, before[1]))
    try:
        with pytest.raises(UserError, match=rf"cannot write {tmp_path}/\w+\.arrow: File too large"):
            Pieces(SPLIT, tokenizers, tmp_path)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
    assert list(tmp_path.iterdir()) == []


def test_rows_are_memory_mapped(tokenizers: Tokenizers, tmp_path: Path) -> None:
    maps = Path("/proc/self/maps")  # Linux
    for _ in range(2):  # encoded, and found again
        pieces = Pieces(SPLIT, tokenizers, tmp_path)
        (file,) = tmp_path.iterdir()
        assert [entry["filename"] for entry in pieces.rows.cache_files] == [str(file)]
        assert not maps.exists() or str(file) in maps.read_text()
        held = sum(
            buffer.size
            for side in ("source", "target")
            for chunk in pieces.rows.data.column(side).chunks
            for buffer in chunk.buffers()
            if buffer
        )
        assert held <= file.stat().st_size  # the columns are views of the file


def test_nothing_is_written_elsewhere_and_no_bar_is_drawn(tokenizers: Tokenizers, tmp_path: Path) -> None:
    tokenizers.save(tmp_path)
    home = tmp_path / "home"
    home.mkdir()
    code = f"""
from pathlib import Path
from mt.data.pieces import Pieces
from mt.config import Vocabulary
from mt.text.tokenizer import load_tokenizers
from mt.corpora.pairs import Split
run = Path({str(tmp_path)!r})
Pieces(Split(["der Hund"] * 2000, ["die Katze"] * 2000), load_tokenizers(run, Vocabulary(joint=False)), run / "cache")
"""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("HF_", "XDG_", "TMP", "TEMP"))}
    places = {"HOME": str(home), "TMPDIR": str(home), "HF_DATASETS_CACHE": str(home / "datasets")}
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, env=kept | places, capture_output=True, text=True, check=True
    )
    assert (done.stdout, done.stderr) == ("", "")
    assert list(home.iterdir()) == []
    assert len(list((tmp_path / "cache").iterdir())) == 1


# Batches --------------------------------------------------------------------------------------------------------------


def test_a_batch_by_hand(tokenizers: Tokenizers, tmp_path: Path) -> None:
    pieces = Pieces(Split(["der Hund", "Hund"], ["der", "der Katze nicht"]), tokenizers, tmp_path)
    (long, short), (short_target, long_target) = zip(*rows(pieces), strict=True)
    batch = pieces.batch([1, 0])
    assert batch.source_BS.tolist() == [short + [PAD] * (len(long) - len(short)), long]
    assert batch.mask_BS.tolist() == [[True] * len(short) + [False] * (len(long) - len(short)), [True] * len(long)]
    gap = [PAD] * (len(long_target) - len(short_target))
    assert batch.target_out_BT.tolist() == [long_target, short_target + gap]
    assert batch.target_in_BT.tolist() == [[BOS, *long_target[:-1]], [BOS, *short_target[:-1], *gap]]
    assert long[-1] == short[-1] == long_target[-1] == short_target[-1] == EOS
    assert {tensor.dtype for tensor in (batch.source_BS, batch.target_in_BT, batch.target_out_BT)} == {torch.int64}
    assert batch.mask_BS.dtype == torch.bool


def test_batches_are_as_if_made_one_by_one(tokenizers: Tokenizers, tmp_path: Path) -> None:
    pieces = Pieces(SPLIT, tokenizers, tmp_path)
    for indices in batch_order(pieces.source_lengths, pieces.target_lengths, 300, 200, (1, 0))[:40]:
        batch = pieces.batch(indices)
        for row, index in enumerate(indices):
            source = tokenizers.source.encode(SPLIT.sources[index])
            target = tokenizers.target.encode(SPLIT.targets[index])
            tensors = (batch.source_BS, batch.mask_BS.int(), batch.target_in_BT, batch.target_out_BT)
            expected = ([*source, EOS], [1] * (len(source) + 1), [BOS, *target], [*target, EOS])
            for tensor, real in zip(tensors, expected, strict=True):
                assert tensor[row].tolist() == real + [0] * (tensor.shape[1] - len(real))
        widths = [batch.source_BS.shape, batch.target_in_BT.shape, batch.target_out_BT.shape]
        longest = [pieces.source_lengths[indices].max(), *[pieces.target_lengths[indices].max()] * 2]
        assert [tuple(width) for width in widths] == [(len(indices), width) for width in longest]


# The log --------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("dropped", "limit", "line"),
    [
        (0, 200, "train: 1,200 pairs"),
        (3, 200, "train: 1,200 pairs (3 with an empty side left out)"),
        (0, 20, "train: {short} pairs ({long} over 20 pieces left out)"),
        (3, 20, "train: {short} pairs (3 with an empty side, {long} over 20 pieces left out)"),
    ],
)
def test_what_was_left_out_is_logged(
    tokenizers: Tokenizers, tmp_path: Path, caplog: pytest.LogCaptureFixture, dropped: int, limit: int, line: str
) -> None:
    pieces = Pieces(SPLIT, tokenizers, tmp_path)
    with caplog.at_level(logging.INFO, logger="mt"):
        report_split("train", Split(SPLIT.sources, SPLIT.targets, dropped=dropped), pieces, limit)
    long = sum(max(len(source), len(target)) > 20 for source, target in rows(pieces))
    assert 100 < long < 1100
    assert caplog.messages == [line.format(short=f"{1200 - long:,}", long=long)]
