"""Jobs side by side: where one operation gains little from several threads, several jobs gain more from one each."""

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import Any

import torch


@contextmanager
def side_by_side(jobs: int) -> Iterator[Callable[..., Iterator[Any]]]:
    """Give a `map` that divides torch's threads among so many jobs; its results come in order.

    A single job has all the threads. When an error or Ctrl-C leaves the block, jobs not yet begun are dropped, and
    those under way are not waited for.
    """
    threads = torch.get_num_threads()
    workers = min(threads, jobs)
    if workers < 2:
        yield map
        return
    pool = ThreadPoolExecutor(workers)
    torch.set_num_threads(threads // workers)
    try:
        yield pool.map
    finally:
        pool.shutdown(wait=False, cancel_futures=True)
        torch.set_num_threads(threads)
