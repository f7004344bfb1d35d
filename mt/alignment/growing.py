"""Alignments written one after another, however many there are: what `write_all` writes, without holding it."""

import struct
import zlib
from collections.abc import Sequence
from io import BytesIO
from pathlib import Path
from typing import BinaryIO

import numpy as np

from mt.alignment.files import pharaoh, to_json
from mt.alignment.matrices import Alignment, Matrix

LOCAL, CENTRAL, END, END_64, PLACE_64 = b"PK\x03\x04", b"PK\x01\x02", b"PK\x05\x06", b"PK\x06\x06", b"PK\x06\x07"
VERSION, DEFLATED, DATE = 45, 8, 0x21
"""Of the zip format, of its compression, and 1 January 1980, so that the same alignments are the same bytes."""
MANY, LARGE = 0xFFFF, 0xFFFFFFFF
"""What stands in place of counts and of sizes that are larger: the number itself is in fields of 64 bits."""


class Archive:
    """An .npz file to which arrays are added. Its directory, which a zip file has at its end, grows in a file apart.

    `zipfile` keeps the directory in memory, some hundred bytes an array. PKWARE, APPNOTE.TXT 6.3, section 4.3.
    """

    def __init__(self, file: BinaryIO, directory: BinaryIO, count: int = 0):
        self.file, self.directory, self.count = file, directory, count
        """Where arrays go, where the directory does, and how many arrays there are."""

    def add(self, name: str, matrix: Matrix) -> None:
        """Add an array in float16, compressed."""
        array = BytesIO()
        np.save(array, matrix.astype(np.float16), allow_pickle=False)
        data, packer = array.getvalue(), zlib.compressobj(wbits=-zlib.MAX_WBITS)
        packed, called = packer.compress(data) + packer.flush(), f"{name}.npy".encode("ascii")
        about = struct.pack(
            "<HHHHHIIIH", VERSION, 0, DEFLATED, 0, DATE, zlib.crc32(data), len(packed), len(data), len(called)
        )
        offset = self.file.tell()
        self.file.write(LOCAL + about + struct.pack("<H", 0) + called + packed)
        extra = struct.pack("<HHQ", 1, 8, offset) if offset >= LARGE else b""
        rest = struct.pack("<HHHHII", len(extra), 0, 0, 0, 0, min(offset, LARGE))
        self.directory.write(CENTRAL + struct.pack("<H", VERSION) + about + rest + called + extra)
        self.count += 1

    def close(self) -> None:
        """Append the directory, which makes the file one."""
        start, size = self.file.tell(), self.directory.tell()
        self.directory.flush()
        with open(self.directory.name, "rb") as directory:
            while block := directory.read(1 << 20):
                self.file.write(block)
        counts = self.count, self.count, size, start
        self.file.write(END_64 + struct.pack("<QHHIIQQQQ", 44, VERSION, VERSION, 0, 0, *counts))
        self.file.write(PLACE_64 + struct.pack("<IQI", 0, start + size, 1))
        many, *place = min(self.count, MANY), min(size, LARGE), min(start, LARGE)
        self.file.write(END + struct.pack("<HHHHIIH", 0, 0, many, many, *place, 0))


def files_of(stem: Path) -> list[Path]:
    """Return what is written: .npz, .jsonl and .pharaoh; and last the directory of the .npz, which goes in the end."""
    return [Path(f"{stem}{suffix}") for suffix in (".npz", ".jsonl", ".pharaoh", ".npz.directory")]


class GrowingAlignments:
    """Alignments in the files of `files_of`, opened for bytes, which hold `count` already."""

    def __init__(self, files: Sequence[BinaryIO], count: int = 0):
        arrays, self.jsonl, self.pharaoh, directory = files
        self.archive, self.count = Archive(arrays, directory, 2 * count), count

    def add(self, alignments: Sequence[Alignment]) -> None:
        """Write a sentence each, after those before."""
        for alignment in alignments:
            self.archive.add(str(self.count), alignment.attention)
            self.archive.add(f"words{self.count}", alignment.words)
            self.jsonl.write((to_json(self.count, alignment) + "\n").encode())
            self.pharaoh.write((pharaoh(alignment.links) + "\n").encode())
            self.count += 1

    def close(self) -> None:
        """Complete the files."""
        self.archive.close()
