"""JoeyNMT with equal shapes, by what against_joeynmt.py tells it."""

import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import yaml
from peer import PACKAGES, VOCABULARY, settings
from peers import Peer, Shape, Translated, Usage
from watched import watch

from mt.config import Config
from mt.config.models import RNNModel, TransformerModel
from mt.core.files import write_text

LINE = re.compile(r"Tokens per Sec:\s+(\d+)")
LOGGED = 2
BATCH = 4096
"""Pieces of a batch at which it trains fastest, of 1,024, 2,048 and 4,096."""


class JoeyNMT(Peer):
    """JoeyNMT, in float32, which is all that it has on a CPU."""

    name = "JoeyNMT"
    packages = PACKAGES
    unfair = (
        f"JoeyNMT trains with batches of {BATCH:,} pieces, best with a GRU, in half as many updates; its pieces are "
        "another SentencePiece model of the same size and text, so its sources differ in length; ours drops out before "
        "the output layer, JoeyNMT elsewhere."
    )

    def train(self, shape: Shape, threads: int, updates: int) -> Usage:
        """Train for half as many updates."""
        updates = max(2 * LOGGED, updates // 2 // LOGGED * LOGGED)
        self._configure(shape, {"updates": updates, "validation_freq": updates, "logging_freq": LOGGED})
        command = [self.python, "-m", "joeynmt", "train", f"{shape.name}.yaml", "--skip-test"]
        environment = self.environment(threads) | {"PYTHONSAFEPATH": "1"}
        return watch(command, self.home, environment, LINE, lambda match, seconds: round(int(match[1]) * seconds))

    def translate(self, shape: Shape, threads: int, modes: Sequence[tuple[int, int]]) -> Translated:
        """Translate text, cutting it into pieces included."""
        told = {"lines": list(self.text.lines), "config": str(self.home / f"{shape.name}.yaml")}
        return self.measure("run_joeynmt.py", threads, modes, **told)

    def _configure(self, shape: Shape, training: dict[str, Any]) -> None:
        corpus, size = shape.config.corpus, shape.config.vocabulary.size
        files: list[Path] = [self.text.folder / f"train.{language}" for language in (corpus.source, corpus.target)]
        for name in ("train", "validation"):
            for language in (corpus.source, corpus.target):
                lines = (self.text.folder / f"train.{language}").read_text(encoding="utf-8").splitlines(keepends=True)
                write_text(self.home / f"{name}.{language}", "".join(lines if name == "train" else lines[:10]))
        if not (self.home / "spm.vocab.txt").exists():
            self.run([self.python, "-c", VOCABULARY, size, *files], 1)
        told = told_of(shape.config, self.home) | {"model_dir": str(self.home / shape.name)}
        told["training"] |= training
        write_text(self.home / f"{shape.name}.yaml", yaml.safe_dump(told, sort_keys=False))


def told_of(config: Config, home: Path) -> dict[str, Any]:
    """Return JoeyNMT's configuration for one of our models. Raises UserError when it has no such model."""
    model = config.model
    if not isinstance(model, TransformerModel):
        return settings(config, home, BATCH, 5)
    told = settings(config.model_copy(update={"model": RNNModel(attention={"wiring": "luong"})}), home, BATCH, 5)
    embeddings = {"embedding_dim": model.width, "scale": True, "dropout": model.dropout.embedding}
    side = {
        "type": "transformer",
        "num_layers": model.layers,
        "num_heads": model.heads,
        "hidden_size": model.width,
        "ff_size": model.feedforward,
        "dropout": model.dropout.residual,
        "layer_norm": "pre",
    }
    told["model"] = {
        "initializer": "xavier_uniform",
        "embed_initializer": "xavier_uniform",
        "tied_embeddings": True,
        "tied_softmax": model.tied,
        "encoder": side | {"embeddings": embeddings},
        "decoder": side | {"embeddings": dict(embeddings)},
    }
    return told
