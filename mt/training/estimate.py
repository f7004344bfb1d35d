"""What a training will take: time, memory and disk, measured on a few of its updates in a process of its own."""

import logging
import multiprocessing
import os
import resource
import shutil
import sys
import tempfile
import threading
import time
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from dataclasses import dataclass
from pathlib import Path

from mt.alignment.files import write_all
from mt.config import Config
from mt.config.train import TeacherConfig
from mt.core.errors import UserError
from mt.core.progress import say_time
from mt.evaluation.evaluate import score_text
from mt.evaluation.metrics import Texts
from mt.inference.translator import Translator
from mt.runs import checkpoint
from mt.runs.run import Run
from mt.training.experiment import begin, gather
from mt.training.processes import fresh
from mt.training.schedule import validates_every
from mt.training.start import take_over
from mt.training.trainer import Trainer

WARM, FEWEST, SECONDS, SAMPLE = 2, 8, 4.0, 100
"""Updates that are not timed, the fewest that are, after how many seconds they may end, sentences translated."""
MEGA = 1e6


@dataclass(frozen=True)
class Estimate:
    """What was measured of a few updates. Seconds, and bytes in millions."""

    parameters: int
    batches: int
    """Updates in an epoch."""
    measured: int
    """Updates that were timed."""
    prepare: float
    """Seconds until the first update."""
    update: float
    """Seconds, saves included."""
    validation: float
    sentences: int
    """Of the validation split."""
    scoring: float
    """Seconds to translate and to score a sentence of a split."""
    memory: float
    """The most that the process held at once, without what a GPU has of its own."""
    disk: float
    """Of the run without scores."""
    scores: float
    """Of the scores of a sentence."""

    def updates(self, config: Config) -> int:
        """Return how many updates a training has that does not stop early."""
        return self.batches * config.train.epochs

    def seconds(self, config: Config, done: float = 0.0) -> float:
        """Return what training takes, when this share of it is done."""
        every, updates = validates_every(config.train, self.batches) or self.batches, self.updates(config)
        left = updates * self.update + max(1, updates // every) * self.validation
        return self.prepare + (1 - done) * left


def estimate(config: Config) -> Estimate:
    """Measure a training. It leaves nothing behind; a teacher is not asked, so its first pass comes on top."""
    with tempfile.TemporaryDirectory() as folder, ProcessPoolExecutor(1, fresh(), _begin, (folder,)) as pool:
        try:
            return pool.submit(measure, config, Path(folder) / "run").result()
        except BrokenProcessPool:
            raise UserError(
                "the training could not be measured: its process was killed, perhaps by the lack of memory"
            ) from None


def _begin(folder: str) -> None:
    """Prepare the process: it says nothing, and where whoever asked is gone, it ends and takes the folder along."""
    logging.getLogger("mt").setLevel(logging.ERROR)
    null = os.open(os.devnull, os.O_WRONLY)
    os.dup2(null, sys.stderr.fileno())
    threading.Thread(target=_end_with_parent, args=(folder,), daemon=True).start()


def _end_with_parent(folder: str) -> None:
    parent = multiprocessing.parent_process()
    if parent is not None:
        parent.join()
        while os.path.exists(folder):
            shutil.rmtree(folder, ignore_errors=True)  # the main thread may write into it meanwhile
        os._exit(1)


def measure(config: Config, path: Path) -> Estimate:
    """Begin a training here, take a few updates, validate a little, and return what that took."""
    clock, config = time.perf_counter(), take_over(config)
    train = config.train.model_copy(update={"teacher": TeacherConfig()})
    run = Run(path)
    trainer = begin(run, gather(config.model_copy(update={"train": train}), run))
    prepare = time.perf_counter() - clock
    update, measured = _time_updates(trainer)
    update *= config.train.accumulate
    trainer.learned.keep_as_best()
    clock = time.perf_counter()
    trainer.save()
    update += (time.perf_counter() - clock) / config.train.save_every
    checkpoint.save(run / "model.safetensors", trainer.learned.best, {})
    disk = _size(path)
    if config.train.teacher.runs:
        disk += int(trainer.part.pieces.target_lengths.sum()) * config.train.teacher.candidates * 6 / MEGA
    validation, scoring, scores = _time_translations(trainer, path)
    parameters = sum(parameter.numel() for parameter in trainer.model.parameters())
    return Estimate(
        parameters=parameters,
        batches=trainer.updates_of_epoch,
        measured=measured,
        prepare=prepare,
        update=update,
        validation=validation,
        sentences=len(trainer.validator.split.sources),
        scoring=scoring,
        memory=peak(),
        disk=disk,
        scores=scores,
    )


def _time_updates(trainer: Trainer) -> tuple[float, int]:
    """Return the seconds of a mean update, and how many were timed; the largest batch comes first, for its memory."""
    batches, pieces = trainer.part.batches, trainer.part.pieces
    lengths = pieces.target_lengths, pieces.source_lengths

    def size(rows: list[int]) -> int:
        return len(rows) * int(sum(side[rows].max() for side in lengths))

    for rows in [max(batches, key=size), *batches[:WARM]]:
        trainer.update([rows], 0.5)
    sizes, done, start = 0, 0, time.perf_counter()
    while done < FEWEST or time.perf_counter() - start < SECONDS:
        rows = batches[done % len(batches)]
        trainer.update([rows], 0.5)
        sizes, done = sizes + size(rows), done + 1
    seconds = time.perf_counter() - start
    return seconds / sizes * sum(map(size, batches)) / len(batches), done


def _time_translations(trainer: Trainer, path: Path) -> tuple[float, float, float]:
    """Return the seconds of a validation, and the seconds and the bytes of a sentence that is scored.

    Untrained weights never end a sentence, so as long translations are asked for as the references are.
    """
    validator = trainer.validator
    model = trainer.learned.average.module.eval()
    clock = time.perf_counter()
    validator.loss(model)
    validation = time.perf_counter() - clock
    step = max(1, len(validator.split.sources) // SAMPLE)
    lines, references = validator.split.sources[::step], validator.split.targets[::step]
    ratio = validator.pieces.target_lengths.sum() / validator.pieces.source_lengths.sum()
    search = trainer.config.search.model_copy(
        update={
            "sample": False,
            "max_ratio": float(ratio),
            "max_extra": 1,
            "nearest": type(trainer.config.search.nearest)(),
        }
    )
    translator = Translator(model, trainer.tokenizers, trainer.config)
    clock = time.perf_counter()
    translator.translate(lines, search.model_copy(update={"beam": 1}), alignments=False)
    validation += (time.perf_counter() - clock) * len(validator.split.sources) / len(lines)
    clock = time.perf_counter()
    found = translator.translate(lines, search)
    if translator.has_attention:
        write_all(path / "alignments", [one.alignment for one in found if one.alignment])
    score_text(Texts(references[1:] + references[:1], references, lines, validator.tokenize), None)
    scoring = (time.perf_counter() - clock) / len(lines)
    files = sum(file.stat().st_size for file in path.glob("alignments*"))
    return validation, scoring, files / len(lines) / MEGA


def _size(path: Path) -> float:
    return sum(file.stat().st_size for file in path.rglob("*") if file.is_file()) / MEGA


def peak() -> float:
    """Return the most memory that this process held at once; Linux's own figure of it includes no parent."""
    try:
        status = Path("/proc/self/status").read_text(encoding="utf-8")
        return int(status.partition("VmHWM:")[2].split()[0]) * 1024 / MEGA
    except (OSError, IndexError, ValueError):
        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * (1 if sys.platform == "darwin" else 1024) / MEGA


def describe(config: Config, path: Path, one: Estimate) -> str:
    """Return the estimate of a single training for the terminal."""
    threads = {None: "the threads that it will have", 1: "1 thread"}.get(config.threads, f"{config.threads} threads")
    rows = {
        "run": str(path),
        "parameters": f"{one.parameters:,}",
        "updates": f"{one.updates(config):,} ({config.train.epochs} epochs of {one.batches:,})",
        "time": f"{say_time(one.seconds(config))} on {threads}",
        "memory": f"{say_size(one.memory)} at its peak",
        "disk": say_size(one.disk),
    }
    lines = [f"  {name:10}  {what}" for name, what in rows.items()]
    head = f"An estimate from {one.measured} updates that were measured just now; nothing was kept."
    return "\n".join([head, *lines]) + "\n"


def say_size(megabytes: float) -> str:
    """Return a size in the unit that suits it."""
    return f"{megabytes:.0f} MB" if megabytes < 1000 else f"{megabytes / 1000:.1f} GB"
