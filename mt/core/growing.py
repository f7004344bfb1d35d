"""Output files of long work: they grow beside their final names, and what is finished outlives an interruption."""

import json
import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from types import TracebackType
from typing import Any, BinaryIO

from mt.core import manifest
from mt.core.errors import UserError
from mt.core.files import must_be_writable, write_text
from mt.core.holding import hold

State = dict[str, Any]


def part_of(path: Path) -> Path:
    """Return where a file grows until it is whole."""
    return path.with_name(f"{path.name}.part")


def journal_of(path: Path) -> Path:
    """Return what says how much of the file that grows there, and of those with it, is finished."""
    return path.with_name(f"{path.name}.part.json")


class Growing:
    """Files that grow together, each as FILE.part, and get their names once all is done.

    `keep` says that they are whole up to here: with a journal, FIRST.part.json, that part of them outlives whatever
    ends the process, and `resume` goes on after it. Without one they are removed when the block fails. Raises UserError
    where the disk refuses, where another process writes them, or where what is resumed was `asked` otherwise.
    """

    def __init__(self, paths: Sequence[Path], asked: State | None = None, *, resume: bool = False):
        self.paths, self.asked = list(paths), asked
        self.journal = journal_of(paths[0]) if asked is not None else None
        for path in paths:
            must_be_writable(path)
        kept = self._read(resume)
        self.state: State = kept["state"] if kept else {}
        """What was kept with the files, as JSON: nothing at the start."""
        self.files = [self._open(path, resume=kept is not None) for path in paths]
        if kept:
            self._cut(kept["sizes"])

    def __enter__(self) -> "Growing":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for file in self.files:
            if not file.closed:
                _close(file)
        if kind is not None and self.journal is None:
            for path in self.paths:
                part_of(path).unlink(missing_ok=True)

    def keep(self, state: State) -> None:
        """Note that the files are whole up to here, with how things stand then."""
        if self.journal is None:
            return
        self._sync()
        sizes = [file.tell() for file in self.files]
        write_text(self.journal, json.dumps({"asked": self.asked, "sizes": sizes, "state": state}) + "\n")

    def finish(self, without: Sequence[Path] = ()) -> None:
        """Give the files their names, but for those that were only needed until now."""
        self._sync()
        for file, path in zip(self.files, self.paths, strict=True):
            file.close()
            if path in without:
                part_of(path).unlink()
            else:
                manifest.rename(part_of(path), path)
        if self.journal:
            self.journal.unlink(missing_ok=True)

    def _read(self, resume: bool) -> State | None:
        """Return what the journal says, if there is one. Raises UserError where that cannot be gone on with."""
        first = self.paths[0]
        if self.journal is None or not self.journal.exists():
            return None
        if not resume:
            raise UserError(
                f"{part_of(first)} holds what an interrupted command has finished: --resume goes on after it; to begin "
                f"anew, delete it and {self.journal}"
            )
        try:
            kept: State = json.loads(self.journal.read_text(encoding="utf-8"))
            asked, sizes, _ = kept["asked"], kept["sizes"], kept["state"]
        except (ValueError, KeyError, TypeError) as error:
            raise UserError(f"{self.journal} is damaged: delete it to begin anew") from error
        mine: State = json.loads(json.dumps(self.asked))
        if other := [key for key in mine if mine[key] != asked.get(key)] or len(sizes) != len(self.paths):
            what = other[0] if isinstance(other, list) else "files"
            raise UserError(
                f"{part_of(first)} was begun with other {what}: give the same command again, or begin anew by deleting "
                f"it and {self.journal}"
            )
        return kept

    def _open(self, path: Path, *, resume: bool) -> BinaryIO:
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            file = open(part_of(path), "r+b" if resume else "ab")  # noqa: SIM115
        except OSError as error:
            raise UserError(f"cannot write {part_of(path)}: {error.strerror or error}") from error
        try:
            hold(file, wait=False)
        except BlockingIOError:
            raise UserError(f"{path} is being written by another process: wait for it, or stop it") from None
        if not resume:
            file.truncate(0)
        return file

    def _cut(self, sizes: list[int]) -> None:
        """Take away what was written after the last `keep`."""
        for file, path, size in zip(self.files, self.paths, sizes, strict=True):
            if file.seek(0, os.SEEK_END) < size:
                raise UserError(f"{part_of(path)} is damaged: delete it and {self.journal} to begin anew")
            file.truncate(size)
            file.seek(size)

    @contextmanager
    def writing(self) -> Iterator[None]:
        """Raise UserError where the disk refuses what the block writes."""
        try:
            yield
        except OSError as error:
            raise UserError(f"cannot write {part_of(self.paths[0])}: {error.strerror or error}") from error

    def _sync(self) -> None:
        with self.writing():
            for file in self.files:
                file.flush()
                os.fsync(file.fileno())


def _close(file: BinaryIO) -> None:
    try:
        file.close()
    except OSError:  # the disk is full, which has been said
        file.close()
