"""Alignments that are written one by one are those that are written all at once, however many and however large."""

import io
import zipfile
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest

from mt.alignment.files import read_npz, write_all
from mt.alignment.growing import Archive, GrowingAlignments, files_of
from mt.alignment.matrices import EMPTY, Alignment, Side, align
from mt.core.growing import Growing, part_of


def some(count: int) -> list[Alignment]:
    random = np.random.default_rng(3)
    side = Side("a b", [("a", (0, 1)), ("b", (2, 3))])
    made = [align(side, side, random.dirichlet(np.ones(3), 3).astype(np.float32)) for _ in range(count)]
    return [*made[:3], EMPTY, *made[3:]]


def write(stem: Path, alignments: Sequence[Alignment]) -> None:
    with Growing(files_of(stem)) as files:
        made = GrowingAlignments(files.files)
        for start in range(0, len(alignments), 4):
            made.add(alignments[start : start + 4])
        made.close()
        files.finish(files.paths[-1:])


def test_they_are_those_of_all_at_once(tmp_path: Path) -> None:
    alignments = some(20)
    write(tmp_path / "one.by.one", alignments)
    write_all(tmp_path / "all", alignments)
    for kind in ("jsonl", "pharaoh"):
        assert (tmp_path / f"one.by.one.{kind}").read_bytes() == (tmp_path / f"all.{kind}").read_bytes()
    with np.load(tmp_path / "one.by.one.npz") as ours, np.load(tmp_path / "all.npz") as theirs:
        assert set(ours) == set(theirs)
        for name in theirs:
            assert ours[name].dtype == theirs[name].dtype
            np.testing.assert_array_equal(ours[name], theirs[name])
    assert len(read_npz(tmp_path / "one.by.one.npz")) == 21
    assert len(list(tmp_path.iterdir())) == 6
    write(tmp_path / "again", alignments)
    assert (tmp_path / "again.npz").read_bytes() == (tmp_path / "one.by.one.npz").read_bytes()


def test_files_are_removed_where_the_block_fails(tmp_path: Path) -> None:
    def fail() -> None:
        with Growing(files_of(tmp_path / "a")) as files:
            GrowingAlignments(files.files).add(some(2))
            assert part_of(tmp_path / "a.npz").exists()
            np.zeros(3).reshape(2)

    with pytest.raises(ValueError, match="reshape"):
        fail()
    assert list(tmp_path.iterdir()) == []


def test_more_arrays_than_16_bits_count(tmp_path: Path) -> None:
    """The directory has the line of one array very often."""
    with open(tmp_path / "many.npz", "wb") as file, open(tmp_path / "directory", "w+b") as directory:
        made = Archive(file, directory)
        made.add("0", np.full((2, 1), 7))
        directory.seek(0)
        directory.write(directory.read() * 65_540)
        made.count += 65_540
        made.close()
    with zipfile.ZipFile(tmp_path / "many.npz") as many:
        assert many.namelist() == ["0.npy"] * 65_541
        np.testing.assert_array_equal(np.load(io.BytesIO(many.read("0.npy"))), np.full((2, 1), 7))


def test_arrays_farther_than_32_bits_reach(tmp_path: Path) -> None:
    with open(tmp_path / "far.npz", "wb") as file, open(tmp_path / "directory", "wb") as directory:
        made = Archive(file, directory)
        for number in range(6):
            made.add(str(number), np.full((2, 1), number))
            file.seek(
                5 << 30 if number == 2 else 0, io.SEEK_SET if number == 2 else io.SEEK_CUR
            )  # a hole takes no disk
        made.close()
    with np.load(tmp_path / "far.npz") as far:
        for number in range(6):
            np.testing.assert_array_equal(far[str(number)], np.full((2, 1), number))
    (tmp_path / "far.npz").unlink()
