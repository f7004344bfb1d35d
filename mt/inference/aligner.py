"""Forced decoding: what a trained model looks at while it reads off given translations."""

import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import torch

from mt.alignment.matrices import EMPTY, Alignment, Matrix, align, shifted
from mt.config import Config
from mt.config.models import Report
from mt.core.errors import UserError
from mt.core.special import BOS, EOS, PAD
from mt.corpora.pairs import Gold, Span, Split
from mt.data.batches import group, pad
from mt.models.contract import Seq2Seq
from mt.runs import checkpoint
from mt.text.tokenizer import Tokenizer, Tokenizers

log = logging.getLogger("mt")
Progress = Callable[[int], object]


@dataclass(frozen=True, eq=False)
class Forced:
    """The attention of one pair, before it is decided which links are made of it."""

    source: str
    target: str
    source_pieces: list[tuple[str, Span]]
    target_pieces: list[tuple[str, Span]]
    matrix_TS: Matrix
    """Row t holds the weights that predicted piece t, or the posterior given piece t."""
    gold: Gold | None

    def alignment(self, shift: int = 0, threshold: float | None = None) -> Alignment:
        """Return the alignment of the matrix as it is (0) or shifted (1), its links by argmax or by threshold.

        Words are those of the gold where it is known, else those between white space.
        """
        if not self.source_pieces:
            return EMPTY
        return align(
            self.source,
            self.target,
            self.source_pieces,
            self.target_pieces,
            shifted(self.matrix_TS, shift),
            self.gold.source_spans if self.gold else None,
            self.gold.target_spans if self.gold else None,
            threshold,
        )


class Aligner:
    """A trained model that aligns. Raises UserError when it has no attention."""

    def __init__(self, model: Seq2Seq, tokenizers: Tokenizers, config: Config):
        if not config.model.has_attention:
            raise UserError(
                "this model has no attention (model.attention.score: none), so there is nothing to align by"
            )
        self.model, self.tokenizers, self.config = model, tokenizers, config

    def reporting(self, report: Report) -> "Aligner":
        """Return an aligner of the same weights that reports another layer or head, both of which must exist."""
        tree = self.config.model.model_copy(update={"report": report})
        config = self.config.model_copy(update={"model": tree})
        with torch.random.fork_rng():  # the caller's random numbers stay as they are
            model = checkpoint.build(config, self.tokenizers)
        checkpoint.set_weights(model, checkpoint.weights(self.model), Path(checkpoint.WEIGHTS))
        return Aligner(model.eval(), self.tokenizers, config)

    @torch.inference_mode()
    def forced(self, pairs: Split, progress: Progress | None = None, posterior: bool = False) -> list[Forced]:
        """Return the attention (or posterior) of each pair; a source without text has none.

        `progress` gets the number of pairs just done.
        A side longer than search.max_source pieces is cut to so many, with a warning.
        """
        sources = self._encode(self.tokenizers.source, pairs.sources, "source")
        targets = self._encode(self.tokenizers.target, pairs.targets, "target")
        gold = pairs.gold or [None] * len(sources)
        results = [
            Forced(source, target, [], [], EMPTY.attention, known)
            for source, target, known in zip(pairs.sources, pairs.targets, gold, strict=True)
        ]
        # A source without text has only its </s>.
        longer = [
            max(len(source), len(target)) if len(source) > 1 else 0
            for source, target in zip(sources, targets, strict=True)
        ]
        for rows in group(longer, self.config.search.batch):
            source_BS = pad([sources[row] for row in rows])
            target_in_BT = pad([[BOS, *targets[row][:-1]] for row in rows])
            given = source_BS, source_BS != PAD, target_in_BT
            attention_BTS = (
                self.model.posterior(*given, pad([targets[row] for row in rows]))
                if posterior
                else self.model(*given, attention=True).attention
            )
            for row, matrix_TS in zip(rows, attention_BTS, strict=True):
                results[row] = replace(
                    results[row],
                    source_pieces=self.tokenizers.source.spans(sources[row][:-1]),
                    target_pieces=self.tokenizers.target.spans(targets[row][:-1]),
                    matrix_TS=matrix_TS[: len(targets[row]), : len(sources[row])].numpy().copy(),
                )
            if progress:
                progress(len(rows))
        return results

    def _encode(self, tokenizer: Tokenizer, lines: Sequence[str], side: str) -> list[list[int]]:
        most, encoded = self.config.search.max_source, []
        for number, line in enumerate(lines, 1):
            pieces = tokenizer.encode(line) if line.strip() else []
            if len(pieces) > most:
                log.warning("%s line %d has %d pieces: only the first %d (search.max_source) are aligned",
                            side, number, len(pieces), most)  # fmt: skip
            encoded.append([*pieces[:most], EOS])
        return encoded


def load_aligner(run: Path) -> Aligner:
    """Return the aligner of a run directory. Raises UserError when it is none, or its model has no attention."""
    config, tokenizers, model = checkpoint.load(run)
    torch.set_num_threads(config.threads or 1)
    return Aligner(model, tokenizers, config)
