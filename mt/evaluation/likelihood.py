"""How likely a run finds given translations (`mt score`)."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

from mt.core.device import set_threads
from mt.core.errors import UserError
from mt.core.progress import Meter
from mt.corpora.pairs import Split
from mt.inference.scorer import Scorer, mean_loss
from mt.runs.run import Run


@dataclass(frozen=True)
class Likelihood:
    """How likely one translation is, given its source; log probabilities are natural."""

    source: str
    target: str
    log_probability: float
    """Of all its pieces, </s> included: the sum of theirs."""
    pieces: list[str]
    log_probabilities: list[float]
    entropies: list[float]
    """Of the distribution over the vocabulary that predicted each piece, in nats."""


def score_pairs(run: Run, pairs: Split) -> tuple[list[Likelihood], float]:
    """Return how likely each pair is, and the perplexity of all target pieces: exp of their mean loss.

    Raises UserError where there is no pair.
    """
    if not pairs.sources:
        raise UserError("there is no pair to score")
    set_threads(run.config.threads)
    scorer = Scorer(run.model, run.tokenizers, run.config)
    meter = Meter("scoring", "pair", len(pairs.sources))
    read = scorer.score(pairs.sources, pairs.targets, progress=meter.add)
    meter.close()
    name = run.tokenizers.target.name
    found = [
        Likelihood(
            source,
            target,
            math.fsum(one.log_probabilities_T.tolist()),
            [name(piece) for piece in one.target],
            one.log_probabilities_T.tolist(),
            one.entropies_T.tolist(),
        )
        for source, target, one in zip(pairs.sources, pairs.targets, read, strict=True)
    ]
    return found, math.exp(mean_loss(read))


def describe(found: Sequence[Likelihood], perplexity: float) -> str:
    """Return the figures of all pairs in a sentence."""
    pieces = sum(len(one.pieces) for one in found)
    return f"{len(found):,} pairs, {pieces:,} target pieces: perplexity {perplexity:.3f}"
