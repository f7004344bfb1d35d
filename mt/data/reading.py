"""What training reads, part by part: all pairs at once, or a stream of them, a buffer after another."""

import json
import logging
import math
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Protocol

from pydantic import TypeAdapter

from mt.core.errors import DamagedError, UserError
from mt.core.files import read_json, write_text
from mt.corpora.pairs import Split
from mt.corpora.stream import SURVEY, Stream, Survey
from mt.data.batches import batch_order
from mt.data.pieces import Chunk, Encoded, Pieces, digest
from mt.text.tokenizer import Tokenizers

SURVEYED = TypeAdapter(Survey)
GLANCE = 1000
"""Pairs that tell about how many batches a stream makes."""
Place = tuple[int, int]
"""Epoch, and part of it."""


@dataclass(frozen=True)
class Sizes:
    """How batches are made."""

    batch_tokens: int
    max_pieces: int
    seed: int


@dataclass(frozen=True)
class Part:
    """Pairs that are in memory, or mapped into it, their batches in order, and where the next part begins."""

    pieces: Encoded
    batches: list[list[int]]
    after: dict[str, Any]


class Reading(Protocol):
    """What training reads."""

    digest: str
    """Changes with the text or the vocabularies."""
    parts: int
    """Of an epoch."""
    batches: int
    """About how many an epoch has."""

    def part(self, place: Place, state: dict[str, Any]) -> Part:
        """Return what is read there; `state` is that after the part before, empty where an epoch begins."""


class Whole:
    """All pairs, which were encoded once into a file. An epoch is one part."""

    parts = 1

    def __init__(self, pieces: Pieces, sizes: Sizes):
        self.pieces, self.sizes, self.digest = pieces, sizes, pieces.digest
        self._part = (0, 0), self._read((0, 0))
        self.batches = len(self._part[1].batches)

    def part(self, place: Place, state: dict[str, Any]) -> Part:
        """Return all pairs, in the order of the epoch."""
        if self._part[0] != place:
            self._part = place, self._read(place)
        return self._part[1]

    def _read(self, place: Place) -> Part:
        return Part(self.pieces, _order(self.pieces, self.sizes, (self.sizes.seed, place[0])), {})


class Streamed:
    """A stream in parts of as many lines; the pairs of a part are shuffled among each other. A part may have none."""

    def __init__(self, stream: Stream, survey: Survey, head: Split, tokenizers: Tokenizers, sizes: Sizes):
        self.stream, self.survey, self.tokenizers, self.sizes = stream, survey, tokenizers, sizes
        self.parts = math.ceil(survey.lines / stream.buffer)
        self.lines = math.ceil(survey.lines / self.parts)
        """Of a part; the last may have fewer."""
        self.digest = digest(head, tokenizers)
        some = [len(tokenizers.target.encode(target)) + 1 for target in head.targets[:GLANCE]]
        self.batches = math.ceil(survey.pairs * sum(some) / len(some) / sizes.batch_tokens)
        self._chunks: Iterator[tuple[Split, dict[str, Any]]] = iter(())
        self._next: Place | None = None
        self._part: tuple[Place, Part] | None = None

    def part(self, place: Place, state: dict[str, Any]) -> Part:
        """Read a part, or return it again where it was read last.

        Raises UserError where the stream has other lines than when the training began.
        """
        if self._part is None or self._part[0] != place:
            if place != self._next:
                self._chunks = self.stream.chunks(self.lines, state)
            split, after = next(self._chunks, (Split([], []), {}))
            ended = place[1] == self.parts - 1
            self._must_be_the_same(after, place[1], ended)
            self._next, pieces = (place[0], place[1] + 1), Chunk(split, self.tokenizers)
            batches = _order(pieces, self.sizes, (self.sizes.seed, *place))
            self._part = place, Part(pieces, batches, {} if ended else after)
        return self._part[1]

    def _must_be_the_same(self, after: dict[str, Any], number: int, ended: bool) -> None:
        """Raise UserError where what was read up to here is not what the survey has seen."""
        same = after.get("line") == min((number + 1) * self.lines, self.survey.lines)
        if ended and same:
            same = after["checksum"] == self.survey.checksum and next(self._chunks, None) is None
        if not same:
            raise UserError(
                f"{self.stream.name} has changed since the training began, when it had {self.survey.lines:,} lines: "
                f"restore what it was, or start anew (--overwrite)"
            )


def _order(pieces: Encoded, sizes: Sizes, key: tuple[int, ...]) -> list[list[int]]:
    lengths = pieces.source_lengths, pieces.target_lengths
    return batch_order(*lengths, sizes.batch_tokens, sizes.max_pieces, key)


def keep_survey(survey: Survey, cache: Path) -> None:
    """Keep what a stream is known to hold, so that going on with the run need not read all of it first."""
    write_text(cache / SURVEY, json.dumps(asdict(survey)) + "\n")


def kept_survey(cache: Path) -> Survey | None:
    """Return what `keep_survey` wrote; None where that is gone, or damaged, which is said."""
    file = cache / SURVEY
    try:
        return read_json(file, "all is read again", SURVEYED.validate_python) if file.exists() else None
    except DamagedError as error:
        logging.getLogger("mt").warning("%s", error)
        return None
