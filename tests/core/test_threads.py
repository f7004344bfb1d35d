"""Jobs side by side: truly at once, in order, with torch's threads divided among them; and what is searched so."""

import random
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
import torch
from conftest import NUMBERS
from slow_search import find
from tiny_models import EVERY, model
from tolerances import FLOAT32

import mt
from mt.config.models import RNNModel, TransformerModel
from mt.core.device import side_by_side
from mt.core.special import EOS
from mt.search import beam

PATIENCE = 60
"""Seconds after which threads that wait for each other give up."""


@pytest.fixture(autouse=True)
def four_threads() -> Iterator[None]:
    before = torch.get_num_threads()
    torch.set_num_threads(4)
    yield
    torch.set_num_threads(before)


@pytest.mark.parametrize(("jobs", "workers"), [(2, 2), (3, 3), (4, 4), (8, 4)])
def test_jobs_run_at_once_each_with_its_share_of_the_threads(jobs: int, workers: int) -> None:
    together = threading.Barrier(workers, timeout=PATIENCE)

    def job(number: int) -> tuple[int, int]:
        together.wait()  # breaks unless so many run at once
        return number, torch.get_num_threads()

    with side_by_side(jobs) as each:
        assert list(each(job, range(jobs))) == [(number, 4 // workers) for number in range(jobs)]
    assert torch.get_num_threads() == 4


@pytest.mark.parametrize(("threads", "jobs"), [(1, 5), (4, 1), (4, 0)])
def test_one_thread_or_one_job_stays_where_it_is(threads: int, jobs: int) -> None:
    torch.set_num_threads(threads)
    with side_by_side(jobs) as each:
        found = list(each(lambda _: (threading.current_thread(), torch.get_num_threads()), range(jobs)))
    assert found == [(threading.current_thread(), threads)] * jobs


def test_an_error_begins_no_other_job_and_waits_for_none() -> None:
    begun, waited, workers, release = list[int](), list[bool](), set[threading.Thread](), threading.Event()

    def job(number: int) -> None:
        begun.append(number)
        workers.add(threading.current_thread())
        if number:
            waited.append(release.wait(PATIENCE))

    def interrupted() -> None:
        with side_by_side(1000) as each:
            results = each(job, range(1000))  # a name that outlives the loop, as in mt/inference
            for _ in results:
                raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt) as error:
        interrupted()
    assert torch.get_num_threads() == 4
    release.set()
    for worker in workers:
        worker.join(PATIENCE)
    assert len(begun) <= 5  # the first, and one of each thread
    assert all(waited)
    del error  # which kept the results alive: when they go, jobs are dropped anyhow


def test_ctrl_c_ends_a_program_whose_jobs_are_not_done() -> None:
    program = """
import signal, time, torch
from mt import cli
from mt.core.device import side_by_side

signal.signal(signal.SIGINT, signal.default_int_handler)  # what began in the background ignores it

def wait():
    torch.set_num_threads(2)
    with side_by_side(2) as each:
        results = each(time.sleep, [600, 600])
        print("begun", flush=True)
        list(results)

cli.main(wait)
"""
    with subprocess.Popen([sys.executable, "-c", program], stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout
        assert process.stdout.readline() == "begun\n"
        process.send_signal(signal.SIGINT)
        try:
            assert process.wait(PATIENCE) == 130
        finally:
            process.kill()


@pytest.fixture
def in_turns() -> Iterator[None]:
    """Let threads take turns as often as Python can."""
    before = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)
    yield
    sys.setswitchinterval(before)


@pytest.mark.usefixtures("in_turns")
@pytest.mark.parametrize("made_of", EVERY.values(), ids=EVERY.keys())
def test_batches_side_by_side_are_what_they_are_one_by_one(made_of: RNNModel | TransformerModel) -> None:
    """So no model keeps anything that another batch could change."""
    made, rng = model(made_of, 6), random.Random(3)
    batches = [[[*rng.choices((4, 5), k=rng.randint(1, 6)), EOS] for _ in range(3)] for _ in range(8)]

    def search(sources: list[list[int]]) -> list[tuple[list[int], float]]:
        found = find(beam, made, sources, [7] * len(sources), beam=3, length_penalty=0.6)
        return [(best.tokens, best.score) for (best,) in found]

    with side_by_side(len(batches)) as each:
        together = list(each(search, batches))
    assert together == [search(sources) for sources in batches]


def test_a_translator_gives_each_line_its_own_on_any_number_of_threads(numbers: Path) -> None:
    rng = random.Random(4)
    lines = [" ".join(rng.choices(sorted(NUMBERS), k=rng.randint(0, 6))) for _ in range(40)]
    translator = mt.load(numbers)
    settings, done = translator.settings.model_copy(update={"batch": 3}), list[int]()
    torch.set_num_threads(1)
    alone = translator.translate(lines, settings, n_best=2)
    torch.set_num_threads(4)
    together = translator.translate(lines, settings, n_best=2, progress=done.append)
    assert sum(done) == len(lines)
    assert len({one.text for one in alone}) > 20
    for one, other in zip(together, alone, strict=True):
        assert [best.text for best in one.n_best] == [best.text for best in other.n_best]
        assert one.score == pytest.approx(other.score, abs=FLOAT32)
        assert one.alignment
        assert other.alignment
        assert one.alignment.links == other.alignment.links
