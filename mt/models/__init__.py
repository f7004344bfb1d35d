"""MODELS: kind -> model. To add one: a file here, its keys in mt/config/models.py, and a line below."""

from collections.abc import Callable

from mt.config.models import Model
from mt.models.contract import Seq2Seq
from mt.models.rnn.model import RNN
from mt.models.transformer import Transformer

MODELS: dict[str, Callable[..., Seq2Seq]] = {"rnn": RNN, "transformer": Transformer}


def build_model(config: Model, source_size: int, target_size: int, joint: bool) -> Seq2Seq:
    """Return a new model for vocabularies of these sizes."""
    return MODELS[config.kind](config, source_size, target_size, joint)
