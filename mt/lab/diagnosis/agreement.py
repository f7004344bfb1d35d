"""How often two runs look at the same source piece."""

import numpy as np

from mt.alignment.matrices import Side, align
from mt.core.arrays import Floats
from mt.inference.scorer import Scored, Scorer
from mt.lab.diagnosis.case import NO_ATTENTION, Case, DoesNotApplyError
from mt.lab.diagnosis.finding import Measured
from mt.lab.diagnosis.rated import MOST, percent, weights_of
from mt.text.tokenizer import Tokenizers


def measure_agreement(case: Case) -> Measured:
    """Return how often the most attended piece, or word, of another run is the same, on the references."""
    if case.against is None:
        raise DoesNotApplyError("There is no other run to agree with: name one, such as another seed, by --against.")
    other = case.against
    if not case.run.model.has_attention or not other.model.has_attention:
        raise DoesNotApplyError("One of the two runs has no attention, so their weights cannot agree.")
    pairs, runs = case.pairs.take(case.draw(MOST)), (case.run, other)
    scorers = case.scorer, Scorer(other.model, other.tokenizers, other.config)
    read = [one.score(pairs.sources, pairs.targets) for one in scorers]
    same = [one.identity for one in case.run.tokenizers] == [one.identity for one in other.tokenizers]
    if same:
        matrices = [[weights_of(one) for one in every] for every in read]
    else:
        lines = list(zip(pairs.sources, pairs.targets, strict=True))
        matrices = [
            [in_words(run.tokenizers, *line, one) for line, one in zip(lines, every, strict=True)]
            for run, every in zip(runs, read, strict=True)
        ]
    both = [(one, two) for one, two in zip(*matrices, strict=True) if one.size]
    agreed = [one.argmax(1) == two.argmax(1) for one, two in both]
    chance = [np.full(len(one), 1 / one.shape[1]) for one, _ in both]
    if not agreed:
        raise DoesNotApplyError("No pair has words on both sides, so there is nothing to agree about.")
    value = percent([one.astype(float) for one in agreed])
    return Measured(
        value,
        f"Both runs look most at the same source {'piece' if same else 'word'} in {value:.0f} % of the steps; by "
        f"chance it would be {percent(chance):.0f} %.",
    )


def in_words(tokenizers: Tokenizers, source: str, target: str, read: Scored) -> Floats:
    """Return the weights between the words of a pair, for runs whose pieces differ; </s> left out."""
    if read.matrix_TS is None:
        raise DoesNotApplyError(NO_ATTENTION)
    sides = (
        Side(source, tokenizers.source.spans(read.source[:-1], source)),
        Side(target, tokenizers.target.spans(read.target[:-1], target)),
    )
    return align(*sides, read.matrix_TS).words[:, :-1].astype(float)
