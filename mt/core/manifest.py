"""RUN/manifest.json: the checksums of the files of a run, so that what a disk or a copy has damaged is named.

A file is listed when it is written, and held against its checksums when it is read. Before it is renamed to its name,
the manifest has the checksums of both, the old file and the new one, and afterwards that of the new one alone: wherever
a kill comes, what stands there is known.
"""

import hashlib
import json
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from mt.core.beside import beside
from mt.core.errors import DamagedError
from mt.core.holding import hold

NAME = "manifest.json"
UNLISTED = {NAME, "README.md", "curves.svg"}
"""Files that nothing is read from."""
DEPTH = 3
"""A manifest lists the files of its folder, and of two levels of folders in it."""
FIRST = 2**20
"""Bytes that have a checksum of their own, so that what stands there is known without reading the rest."""
TRIES, PAUSE = 4, 0.05
"""What is read while it is replaced is read again after so many seconds, before it is called damaged."""


@dataclass(frozen=True)
class Sum:
    """The checksum of a file, in hexadecimal digits, and how long it is."""

    sha256: str
    bytes: int
    first: str
    """That of its first MiB."""


Files = dict[str, list[Sum]]
"""By the path of a file in the folder, what it may be."""


def begin(folder: Path) -> None:
    """Write a manifest that lists nothing yet, where a folder has none. Raises DamagedError where it has a damaged one.

    From then on the files that are written there are listed.
    """
    if _read(folder) is None and not (folder / NAME).exists():
        _write(folder, {})


def read_whole(path: Path, remedy: str = "restore it") -> tuple[bytes, Sum | None]:
    """Return what a file holds, and its checksum where it is listed. Raises DamagedError where it is not that."""
    for attempt in range(TRIES):
        data, known = path.read_bytes(), told(path)
        if known is None:
            return data, None
        if (found := _sum_of(data)) in known:
            return data, found
        time.sleep(PAUSE * attempt)
    raise DamagedError(path, remedy, _difference(len(data), known))


def must_be_whole(path: Path, remedy: str = "restore it", *, first: bool = False) -> None:
    """Raise DamagedError where a file is listed and is something else; `first`: where its first MiB is."""
    size, known = 0, told(path)
    for attempt in range(TRIES if known else 0):
        with open(path, "rb") as file:
            begins, size = file.read(FIRST), os.fstat(file.fileno()).st_size
            start, known = hashlib.sha256(begins).hexdigest(), told(path)
            fitting = [one for one in known or [] if (one.first, one.bytes) == (start, size)]
            if known is None or (fitting and (first or size <= FIRST)):
                return
            file.seek(0)
            if fitting and hashlib.file_digest(file, "sha256").hexdigest() in [one.sha256 for one in fitting]:
                return
        time.sleep(PAUSE * attempt)
    if known:
        raise DamagedError(path, remedy, _difference(size, known))


def told(path: Path) -> list[Sum] | None:
    """Return what a file may be; None where no manifest lists it. Raises DamagedError where the manifest is damaged."""
    folder, name = _place(path)
    return None if folder is None else (_read(folder) or {}).get(name)


def rename(temporary: Path, path: Path) -> None:
    """Rename a file that was written beside `path`; where `path` is in a folder with a manifest, list it there."""
    folder, name = _place(path)
    if folder is None:
        temporary.replace(path)
        return
    with open(temporary, "rb") as file:
        new = _sum_of_file(file)
    with _locked(folder):
        files = _read(folder) or {}
        before = [one for one in files.get(name, []) if one != new]
        if before or name not in files:
            _write(folder, files | {name: [*before, new]})
        temporary.replace(path)
        if before:
            _write(folder, files | {name: [new]})


def _place(path: Path) -> tuple[Path | None, str]:
    """Return the folder whose manifest lists a file, and the file's name there."""
    if path.name not in UNLISTED:
        for folder in [*path.parents][:DEPTH]:
            if (folder / NAME).is_file() and _read(folder) is not None:
                return folder, path.relative_to(folder).as_posix()
    return None, ""


def _read(folder: Path) -> Files | None:
    """Return what the manifest of a folder lists; None where it has none, or one of another program.

    Raises DamagedError where it is damaged.
    """
    path, remedy = folder / NAME, "restore it, or delete it: the files beside it are then read unchecked"
    try:
        data = path.read_bytes()
    except FileNotFoundError:
        return None
    try:
        tree = json.loads(data)
        if not isinstance(tree, dict) or not {"files", "check"} <= tree.keys():
            return None
        return _parse(tree)
    except (ValueError, TypeError, KeyError, AttributeError) as error:
        raise DamagedError(path, remedy, error) from error


def _parse(tree: dict[str, Any]) -> Files:
    if tree["check"] != _check(tree["files"]):
        raise ValueError("it is not what was written")
    return {
        name: [Sum(one["sha256"], one["bytes"], one.get("first", one["sha256"])) for one in sums]
        for name, sums in tree["files"].items()
    }


def _write(folder: Path, files: Files) -> None:
    tree: dict[str, Any] = {name: [_lines(one) for one in sums] for name, sums in sorted(files.items())}
    with beside(folder / NAME) as temporary:
        temporary.write_text(json.dumps({"files": tree, "check": _check(tree)}, indent=1) + "\n", encoding="utf-8")


def _lines(one: Sum) -> dict[str, Any]:
    return {key: value for key, value in asdict(one).items() if key != "first" or value != one.sha256}


def _check(tree: object) -> str:
    return hashlib.sha256(json.dumps(tree, sort_keys=True).encode()).hexdigest()[:16]


def _sum_of(data: bytes) -> Sum:
    return Sum(hashlib.sha256(data).hexdigest(), len(data), hashlib.sha256(data[:FIRST]).hexdigest())


def _sum_of_file(file: Any) -> Sum:
    first = hashlib.sha256(file.read(FIRST)).hexdigest()
    file.seek(0)
    return Sum(hashlib.file_digest(file, "sha256").hexdigest(), os.fstat(file.fileno()).st_size, first)


def _difference(size: int, known: list[Sum] | None) -> str:
    known = known or []
    if size not in [one.bytes for one in known]:
        return f"it has {size:,} bytes in place of {' or '.join(f'{one.bytes:,}' for one in known)}"
    return f"its checksum is not that of {NAME}; where you have changed it yourself, delete {NAME}"


@contextmanager
def _locked(folder: Path) -> Iterator[None]:
    """Let one process at a time change a manifest; the lock dies with its process. It is that of the folder itself."""
    handle = _lock(folder)
    try:
        yield
    finally:
        if handle is not None:
            os.close(handle)


def _lock(folder: Path) -> int | None:
    """Return what holds the lock; None on Windows, where only the lock of the run keeps other processes away."""
    try:
        handle = os.open(folder, os.O_RDONLY)
    except PermissionError:
        return None
    hold(handle, wait=True)
    return handle
