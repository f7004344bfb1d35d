"""What computes: a device, its precision, threads of the processor, and jobs side by side on them."""

import logging
import math
import os
import platform
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager, contextmanager, nullcontext
from pathlib import Path
from typing import Any

import torch

from mt.core import ranks
from mt.core.errors import UserError

log = logging.getLogger("mt")
GPUS: dict[str, Callable[[], bool]] = {"cuda": torch.cuda.is_available, "mps": torch.backends.mps.is_available}
"""Devices besides the processor, and what tells whether this machine has one; the first that is there is taken."""
CPU = torch.device("cpu")
MOST = 8
"""Threads that are taken where nobody asks for more. Two were measured (training takes 0.6 of the time of one); this
bound was not: steps of models so small are short, and threads beyond a few mostly wait for each other."""


def set_threads(wish: int | None) -> None:
    """Let torch compute with so many threads as are wished, but with no more than `processors`.

    Unset: as many as OMP_NUM_THREADS says, else one for each processor, up to MOST.
    """
    allowed = processors()
    torch.set_num_threads(min(wish, allowed) if wish else allowed if _said() else min(allowed, MOST))


def processors() -> int:
    """Return OMP_NUM_THREADS where it is set, else how many processors this process may keep busy, by Linux's rules.

    These are its affinity and the quota of its control group, divided among the processes that train together here;
    other systems tell only how many there are.
    """
    affinity = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    return _said() or max(1, int(min(affinity, quota())) // ranks.on_this_machine())


def _said() -> int | None:
    """Return what OMP_NUM_THREADS says, of a list ("4,2") its outermost level; None where that is no number."""
    first = os.environ.get("OMP_NUM_THREADS", "").partition(",")[0].strip()
    if first == "1" and ranks.on_this_machine() > 1:
        return None  # torchrun sets this where nobody has said anything
    return int(first) if first.isdecimal() and int(first) else None


def quota(root: Path = Path("/")) -> float:
    """Return how many whole processors the control group (version 1 or 2) of this process allows: at least one, or inf.

    A limit may stand at any group above this one. In a container the path may be the host's, and lead nowhere.
    """
    limits = [math.inf]
    try:
        lines = (root / "proc/self/cgroup").read_text(encoding="utf-8").splitlines()
    except OSError:
        return math.inf
    for _, controllers, path in (line.split(":", 2) for line in lines):
        if controllers and "cpu" not in controllers.split(","):
            continue
        group = root / "sys/fs/cgroup" / controllers
        for part in ("", *Path(path.strip("/")).parts):
            group /= part
            limits.append(_limit(group))
    return min(limits)


def _limit(group: Path) -> float:
    """Return the limit that one control group sets itself."""
    try:
        if (group / "cpu.max").exists():
            time, period = (group / "cpu.max").read_text(encoding="utf-8").split()
        else:
            time, period = ((group / f"cpu.cfs_{name}_us").read_text(encoding="utf-8") for name in ("quota", "period"))
        return max(1, int(time) // int(period)) if int(time) > 0 else math.inf
    except (OSError, ValueError):  # no such file, or "max"
        return math.inf


@contextmanager
def side_by_side(jobs: int) -> Iterator[Callable[..., Iterator[Any]]]:
    """Give a `map` that divides torch's threads among so many jobs; its results come in order.

    Where one operation gains little from several threads, several jobs gain more from one each. A single job has all
    the threads. When an error or Ctrl-C leaves the block, jobs not yet begun are dropped, and those under way are not
    waited for.
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


def choose(wish: str) -> torch.device:
    """Return the device of the key `device`. Raises UserError when this machine has no such device."""
    there = [name for name, is_there in GPUS.items() if is_there()]
    if wish == "auto":
        wish = there[0] if there else "cpu"
    if wish in GPUS and wish not in there:
        raise UserError(f"device is {wish}, and PyTorch finds no such GPU here: set device=auto, or device=cpu")
    torch.backends.cudnn.allow_tf32 = False  # float32 is float32: cuDNN's layers would round to ten bits on their own
    torch.backends.cudnn.deterministic = True
    return torch.device(wish)


def choose_for_run(wish: str) -> torch.device:
    """Return the device on which a trained run is asked: that of its training, or another where that is not there."""
    try:
        return choose(wish)
    except UserError:
        log.info("the run was trained with device=%s, which this machine has not: another computes", wish)
        return choose("auto")


def finest(device: torch.device) -> torch.dtype:
    """Return the precision in which scores are summed up; mps has no float64."""
    return torch.float32 if device.type == "mps" else torch.float64


def has_bfloat16(device: torch.device = CPU) -> bool:
    """Tell whether a device has instructions for bfloat16; emulated, it takes longer than float32, or fails."""
    if device.type == "cuda":
        return bool(torch.cuda.is_bf16_supported())
    return any(map(torch.cpu.get_capabilities().get, ("avx512_bf16", "amx_bf16", "bf16"))) or device.type == "mps"


def packs(precision: str) -> bool:
    """Tell whether this PyTorch packs weights in a precision for this processor."""
    if precision == "float32":  # oneDNN lays them out; on other processors than these that was not tried
        return torch.backends.mkldnn.is_available() and platform.machine().lower() in {"x86_64", "amd64"}
    return torch.backends.quantized.engine in {"x86", "fbgemm"}


def require(precision: str, device: torch.device, remedy: str) -> None:
    """Raise UserError, which ends with the remedy, when the device has no instructions for this precision."""
    what = "processor" if device.type == "cpu" else "GPU"
    if precision == "bfloat16" and not has_bfloat16(device):
        raise UserError(f"this {what} has no instructions for bfloat16: {remedy}")
    if precision in {"float16", "int8"} and device.type != "cpu":
        raise UserError(f"weights are packed in {precision} for processors, and a GPU computes here: {remedy}")
    if precision in {"float16", "int8"} and not packs(precision):
        raise UserError(f"this PyTorch packs no weights in {precision} on this processor (it has no FBGEMM): {remedy}")


def computing_in(precision: str, device: torch.device) -> AbstractContextManager[None]:
    """Return a block whose products, and what is made of them, are in this precision."""
    return torch.autocast(device.type, torch.bfloat16) if precision == "bfloat16" else nullcontext()


def differentiable_in_evaluation() -> AbstractContextManager[None]:
    """Return a block in which models in evaluation mode have gradients, as recurrent layers of cuDNN have not."""
    return torch.backends.cudnn.flags(enabled=False)
