"""What an exported model says of itself: its export.json."""

from typing import Literal

from mt.config.alignment import AlignmentConfig
from mt.config.search import Search
from mt.config.tree import Tree

Engine = Literal["ctranslate2", "onnx"]
Weights = Literal["float32", "float16", "int8"]


class Pieces(Tree):
    """The numbers of the special pieces, in both vocabularies."""

    pad: int
    unk: int
    bos: int
    eos: int


class Vocabularies(Tree):
    """How text becomes pieces: by SentencePiece models, which lie beside this file."""

    source: str
    """The file of the source language's."""
    target: str
    """The file of the target language's; the same where they are one."""
    normalize: bool
    """Whether text is put in its normal form (NFC, one space for each white space, no invisible characters) before."""
    special: Pieces


class Graph(Tree):
    """A graph of ONNX: its file, and the names of what goes in and comes out, in order."""

    file: str
    inputs: tuple[str, ...]
    outputs: tuple[str, ...]


def positions_of(search: Search) -> int:
    """Return how many pieces a source or a translation may have by these settings, <s> or </s> included."""
    source = search.max_source + 1
    return max(source, int(source * search.max_ratio + search.max_extra))


class ExportedModel(Tree):
    """The model that was exported."""

    has_attention: bool
    """Whether it says what it looked at."""
    positions: int | None = None
    """So many pieces may a source have, or a translation, </s> included. Unset: any number."""
    weights: Weights = "float32"
    """What they are kept in."""
    encode: Graph | None = None
    """From a source to what is known of it, and the state before the first piece (ONNX)."""
    step: Graph | None = None
    """From pieces and a state to log probabilities of the next pieces, attention, and the next state (ONNX)."""


class Exported(Tree):
    """An exported model."""

    format: Literal[1] = 1
    """The version of this file."""
    mt: str
    """The version of mt that wrote it."""
    engine: Engine
    """What runs it."""
    run: str
    """The fingerprint of the weights that it was made of."""
    source: str
    """The source language."""
    target: str
    """The target language."""
    model: ExportedModel
    vocabularies: Vocabularies
    search: Search
    """The settings of the run, which translating uses where no others are given."""
    alignment: AlignmentConfig
    files: dict[str, str]
    """The SHA-256 of each other file."""
