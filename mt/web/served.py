"""Runs that are served, and sentences that are translated by them."""

import copy
import threading
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple

from mt.config import Search
from mt.core.errors import UserError
from mt.core.memory import telling_shortage
from mt.inference.load import translator_of
from mt.inference.translator import Translation, Translator
from mt.models.contract import Look, Site
from mt.runs.names import WEIGHTS
from mt.runs.run import Run
from mt.text.words import Unit


class Loaded(NamedTuple):
    """A run as it stood when its weights were read, and what translates with them."""

    run: Run
    translator: Translator


class Served:
    """A run by the name of its directory. What answers has the weights that stand there now, also after a training."""

    def __init__(self, path: Path):
        run = Run(path)
        self.path, self.name = run.path, run.name
        self._lock = threading.Lock()
        self._loaded: tuple[tuple[int, int], Loaded] | None = None

    def load(self) -> Loaded:
        """Return the run and its translator. Raises UserError when it has been deleted, or has no model yet."""
        with self._lock:
            stamp = self._stamp()
            if self._loaded is None or self._loaded[0] != stamp:
                run = Run(self.path)
                self._loaded = stamp, Loaded(run, translator_of(run, [], run.config))
            return self._loaded[1]

    def _stamp(self) -> tuple[int, int]:
        try:
            found = (self.path / WEIGHTS).stat()
        except OSError as error:
            if self._loaded:
                raise UserError(f"the run {self.name} has been deleted, or moved, while it was served") from error
            _ = Run(self.path).model  # which says what is wrong
            raise
        return found.st_mtime_ns, found.st_size


@dataclass(frozen=True)
class Sentence:
    """A source, and what its translation must begin with."""

    text: str
    prefix: str | tuple[int, ...] = ""


@dataclass(frozen=True)
class Translating:
    """How sentences are translated: those that are asked for in the same way are found by one search."""

    served: Served
    settings: Search
    n_best: int = 1
    unit: Unit | None = None
    """What alignments are in. None: what the run's config says."""
    look: Look = field(default_factory=Look)
    alignments: bool = True
    trace: bool = False
    confidence: bool = False

    def __call__(self, sentences: Sequence[Sentence]) -> list[Translation]:
        """Return the translations of sentences."""
        translator = copy.copy(self.served.load().translator)
        translator.unit = self.unit or translator.unit
        with telling_shortage("ask for less: a smaller beam, shorter texts"):
            return translator.translate(
                [one.text for one in sentences],
                self.settings,
                n_best=self.n_best,
                prefixes=[one.prefix for one in sentences],
                look=self.look,
                alignments=self.alignments,
                trace=self.trace,
                confidence=self.confidence,
            )


def site_of(translator: Translator, layer: int | None, head: int | None) -> Site | None:
    """Return the site that is asked for, if any is; a head alone is one of the config's layer.

    Raises UserError where the model has no such site.
    """
    if layer is None and head is None:
        return None
    layers, heads = translator.model.sites
    if translator.site is None:
        raise UserError("this model has no attention (model.attention.score: none): ask for no layer and no head")
    site = Site(layer or translator.site.layer, head)
    if site.layer > layers or (head or 1) > heads:
        raise UserError(f"there is no layer {site.layer}, head {head or 1}: the model has {layers} of {heads} heads")
    return site
