"""Trainings side by side, each in a process of its own, which survive kills: what was done is on the disk."""

import logging
import multiprocessing
import os
import signal
import sys
import threading
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from multiprocessing.connection import wait as wait_for
from multiprocessing.synchronize import Event
from pathlib import Path
from typing import Any

import filelock

from mt.config import MACHINE, Config
from mt.core.errors import UserError
from mt.lab.study.score import score
from mt.runs.run import LOCK, Run
from mt.training import experiment
from mt.training.processes import fresh

log = logging.getLogger("mt")
PATIENCE = 60
"""Seconds that a training waits for a process which writes its run to save and to leave, as after a kill."""


@dataclass(frozen=True)
class Job:
    """A run to be trained where it is not, and the searches of it to be scored."""

    number: int
    path: Path
    config: Config
    searches: tuple[tuple[Config, str], ...]
    """Configs whose nodes of overrides.CHANGEABLE count, and splits."""
    metrics: tuple[str, ...]
    after: frozenset[int]
    """The numbers of the jobs that train its teachers."""


@dataclass
class Shared:
    """What all processes of a study share."""

    interrupted: Event
    places: Any
    """Of each job two numbers: updates done, updates in all."""
    log: Path


shared: Shared


def work(jobs: Sequence[Job], workers: int, file: Path, look: Callable[[Any, Job | None], None]) -> list[str]:
    """Do the jobs, so many at once; return what failed, in words, while the others went on.

    `look` is called with the places of all jobs every second, and with each job that has just succeeded. Processes
    write what they have to say to `file`. Raises KeyboardInterrupt when one was interrupted.
    """
    context, failures = fresh(), dict[int, str]()
    places = context.Array("q", 2 * len(jobs), lock=False)
    waiting, begun, done = list(jobs), dict[Future[bool], Job](), set[int]()
    with (
        _terminable(),
        ProcessPoolExecutor(workers, context, _begin, (Shared(context.Event(), places, file),)) as pool,
    ):
        while waiting or begun:
            for job in [job for job in waiting if job.after <= done | failures.keys()]:
                waiting.remove(job)
                if lost := job.after & failures.keys():
                    failures[job.number] = f"{job.path.name}: what teaches it failed ({failures[min(lost)]})"
                else:
                    begun[pool.submit(_do, job)] = job
            ended, _ = wait(begun, timeout=1, return_when=FIRST_COMPLETED)
            look(places, None)
            for future in ended:
                job = begun.pop(future)
                if failed := _outcome(future, job):
                    failures[job.number] = failed
                    continue
                done.add(job.number)
                look(places, job)
    return list(failures.values())


def _outcome(future: "Future[bool]", job: Job) -> str:
    """Return how a job failed, in words; nothing where it did not."""
    try:
        finished = future.result()
    except UserError as error:  # such as a training that diverged
        return f"{job.path.name}: {error}"
    except BrokenProcessPool:
        raise UserError(
            "a process of the study was killed, perhaps because memory ran out (--workers takes fewer at once); the "
            "same command goes on where the runs were saved"
        ) from None
    if not finished:
        raise KeyboardInterrupt
    return ""


@contextmanager
def _terminable() -> Iterator[None]:
    """Pass `kill`, which reaches this process alone, on to the trainings; Ctrl-C reaches them by itself."""

    def stop(number: int, frame: object) -> None:
        for worker in multiprocessing.active_children():
            worker.terminate()
        raise KeyboardInterrupt

    before = signal.signal(signal.SIGTERM, stop)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)


def _begin(given: Shared) -> None:
    """Prepare a process: what it says goes to the log, and it ends with the study's own."""
    global shared
    shared = given
    descriptor = os.open(given.log, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o666)
    os.dup2(descriptor, sys.stderr.fileno())
    os.dup2(descriptor, sys.stdout.fileno())
    threading.Thread(target=_leave_with_parent, daemon=True).start()


def _leave_with_parent() -> None:
    """Interrupt this process once the one that began it is gone, even by SIGKILL: a training saves first."""
    parent = multiprocessing.parent_process()
    if parent is not None:
        wait_for([parent.sentinel])
        os.kill(os.getpid(), signal.SIGTERM)


def _do(job: Job) -> bool:
    """Train and score one run, unless a job was interrupted already; return whether it is done."""
    form = f"%(asctime)s {job.path.name.replace('%', '%%')}: %(message)s"
    logging.basicConfig(level=logging.WARNING, format=form, datefmt="%F %T", force=True)
    log.setLevel(logging.INFO)
    try:
        if shared.interrupted.is_set() or not _train(job):
            shared.interrupted.set()
            parent = multiprocessing.parent_process()
            if parent is not None and not parent.is_alive():
                os._exit(1)
            return False
        for config, split in job.searches:
            score(Run(job.path), config, split, job.metrics)
    except KeyboardInterrupt:
        shared.interrupted.set()
        raise
    except UserError as error:
        log.log(logging.ERROR, "%s", error)
        raise
    return True


def _train(job: Job) -> bool:
    """Train or resume a run; return whether it is finished."""

    def watch(update: int, total: int) -> None:
        shared.places[2 * job.number : 2 * job.number + 2] = [update, total]

    if job.path.is_dir():
        with suppress(filelock.Timeout):  # the training says who holds it
            filelock.FileLock(job.path / LOCK).acquire(timeout=PATIENCE).lock.release()
    run = Run(job.path)
    config = job.config
    if run.exists:  # its search may be another one
        config = run.config.model_copy(update={key: getattr(config, key) for key in MACHINE})
    return experiment.train(config, job.path, resume=True, watch=watch)
