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
from pathlib import Path
from typing import Any

import filelock

from mt.config import ASIDE, Config
from mt.core.errors import UserError
from mt.lab.study.score import score
from mt.runs.names import LOCK
from mt.runs.run import Run
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

    interrupted: Any
    """Whether the study was: a bare number in shared memory, because a quick exit leaves nothing of it behind."""
    places: Any
    """Of each job two numbers: updates done, updates in all."""
    log: Path


shared: Shared
busy = threading.Event()
"""Whether this process does a job."""


def work(jobs: Sequence[Job], workers: int, file: Path, look: Callable[[Any, Job | None], None]) -> list[str]:
    """Do the jobs, so many at once; return what failed, in words, while the others went on.

    `look` is called with the places of all jobs every second, and with each job that has just succeeded. Processes
    write what they have to say to `file`. Raises KeyboardInterrupt when one was interrupted. Whatever is raised, all
    trainings save and end first.
    """
    context, failures = fresh(), dict[int, str]()
    places = context.Array("q", 2 * len(jobs), lock=False)
    shared = Shared(context.Value("b", False, lock=False), places, file)
    open(file, "ab").close()  # complains here rather than in all processes
    waiting, begun, done = list(jobs), dict[Future[bool], Job](), set[int]()
    with _interruptible(), ProcessPoolExecutor(workers, context, _begin, (shared,)) as pool, _ending(shared):
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
def _interruptible() -> Iterator[None]:
    """Let `kill` interrupt as Ctrl-C does. Both reach this process alone, because the others leave its group.

    In a thread, which gets no signals, nothing changes.
    """
    if threading.current_thread() is not threading.main_thread():
        yield
        return

    def stop(number: int, frame: object) -> None:
        raise KeyboardInterrupt

    before = signal.signal(signal.SIGTERM, stop)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)


@contextmanager
def _ending(shared: Shared) -> Iterator[None]:
    """Where the block fails, let the trainings save and end, and let none begin."""
    try:
        yield
    except BaseException:
        shared.interrupted.value = True
        raise


def _begin(given: Shared) -> None:
    """Prepare a process: what it says goes to the log, and it ends with the study's own.

    It leaves the terminal, so that Ctrl-C and a closed window reach the study alone, which lets all save once.
    """
    global shared
    shared = given
    os.setsid()
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    descriptor = os.open(given.log, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o666)
    os.dup2(descriptor, sys.stderr.fileno())
    os.dup2(descriptor, sys.stdout.fileno())
    threading.Thread(target=_end_with_study, daemon=True).start()


def _end_with_study() -> None:
    """Interrupt the job once the study is interrupted or gone, even by SIGKILL: a training saves first."""
    parent = multiprocessing.parent_process()
    if parent is None:
        return
    while not wait_for([parent.sentinel], timeout=0.2) and not shared.interrupted.value:
        pass
    if busy.is_set():
        os.kill(os.getpid(), signal.SIGTERM)
    wait_for([parent.sentinel])
    if not busy.is_set():
        os._exit(1)


def _do(job: Job) -> bool:
    """Train and score one run, unless the study was interrupted already; return whether it is done."""
    form = f"%(asctime)s {job.path.name.replace('%', '%%')}: %(message)s"
    logging.basicConfig(level=logging.WARNING, format=form, datefmt="%F %T", force=True)
    log.setLevel(logging.INFO)
    busy.set()
    try:
        if shared.interrupted.value or not _train(job):
            return False
        for config, split in job.searches:
            score(Run(job.path), config, split, job.metrics)
    except UserError as error:
        log.log(logging.ERROR, "%s", error)
        raise
    except Exception as error:  # a disk or a GPU that fails: the others go on
        log.exception("")
        raise UserError(f"{type(error).__name__}: {error} ({shared.log} says where)") from None
    finally:
        busy.clear()
        parent = multiprocessing.parent_process()
        if parent is not None and not parent.is_alive():
            os._exit(1)
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
        config = run.config.model_copy(update={key: getattr(config, key) for key in ASIDE})
    return experiment.train(config, job.path, resume=True, watch=watch)
