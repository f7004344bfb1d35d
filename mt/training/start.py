"""A training that begins with the weights and the vocabularies of a trained run (train.start)."""

import logging
from dataclasses import replace
from typing import Any

from pydantic import ValidationError

from mt.config import Config
from mt.config.files import merge
from mt.config.mistakes import explain_all
from mt.config.tree import flatten
from mt.core.errors import UserError
from mt.runs import checkpoint
from mt.runs.names import WEIGHTS
from mt.runs.run import Run
from mt.text.tokenizer import Tokenizers
from mt.training.trainer import Trainer

log = logging.getLogger("mt")
TAKEN = {"model", "vocabulary"}
"""The nodes of the configuration that are those of the run it starts from."""
FREE = ("model.dropout.", "model.report.")
"""Keys of them that change no weight, and may so be others."""


def take_over(config: Config) -> Config:
    """Return the config with the model and the vocabulary of the run that it starts from, if it starts from one.

    Raises UserError where there is no such run, and where the config itself says otherwise of them, by its keys.
    """
    if config.train.start is None:
        return config
    start = Run(config.train.start)
    theirs = flatten(start.config.model_dump(mode="json", include=TAKEN))
    differing = [
        f"{key} is {value} here and {theirs.get(key, 'unset')} there"
        for key, value in flatten(_said(config)).items()
        if not key.startswith(FREE) and theirs.get(key) != value
    ]
    if differing:
        raise UserError(
            f"train.start: {start} has another model or vocabulary ({'; '.join(differing)}): leave these keys out, so "
            f"that those of the run hold, or train without train.start"
        )
    return adopt(config, start.config)


def adopt(config: Config, given: Config) -> Config:
    """Return the config with the model and the vocabulary of `given`, but for the keys that it says itself."""
    tree = config.model_dump(mode="json") | given.model_dump(mode="json", include=TAKEN)
    merge(tree, _said(config), {}, "")
    try:
        return Config.model_validate(tree)
    except ValidationError as error:
        raise UserError(
            explain_all(error.errors(), {}, f"the config, with the model of {config.train.start}")
        ) from None


def _said(config: Config) -> dict[str, Any]:
    """Return what somebody has written of the nodes of TAKEN, in a file or as an override."""
    return config.model_dump(mode="json", include=TAKEN, exclude_unset=True)


def load_start(config: Config, tokenizers: Tokenizers | None) -> Run | None:
    """Return the run whose weights a training begins with, which has been read; None where they are random.

    `tokenizers` are those of the training, where it has them already. Raises UserError when the run has no weights, or
    other vocabularies.
    """
    if config.train.start is None:
        return None
    start = Run(config.train.start)
    start.model.eval()  # read now, before anything is written
    pairs = zip(start.tokenizers, tokenizers or start.tokenizers, strict=True)
    if any(theirs.identity != mine.identity for theirs, mine in pairs):
        raise UserError(
            f"{start} has other vocabularies than when this training was begun: restore it, or begin anew (--overwrite)"
        )
    return start


def begin_with(trainer: Trainer, start: Run) -> None:
    """Give a training the weights of a run, and save them, so that it needs that run no more."""
    for model in (trainer.model, trainer.learned.average.module):
        checkpoint.set_weights(model, checkpoint.weights(start.model), start / WEIGHTS)
    trainer.position = replace(trainer.position, start=start.fingerprint)
    trainer.save()
    log.info("%s begins with the weights, the model and the vocabularies of %s", trainer.run, start)
