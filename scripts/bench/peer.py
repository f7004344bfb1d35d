"""JoeyNMT, the peer of every claim of speed: installed into a folder of its own, given our data and widths, and run.

Its version 2.3.0 runs on a current PyTorch with an older SentencePiece, one package that it does not declare, and a
schedule other than its "plateau".
"""

import math
import os
import re
import shutil
import subprocess
import sys
import time
from collections.abc import Sequence
from copy import deepcopy
from datetime import datetime
from pathlib import Path
from typing import Any

import torch
import yaml

from mt.config import Config, Train
from mt.config.models import Model, RNNModel
from mt.core.errors import UserError
from mt.core.files import write_lines, write_text
from mt.corpora.pairs import Split
from mt.runs.run import Run

PACKAGES = (
    f"torch=={torch.__version__.partition('+')[0]}",
    "joeynmt==2.3.0",
    "sentencepiece==0.2.0",
    "importlib_metadata",
)
VOCABULARY = """
import sys, sentencepiece
size, *files = sys.argv[1:]
sentencepiece.SentencePieceTrainer.train(
    input=files, model_prefix="spm", vocab_size=int(size), model_type="bpe", character_coverage=1.0,
    unk_id=0, pad_id=1, bos_id=2, eos_id=3, minloglevel=2)
with open("spm.vocab.txt", "w") as out:
    out.writelines(line.split("\\t")[0] + "\\n" for line in open("spm.vocab"))
"""
SPECIAL = {
    "unk_token": "<unk>",
    "unk_id": 0,
    "pad_token": "<pad>",
    "pad_id": 1,
    "bos_token": "<s>",
    "bos_id": 2,
    "eos_token": "</s>",
    "eos_id": 3,
}
HAS = {"wiring": "luong", "window": "global", "heads": 1, "coverage": False}
"""What its attention is like, in our words."""
SCORES = {"additive": "bahdanau", "general": "luong"}
"""Ours, and what the peer calls them."""
LOGGED = 10
"""Updates between lines of its log; it wants validations at multiples of them."""
LOOK = 5.0
"""Seconds between looks at its log."""
RATE = re.compile(r"Tokens per Sec:\s+(\d+)")
VALIDATED = re.compile(r"Evaluation result.* bleu:\s+([\d.]+)")
STAMP = re.compile(r"\d{4}-\d\d-\d\d ")
SECONDS = re.compile(r"Generation took ([\d.]+)")


class Peer:
    """JoeyNMT in the folder `work`, for one experiment of ours. Raises UserError when it cannot be installed or run."""

    def __init__(self, work: Path, config: Config, splits: dict[str, Split], threads: int):
        self.work, self.config, self.threads = work.resolve(), config, threads
        self.work.mkdir(parents=True, exist_ok=True)
        self.python = self.work / "venv/bin/python"
        if not self.python.exists():
            self._run(sys.executable, "-m", "venv", "venv")
        if not (self.work / "installed").exists():
            self._run(self.python, "-m", "pip", "install", "--quiet", *PACKAGES)
            write_text(self.work / "installed", "\n".join(PACKAGES) + "\n")
        languages = config.corpus.source, config.corpus.target
        files = []
        for name in ("train", "validation"):
            for language, lines in zip(languages, (splits[name].sources, splits[name].targets), strict=True):
                files.append(self.work / f"{name}.{language}")
                write_lines(files[-1], lines)
        self._run(self.python, "-c", VOCABULARY, config.vocabulary.size, *files[:2])

    @property
    def ours(self) -> Path:
        """Where our model that is compared with it is kept."""
        return self.work / "ours"

    @property
    def is_trained(self) -> bool:
        """Whether both models are here: `reach` has been called."""
        return Run(self.ours).is_finished and (self.work / "model/best.ckpt").exists()

    def rates(self, updates: int, batch: int) -> list[float]:
        """Train for so many updates of so many target pieces; return its target pieces a second, every ten updates."""
        self._configure("speed", LOGGED * math.ceil(updates / LOGGED), batch)
        self._run(self.python, "-m", "joeynmt", "train", "peer.yaml", "--skip-test")
        return [float(rate) for rate in RATE.findall((self.work / "speed/train.log").read_text(encoding="utf-8"))]

    def translate(self, lines: Sequence[str], beam: int, batch: int) -> tuple[float, list[str]]:
        """Translate with the model of `reach`, so many sentences at once; return the seconds and the translations."""
        self._configure("model", 100, batch, beam)
        write_lines(self.work / "input", lines)
        said = self._run(self.python, "-m", "joeynmt", "translate", "peer.yaml", standard_input="input")
        seconds = SECONDS.findall(said.stdout + said.stderr)
        return float(seconds[-1]), said.stdout.splitlines()[-len(lines) :]

    def reach(self, bleu: float, batch: int, validate_every: int, most: float) -> float:
        """Train until a validation has such BLEU; return the seconds from the first epoch, infinity if it takes `most`.

        Raises UserError when it ends by itself, or has not even been validated by then.
        """
        validate_every = LOGGED * max(2, round(validate_every / LOGGED))
        self._configure("model", 100 * validate_every, batch, validate_every=validate_every)
        shutil.rmtree(self.work / "model", ignore_errors=True)
        command = [str(self.python), "-m", "joeynmt", "train", "peer.yaml", "--skip-test"]
        seconds, spent, printed = None, 0.0, self.work / "reach.log"
        with (
            printed.open("w", encoding="utf-8") as out,
            subprocess.Popen(command, cwd=self.work, env=self._environment(), stdout=out, stderr=out) as training,
        ):
            try:
                while training.poll() is None and seconds is None and spent < most:
                    time.sleep(LOOK)
                    seconds, spent = when_reached(self.work / "model/train.log", bleu)
                time.sleep(LOOK)  # the model is saved after it is scored
                ended = training.poll() is not None
            finally:
                training.terminate()
        if seconds is None and ended:
            raise UserError(f"the peer ended before {bleu} BLEU: see {printed}")
        if not (self.work / "model/best.ckpt").exists():
            raise UserError(f"the peer had no model after {spent:.0f} seconds: see {printed}")
        return seconds if seconds is not None and seconds < most else math.inf

    def _configure(self, name: str, updates: int, batch: int, beam: int = 1, validate_every: int | None = None) -> None:
        told = settings(self.config, self.work, batch, beam) | {"model_dir": str(self.work / name)}
        told["training"] |= {"updates": updates, "validation_freq": validate_every or updates}
        write_text(self.work / "peer.yaml", yaml.safe_dump(told, sort_keys=False))

    def _environment(self) -> dict[str, str]:
        # PYTHONSAFEPATH: no module of the folder it runs in comes before what is installed
        return os.environ | {"OMP_NUM_THREADS": str(self.threads), "PYTHONSAFEPATH": "1"}

    def _run(self, *command: object, standard_input: str = os.devnull) -> "subprocess.CompletedProcess[str]":
        """Return what the command wrote. Raises UserError when it fails."""
        with (self.work / standard_input).open(encoding="utf-8") as given:
            done = subprocess.run(
                [*map(str, command)],
                cwd=self.work,
                env=self._environment(),
                stdin=given,
                capture_output=True,
                text=True,
            )
        if done.returncode:
            raise UserError(
                f"the peer failed in {self.work}: {' '.join(map(str, command))[:200]}\n{done.stderr[-2000:]}"
            )
        return done


def when_reached(log: Path, bleu: float) -> tuple[float | None, float]:
    """Return the seconds from the first epoch in the peer's log to the first validation of such BLEU, and to now.

    None before there is one; 0 seconds to now before the first epoch.
    """
    lines = log.read_text(encoding="utf-8").splitlines() if log.exists() else []
    times = [(datetime.fromisoformat(line[:23].replace(",", ".")), line) for line in lines if STAMP.match(line)]
    reached = [moment for moment, line in times if (score := VALIDATED.search(line)) and float(score[1]) >= bleu]
    begun = next((moment for moment, line in times if line.endswith("EPOCH 1")), None)
    if begun is None:
        return None, 0.0
    return (reached[0] - begun).total_seconds() if reached else None, (datetime.now() - begun).total_seconds()


def settings(config: Config, work: Path, batch: int, beam: int) -> dict[str, Any]:
    """Return JoeyNMT's configuration, but for folder and length. Raises UserError when it has no such model."""
    tokenizer = {"model_file": str(work / "spm.model"), "pretokenizer": "none"}
    side = {
        "level": "bpe",
        "max_length": 100,
        "voc_file": str(work / "spm.vocab.txt"),
        "tokenizer_type": "sentencepiece",
        "tokenizer_cfg": tokenizer,
    }
    return {
        "name": "peer",
        "joeynmt_version": "2.3.0",
        "use_cuda": False,
        "random_seed": config.seed,
        "data": {
            "train": str(work / "train"),
            "dev": str(work / "validation"),
            "dataset_type": "plain",
            "src": {"lang": config.corpus.source, **side},
            "trg": {"lang": config.corpus.target, **side},
            "special_symbols": SPECIAL,
        },
        "testing": {
            "beam_size": beam,
            "beam_alpha": 1.0,
            "batch_size": batch,
            "batch_type": "sentence",
            "eval_metrics": ["bleu"],
        },
        "training": _training(config.train, batch),
        "model": _model(config.model),
    }


def described(config: Config, batch: int) -> str:
    """Return the parts of `settings` that say how the peer is trained, and what model, as YAML."""
    return yaml.safe_dump({"training": _training(config.train, batch), "model": _model(config.model)}, sort_keys=False)


def _training(train: Train, batch: int) -> dict[str, Any]:
    return {
        "optimizer": "adam",
        "learning_rate": train.learning_rate,
        "adam_betas": list(train.betas),
        "clip_grad_norm": train.clip,
        "label_smoothing": train.label_smoothing,
        "loss": "crossentropy",
        "normalization": "tokens",
        "batch_size": batch,
        "batch_type": "token",
        "scheduling": "warmupinversesquareroot",  # it has none that falls linearly
        "learning_rate_warmup": max(train.warmup, 1),
        "learning_rate_min": 0.0,
        "epochs": 1000,
        "logging_freq": LOGGED,
        "overwrite": True,
        "shuffle": True,
    }


def _model(model: Model) -> dict[str, Any]:
    if not isinstance(model, RNNModel) or model.layers > 1 or model.attention.score not in SCORES:
        raise UserError(f"the peer has only models of kind rnn and one layer, with the scores {', '.join(SCORES)}")
    if differing := [key for key, value in HAS.items() if getattr(model.attention, key) != value]:
        raise UserError(f"the peer's attention has {HAS}: change model.attention.{differing[0]}")
    embeddings = {"embedding_dim": model.embedding, "scale": False, "dropout": model.dropout.embedding}
    recurrent = {"type": "recurrent", "rnn_type": model.cell, "embeddings": embeddings, "num_layers": 1}
    encoder = {"hidden_size": model.encoder_hidden, "bidirectional": True, "dropout": model.dropout.encoder}
    decoder = {
        "hidden_size": model.hidden,
        "dropout": model.dropout.decoder,
        "hidden_dropout": model.dropout.readout,
        "input_feeding": model.attention.feeding,
        "init_hidden": "bridge",
        "attention": SCORES[model.attention.score],
    }
    return {
        "initializer": "xavier_uniform",
        "embed_initializer": "xavier_uniform",
        "tied_embeddings": True,
        "tied_softmax": model.tied,
        "encoder": recurrent | encoder,
        "decoder": deepcopy(recurrent) | decoder,  # in YAML what is shared would be an alias
    }
