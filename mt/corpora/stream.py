"""Training pairs that are never all in memory: `datasets` reads them from their files anew in every epoch."""

import random
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import islice
from typing import Any

from mt.core.errors import UserError
from mt.core.progress import Meter
from mt.corpora.pairs import Split
from mt.corpora.splits import keep_pairs, refuse_copies

State = dict[str, Any]
"""Where a stream stands: how many lines were read, and what `datasets` says of each of its columns. JSON."""
HEAD = 100_000
"""Pairs at the beginning that stand for the training split where somebody asks for all of it."""


@dataclass(frozen=True)
class Survey:
    """What one reading of a whole stream says of it."""

    lines: int
    pairs: int
    dropped: int
    """Pairs left out because a side was empty."""


@dataclass(frozen=True)
class Stream:
    """Pairs in the order of their files. `datasets` may read several columns side by side, as two plain files are."""

    names: tuple[str, str]
    """What errors call the source text and the target text."""
    open: Callable[[], tuple[Any, ...]]
    """Return the columns, each a `datasets.IterableDataset`, where they begin."""
    pair: Callable[[int, tuple[Any, ...]], tuple[str, str]]
    """pair(number of the line, rows of all columns): its source and target sentence."""
    buffer: int
    """Lines that are held in memory at once, and shuffled."""
    most: int | None = None
    """Lines to read. None: all."""
    raw: bool = False
    copies: bool = False
    """Whether source and target may be alike in most of the pairs."""
    header: int = 0
    """Lines to skip at the beginning, which name the languages."""

    def chunks(self, size: int, state: State | None = None) -> Iterator[tuple[Split, State]]:
        """Yield the pairs of `size` lines after `state`, of the next ones, and so on, each with the state after them.

        Raises UserError where a column ends before another, or cannot be read; and that of `keep_pairs`.
        """
        columns, line = self.open(), 0
        if state:
            line = state["line"]
            for column, saved in zip(columns, state["columns"], strict=True):
                column.load_state_dict(saved)
        rows = self._rows(columns, line)
        most = None if self.most is None else self.most + self.header
        while lines := list(islice(rows, size if most is None else min(size, most - line))):
            sources, targets = [source for source, _ in lines], [target for _, target in lines]
            split = keep_pairs(sources, targets, self.names, raw=self.raw, first=line + 1)
            line += len(lines)
            yield split, {"line": line, "columns": [column.state_dict() for column in columns]}

    def _rows(self, columns: tuple[Any, ...], line: int) -> Iterator[tuple[str, str]]:
        readers = [iter(column) for column in columns]
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
        except Exception as error:  # anything: `datasets` raises a dozen types, its readers and its transport more
            reason = str(error.__cause__ or error).strip().partition("\n")[0]
            raise UserError(f"{' and '.join(dict.fromkeys(self.names))}, near line {line:,}: {reason}") from error

    def head(self) -> Split:
        """Return the first pairs."""
        for split, _ in self.chunks(HEAD):
            if split.sources:
                return split
        raise UserError(f"no sentence pair in {' and '.join(dict.fromkeys(self.names))}")

    def survey(self, sample: int, seed: int) -> tuple[Survey, Split]:
        """Read all once; return how much there is, and a sample in which each pair is with the same probability.

        Vitter 1985, algorithm R.
        """
        chosen, kept = random.Random(seed), list[tuple[int, str, str]]()
        lines = pairs = dropped = 0
        meter = Meter("looking through the training pairs", "line", self.most or 0)
        for split, state in self.chunks(HEAD):
            for pair in zip(split.sources, split.targets, strict=True):
                place = pairs if pairs < sample else chosen.randrange(pairs + 1)
                if place < sample:
                    kept[place : place + 1] = [(pairs, *pair)]
                pairs += 1
            meter.add(state["line"] - lines)
            lines, dropped = state["line"], dropped + split.dropped
        meter.close()
        if not pairs:
            raise UserError(f"no sentence pair in {' and '.join(dict.fromkeys(self.names))}")
        kept.sort()
        some = Split([source for _, source, _ in kept], [target for _, _, target in kept])
        if not self.copies:
            refuse_copies(some, " and ".join(dict.fromkeys(self.names)))
        return Survey(lines, pairs, dropped), some
