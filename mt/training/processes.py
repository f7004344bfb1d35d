"""Processes that begin where all is imported and nothing was computed: imports take longer than many a training."""

import multiprocessing
from multiprocessing.context import BaseContext

PRELOADED = ["mt.training.experiment", "torch._dynamo", "datasets"]
"""What every training needs, the last two of them only once it begins."""


def fresh() -> BaseContext:
    """Return what processes are started with, which share nothing that this one has computed."""
    if "forkserver" not in multiprocessing.get_all_start_methods():
        return multiprocessing.get_context("spawn")
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(PRELOADED)
    return context
