"""Whether what anybody may bring can break `mt`: mutated inputs to all that it reads, as a table of what came of them.

    python scripts/reliability/fuzz.py --inputs 100000 --output docs/experiments/reliability/fuzz.md

An input is taken, or refused by a sentence (UserError). Anything else is a crash: another exception, or more than so
many seconds. Where `atheris` is installed, it says which inputs reach code that others did not, and those are mutated
further; else the mutations are those of valid inputs alone. Both come from --seed.
"""

import json
import logging
import os
import random
import signal
import sys
import tempfile
import time
import traceback
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Annotated

import typer
from mutations import MOST, mutate

try:
    import atheris
except ImportError:
    atheris = None

os.environ["OMP_NUM_THREADS"] = "1"  # before PyTorch is imported: its threads do not survive a fork
FUZZED = ["mt"]
"""Packages whose code atheris watches; watched, PyYAML would take ten times as long."""
LONGEST = 5.0 if atheris is None else 20.0
"""Seconds of processor time that an input may take; a library that looks at each line takes some ten times as long."""
TITLE = """# Mutated inputs

What came of inputs that are nearly right, by `python scripts/reliability/fuzz.py`: taken, refused by a sentence, or a
crash, which is any other exception, and any input that takes too long: more than five seconds of the processor, or
twenty where each line is watched."""
KEPT = 5
"""Crashes of a reader that are told."""


@contextmanager
def watched() -> Iterator[None]:
    """Let atheris see which lines run of what is imported in the block."""
    if atheris is None:
        yield
        return
    with atheris.instrument_imports(include=FUZZED):
        yield


with watched():
    from material import Material
    from readers import Reader, readers

    from mt import cli
    from mt.core.errors import UserError
    from mt.core.files import write_text
    from mt.views.markdown import tabulate


@dataclass
class Count:
    """What came of the inputs to a reader."""

    name: str
    inputs: int = 0
    accepted: int = 0
    refused: int = 0
    crashed: int = 0
    slowest: float = 0.0
    """Seconds of processor time."""
    told: dict[str, str] = field(default_factory=dict)
    """Of some crashes, where they came from, and the end of their input."""

    def take(self, reader: "Reader", data: bytes) -> None:
        """Give the reader one input."""
        begun = time.process_time()
        self.inputs += 1
        try:
            reader.read(data)
            self.accepted += 1
        except UserError:
            self.refused += 1
        except Exception:  # which is what this looks for
            self._crash(traceback.format_exc(limit=-3), data)
        took = time.process_time() - begun
        self.slowest = max(self.slowest, took)
        if took > LONGEST:
            self._crash(f"it took {took:.0f} seconds", data)

    def _crash(self, why: str, data: bytes) -> None:
        self.crashed += 1
        if len(self.told) < KEPT:
            self.told.setdefault(why, repr(data[-3000:]))


def try_mutations(reader: "Reader", inputs: int, seed: int) -> Count:
    """Give a reader its valid inputs and so many mutations of them."""
    count, chooser = Count(reader.name), random.Random(f"{reader.name} {seed}")
    for data in reader.valid:
        count.take(reader, data)
    while count.inputs < inputs:
        count.take(reader, mutate(chooser.choice(reader.valid), reader.valid, chooser))
    return count


def try_guided(reader: "Reader", inputs: int, seed: int, folder: Path) -> Count:
    """Do the same in a process of its own, guided by what each input reaches; libFuzzer ends the process it is in."""
    told, corpus = folder / "told.json", folder / "corpus"
    corpus.mkdir(exist_ok=True)
    for place in corpus.iterdir():
        place.unlink()
    for number, data in enumerate(reader.valid):
        (corpus / str(number)).write_bytes(data)
    told.unlink(missing_ok=True)
    child = os.fork()
    if not child:
        _guide(reader, inputs, seed, told, corpus)
    try:
        _, status = os.waitpid(child, 0)
    except KeyboardInterrupt:
        os.kill(child, signal.SIGKILL)
        raise
    if told.exists():
        return Count(**json.loads(told.read_text(encoding="utf-8")))
    return Count(reader.name, crashed=1, told={f"the process ended ({status})": "unknown"})


def _guide(reader: "Reader", inputs: int, seed: int, told: Path, corpus: Path) -> None:
    count = Count(reader.name)

    def one(data: bytes) -> None:
        count.take(reader, data)
        if count.inputs >= inputs:
            told.write_text(json.dumps(asdict(count)), encoding="utf-8")
            os._exit(0)

    def change(data: bytes, most: int, number: int) -> bytes:
        chooser = random.Random(number)
        if chooser.random() < 0.3:
            return bytes(atheris.Mutate(data, most))
        return mutate(data, reader.valid, chooser)[:most]

    os.dup2(os.open(os.devnull, os.O_WRONLY), 2)  # libFuzzer tells of each step
    options = [f"-seed={seed}", f"-max_len={MOST}", "-runs=-1", "-timeout=600", "-rss_limit_mb=0", "-len_control=0"]
    atheris.Setup(["fuzz", *options, str(corpus)], one, custom_mutator=change)
    atheris.Fuzz()


def describe(counts: list[Count], seed: int, guided: bool) -> str:
    """Return the table, and what the crashes were."""
    how = (
        "guided by atheris, from valid inputs" if guided else "mutations of valid inputs, without guidance by coverage"
    )
    head = ("parser", "inputs", "accepted", "refused clearly", "crashed", "slowest, s")
    rows = [
        (one.name, f"{one.inputs:,}", f"{one.accepted:,}", f"{one.refused:,}", f"{one.crashed:,}", f"{one.slowest:.1f}")
        for one in counts
    ]
    sums = [sum(getattr(one, name) for one in counts) for name in ("inputs", "accepted", "refused", "crashed")]
    rows.append(("all", *(f"{number:,}" for number in sums), f"{max(one.slowest for one in counts):.1f}"))
    told = [f"{one.name}:\n\n    {why}\n    {data}".rstrip() for one in counts for why, data in one.told.items()]
    return "\n\n".join([TITLE, f"{sums[0]:,} inputs, {how}, seed {seed}.", tabulate(head, rows), *told]) + "\n"


def fuzz(
    inputs: Annotated[int, typer.Option(min=100, help="Over all readers.")] = 100_000,
    seed: Annotated[int, typer.Option(help="Another seed tries others.")] = 1,
    only: Annotated[str | None, typer.Option(help="Readers whose names contain this.")] = None,
    guided: Annotated[bool, typer.Option("--guided/--blind", help="Guided by atheris, where it is there.")] = True,
    output: Annotated[Path | None, typer.Option(help="Where the table goes. Unset: standard output.")] = None,
) -> None:
    """Try all readers, and print what came of it."""
    logging.disable(logging.CRITICAL)  # of what is refused, readers log much
    guided = guided and atheris is not None
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder)
        chosen = [one for one in readers(Material(path)) if only is None or only in one.name]
        whole = sum(one.share for one in chosen)
        counts = list[Count]()
        for reader in chosen:
            share = max(1, round(inputs * reader.share / whole))
            counts.append(try_guided(reader, share, seed, path) if guided else try_mutations(reader, share, seed))
            print(f"{reader.name}: {counts[-1].crashed} of {counts[-1].inputs} crashed", file=sys.stderr, flush=True)
            if output:
                write_text(output, describe(counts, seed, guided))
    if not output:
        print(describe(counts, seed, guided))
    raise typer.Exit(1 if any(one.crashed for one in counts) else 0)


if __name__ == "__main__":
    cli.main(fuzz)
