"""Forced decoding: how likely a trained model finds given translations, piece by piece, from one pass."""

import logging
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import torch
from numpy.typing import NDArray

from mt.config import Config
from mt.core.arrays import Whole
from mt.core.progress import Progress
from mt.core.special import EOS
from mt.data.batches import Batch, batch_of, group
from mt.models.contract import Look, Seq2Seq, default_site
from mt.text.tokenizer import Tokenizer, Tokenizers

log = logging.getLogger("mt")
Floats = NDArray[np.float32]


@dataclass(frozen=True, eq=False)
class Scored:
    """One pair as a model read it. T target pieces and S source pieces, </s> included."""

    source: list[int]
    """Its pieces, </s> last."""
    target: list[int]
    """Its pieces, </s> last."""
    log_probabilities_T: Floats
    """Of each target piece, in nats."""
    entropies_T: Floats
    """Of the distribution over the vocabulary that predicted each piece, in nats."""
    likeliest_T: Whole
    """The piece that the model found likeliest at each step."""
    matrix_TS: Floats | None
    """The attention that predicted each piece, where it was looked at; None for a model without attention."""
    highest_T: Floats
    """The log probability of the likeliest piece at each step, in nats."""


class Scorer:
    """A trained model that says how likely given translations are."""

    def __init__(self, model: Seq2Seq, tokenizers: Tokenizers, config: Config):
        self.model, self.tokenizers, self.config = model, tokenizers, config
        self.site = default_site(model, config.model.report)
        """Where attention is looked at: where the config says; None without attention."""

    def score(
        self,
        sources: Sequence[str],
        targets: Sequence[str],
        look: Look | None = None,
        progress: Progress | None = None,
    ) -> list[Scored]:
        """Return each pair as the model reads it.

        `look`: what replaces the weights (unset: nothing); its site is that of the config where it names none. A side
        longer than search.max_source pieces is cut to so many, with a warning. `progress` gets the number of pairs just
        done.
        """
        most = self.config.search.max_source
        return self.score_pieces(
            encode_side(self.tokenizers.source, sources, most, "source"),
            encode_side(self.tokenizers.target, targets, most, "target"),
            look,
            progress,
        )

    @torch.inference_mode()
    def score_pieces(
        self,
        sources: Sequence[list[int]],
        targets: Sequence[list[int]],
        look: Look | None = None,
        progress: Progress | None = None,
    ) -> list[Scored]:
        """Return the same of pairs that are pieces already, </s> last on both sides."""
        look = look or Look()
        look = look if look.sites else replace(look, sites=self.site)
        found: dict[int, Scored] = {}
        longer = [max(len(source), len(target)) for source, target in zip(sources, targets, strict=True)]
        for rows in group(longer, self.config.search.batch):
            batch = batch_of([sources[row] for row in rows], [targets[row] for row in rows]).to(self.model.device)
            output = self.model(*batch.given, look).float()
            log_probs_BTV = output.logits.log_softmax(-1)
            own_BT = log_probs_BTV.gather(2, batch.target_out_BT[..., None])[..., 0]
            entropy_BT = -(log_probs_BTV.exp() * log_probs_BTV.clamp_min(-1e4)).sum(-1)
            highest_BT, likeliest_BT = log_probs_BTV.max(-1)
            for place, row in enumerate(rows):
                size, width = len(targets[row]), len(sources[row])
                seen = output.attention
                found[row] = Scored(
                    sources[row],
                    targets[row],
                    own_BT[place, :size].cpu().numpy().copy(),
                    entropy_BT[place, :size].cpu().numpy().copy(),
                    likeliest_BT[place, :size].cpu().numpy().copy(),
                    None if seen is None else seen[place, ..., :size, :width].cpu().numpy().copy(),
                    highest_BT[place, :size].cpu().numpy().copy(),
                )
            if progress:
                progress(len(rows))
        return [found[row] for row in range(len(sources))]


def encode_side(tokenizer: Tokenizer, lines: Sequence[str], most: int, side: str) -> list[list[int]]:
    """Return the pieces of each line, </s> last; a line longer than `most` pieces is cut, with a warning."""
    encoded = []
    for number, line in enumerate(lines, 1):
        pieces = tokenizer.encode(line) if line.strip() else []
        if len(pieces) > most:
            log.warning(
                "%s line %d has %d pieces: only the first %d (search.max_source) are read",
                *(side, number, len(pieces), most),
            )
        encoded.append([*pieces[:most], EOS])
    return encoded


def mean_loss(read: Sequence[Scored]) -> float:
    """Return the mean loss of all pieces, without smoothing, in nats."""
    return -float(np.concatenate([one.log_probabilities_T for one in read]).mean(dtype=float))


def batch_again(read: Sequence[Scored], model: Seq2Seq) -> Batch:
    """Return pairs that were read as one batch, where the model computes."""
    return batch_of([one.source for one in read], [one.target for one in read]).to(model.device)
