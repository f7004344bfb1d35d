"""Files: written beside their final name and renamed, read line by line with errors that name file and line."""

import bz2
import gzip
import io
import lzma
import os
import re
import zlib
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

from mt.core import manifest
from mt.core.beside import beside
from mt.core.errors import DamagedError, UserError
from mt.core.parse import parse_json

Kind = TypeVar("Kind")


@dataclass(frozen=True)
class Packing:
    """A way to compress a file: how its name ends, how its bytes begin."""

    suffix: str
    begins: re.Pattern[bytes]
    open: Callable[[Path], io.BufferedIOBase]


def _unzstd(path: Path) -> io.BufferedIOBase:
    """Open what zstd has compressed, to be read once and forwards: Python 3.11 has no module for it."""
    import pyarrow

    return io.BufferedReader(pyarrow.CompressedInputStream(open(path, "rb"), "zstd"))


PACKINGS = {
    "gzip": Packing(".gz", re.compile(rb"\x1f\x8b"), gzip.GzipFile),
    "bzip2": Packing(".bz2", re.compile(rb"BZh[1-9](1AY&SY|\x17rE8P\x90)"), bz2.BZ2File),
    "lzma": Packing(".lzma", re.compile(rb"\]\0\0([\x04\x10\x20\x40\x80]\0|\0[\1-\4])"), lzma.LZMAFile),
    "xz": Packing(".xz", re.compile(rb"\xfd7zXZ\0"), lzma.LZMAFile),
    "zstd": Packing(".zst", re.compile(rb"\x28\xb5\x2f\xfd"), _unzstd),
}

TAR_ARCHIVES = {".tgz", ".tbz", ".tbz2", ".txz", ".tlz"}


@contextmanager
def replacing(path: Path) -> Iterator[Path]:
    """Yield a temporary path beside `path`; rename it to `path` when the block succeeds, remove it when it fails.

    A reader therefore sees the old file or the new one, never half of one; the manifest of a run lists it. Raises
    UserError when the disk refuses.
    """
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with beside(path, manifest.rename) as temporary:
            yield temporary
    except OSError as error:
        raise UserError(
            f"cannot write {path}: {error.strerror or error}. What was there before is unchanged"
        ) from error


def must_be_writable(path: Path) -> None:
    """Raise UserError where a file cannot be written there, as far as that is seen without writing anything."""
    folder = path.absolute().parent
    try:
        while not folder.exists():
            folder = folder.parent
        reason = (
            ("it is a folder" if path.is_dir() else "")
            or (f"{folder} is no folder" if not folder.is_dir() else "")
            or (f"{folder} may not be written" if not os.access(folder, os.W_OK | os.X_OK) else "")
        )
    except OSError as error:
        reason = error.strerror or str(error)
    if reason:
        raise UserError(f"cannot write {path}: {reason}")


def make_folder(path: Path) -> None:
    """Make a folder and those above it, where they are missing. Raises UserError when the disk refuses."""
    try:
        path.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise UserError(f"cannot make the folder {path}: {error.strerror or error}") from error


def write_text(path: Path, text: str) -> None:
    """Replace `path` by `text` in UTF-8, all of it or nothing."""
    with replacing(path) as temporary:
        temporary.write_text(text, encoding="utf-8", newline="\n")


def write_lines(path: Path, lines: Iterable[str]) -> None:
    """Replace `path` by `lines`, one a line."""
    write_text(path, "".join(line + "\n" for line in lines))


def read_bytes(path: Path, remedy: str = "restore it") -> bytes:
    """Return what a file holds, unpacked where its name ends in .gz, .bz2, .xz or .zst.

    Raises UserError where it cannot be read, or where its name and its first bytes do not say the same; DamagedError,
    with this remedy, where the manifest of a run says that it is not what was written.
    """
    return read_start(path, -1, remedy)


def read_start(path: Path, size: int, remedy: str = "restore it") -> bytes:
    """Return the first bytes of a file, so many where `size` is not negative, as `read_bytes` does."""
    try:
        if size < 0:
            data, _ = manifest.read_whole(path, remedy)
        else:
            with open(path, "rb") as file:
                data = file.read(size)
        named = _named_packing(path)
        packed = packing_of(data)
        if packed and path.suffix.lower() in TAR_ARCHIVES:
            raise UserError(f"{path} is a tar archive, compressed with {packed}: unpack it")
        if packed and packed != named:
            plain = path.with_suffix("") if named else path
            raise UserError(
                f"{path} is compressed with {packed}, and its name does not say so: call it "
                f"{plain}{PACKINGS[packed].suffix}"
            )
        if not named or not data:
            return data
        with PACKINGS[named].open(path) as file:
            return file.read(size)
    except (OSError, EOFError, zlib.error, lzma.LZMAError, ValueError) as error:
        reason = getattr(error, "strerror", None) or error
        raise UserError(f"cannot read {path}: {reason}") from error


@contextmanager
def open_bytes(path: Path) -> Iterator[io.BufferedIOBase]:
    """Open a file, unpacked as by `read_bytes`. Raises UserError where it cannot be read, also within the block."""
    named = _named_packing(path)
    try:
        with PACKINGS[named].open(path) if named else open(path, "rb") as file:
            yield file
    except (OSError, EOFError, zlib.error, lzma.LZMAError) as error:
        reason = getattr(error, "strerror", None) or error
        raise UserError(f"cannot read {path}: {reason}") from error


def _named_packing(path: Path) -> str:
    """Return what a file is compressed with, by its name; nothing where it is not."""
    return next((kind for kind, packing in PACKINGS.items() if path.suffix.lower() == packing.suffix), "")


def is_packed_by_name(path: Path) -> bool:
    """Tell whether a name says that the file is compressed."""
    return bool(_named_packing(path))


def kind_of(name: str) -> str:
    """Return how the name of a file ends, in small letters; of a compressed one what stands before that: .tsv."""
    plain = Path(name.lower())
    return plain.with_suffix("").suffix if plain.suffix in {one.suffix for one in PACKINGS.values()} else plain.suffix


def packing_of(data: bytes) -> str:
    """Return what bytes are compressed with, by the first of them; nothing where they are not."""
    return next((kind for kind, packing in PACKINGS.items() if packing.begins.match(data)), "")


def read_lines(path: Path, remedy: str = "restore it") -> list[str]:
    """Return the lines of a UTF-8 file (which may be compressed) without their ends; CRLF counts as one end.

    Only a line feed ends a line, as in `wc -l`: other Unicode separators are part of the text.
    Raises UserError that names the file, and the line where it is not UTF-8; or as `read_bytes`.
    """
    return decode_lines(read_bytes(path, remedy), str(path))


def decode_lines(data: bytes, name: str) -> list[str]:
    """Split and decode `data`; `name` stands for it in the error when a line is not UTF-8."""
    rows = data.removeprefix(b"\xef\xbb\xbf").split(b"\n")
    if rows[-1] == b"":
        rows.pop()
    lines = []
    for number, row in enumerate(rows, 1):
        try:
            lines.append(row.removesuffix(b"\r").decode("utf-8"))
        except UnicodeDecodeError as error:
            raise UserError(
                f"{name}, line {number}: not UTF-8 at byte {error.start + 1}; convert the file with `iconv`, from the "
                f"encoding that it was written in"
            ) from error
    return lines


def read_json(path: Path, remedy: str, parse: Callable[[Any], Kind]) -> Kind:
    """Return what `parse` makes of a JSON file. Raises DamagedError, with this remedy, where that is not what it was.

    `parse` raises ValueError (as pydantic does), TypeError, LookupError or AttributeError where it is something else.
    """
    return parse_file(path, remedy, lambda data: parse(parse_json(data)))


def parse_file(path: Path, remedy: str, parse: Callable[[bytes], Kind]) -> Kind:
    """Return what `parse` makes of the bytes of a file. Raises as `read_json`."""
    try:
        return parse(manifest.read_whole(path, remedy)[0])
    except (OSError, ValueError, TypeError, LookupError, AttributeError, RecursionError) as error:
        raise DamagedError(path, remedy, getattr(error, "strerror", None) or error) from error
