"""Lines in, translations out, in order, with what the attention looked at."""

import logging
import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from mt import search
from mt.alignment.matrices import EMPTY, Alignment, align
from mt.config import Config, Search
from mt.core.device import side_by_side
from mt.core.errors import UserError
from mt.core.special import EOS, PAD
from mt.corpora.pairs import Gold
from mt.data.batches import group, pad
from mt.models.contract import Look, Seq2Seq, default_site
from mt.search import Hypothesis
from mt.text.tokenizer import Tokenizers

log = logging.getLogger("mt")
Progress = Callable[[int], object]
# A model can emit any byte, but one line in is one line out, and text has no NUL.
NOT_IN_A_LINE = str.maketrans("\n\r\0", "   ")


@dataclass(frozen=True)
class Translation:
    """The best translation of a line, or the first sample; its alignment is None where the model has no attention."""

    text: str
    score: float
    alignment: Alignment | None
    others: tuple["Translation", ...] = ()
    """The next best ones, or the other samples, without any of their own."""

    @property
    def n_best(self) -> list["Translation"]:
        """The n best, this one first."""
        return [self, *self.others]


class Translator:
    """A trained model, its vocabularies and its search settings.

    Of an ensemble `config` is the first member's, whose search settings hold.
    Their keys `nearest` and `precision` are for whoever makes the model: see `load`.
    """

    def __init__(self, model: Seq2Seq, tokenizers: Tokenizers, config: Config):
        self.model, self.tokenizers, self.settings = model, tokenizers, config.search
        self.has_attention, self.look = model.has_attention, Look(default_site(model, config.model.report))

    def translate(
        self,
        lines: Sequence[str],
        settings: Search | None = None,
        *,
        n_best: int = 1,
        alignments: bool = True,
        gold: Sequence[Gold | None] | None = None,
        progress: Progress | None = None,
    ) -> list[Translation]:
        """Translate each line; an empty line gives an empty translation. Unset settings are those of the run's config.

        Beam 1 is greedy search, whose score is the log probability, as is that of a sample; `n_best` is then the number
        of samples. A line's samples depend on sample_seed and on its number here, not on the other lines.
        Alignments have the source words of `gold` where it is known. `progress` is called with the number of lines just
        done. Raises UserError when a coverage penalty is asked of a model without attention.
        """
        settings, lines = settings or self.settings, [line.strip() for line in lines]  # as corpora are read
        if settings.coverage_penalty and not self.has_attention:
            raise UserError("search.coverage_penalty needs attention, and this model has none: set it to 0")
        sources = [self._source(line, number, settings.max_source) for number, line in enumerate(lines, 1)]
        results = [Translation("", 0.0, EMPTY)] * len(lines)
        if progress:
            progress(sources.count([]))
        width = n_best if settings.sample else max(settings.beam, n_best)
        batches = list(group([len(source) for source in sources], settings.batch, width))
        with side_by_side(len(batches)) as each:
            searches = each(lambda rows: self._search({row: sources[row] for row in rows}, settings, n_best), batches)
            for rows, found in zip(batches, searches, strict=True):
                for row, hypotheses in zip(rows, found, strict=True):
                    known = gold[row] if gold else None
                    results[row] = self._ranked(lines[row], sources[row], hypotheses, alignments, known)
                if progress:
                    progress(len(rows))
        return results

    def _source(self, line: str, number: int, longest: int) -> list[int]:
        """Return the pieces of a line with </s>, or nothing for a line without text."""
        if not line:
            return []
        pieces = self.tokenizers.source.encode(line)
        if len(pieces) > longest:
            log.warning(
                "line %d has %d pieces: only the first %d (search.max_source) are translated",
                number,
                len(pieces),
                longest,
            )
        return [*pieces[:longest], EOS]

    def _search(self, sources: dict[int, list[int]], settings: Search, n_best: int) -> list[list[Hypothesis]]:
        """Return what is found for the sources, given by their row among the lines."""
        source_BS = pad(list(sources.values()))
        mask_BS = source_BS != PAD
        limit_B = (mask_BS.sum(1) * settings.max_ratio + settings.max_extra).long()
        batch = self.model, source_BS, mask_BS, limit_B
        if settings.sample:
            # Seeds of text, because Python takes in the whole of it; of a number torch keeps 32 bits.
            generators = [random.Random(f"{settings.sample_seed} {row}") for row in sources]
            chosen = settings.temperature, settings.top_k, settings.top_p, settings.no_repeat
            return search.sample(*batch, generators, n_best, *chosen, self.look)
        if settings.beam == n_best == 1:
            return [[one] for one in search.greedy(*batch, settings.no_repeat, self.look)]
        penalties = settings.length_penalty, n_best, settings.coverage_penalty, settings.no_repeat
        return search.beam(*batch, max(settings.beam, n_best), *penalties, self.look)

    def _ranked(
        self, line: str, source: list[int], found: list[Hypothesis], alignments: bool, gold: Gold | None
    ) -> Translation:
        best, *others = (self._translation(line, source, one, alignments, gold) for one in found)
        return replace(best, others=tuple(others))

    def _translation(
        self, line: str, source: list[int], found: Hypothesis, alignments: bool, gold: Gold | None
    ) -> Translation:
        text = self.tokenizers.target.decode(found.tokens).translate(NOT_IN_A_LINE)
        if found.attention is None or not alignments:
            return Translation(text, found.score, None)
        source_pieces = self.tokenizers.source.spans(source[:-1])
        target_pieces = self.tokenizers.target.spans(found.tokens)
        words, matrix_TS = gold.source_spans if gold else None, found.attention.numpy()
        return Translation(text, found.score, align(line, text, source_pieces, target_pieces, matrix_TS, words))
