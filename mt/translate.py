"""Lines in, translations out, in order, with what the attention looked at."""

import logging
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import torch

from mt import checkpoint, search
from mt.alignments import EMPTY, Alignment, align
from mt.config import Config
from mt.corpora.pairs import Gold
from mt.data import pad
from mt.models.base import Seq2Seq
from mt.search import Hypothesis
from mt.special import BOS, EOS, PAD
from mt.text import Tokenizers

log = logging.getLogger("mt")
Progress = Callable[[int], object]
# A model can emit any byte, but one line in is one line out.
LINE_BREAKS = str.maketrans("\n\r", "  ")


@dataclass(frozen=True)
class Translation:
    """One line: the best hypothesis (its alignment is None where the model has no attention), and the n best."""

    text: str
    score: float
    alignment: Alignment | None
    n_best: list["Translation"]
    """The n best, itself first, each with an empty n_best; empty where n_best is 1."""


class Translator:
    """A trained model, its vocabularies and its search settings."""

    def __init__(self, model: Seq2Seq, tokenizers: Tokenizers, config: Config):
        self.model, self.tokenizers, self.settings = model, tokenizers, config.search
        self.has_attention = config.model.attention.score != "none"

    def translate(
        self,
        lines: Sequence[str],
        *,
        beam: int | None = None,
        length_penalty: float | None = None,
        n_best: int = 1,
        alignments: bool = True,
        gold: Sequence[Gold | None] | None = None,
        progress: Progress | None = None,
    ) -> list[Translation]:
        """Translate each line; an empty line gives an empty translation. beam 1 is greedy search.

        Alignments have the source words of `gold` where it is known. Unset arguments are taken from the run's config.
        `progress` is called with the number of lines just done.
        """
        sources = [self._source(line, number) for number, line in enumerate(lines, 1)]
        empty = Translation("", 0.0, EMPTY, [])
        results = [empty if n_best == 1 else Translation("", 0.0, EMPTY, [empty])] * len(lines)
        if progress:
            progress(sources.count([]))
        for rows in self._batches(sources):
            found = self._search([sources[row] for row in rows], beam or self.settings.beam, length_penalty, n_best)
            for row, hypotheses in zip(rows, found, strict=True):
                known = gold[row] if gold else None
                best = [self._translation(lines[row], sources[row], one, alignments, known) for one in hypotheses]
                results[row] = (
                    best[0] if n_best == 1 else Translation(best[0].text, best[0].score, best[0].alignment, best)
                )
            if progress:
                progress(len(rows))
        return results

    @torch.inference_mode()
    def align(
        self, sources: Sequence[str], targets: Sequence[str], gold: Sequence[Gold | None], shift: int = 0
    ) -> list[Alignment]:
        """Return the attention of forced decoding: the weights that predicted each piece of the given targets.

        With `shift` 1 each piece has the weights of the next step instead, whose query knows the piece (Luong et al.
        2015, footnote 14).

        Words are those of `gold` where it is not None. The model must have attention. A source without text has none.
        """
        encoded = [self._source(line, number) for number, line in enumerate(sources, 1)]
        outputs = [[*self.tokenizers.target.encode(line), EOS] for line in targets]
        results: dict[int, Alignment] = {}
        for rows in self._batches(encoded):
            source_BS = pad([encoded[row] for row in rows])
            target_in_BT = pad([[BOS, *outputs[row][:-1]] for row in rows])
            attention_BTS = self.model(source_BS, source_BS != PAD, target_in_BT, attention=True).attention
            for row, matrix_TS in zip(rows, attention_BTS, strict=True):
                source, target, words = encoded[row], outputs[row], gold[row]
                results[row] = align(
                    sources[row],
                    targets[row],
                    self.tokenizers.source.spans(source[:-1]),
                    self.tokenizers.target.spans(target[:-1]),
                    matrix_TS[
                        [min(step + shift, len(target) - 1) for step in range(len(target))], : len(source)
                    ].numpy(),
                    words.source_spans if words else None,
                    words.target_spans if words else None,
                )
        return [results.get(row, EMPTY) for row in range(len(sources))]

    def _source(self, line: str, number: int) -> list[int]:
        """Return the pieces of a line with </s>, or nothing for a line without text."""
        if not line.strip():
            return []
        pieces = self.tokenizers.source.encode(line)
        if len(pieces) > self.settings.max_source:
            log.warning("line %d has %d pieces: only the first %d (search.max_source) are translated",
                        number, len(pieces), self.settings.max_source)  # fmt: skip
        return [*pieces[: self.settings.max_source], EOS]

    def _batches(self, sources: Sequence[Sequence[int]]) -> Iterator[list[int]]:
        """Yield the row numbers of non-empty sources, those of similar length together, the longest first."""
        rows = sorted((row for row, source in enumerate(sources) if source), key=lambda row: -len(sources[row]))
        while rows:
            size = max(1, min(self.settings.batch, self.settings.batch * 100 // len(sources[rows[0]])))
            yield rows[:size]
            rows = rows[size:]

    def _search(
        self, sources: list[list[int]], beam: int, length_penalty: float | None, n_best: int
    ) -> list[list[Hypothesis]]:
        source_BS = pad(sources)
        mask_BS = source_BS != PAD
        limit_B = (mask_BS.sum(1) * self.settings.max_ratio + self.settings.max_extra).long()
        if beam == 1 and n_best == 1:
            return [[one] for one in search.greedy(self.model, source_BS, mask_BS, limit_B)]
        alpha = self.settings.length_penalty if length_penalty is None else length_penalty
        return search.beam(self.model, source_BS, mask_BS, limit_B, max(beam, n_best), alpha, n_best)

    def _translation(
        self, line: str, source: list[int], found: Hypothesis, alignments: bool, gold: Gold | None
    ) -> Translation:
        text = self.tokenizers.target.decode(found.tokens).translate(LINE_BREAKS)
        if found.attention is None or not alignments:
            return Translation(text, found.score, None, [])
        source_pieces = self.tokenizers.source.spans(source[:-1])
        target_pieces = self.tokenizers.target.spans(found.tokens)
        words, matrix_TS = gold.source_spans if gold else None, found.attention.numpy()
        return Translation(text, found.score, align(line, text, source_pieces, target_pieces, matrix_TS, words), [])


def load(run: str | Path) -> Translator:
    """Return the translator of a run directory: `mt.load("runs/x").translate(["Ein Hund läuft."])`."""
    config, tokenizers, model = checkpoint.load(Path(run))
    if config.threads:
        torch.set_num_threads(config.threads)
    return Translator(model, tokenizers, config)
