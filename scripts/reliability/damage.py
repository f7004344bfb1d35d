"""A lab of damage: bits of a run's files are flipped, and files are cut, and then the commands that read them are run.

    python scripts/reliability/damage.py --count 200 --output docs/experiments/reliability/damage.md

The run is a small one that has all: a teacher's lessons, a datastore, a film, scores, alignments, confidence, a
diagnosis. Outcomes: `refused` (a message names the file, and the command ends), `mended` (a message names the file, and
the command makes what it made of the whole one), `warned` (a message names it, and the command goes on with what it
says), `no effect` (nothing is said, and the command makes what it made). SILENT and TRACEBACK must not be.
"""

import random
import re
import shutil
import sys
import tempfile
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Annotated

import typer
from toys import RNN, SMALL, Done, mt

from mt.core.errors import UserError
from mt.core.files import write_text
from mt.core.manifest import NAME
from mt.core.once import say_once
from mt.runs import checkpoint
from mt.runs.names import FILM, METRICS, STATE, UPDATES, WEIGHTS
from mt.views.markdown import tabulate

OUTCOMES = ["refused", "mended", "warned", "no effect", "SILENT", "TRACEBACK"]
SENTENCES = ["Der alte Mann hat einen Hund.", "Wann kommt sie?"]
FINISHED = ["config.yaml", "tokenizer.model", WEIGHTS, "confidence.json", "datastore.safetensors", NAME]
"""Files that translating reads."""
WARNED = ["config.yaml", FILM, UPDATES]
"""Files that cannot be made again: that of a user, and what training keeps to be looked at, but for what is damaged."""
Told = tuple[Done, str]
"""How a command ended, and what it made."""
Reader = Callable[["Lab"], Told]


class Lab:
    """A run, which is damaged and put right again, and what commands make of it."""

    def __init__(self, folder: Path, unlisted: bool):
        self.unlisted = unlisted
        self.run, self.whole = folder / "run", folder / "whole"
        if not self.whole.exists():
            self._make(folder / "teacher")
        self.files = sorted(path.relative_to(self.whole) for path in self.whole.rglob("*") if path.is_file())
        self.files = [path for path in self.files if path.name not in {".lock", *([NAME] if unlisted else [])}]
        self.usual = dict[Reader, Told]()
        for reader in (translate, report, resume, resume_alone, evaluate):
            self.put_right()
            self.usual[reader] = reader(self)

    def _make(self, teacher: Path) -> None:
        self._must("train", *SMALL, *RNN, "--run", teacher, "--overwrite")
        special = [f"train.teacher.runs=[{teacher}]", "search.nearest.count=2", "log.tensorboard=true"]
        self._must("train", *SMALL, *RNN, *special, "--run", self.run, "--overwrite")
        self._must("eval", self.run, "--split", "validation")
        self._must("eval", self.run, "--confidence")
        self._must("align", self.run, "--split", "test")
        self._must("diagnose", self.run, "--quick")
        shutil.copytree(self.run, self.whole)

    def _must(self, *arguments: object) -> None:
        done = mt(*arguments)
        if done.code:
            raise UserError(f"mt {' '.join(map(str, arguments))}: {done.said}")

    def put_right(self) -> None:
        """Make the run what it was."""
        shutil.rmtree(self.run, ignore_errors=True)
        shutil.copytree(self.whole, self.run, ignore=shutil.ignore_patterns(NAME) if self.unlisted else None)
        say_once.cache_clear()

    def try_file(self, file: Path, rng: random.Random) -> tuple[str, str, str]:
        """Damage a file and read it; return how it was damaged, the outcome, and what was said."""
        self.put_right()
        how = damage(self.run / file, rng)
        outcomes = []
        for reader in readers(file):
            done, made = reader(self)
            outcomes.append(self._judge(file, done, made, self.usual[reader]))
            if outcomes[-1][0] != "no effect":
                break
        return (how, *outcomes[-1])

    def _judge(self, file: Path, done: Done, made: str, usual: Told) -> tuple[str, str]:
        line = next((line for line in done.said.splitlines() if file.name in line), "")
        if done.code < 0:
            return "TRACEBACK", done.said.splitlines()[-1]
        if done.code and line:
            return "refused", line
        if done.code:
            return "SILENT", f"failed, and named another: {done.said.strip().splitlines()[-1:]}"
        same = made == usual[1]
        if line and line not in usual[0].said:
            return "mended" if same and file.name not in WARNED else "warned", line
        return ("no effect", "") if same else ("SILENT", "the result is another")


def translate(lab: Lab) -> Told:
    """Translate a little."""
    done = mt("translate", lab.run, *SENTENCES)
    return done, done.out


def report(lab: Lab) -> Told:
    """Write a report of both splits that were scored, and of what was diagnosed."""
    pages, done = [], Done(0, "", "")
    for split in ("test", "validation"):
        page = lab.run.parent / f"{split}.json"
        page.unlink(missing_ok=True)
        done = mt("report", lab.run, "--split", split, "--output", page)
        pages.append(page.read_text() if page.exists() else "")
        if done.code:
            break
    return done, "".join(pages)


def evaluate(lab: Lab) -> Told:
    """Score the test split again."""
    done = mt("eval", lab.run)
    return done, (lab.run / "eval/test/scores.json").read_text() if done.code == 0 else ""


def resume(lab: Lab) -> Told:
    """Resume the training, which is finished: what is missing or damaged is written again."""
    done = mt("train", lab.whole / "config.yaml", "--run", lab.run, "--resume")
    return done, _results(lab) if done.code == 0 else ""


def resume_alone(lab: Lab) -> Told:
    """Resume the training without its weights: state, cache, lessons, film and updates are all read."""
    (lab.run / WEIGHTS).unlink(missing_ok=True)
    return resume(lab)


def _results(lab: Lab) -> str:
    tensors, record = checkpoint.read(lab.run / STATE)
    told = sorted((name, tensor.tolist()) for name, tensor in tensors.items())
    return f"{told}{record}{(lab.run / METRICS).read_text()}{(lab.run / WEIGHTS).read_bytes().hex()}"


def readers(file: Path) -> list[Reader]:
    """Return the commands that read a file; the first that notices something is the last."""
    if file.parts[0] == "eval":
        return [report]
    if file.name in {"diagnosis.json", "README.md"}:
        return [report]
    if file.name == "alignment.json":
        return [evaluate]
    if file.parts[0] == "cache" or file.name in {"lessons.safetensors", FILM, UPDATES, STATE}:
        return [resume_alone]
    if file.name == METRICS:
        return [resume]
    return [translate, report] if file.name in FINISHED else [report, translate]


def damage(path: Path, rng: random.Random) -> str:
    """Flip a bit of a file, or cut it; return which."""
    data = bytearray(path.read_bytes())
    if not data:
        return "empty"
    place = rng.randrange(len(data))
    if rng.random() < 1 / 4:
        path.write_bytes(data[:place])
        return f"cut to {place:,} of {len(data):,} bytes"
    bit = rng.randrange(8)
    data[place] ^= 1 << bit
    path.write_bytes(data)
    return f"bit {bit} of byte {place:,} of {len(data):,}"


def damage_lab(
    count: Annotated[int, typer.Option(min=1, help="Of damages, dealt to all files in turn.")] = 200,
    seed: Annotated[int, typer.Option(help="Of places.")] = 0,
    only: Annotated[str, typer.Option(help="A pattern of file names. Unset: all.")] = "",
    unlisted: Annotated[bool, typer.Option(help="Without the manifest: then bits may be lost in silence.")] = False,
    folder: Annotated[Path | None, typer.Option(help="For the run, which is used again. Unset: a new one.")] = None,
    output: Annotated[Path | None, typer.Option(help="Markdown file. Unset: the terminal.")] = None,
) -> None:
    """Damage, read, and tabulate."""
    rng, found, bad = random.Random(seed), dict[str, Counter[str]](), list[str]()
    with tempfile.TemporaryDirectory() as new:
        lab = Lab((folder or Path(new)).resolve(), unlisted)
        files = [file for file in lab.files if re.search(only, str(file))]
        for number in range(count):
            file = files[number % len(files)]
            how, outcome, said = lab.try_file(file, rng)
            name = "cache/*.arrow" if file.suffix == ".arrow" else str(file)
            name = "tensorboard/*" if file.parts[0] == "tensorboard" else name
            found.setdefault(name, Counter())[outcome] += 1
            print(name, how, outcome, said, sep=" | ", file=sys.stderr, flush=True)
            if outcome.isupper():
                bad.append(f"* {name}, {how}: {outcome}, {said}")
    rows = [[name, *(str(of[one] or "") for one in OUTCOMES)] for name, of in sorted(found.items())]
    total = sum(found.values(), Counter[str]())
    rows.append(["all", *(str(total[one]) for one in OUTCOMES)])
    page = f"{tabulate(['file', *OUTCOMES], rows)}\n\n" + "".join(f"{one}\n" for one in bad) + "\n" * bool(bad)
    page += f"`python scripts/reliability/damage.py --count {count} --seed {seed}{' --unlisted' * unlisted}`\n"
    if output:
        write_text(output, page)
    print(page, end="")


if __name__ == "__main__":
    typer.run(damage_lab)
