"""What processes that train one run together say to each other."""

import logging
import os
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import Any, TypeVar

import torch
import torch.distributed as dist
from torch import Tensor
from torch.distributed.distributed_c10d import PrefixStore
from torch.distributed.rendezvous import rendezvous

from mt.core.errors import UserError
from mt.core.ranks import count, rank, restarts

T = TypeVar("T")
PATIENCE = timedelta(days=1)
"""How long a process waits for the others, of which the first prepares the corpus. A dead one is noticed at once."""


@contextmanager
def joined() -> Iterator[None]:
    """Let the processes talk to each other: over gloo, and between GPUs of NVIDIA over nccl."""
    if count() == 1:
        yield
        return
    if rank():
        logging.getLogger("mt").setLevel(logging.ERROR)  # the first one tells how it goes
    if torch.cuda.is_available():
        torch.cuda.set_device(int(os.environ.get("LOCAL_RANK", 0)) % torch.cuda.device_count())
    backend = "cpu:gloo,cuda:nccl" if torch.cuda.is_available() else "gloo"
    store, *place = next(rendezvous("env://", timeout=PATIENCE))
    store = PrefixStore(f"start {restarts()}", store)  # torchrun keeps the store, and so addresses of the dead
    with _all_alive():
        dist.init_process_group(backend, store=store, rank=place[0], world_size=place[1], timeout=PATIENCE)
    try:
        yield
    except UserError:
        signal.signal(signal.SIGTERM, signal.SIG_IGN)  # torchrun sends it where another has failed, too: say why first
        raise
    finally:
        dist.destroy_process_group()


def collect(mine: list[T]) -> list[T]:
    """Return what all have made of what `deal` gave them, in the order of the things."""
    if count() == 1:
        return mine
    parts: list[Any] = [None] * count()
    with _all_alive():
        dist.all_gather_object(parts, mine)
    things: list[Any] = [None] * sum(map(len, parts))
    for number, part in enumerate(parts):
        things[number :: count()] = part
    return things


def tell(word: T) -> T:
    """Return the first process's word to all. Others wait for it."""
    if count() == 1:
        return word
    words = [word]
    with _all_alive():
        dist.broadcast_object_list(words)
    return words[0]


@contextmanager
def waited_for(word: str) -> Iterator[None]:
    """Tell the others, who wait for this process, the word, when the block fails for a reason that a user may see."""
    try:
        yield
    except UserError:
        tell(word)
        raise


def add_up(tensors: list[Tensor]) -> None:
    """Replace each tensor by its sum over all processes, all in one message."""
    message = torch.cat([tensor.flatten() for tensor in tensors])
    with _all_alive():
        dist.all_reduce(message)
    for tensor, summed in zip(tensors, message.split([tensor.numel() for tensor in tensors]), strict=True):
        tensor.copy_(summed.view_as(tensor))


@contextmanager
def _all_alive() -> Iterator[None]:
    try:
        yield
    except RuntimeError as error:  # of torch.distributed; gloo raises no class of its own
        raise UserError(
            f"process {rank()} of {count()}, which train together, waits for one that has ended; --resume goes on with "
            f"what was saved last, as torchrun does by itself where it may start them anew"
        ) from error
