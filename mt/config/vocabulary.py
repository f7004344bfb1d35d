"""Keys of `vocabulary`."""

from typing import Annotated, Literal

from pydantic import Field

from mt.config.tree import Tree


class Vocabulary(Tree):
    """SentencePiece, trained on the training split only."""

    kind: Literal["bpe", "unigram"] = "bpe"
    """bpe: byte-pair encoding (Sennrich et al. 2016). unigram: a unigram language model (Kudo 2018)."""
    size: Annotated[int, Field(ge=300)] = 5000
    """Pieces, the 4 special symbols and 256 bytes included."""
    joint: bool = True
    """One vocabulary for both languages, or one of this size for each."""
