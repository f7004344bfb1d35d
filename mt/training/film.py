"""The film of a training: how a few validation sentences are read and translated at each validation."""

import logging
from collections.abc import Collection
from itertools import islice
from pathlib import Path

import numpy as np

from mt.alignment.matrices import END, Side
from mt.core import ranks
from mt.core.errors import DamagedError, UserError
from mt.corpora.pairs import Gold, Split
from mt.data.pieces import Pieces
from mt.inference.aligner import Aligner, View
from mt.inference.scorer import encode_side
from mt.models.contract import Seq2Seq
from mt.runs.film import RESCUED, Film, Frame, Seen, Sentence, read_film, rescue_film
from mt.text.words import words_in
from mt.training.validation import Validator

log = logging.getLogger("mt")
FEWEST, MOST = 4, 20
"""Words of either side of a sentence that is worth to be watched."""


class Camera:
    """Adds a frame to the film at each validation; of processes that train together, the first does."""

    def __init__(self, validator: Validator, path: Path):
        self.validator, self.path = validator, path
        count = 0 if ranks.rank() else validator.config.train.film
        self.pairs = validator.split.take(choose(validator.split, validator.pieces, count))
        known = self.pairs.gold or [None] * len(self.pairs.sources)
        self.film = Film([*map(self._sentence, self.pairs.sources, self.pairs.targets, known)])

    def _sentence(self, source: str, target: str, gold: Gold | None) -> Sentence:
        config, names, words = self.validator.config, list[list[str]](), list[list[str]]()
        spans = (gold.source_spans, gold.target_spans) if gold else (None, None)
        for name, text, known in zip(("source", "target"), (source, target), spans, strict=True):
            tokenizer = getattr(self.validator.tokenizers, name)
            (pieces,) = encode_side(tokenizer, [text], config.search.max_source, name)
            side = Side(text, tokenizer.spans(pieces[:-1], text), known)
            names.append([*side.names("pieces"), END])
            words.append(side.names(config.alignment.unit))
        return Sentence(source, target, *names, *words)

    def go_on(self, updates: Collection[int]) -> None:
        """Go on with the film as it was after these updates, whose validations the state knows; others come again.

        Of a damaged file those frames are kept that can be read, and a warning says so. Raises UserError where the
        file is of other sentences.
        """
        if not self.pairs.sources:
            return
        try:
            before = read_film(self.path, RESCUED)
        except DamagedError as error:
            before = rescue_film(self.path, self.film.sentences)
            kept = len([frame for frame in before.frames if frame.update in updates])
            log.warning("%s: %d of %d frames", error, kept, len(updates))
        if before.frames and before.sentences != self.film.sentences:
            raise UserError(f"{self.path} is of other sentences than those of this training: restore it, or delete it")
        self.film = Film(self.film.sentences, [frame for frame in before.frames if frame.update in updates])
        self.film.write(self.path)

    def add(self, update: int, epoch: int, model: Seq2Seq) -> None:
        """Add what a model makes of the sentences now, and write the film.

        That is before the state is saved, so that no validation the state knows is without its frame.
        """
        if not self.pairs.sources:
            return
        translations = self.validator.greedy(model, self.pairs.sources)
        seen = [Seen(*both) for both in zip(self._attention(model), translations, strict=True)]
        self.film = Film(self.film.sentences, [*self.film.frames, Frame(update, epoch, seen)])
        self.film.write(self.path)

    def _attention(self, model: Seq2Seq) -> list[list[list[int]] | None]:
        """Return the weights of each sentence in thousandths, at the config's site, while its target is read off."""
        if not model.has_attention:
            return [None] * len(self.pairs.sources)
        aligner = Aligner(model, self.validator.tokenizers, self.validator.config)
        (read,) = aligner.forced(self.pairs, [View(aligner.site)]).values()
        return [np.rint(1000 * one.matrix_TS).astype(int).tolist() for one in read]


def choose(split: Split, pieces: Pieces, count: int) -> list[int]:
    """Return the rows of the first pairs with 4 to 20 words on both sides, or of the first pairs if those are fewer.

    A source without a piece, which is not translated, is passed over.
    """
    sizes = ([len(words_in(side)) for side in pair] for pair in zip(split.sources, split.targets, strict=True))
    fitting = (row for row, size in enumerate(sizes) if min(size) >= FEWEST and max(size) <= MOST)
    rows = [*islice(fitting, count)]
    return rows if len(rows) == count else np.flatnonzero(pieces.source_lengths > 1)[:count].tolist()
