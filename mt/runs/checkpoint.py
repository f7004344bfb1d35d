"""Tensors with a JSON record in one safetensors file, and the weights of a model. Nothing is ever unpickled."""

import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import safetensors
import safetensors.torch
import torch
from torch import Tensor, nn

from mt.config import Config
from mt.core.errors import UserError
from mt.core.files import replacing
from mt.core.parse import parse_json
from mt.models import build_model
from mt.models.contract import Seq2Seq
from mt.text.tokenizer import Tokenizers

FLOATS = {torch.float16, torch.bfloat16, torch.float32, torch.float64}
"""What weights may be stored as."""


def build(config: Config, tokenizers: Tokenizers) -> Seq2Seq:
    """Return a new model of this experiment, its weights drawn from config.seed."""
    torch.manual_seed(config.seed)
    return build_model(config.model, len(tokenizers.source), len(tokenizers.target), tokenizers.joint)


def weights(model: nn.Module) -> dict[str, Tensor]:
    """Return the model's parameters by name, each once even where modules share it. Not copies."""
    return {name: parameter.detach() for name, parameter in model.named_parameters()}


def set_weights(model: nn.Module, tensors: Mapping[str, Tensor], origin: Path) -> None:
    """Copy `tensors` into the model. Raises UserError when they are not this model's, or not finite numbers."""
    _must_match(weights(model), tensors, origin)
    must_be_finite(tensors, origin)
    for name, tensor in weights(model).items():
        tensor.copy_(tensors[name])


def must_fit(config: Config, tokenizers: Tokenizers, tensors: Mapping[str, Tensor], origin: Path) -> None:
    """Raise UserError where tensors are not the weights of this experiment's model, which takes no memory for it.

    A config may ask for a model of any size, and what is in the file tells how large it is.
    """
    with torch.random.fork_rng(devices=[]), torch.device("meta"):
        model = build_model(config.model, len(tokenizers.source), len(tokenizers.target), tokenizers.joint)
    _must_match(weights(model), tensors, origin)


def _must_match(mine: Mapping[str, Tensor], tensors: Mapping[str, Tensor], origin: Path) -> None:
    wrong = [
        name
        for name in mine.keys() | tensors.keys()
        if name not in mine
        or name not in tensors
        or mine[name].shape != tensors[name].shape
        or tensors[name].dtype not in FLOATS
    ]
    if wrong:
        raise UserError(
            f"{origin} does not fit the config beside it (first difference: {min(wrong)}); restore the pair"
        )


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


def read(path: Path) -> tuple[dict[str, Tensor], dict[str, Any]]:
    """Return what `save` wrote. Raises UserError when the file is missing or damaged."""
    with _opened(path) as file:
        tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118 (not a dict)
        return tensors, _record(file)


def read_record(path: Path) -> dict[str, Any]:
    """Return the JSON record alone, without reading the tensors."""
    with _opened(path) as file:
        return _record(file)


@contextmanager
def _opened(path: Path) -> Iterator[Any]:
    try:
        with safetensors.safe_open(path, framework="pt") as file:
            yield file
    except (OSError, safetensors.SafetensorError, ValueError) as error:
        raise UserError(f"cannot read {path}: {error}") from error


def _record(file: Any) -> dict[str, Any]:
    record = parse_json((file.metadata() or {}).get("record", "{}"))
    if not isinstance(record, dict):
        raise ValueError("its record is no object of JSON")  # noqa: TRY004 (as JSON that is none)
    return record
