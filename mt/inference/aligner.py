"""Forced decoding: what a trained model looks at while it reads off given translations."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import NamedTuple

import torch
from torch import Tensor

from mt.alignment.matrices import EMPTY, Alignment, Matrix, Side, align, shifted
from mt.config import Config
from mt.core.device import set_threads
from mt.core.errors import UserError
from mt.core.progress import Progress
from mt.corpora.pairs import Gold, Span, Split
from mt.data.batches import batch_of, group
from mt.inference.scorer import encode_side
from mt.models.contract import HasPosterior, Look, Seq2Seq, Site, attention_at, default_site
from mt.runs.run import Run
from mt.text.tokenizer import Tokenizers
from mt.text.words import Unit


class View(NamedTuple):
    """What of a model's attention is read."""

    site: Site
    posterior: bool = False
    """Not the weights that predicted a piece, but which source piece explains it: of the last layer alone."""


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

    def alignment(self, shift: int = 0, threshold: float | None = None, unit: Unit = "words") -> Alignment:
        """Return the alignment of the matrix as it is (0) or shifted (1), its links by argmax or by threshold.

        Words are those of the gold where it is known, else those of `mt.text.words`.
        """
        if not self.source_pieces:
            return EMPTY
        words = (self.gold.source_spans, self.gold.target_spans) if self.gold else (None, None)
        source = Side(self.source, self.source_pieces, words[0])
        target = Side(self.target, self.target_pieces, words[1])
        return align(source, target, shifted(self.matrix_TS, shift), threshold, unit)


class Aligner:
    """A trained model that aligns. Raises UserError when it has no attention."""

    def __init__(self, model: Seq2Seq, tokenizers: Tokenizers, config: Config):
        if not model.has_attention:
            raise UserError(
                "this model has no attention (model.attention.score: none), so there is nothing to align by"
            )
        self.model, self.tokenizers, self.config = model, tokenizers, config
        self.site = default_site(model, config.model.report) or Site(1)
        """Where the config looks."""

    @torch.inference_mode()
    def forced(self, pairs: Split, views: Sequence[View], progress: Progress | None = None) -> dict[View, list[Forced]]:
        """Return each pair as each view has it, all from one pass over the pairs; a source without text has nothing.

        The model predicts the targets once for all the weights, and once for all the posteriors. `progress` gets the
        number of pairs just done. A side longer than search.max_source pieces is cut to so many, with a warning.
        """
        most = self.config.search.max_source
        sources = encode_side(self.tokenizers.source, pairs.sources, most, "source")
        targets = encode_side(self.tokenizers.target, pairs.targets, most, "target")
        results = [
            Forced(source, target, [], [], EMPTY.attention, known)
            for source, target, known in zip(
                pairs.sources, pairs.targets, pairs.gold or [None] * len(sources), strict=True
            )
        ]
        found = {view: list(results) for view in views}
        # A source without text has only its </s>.
        longer = [
            max(len(source), len(target)) if len(source) > 1 else 0
            for source, target in zip(sources, targets, strict=True)
        ]
        for rows in group(longer, self.config.search.batch):
            read = self._read(views, [sources[row] for row in rows], [targets[row] for row in rows])
            for place, row in enumerate(rows):
                here = replace(
                    results[row],
                    source_pieces=self.tokenizers.source.spans(sources[row][:-1], pairs.sources[row]),
                    target_pieces=self.tokenizers.target.spans(targets[row][:-1], pairs.targets[row]),
                )
                for view, matrix_BTS in read.items():
                    matrix_TS = matrix_BTS[place, : len(targets[row]), : len(sources[row])].cpu().numpy().copy()
                    found[view][row] = replace(here, matrix_TS=matrix_TS)
            if progress:
                progress(len(rows))
        return found

    def _read(
        self, views: Sequence[View], sources: Sequence[list[int]], targets: Sequence[list[int]]
    ) -> dict[View, Tensor]:
        """Return the matrices of a batch as each view has them, [B, T, S]."""
        batch = batch_of(sources, targets).to(self.model.device)
        weighed, read = {view.site for view in views if not view.posterior}, dict[View, Tensor]()
        if len(weighed) == 1:  # the other layers of a Transformer keep their fused kernel
            (site,) = weighed
            read[View(site)] = self.model(*batch.given, Look(site)).attention
        elif weighed:
            layers = dict(enumerate(self.model(*batch.given, Look("all")).attention.unbind(1), 1))
            read |= {View(site): attention_at(site, layers) for site in weighed}
        explained = [view for view in views if view.posterior]
        if explained:
            if not isinstance(self.model, HasPosterior):
                raise UserError("this model cannot tell which source piece explains a target piece: read its weights")
            posterior_BHTS = self.model.posterior(*batch.given, batch.target_out_BT)
            read |= {view: posterior_BHTS[:, view.site.head or 0] for view in explained}
        return read


def load_aligner(run: Run) -> Aligner:
    """Return the aligner of a run. Raises UserError when it has no model, or its model has no attention."""
    set_threads(run.config.threads)
    return Aligner(run.model, run.tokenizers, run.config)
