"""MODELS: name -> model. To add one: a file here and a line below."""

from mt.config import Model
from mt.models.base import Seq2Seq
from mt.models.rnn import RNN

MODELS: dict[str, type[RNN]] = {"rnn": RNN}


def build(config: Model, source_size: int, target_size: int, joint: bool) -> Seq2Seq:
    """Return a new model for vocabularies of these sizes."""
    return MODELS[config.kind](config, source_size, target_size, joint)
