"""Training pairs that are never all in memory: they are read from where they are anew in every epoch."""

import random
import zlib
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Any, Protocol

from mt.core.errors import UserError
from mt.core.progress import Meter
from mt.corpora.pairs import Split
from mt.corpora.splits import keep_pairs, refuse_copies

State = dict[str, Any]
"""Where a stream stands: the lines and pairs before, a checksum of these lines, the states of its files. JSON."""
HEAD = 100_000
"""Pairs at the beginning that stand for the training split where somebody asks for all of it."""
SURVEY = "survey.json"
"""The file of a run's cache that keeps a `Survey`."""


class Rows(Protocol):
    """Something to read row by row, from where a state says: a file of `Lines`, a `datasets.IterableDataset`."""

    def __iter__(self) -> Iterator[Any]:
        """Yield the rows that are left."""

    def state_dict(self) -> State:
        """Return where it stands."""

    def load_state_dict(self, state: State) -> None:
        """Go there."""


@dataclass(frozen=True)
class Survey:
    """What one reading of a whole stream says of it."""

    lines: int
    pairs: int
    dropped: int
    """Pairs left out because a side was empty."""
    checksum: int
    """Of all lines."""


@dataclass(frozen=True)
class Stream:
    """Pairs in the order of their files, which are read side by side: two plain ones, or one."""

    names: tuple[str, str]
    """What errors call the source text and the target text."""
    open: Callable[[], Sequence[Rows]]
    """Return the files, where they begin."""
    pair: Callable[[int, tuple[Any, ...]], tuple[str, str]]
    """pair(number of the line, its row in each file): its source and target sentence."""
    buffer: int
    """Lines that are held in memory at once, and shuffled."""
    most: int | None = None
    """Pairs to read. None: all."""
    raw: bool = False
    copies: bool = False
    """Whether source and target may be alike in most of the pairs."""
    header: int = 0
    """Lines to skip at the beginning, which name the languages."""

    @property
    def name(self) -> str:
        """What errors call all of it."""
        return " and ".join(dict.fromkeys(self.names))

    def chunks(self, size: int, state: State | None = None) -> Iterator[tuple[Split, State]]:
        """Yield the pairs of `size` lines after `state`, of the next ones, and so on, each with the state after them.

        Some may have no pairs. Raises UserError where one file ends before the other, or cannot be read; and that of
        `keep_pairs`.
        """
        files, now = self.open(), state or {"line": 0, "pairs": 0, "checksum": 0}
        for file, saved in zip(files, now["files"], strict=True) if state else ():
            file.load_state_dict(saved)
        line, pairs, checksum = now["line"], now["pairs"], now["checksum"]
        rows = self._rows(files, line)
        while (self.most is None or pairs < self.most) and (lines := list(islice(rows, size))):
            split, used = self._keep(lines, line + 1, None if self.most is None else self.most - pairs)
            line, pairs = line + used, pairs + len(split.sources)
            for source, target in lines[:used]:
                checksum = zlib.crc32(f"{source}\t{target}\n".encode("utf-8", "surrogatepass"), checksum)
            states = [file.state_dict() for file in files]
            yield split, {"line": line, "pairs": pairs, "checksum": checksum, "files": states}

    def _keep(self, lines: list[tuple[str, str]], first: int, wanted: int | None) -> tuple[Split, int]:
        """Return the pairs of lines, and of how many lines; they end with the last pair that is wanted."""

        def keep(some: list[tuple[str, str]], number: int) -> Split:
            sources, targets = [source for source, _ in some], [target for _, target in some]
            return keep_pairs(sources, targets, self.names, raw=self.raw, first=number)

        split = keep(lines, first)
        if wanted is None or len(split.sources) < wanted:
            return split, len(lines)
        used = 0
        while wanted:
            wanted -= len(keep([lines[used]], first + used).sources)
            used += 1
        return keep(lines[:used], first), used

    def _rows(self, files: Sequence[Rows], line: int) -> Iterator[tuple[str, str]]:
        readers = [iter(file) for file in files]
        while True:
            line += 1
            rows = tuple(self._next(reader, line) for reader in readers)
            if None in rows:
                break
            yield ("", "") if line <= self.header else self.pair(line, rows)
        if any(row is not None for row in rows):
            shorter, longer = self.names if rows[0] is None else self.names[::-1]
            raise UserError(
                f"{longer} has more lines than {shorter}, which has {line - 1:,}: each line of one must be the "
                f"translation of the same line of the other"
            )

    def _next(self, reader: Iterator[Any], line: int) -> Any:
        try:
            return next(reader, None)
        except UserError:
            raise
        except Exception as error:  # anything: `datasets` raises a dozen types, its readers and its transport more
            reason = str(error.__cause__ or error).strip().partition("\n")[0]
            raise UserError(f"{self.name}, near row {line:,}: {reason}") from error

    def head(self) -> Split:
        """Return the first pairs."""
        for split, _ in self.chunks(HEAD):
            if split.sources:
                return split
        raise self._without_pairs()

    def _without_pairs(self) -> UserError:
        return UserError(f"no sentence pair in {self.name}")

    def survey(self, sample: int, seed: int) -> tuple[Survey, Split]:
        """Read all once; return how much there is, and a sample in which each pair is with the same probability.

        Vitter 1985, algorithm R.
        """
        chosen, kept = random.Random(seed), list[tuple[int, str, str]]()
        pairs = dropped = 0
        state: State = {"line": 0, "checksum": 0}
        meter = Meter("looking through the training pairs", "line", 0)
        for split, after in self.chunks(HEAD):
            for pair in zip(split.sources, split.targets, strict=True):
                place = pairs if pairs < sample else chosen.randrange(pairs + 1)
                if place < sample:
                    kept[place : place + 1] = [(pairs, *pair)]
                pairs += 1
            meter.add(after["line"] - state["line"])
            state, dropped = after, dropped + split.dropped
        meter.close()
        if not pairs:
            raise self._without_pairs()
        kept.sort()
        some = Split([source for _, source, _ in kept], [target for _, _, target in kept])
        if not self.copies:
            refuse_copies(some, self.name)
        return Survey(state["line"], pairs, dropped - self.header, state["checksum"]), some
