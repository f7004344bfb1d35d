"""What happens when sentences have been translated: they are counted, and held against validation."""

import json
import logging
import os
import threading
import time
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from mt.core.errors import UserError
from mt.inference.confidence import Estimator
from mt.inference.traffic import traffic_signals
from mt.inference.translator import Translation, Translator
from mt.lab.diagnosis.distributions import Distribution, Expected, read_expected
from mt.runs.confidence import Fitted, read_fitted
from mt.runs.names import DIAGNOSIS
from mt.web.drift import Drift, Window
from mt.web.served import Sentence, Served, Translating

log = logging.getLogger("mt")
LOW, HIGH = 1, 99
"""A sentence is conspicuous when a signal is outside these centiles of validation."""

SHARE = 0.1
"""Of the time, at most, is spent on this where no sentence must be missed: what comes meanwhile is left out."""


class Flagged:
    """A file to which conspicuous sentences are appended, an object of JSON a line; only its owner may read it."""

    def __init__(self, path: Path):
        """Raise UserError where it cannot be written."""
        self.path = path
        self._append("")

    def append(self, run: str, source: str, translation: str, why: Sequence[str], signals: dict[str, float]) -> None:
        """Append a sentence, in ASCII, so that no character of it ends a line."""
        told: dict[str, Any] = {"time": datetime.now(UTC).isoformat(timespec="seconds"), "run": run, "source": source}
        told |= {"translation": translation, "why": list(why), "signals": signals}
        self._append(json.dumps(told) + "\n")

    def _append(self, text: str) -> None:
        try:
            file = os.open(self.path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
            with open(file, "a", encoding="ascii") as opened:
                opened.write(text)
        except OSError as error:
            raise UserError(f"cannot append flagged sentences to {self.path}: {error.strerror or error}") from error


class Watched:
    """The sentences of one run, held against the validation of its weights as they are now."""

    def __init__(self, served: Served, flagged: Flagged | None = None):
        self.served, self.flagged = served, flagged
        self.expected: Expected | None = None
        self.window = Window()
        self._fitted: Fitted | None = None
        self._known: tuple[Translator, int] | None = None
        self._lock = threading.Lock()

    def renew(self) -> Estimator | None:
        """Read what is expected of the run's weights, if they or RUN/diagnosis.json are new; return what reads them.

        A window begins anew with them. Raises UserError when a file is damaged.
        """
        run, translator = self.served.load()
        known = translator, _changed(run / DIAGNOSIS)
        with self._lock:
            if self._known is None or self._known[0] is not translator or self._known[1] != known[1]:
                self.expected, self._fitted, self.window = read_expected(run), read_fitted(run), Window()
                self._known = known
        return translator.estimator

    def why_not(self) -> str:
        """Return in a sentence why nothing can be said of drift; nothing where it can."""
        self.renew()
        if self.expected and self.expected.signals:
            return ""
        path = self.served.path
        return (
            f"{path} has no {DIAGNOSIS} of these weights and this version to hold sentences against, so no drift will "
            f"be noticed: `mt diagnose {path}` writes it, also while this serves"
        )

    def see(self, sources: Sequence[str], translations: Sequence[str]) -> None:
        """Hold sentences against validation, if that is known. Raises UserError when a file is damaged."""
        estimator, expected = self.renew(), self.expected
        if estimator is None or expected is None or not expected.signals or not sources:
            return
        columns = traffic_signals(estimator.scorer, sources, translations, expected.scripts, self._fitted)
        for row, (source, translation) in enumerate(zip(sources, translations, strict=True)):
            signals = {name: float(values_N[row]) for name, values_N in columns.items()}
            self.window.add(source, signals)
            if self.flagged and (why := conspicuous(signals, expected)):
                self.flagged.append(self.served.name, source, translation, why, signals)

    def drifts(self) -> list[Drift]:
        """Return how far each signal is from validation."""
        return self.window.drifts(self.expected) if self.expected else []


class Watch:
    """All runs that are served. Where conspicuous sentences are kept, none is left out, whatever time that takes."""

    def __init__(self, runs: Sequence[Served], flagged: Flagged | None = None, share: float = SHARE):
        self.runs = {run.name: Watched(run, flagged) for run in runs}
        self._share, self._next = 1.0 if flagged else share, 0.0
        self.seconds = 0.0
        """Spent so far, which no answer waits for, but the next search does."""

    def see(self, how: Translating, sentences: Sequence[Sentence], translations: Sequence[Translation]) -> None:
        """Hold translations that were asked for in one way against validation. It never fails: the log says what did.

        Left out are those that begin as given, replace weights, or are searched otherwise than the run says: validation
        was not translated so.
        """
        start = time.perf_counter()
        if start < self._next:
            return
        try:
            plain = how.look.replace is None and how.settings == how.served.load().translator.settings
            pairs = [
                (text, one.text)
                for asked, one in zip(sentences, translations, strict=True)
                if plain and not asked.prefix and (text := asked.text.strip())
            ]
            self.runs[how.served.name].see([source for source, _ in pairs], [text for _, text in pairs])
        except UserError as error:
            log.warning("%s", error)
        except Exception:  # what was translated has been answered, and the next one is to be
            log.exception("sentences could not be held against validation")
        end = time.perf_counter()
        self.seconds += end - start
        self._next = end + (end - start) * (1 / self._share - 1)


def conspicuous(signals: dict[str, float], expected: Expected) -> list[str]:
    """Return in a sentence each signal of a sentence that is outside what 98 of 100 of validation are within."""
    return [
        f"{name} is {signals[name]:.4g}; on validation it is from {low:.4g} to {high:.4g}"
        for name, reference in expected.signals.items()
        for low, high in [_usual(reference)]
        if name in signals and not low <= signals[name] <= high
    ]


def _usual(reference: Distribution) -> tuple[float, float]:
    return reference.centiles[LOW], reference.centiles[HIGH]


def _changed(path: Path) -> int:
    try:
        return path.stat().st_mtime_ns
    except OSError:
        return 0
