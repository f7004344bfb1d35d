"""Runs that are served, and what is asked of them."""

import copy
import threading
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from mt.config import Search
from mt.core.errors import UserError
from mt.inference.load import load
from mt.inference.translator import Translation, Translator
from mt.models.contract import Look
from mt.runs.run import WEIGHTS
from mt.text.words import Unit


class Served:
    """A run by the name of its directory. What answers has the weights that stand there now, also after a training."""

    def __init__(self, path: Path):
        self.path, self.name = path, path.resolve().name
        self._lock = threading.Lock()
        self._loaded: tuple[tuple[int, int], Translator] | None = None

    def translator(self) -> Translator:
        """Return what translates. Raises UserError when the run has been deleted, or has no model yet."""
        with self._lock:
            stamp = self._stamp()
            if self._loaded is None or self._loaded[0] != stamp:
                self._loaded = stamp, load(self.path)
            return self._loaded[1]

    def _stamp(self) -> tuple[int, int]:
        try:
            found = (self.path / WEIGHTS).stat()
        except OSError as error:
            if self._loaded:
                raise UserError(f"the run {self.name} has been deleted, or moved, while it was served") from error
            load(self.path)  # which says what is wrong
            raise
        return found.st_mtime_ns, found.st_size


@dataclass(frozen=True)
class Kind:
    """How something is translated: questions of one kind are answered by one search."""

    served: Served
    settings: Search
    n_best: int = 1
    unit: Unit | None = None
    """What alignments are in. None: what the run's config says."""
    look: Look = field(default_factory=Look)
    trace: bool = False
    confidence: bool = False


@dataclass(frozen=True)
class Question:
    """A sentence, and what its translation must begin with."""

    kind: Kind
    text: str
    prefix: str | tuple[int, ...] = ""


def answer(questions: Sequence[Question]) -> list[Translation]:
    """Return the translations of questions of one kind, by one search."""
    kind = questions[0].kind
    translator = copy.copy(kind.served.translator())
    translator.unit = kind.unit or translator.unit
    return translator.translate(
        [one.text for one in questions],
        kind.settings,
        n_best=kind.n_best,
        prefixes=[one.prefix for one in questions],
        look=kind.look,
        trace=kind.trace,
        confidence=kind.confidence,
    )
