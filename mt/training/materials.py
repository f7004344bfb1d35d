"""What a training is made of."""

from dataclasses import dataclass

from mt.config import Config
from mt.corpora.pairs import Split
from mt.models.contract import Seq2Seq
from mt.text.tokenizer import Tokenizers
from mt.training.guide import Guide


@dataclass(frozen=True)
class Materials:
    """What a training is made of, read before anything is written."""

    config: Config
    splits: dict[str, Split]
    tokenizers: Tokenizers
    guide: Guide | None = None
    teacher: Seq2Seq | None = None
