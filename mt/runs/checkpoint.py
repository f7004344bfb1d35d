"""Tensors with a JSON record in one safetensors file, and the weights of a model. Nothing is ever unpickled."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import safetensors
import safetensors.torch
import torch
from torch import Tensor, nn
from torch.overrides import TorchFunctionMode

from mt.config import Config
from mt.core.device import choose_for_run
from mt.core.errors import DamagedError, UserError
from mt.core.files import replacing
from mt.core.manifest import must_be_whole
from mt.models import build_model
from mt.models.contract import Seq2Seq
from mt.runs.header import RESTORE, UNREADABLE, parse_record
from mt.runs.header import read_record as read_record
from mt.text.tokenizer import Tokenizers


def build(config: Config, tokenizers: Tokenizers) -> Seq2Seq:
    """Return a new model of this experiment, its weights drawn from config.seed."""
    torch.manual_seed(config.seed)
    return build_model(config.model, len(tokenizers.source), len(tokenizers.target), tokenizers.joint)


def load_model(config: Config, tokenizers: Tokenizers, tensors: Mapping[str, Tensor], origin: Path) -> Seq2Seq:
    """Return the model that these weights make, ready for inference. Raises UserError where they are not of it."""
    must_fit(config, tokenizers, tensors, origin)
    with _Undrawn():
        model = build_model(config.model, len(tokenizers.source), len(tokenizers.target), tokenizers.joint)
    set_weights(model, tensors, origin)
    model.to(choose_for_run(config.device))
    lay_out(model)
    return model.eval()


def weights(model: nn.Module) -> dict[str, Tensor]:
    """Return the model's parameters by name, each once even where modules share it. Not copies."""
    return {name: parameter.detach() for name, parameter in model.named_parameters()}


def set_weights(model: nn.Module, tensors: Mapping[str, Tensor], origin: Path) -> None:
    """Copy `tensors` into the model. Raises UserError when they are not this model's, or not finite numbers."""
    mine = weights(model)
    must_match(tensors, mine, origin)
    must_be_finite(tensors, origin)
    for name, tensor in mine.items():
        tensor.copy_(tensors[name])


def lay_out(model: nn.Module) -> None:
    """Store each linear layer's matrix column by column: products of a few rows, as in search, then take less time."""
    for module in model.modules():
        if isinstance(module, nn.Linear):
            module.weight.data = module.weight.detach().t().contiguous().t()  # stays tied to the embedding


def must_fit(config: Config, tokenizers: Tokenizers, tensors: Mapping[str, Tensor], origin: Path) -> None:
    """Raise UserError where tensors are not the weights of this experiment's model, which takes no memory for it.

    A config may ask for a model of any size, and what is in the file tells how large it is.
    """
    with torch.device("meta"), _Undrawn():
        model = build_model(config.model, len(tokenizers.source), len(tokenizers.target), tokenizers.joint)
    must_match(tensors, weights(model), origin)


class _Undrawn(TorchFunctionMode):
    """Draws no numbers for new parameters, which others replace, or which have no memory.

    It saves a moment, and leaves the caller's random numbers as they are. Without memory PyTorch would even load its
    compiler to draw nothing, which takes a second.
    """

    def __torch_function__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        given = [*args, *(kwargs or {}).values()]
        if func.__name__ in {"normal_", "uniform_"}:
            return given[0]
        if func.__name__ == "linalg_qr":  # of orthogonal_
            return given[0], given[0]
        return func(*args, **(kwargs or {}))


def must_match(tensors: Mapping[str, Tensor], mine: Mapping[str, Tensor], origin: Path) -> None:
    """Raise UserError when tensors have other names, shapes or kinds of numbers than those of the model have."""
    wrong = [
        name
        for name in mine.keys() | tensors.keys()
        if name not in mine or name not in tensors or _kind(mine[name]) != _kind(tensors[name])
    ]
    if wrong:
        raise UserError(
            f"{origin} does not fit the config beside it (first difference: {min(wrong)}); restore the pair"
        )


def _kind(tensor: Tensor) -> tuple[torch.Size, torch.dtype]:
    return tensor.shape, tensor.dtype


def must_be_finite(tensors: Mapping[str, Tensor], origin: Path) -> None:
    """Raise UserError when one of them has numbers that are not finite."""
    if bad := [name for name, tensor in tensors.items() if not tensor.isfinite().all()]:
        raise UserError(
            f"{origin} has numbers that are not finite (first in {min(bad)}), as after a training that diverged: "
            f"restore it, or train anew with a lower train.learning_rate"
        )


def save(path: Path, tensors: Mapping[str, Tensor], record: Mapping[str, Any]) -> None:
    """Write tensors and a JSON record to one safetensors file, all of it or nothing."""
    data = safetensors.torch.save(
        {name: tensor.contiguous() for name, tensor in tensors.items()}, {"record": json.dumps(record)}
    )
    with replacing(path) as temporary:
        temporary.write_bytes(data)


def read(path: Path, remedy: str = RESTORE, *, checked: bool = False) -> tuple[dict[str, Tensor], dict[str, Any]]:
    """Return what `save` wrote. Raises DamagedError, with this remedy, when the file is missing or damaged.

    `checked`: the caller has held it against its checksum before.
    """
    try:
        if not checked:
            must_be_whole(path, remedy)
        with safetensors.safe_open(path, framework="pt") as file:
            tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118 (not a dict)
            return tensors, parse_record(file.metadata())
    except UNREADABLE as error:
        raise DamagedError(path, remedy, error) from error


def read_kinds(path: Path, remedy: str = RESTORE) -> dict[str, tuple[list[int], str]]:
    """Return the shape and the kind of number of each tensor, without reading it. Raises as `read`; checks no sum."""
    try:
        with safetensors.safe_open(path, framework="pt") as file:
            parts = {name: file.get_slice(name) for name in file.keys()}  # noqa: SIM118 (not a dict)
            return {name: (part.get_shape(), part.get_dtype()) for name, part in parts.items()}
    except UNREADABLE as error:
        raise DamagedError(path, remedy, error) from error


def must_have(found: Mapping[str, object], wanted: Mapping[str, object], path: Path, remedy: str) -> None:
    """Raise DamagedError when the tensors of a file, described by name, are not those that are wanted."""
    if found != wanted:
        raise DamagedError(path, remedy, f"it has {found} in place of {wanted}")
