"""A GPU in software: tensors on it are ordinary ones with a mark, and whatever would fail on a real one fails here.

Operations refuse to mix it with the processor's tensors, except with single numbers; its tensors have no numpy array.
It computes as the processor does, so results must be the same bit for bit.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest
import torch
from torch import Tensor
from torch.overrides import TorchFunctionMode
from torch.utils._pytree import tree_flatten, tree_map

from mt.core import device

GPU, MARK = torch.device("cuda"), "on_gpu"
MOVES = {Tensor.to, Tensor.cpu}


def is_there(tensor: object) -> bool:
    return isinstance(tensor, Tensor) and getattr(tensor, MARK, False)


def mark(value: Any) -> Any:
    if isinstance(value, Tensor):
        setattr(value, MARK, True)
    return value


class SimulatedGpu(TorchFunctionMode):
    """While it is entered, torch.device("cuda") works. `used` counts what was computed there."""

    used = 0

    def __torch_function__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        kwargs = dict(kwargs or {})
        given = [one for one in tree_flatten((args, kwargs))[0] if isinstance(one, Tensor)]
        if func == Tensor.device.__get__:
            return GPU if is_there(args[0]) else func(*args)
        if func in MOVES:
            return self._move(func, args, kwargs)
        if func is Tensor.numpy and is_there(args[0]):
            raise TypeError("can't convert cuda:0 device type tensor to numpy")
        if func in {Tensor.copy_, torch._has_compatible_shallow_copy_type}:
            return func(*args, **kwargs)
        if func == Tensor.data.__set__:
            setattr(args[0], MARK, is_there(args[1]))
            return func(*args)
        if func is torch._C._nn._parse_to:
            return func(*args, **kwargs)
        wished = kwargs.get("device")
        made_there = wished is not None and torch.device(wished).type == "cuda"
        if made_there:
            kwargs["device"] = "cpu"
        there = [one for one in given if is_there(one)]
        if there and any(one.dim() for one in given if not is_there(one)):
            name = getattr(func, "__name__", func)
            raise RuntimeError(f"{name}: expected all tensors to be on the same device, but found cuda:0 and cpu")
        if there and getattr(func, "__name__", "") in {"gru", "lstm"}:
            _must_train(*args)
        result = func(*args, **kwargs)
        if made_there or (there and wished is None):
            SimulatedGpu.used += 1
            return tree_map(mark, result)
        return result

    def _move(self, func: Any, args: Any, kwargs: Any) -> Any:
        flat = [*args[1:], *kwargs.values()]
        wished = [torch.device(one) for one in flat if isinstance(one, torch.device | str)]
        there = wished[0].type == "cuda" if wished else func is not Tensor.cpu and is_there(args[0])
        wanted = [one for one in flat if isinstance(one, torch.dtype)]
        moved = args[0].to(wanted[0]) if wanted else args[0]
        if there != is_there(args[0]) and moved is args[0]:
            moved = moved.clone()
        setattr(moved, MARK, there)
        return moved


def _must_train(data: Tensor, state: Any, weights: list[Tensor], *settings: Any) -> None:
    """Raise what cuDNN raises, though later: where gradients are asked of a recurrent layer in evaluation mode."""
    training = settings[3]
    learns = torch.is_grad_enabled() and any(one.requires_grad for one in (data, *weights))
    if learns and not training and torch.backends.cudnn.enabled:
        raise RuntimeError("cudnn RNN backward can only be called in training mode")


@contextmanager
def simulated_gpu(monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[], int]]:
    """Give this machine a GPU; what is given tells how many operations it has done."""
    monkeypatch.setitem(device.GPUS, "cuda", lambda: True)
    before = SimulatedGpu.used
    with SimulatedGpu():
        yield lambda: SimulatedGpu.used - before
