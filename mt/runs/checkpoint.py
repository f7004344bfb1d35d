"""A run directory: what is in it, and how it is written so that a kill at any moment loses nothing.

config.yaml, the tokenizer and model.safetensors are all that inference needs. state.safetensors is all that an exact
resume needs: current, averaged and best weights, the optimiser, and a JSON record (position, scores, versions).
"""

import hashlib
import json
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import safetensors
import safetensors.torch
import torch
from torch import Tensor, nn

from mt.config.files import read_config
from mt.models import build_model
from mt.text.tokenizer import load_tokenizers
from mt.config import files as config_file
from mt import models
from mt.text import tokenizer as text
from mt.config import Config
from mt.core.files import replacing
from mt.core.errors import UserError
from mt.models.contract import Seq2Seq
from mt.text.tokenizer import Tokenizers

WEIGHTS, STATE = "model.safetensors", "state.safetensors"
DATASTORE, LESSONS = "datastore.safetensors", "lessons.safetensors"
FILES = (
    WEIGHTS,
    STATE,
    DATASTORE,
    LESSONS,
    "metrics.jsonl",
    "README.md",
    "alignment.json",
    "config.yaml",
    "tokenizer*.model",
)
CACHE, FOLDERS = "cache", ("eval", "align")


def build(config: Config, tokenizers: Tokenizers) -> Seq2Seq:
    """Return a new model of this experiment, its weights drawn from config.seed."""
    torch.manual_seed(config.seed)
    return build_model(config.model, len(tokenizers.source), len(tokenizers.target), tokenizers.joint)


def weights(model: nn.Module) -> dict[str, Tensor]:
    """Return the model's parameters by name, each once even where modules share it. Not copies."""
    return {name: parameter.detach() for name, parameter in model.named_parameters()}


def set_weights(model: nn.Module, tensors: Mapping[str, Tensor], origin: Path) -> None:
    """Copy `tensors` into the model. Raises UserError when they are not this model's."""
    mine = weights(model)
    wrong = [name for name in mine.keys() | tensors.keys()
             if name not in mine or name not in tensors or mine[name].shape != tensors[name].shape]  # fmt: skip
    if wrong:
        raise UserError(
            f"{origin} does not fit the config beside it (first difference: {min(wrong)}); restore the pair"
        )
    for name, tensor in mine.items():
        tensor.copy_(tensors[name])


def save(path: Path, tensors: Mapping[str, Tensor], record: Mapping[str, Any]) -> None:
    """Write tensors and a JSON record to one safetensors file, all of it or nothing."""
    data = safetensors.torch.save(
        {name: tensor.contiguous() for name, tensor in tensors.items()}, {"record": json.dumps(record)}
    )
    with replacing(path) as temporary:
        temporary.write_bytes(data)


def read(path: Path) -> tuple[dict[str, Tensor], dict[str, Any]]:
    """Return what `save` wrote. Raises UserError when the file is missing or damaged."""
    try:
        with safetensors.safe_open(path, framework="pt") as file:
            tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118 (not a dict)
            return tensors, json.loads((file.metadata() or {}).get("record", "{}"))
    except (OSError, safetensors.SafetensorError) as error:
        raise UserError(f"cannot read {path}: {error}") from error


def read_record(path: Path) -> dict[str, Any]:
    """Return the JSON record alone, without reading the tensors."""
    try:
        with safetensors.safe_open(path, framework="pt") as file:
            record: dict[str, Any] = json.loads((file.metadata() or {}).get("record", "{}"))
            return record
    except (OSError, safetensors.SafetensorError) as error:
        raise UserError(f"cannot read {path}: {error}") from error


def fingerprints(*runs: Path) -> list[str]:
    """Return what scores.json has of the weights of each member: see `fingerprint`."""
    return [fingerprint(run) for run in runs]


def fingerprint(run: Path) -> str:
    """Return 16 characters that change with the run's weights; none where there are no weights."""
    try:
        with (run / WEIGHTS).open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()[:16]
    except OSError:
        return ""


def records(run: Path) -> list[dict[str, Any]]:
    """Return the lines of metrics.jsonl, one for each validation; none before the first."""
    file = run / "metrics.jsonl"
    return [json.loads(line) for line in file.read_text(encoding="utf-8").splitlines()] if file.exists() else []


def is_run(run: Path) -> bool:
    """Tell whether a directory holds a run, finished or not; a config of the user's own is not one."""
    return (run / "config.yaml").exists() and any(run.glob("tokenizer*.model"))


def remove(run: Path) -> None:
    """Delete all that a run consists of, and nothing else; the cache last, which tells what a kill in between left."""
    for name in (*FOLDERS, *FILES, CACHE):
        for path in run.glob(name):
            shutil.rmtree(path) if path.is_dir() and not path.is_symlink() else path.unlink()


def is_finished(run: Path) -> bool:
    """Tell whether a directory holds a run whose training has come to its end."""
    return (run / STATE).exists() and bool(read_record(run / STATE).get("finished", False))


def is_unfinished(run: Path) -> bool:
    """Tell whether a directory holds a run that training can go on with; a model without its state is not one."""
    return is_run(run) and not is_finished(run) and ((run / STATE).exists() or not (run / WEIGHTS).exists())


def latest(runs: Path) -> Path:
    """Return the run trained last of those in a folder. Raises UserError when there is none."""
    found = [path.parent for path in runs.glob("*/" + WEIGHTS)]
    if not found:
        raise UserError(f"no trained run in {runs}/: `make train` makes one")
    return max(found, key=lambda run: (run / WEIGHTS).stat().st_mtime)


def load(run: Path) -> tuple[Config, Tokenizers, Seq2Seq]:
    """Return configuration, vocabularies and the model with the best weights, ready for inference."""
    if not is_run(run):
        raise UserError(f"{run} is not a run directory: it has no config.yaml and tokenizer")
    config = read_config(run / "config.yaml")
    tokenizers = load_tokenizers(run, config.vocabulary.joint)
    if tokenizers is None or not (run / WEIGHTS).exists():
        raise UserError(f"{run} has no trained model yet: let its training reach a validation (`mt train` resumes it)")
    with torch.random.fork_rng():  # the caller's random numbers stay as they are
        model = build(config, tokenizers)
    set_weights(model, read(run / WEIGHTS)[0], run / WEIGHTS)
    _lay_out(model)
    return config, tokenizers, model.eval()


def _lay_out(model: nn.Module) -> None:
    """Store each linear layer's matrix column by column: products of a few rows, as in search, then take less time."""
    for module in model.modules():
        if isinstance(module, nn.Linear):
            module.weight.data = module.weight.detach().t().contiguous().t()  # stays tied to the embedding
