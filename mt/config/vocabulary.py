"""Keys of `vocabulary`."""

from typing import Annotated, Literal

from pydantic import Field

from mt.config.tree import Tree


class Vocabulary(Tree):
    """SentencePiece, trained on the training split only, or on 200,000 of its pairs."""

    kind: Literal["bpe", "unigram"] = "bpe"
    """bpe: byte-pair encoding (Sennrich et al. 2016). unigram: a unigram language model (Kudo 2018)."""
    size: Annotated[int, Field(ge=300, le=1_000_000)] = 5000
    """Pieces, the 4 special symbols and 256 bytes included."""
    normalize: Literal["nfc", "none"] = "nfc"
    """nfc: pieces are cut of a text in NFC, without invisible characters (soft hyphens, zero-width spaces, marks of
    direction), and with one space for any white space, so that all ways to type a text are one to the model. none: they
    are cut of the text as it is."""
    joint: bool = True
    """One vocabulary for both languages, or one of this size for each."""
