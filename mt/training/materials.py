"""What a training is made of."""

import logging
from dataclasses import dataclass
from pathlib import Path

from mt.config import Config
from mt.corpora.pairs import Split
from mt.corpora.stream import Stream, Survey
from mt.data.pieces import Pieces, report_split
from mt.data.reading import Reading, Sizes, Streamed, Whole
from mt.models.contract import Seq2Seq
from mt.runs.run import Run
from mt.text.tokenizer import Tokenizers
from mt.training.guide import Guide

log = logging.getLogger("mt")


@dataclass(frozen=True)
class Materials:
    """What a training is made of, read before anything is written."""

    config: Config
    splits: dict[str, Split]
    tokenizers: Tokenizers
    guide: Guide | None = None
    teacher: Seq2Seq | None = None
    stream: Stream | None = None
    """The training pairs, where they are streamed; then `splits` has only the first of them."""
    survey: Survey | None = None
    """Of the stream."""
    start: Run | None = None
    """Whose weights training begins with, where nothing is saved of it yet."""


def read_training(given: Materials, cache: Path) -> Reading:
    """Return what is read in training, and log how much it is."""
    train, config, tokenizers = given.splits["train"], given.config, given.tokenizers
    sizes = Sizes(config.train.batch_tokens, config.train.max_pieces, config.seed)
    if given.stream and given.survey:
        survey = given.survey
        out = f" ({survey.dropped:,} with an empty side left out)" * bool(survey.dropped)
        log.info("train: a stream of %s pairs%s, %s at a time", f"{survey.pairs:,}", out, f"{given.stream.buffer:,}")
        return Streamed(given.stream, survey, train, tokenizers, sizes)
    pieces = Pieces(train, tokenizers, cache)
    report_split("train", train, pieces, config.train.max_pieces)
    return Whole(pieces, sizes)
