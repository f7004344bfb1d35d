"""What all compared programs have in common: what they are asked, what they answer, how their processes run."""

import json
import os
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from mt.config import Config
from mt.core.errors import UserError
from mt.core.files import write_text

INSIDE = Path(__file__).parent / "inside"
NO_END = -1000.0
"""The bias of </s> in an output layer whose translations go on to the limit."""


@dataclass(frozen=True)
class Usage:
    """What some work made, and took."""

    pieces: int
    """Target pieces, without padding."""
    cpu: float
    """Seconds, of all threads together."""
    wall: float


@dataclass(frozen=True)
class Text:
    """What everybody gets: the same sentences, cut into the same pieces where the program takes pieces."""

    lines: Sequence[str]
    """To be translated, of `length` pieces each, into as many."""
    pieces: Sequence[str]
    """The same, as pieces with spaces between them."""
    length: int
    alone: int
    """So many of the lines are translated one by one."""
    folder: Path
    """train.SOURCE and train.TARGET, as text, and pieces.SOURCE and pieces.TARGET; the vocabulary."""
    vocabulary: Sequence[str]


@dataclass(frozen=True)
class Shape:
    """One model, as ours is configured; the peers translate its widths."""

    name: str
    config: Config


@dataclass(frozen=True)
class Translated:
    """What a process that translates used."""

    start_up: float
    """Seconds of CPU from the start of the process to its first translation."""
    memory: float
    """The most, in MB."""
    modes: Sequence[Usage]


class Peer:
    """A program in an environment of its own, in the folder `home`. Subclasses say how it trains and translates.

    Raises UserError where the program cannot be installed, or fails.
    """

    name: str
    packages: tuple[str, ...] = ()
    kinds: tuple[str, ...] = ("rnn", "transformer")
    """Of models, in our words."""
    trains = True
    unfair = ""
    """What is not equal, for readers of the table."""

    def __init__(self, home: Path, text: Text):
        self.home, self.text = home.resolve(), text
        self.python = self.home / "venv/bin/python"

    def prepare(self) -> None:
        """Make the environment, once."""
        self.home.mkdir(parents=True, exist_ok=True)
        if not self.python.exists():
            self.run([sys.executable, "-m", "venv", "venv"], 1)
        done, wanted = self.home / "installed", "\n".join(self.packages) + "\n"
        if not done.exists() or done.read_text(encoding="utf-8") != wanted:
            self.run([self.python, "-m", "pip", "install", "--quiet", *self.packages], 1)
            write_text(done, wanted)

    def train(self, shape: Shape, threads: int, updates: int) -> Usage:
        """Train a new model for so many updates, leave it for `translate`, and return what the later updates took."""
        raise NotImplementedError

    def translate(self, shape: Shape, threads: int, modes: Sequence[tuple[int, int]]) -> Translated:
        """Translate with the last trained model, in each mode: beam, and sentences at once."""
        raise NotImplementedError

    def measure(self, script: str, threads: int, modes: Sequence[tuple[int, int]], **told: Any) -> Translated:
        """Return what a script of inside/ measured of itself."""
        told |= {"threads": threads, "modes": modes, "alone": self.text.alone, "length": self.text.length}
        found = self.ask([self.python, INSIDE / script], threads, told)
        works = [Usage(**mode) for mode in found["modes"]]
        for (_, batch), work in zip(modes, works, strict=True):
            sentences = self.text.alone if batch == 1 else len(self.text.lines)
            if abs(work.pieces / sentences - self.text.length) > 1:
                raise UserError(
                    f"{self.name} made {work.pieces} pieces of {sentences} sentences, not {self.text.length} each"
                )
        return Translated(found["start_up"], found["memory"], works)

    def ask(self, command: Sequence[object], threads: int, told: dict[str, Any]) -> dict[str, Any]:
        """Return what a command answers to JSON, in JSON on its last line."""
        answer: dict[str, Any] = json.loads(self.run(command, threads, json.dumps(told)).splitlines()[-1])
        return answer

    def environment(self, threads: int) -> dict[str, str]:
        """Return the variables that a process gets: its threads, and no GPU."""
        return os.environ | {"OMP_NUM_THREADS": str(threads), "CUDA_VISIBLE_DEVICES": ""}

    def run(self, command: Sequence[object], threads: int, given: str = "") -> str:
        """Return what a command wrote to its standard output. Raises UserError when it fails."""
        done = subprocess.run(
            [*map(str, command)],
            cwd=self.home,
            env=self.environment(threads),
            input=given,
            capture_output=True,
            text=True,
        )
        if done.returncode:
            lines = (done.stderr.strip() or done.stdout.strip()).splitlines()
            said = [line for line in lines if "rror" in line][:1] or lines[-1:]
            raise UserError(f"{self.name} failed ({done.returncode}): {' '.join(said)[:300]}")
        return done.stdout
