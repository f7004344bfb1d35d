"""Runs on a toy corpus of a few sentences, with random weights and no training: enough for all that counts links."""

import functools
import json
from pathlib import Path
from typing import Any

from tiny_models import redraw

from mt.config import Config
from mt.config.files import to_yaml
from mt.core.files import write_text
from mt.corpora import load_splits
from mt.corpora.pairs import Split
from mt.inference.aligner import Aligner, Forced, View
from mt.runs import checkpoint
from mt.text.tokenizer import Tokenizers, train_tokenizers

RNN = {"embedding": 8, "hidden": 8, "encoder_hidden": 4, "attention": {"width": 8}}
HEADS = RNN | {"attention": {"width": 8, "heads": 2, "score": "scaled_dot"}}
TRANSFORMER = {"kind": "transformer", "width": 8, "layers": 2, "heads": 2, "feedforward": 16}


def config(model: dict[str, Any], source: str = "de", **search: float) -> Config:
    tree = {
        "corpus": {
            "name": "toy",
            "source": source,
            "target": {"de": "en", "en": "de"}[source],
            "pairs": 80,
            "held_out": 12,
        },
        "vocabulary": {"size": 400},
        "model": {"kind": "rnn"} | model,
        "search": {"beam": 2, "max_extra": 3, "max_ratio": 1.0} | search,
        "threads": 1,
    }
    return Config.model_validate(tree)


@functools.cache
def vocabularies(source: str) -> Tokenizers:
    made = config(RNN, source)
    train = load_splits(made.corpus)["train"]
    return train_tokenizers(train.sources, train.targets, made.vocabulary)


def aligner(config: Config, seed: int = 3, scale: float = 0.6) -> Aligner:
    tokenizers = vocabularies(config.corpus.source)
    model = checkpoint.build(config, tokenizers)
    redraw(model, seed, scale)
    return Aligner(model.float().eval(), tokenizers, config)


def read_off(made: Aligner, pairs: Split, view: View | None = None) -> list[Forced]:
    """What an aligner reads where its config says, or as one view has it, in a decoding of its own."""
    view = view or View(made.site)
    return made.forced(pairs, [view])[view]


def write_run(run: Path, config: Config, seed: int = 3, scale: float = 0.6) -> Path:
    tokenizers = vocabularies(config.corpus.source)
    model = checkpoint.build(config, tokenizers)
    redraw(model, seed, scale)
    model.float()
    write_text(run / "config.yaml", to_yaml(config))
    tokenizers.save(run)
    checkpoint.save(run / "model.safetensors", checkpoint.weights(model), {"update": 7})
    record = {"update": 7, "epoch": 1, "validation_bleu": 0.0, "seconds": 1}
    write_text(run / "metrics.jsonl", json.dumps(record) + "\n")
    return run
