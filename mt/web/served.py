"""Runs that are served, and sentences that are translated by them."""

import contextlib
import copy
import logging
import threading
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple

from mt.config import Search
from mt.core import manifest
from mt.core.errors import UserError
from mt.core.memory import telling_shortage
from mt.inference.load import translator_of
from mt.inference.translator import Translation, Translator
from mt.models.contract import Look, Site
from mt.runs.names import CLUSTERS, CONFIG, DATASTORE, TOKENIZERS, WEIGHTS
from mt.runs.run import Run
from mt.text.words import Unit

log = logging.getLogger("mt")
READ = (CONFIG, TOKENIZERS, WEIGHTS, DATASTORE, CLUSTERS, manifest.NAME)
"""What a translator is read from; where that failed, it is tried again when one of these is another."""
Stamps = tuple[tuple[str, int, int], ...]
"""Of files: name, when each was written in nanoseconds, and bytes."""


class Loaded(NamedTuple):
    """A run as it stood when its weights were read, and what translates with them."""

    run: Run
    translator: Translator


class Served:
    """A run by the name of its directory. What answers has the weights that stand there now, also after a training.

    Where these cannot be read, as they are damaged or not all there yet, it keeps those it had, until they can.
    """

    def __init__(self, path: Path):
        run = Run(path)
        self.path, self.name = run.path, run.name
        self._lock = threading.Lock()
        self._loaded: tuple[Stamps, Loaded] | None = None
        self._refused: Stamps | None = None

    @property
    def is_behind(self) -> bool:
        """Whether it answers with the weights of before, because those that stand there could not be read."""
        return self._refused is not None

    def load(self) -> Loaded:
        """Return the run and its translator. Raises UserError when it has been deleted, or had no model yet."""
        with self._lock:
            if self._loaded is None:
                self._loaded = self._read()
            elif not self.path.exists():
                raise UserError(f"the run {self.name} has been deleted, or moved, while it was served")
            elif self._loaded[0] != self._stamps(WEIGHTS):
                self._renew()
            elif self.is_behind:  # the weights of before stand there again
                self._refused = None
            return self._loaded[1]

    def _read(self) -> tuple[Stamps, Loaded]:
        stamps, run = self._stamps(WEIGHTS), Run(self.path)
        return stamps, Loaded(run, translator_of(run, [], run.config))

    def _renew(self) -> None:
        """Read the weights that stand there now, unless that failed and nothing has changed since."""
        now = self._stamps(*READ)
        if now == self._refused:
            return
        try:
            self._loaded = self._read()
        except (UserError, OSError) as error:
            if not self.is_behind:
                log.warning("%s: the new weights cannot be read, and those of before answer: %s", self.name, error)
            self._refused = now
        else:
            if self.is_behind:
                log.info("%s: the new weights can be read, and answer from now on", self.name)
            self._refused = None

    def _stamps(self, *patterns: str) -> Stamps:
        """Return when the files of these names were written, and how long they are; of those that are there."""
        found = []
        for path in sorted(path for pattern in patterns for path in self.path.glob(pattern)):
            with contextlib.suppress(OSError):  # it may go meanwhile
                told = path.stat()
                found.append((path.name, told.st_mtime_ns, told.st_size))
        return tuple(found)


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
