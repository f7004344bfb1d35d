"""How often two runs look at the same source piece."""

import numpy as np

from mt.alignment.matrices import Side, align
from mt.inference.scorer import Scored, Scorer
from mt.lab.diagnosis.case import Case
from mt.lab.diagnosis.erasure import Floats
from mt.lab.diagnosis.finding import DoesNotApplyError, Measured
from mt.lab.diagnosis.rated import MOST, percent, weights_of


def measure_agreement(case: Case) -> Measured:
    """Return how often the most attended piece, or word, of another run is the same, on the references."""
    if case.against is None:
        raise DoesNotApplyError("There is no other run to agree with: name one, such as another seed, by --against.")
    other = case.against
    if not case.run.model.has_attention or not other.model.has_attention:
        raise DoesNotApplyError("One of the two runs has no attention, so their weights cannot agree.")
    rows = case.sample(MOST)
    texts = [[side[row] for row in rows] for side in (case.pairs.sources, case.pairs.targets)]
    ours = case.scorer.score(*texts)
    theirs = Scorer(other.model, other.tokenizers, other.config).score(*texts)
    same = [one.identity for one in case.run.tokenizers] == [one.identity for one in other.tokenizers]
    if same:
        matrices = [[weights_of(one) for one in both] for both in zip(ours, theirs, strict=True)]
    else:
        matrices = _in_words(case, texts, ours, theirs)
    agreed = [one.argmax(1) == two.argmax(1) for one, two in matrices if one.size]
    chance = [np.full(len(one), 1 / one.shape[1]) for one, _ in matrices if one.size]
    if not agreed:
        raise DoesNotApplyError("No pair has words on both sides, so there is nothing to agree about.")
    value = percent([one.astype(float) for one in agreed])
    return Measured(
        value,
        f"Both runs look most at the same source {'piece' if same else 'word'} in {value:.0f} % of the steps; by "
        f"chance it would be {percent(chance):.0f} %.",
    )


def _in_words(case: Case, texts: list[list[str]], ours: list[Scored], theirs: list[Scored]) -> list[list[Floats]]:
    """Return the weights of both runs between words, for runs whose pieces differ; </s> left out."""
    found = list[list[Floats]]()
    runs = (case.run, case.against) if case.against else (case.run,)
    for number, lines in enumerate(zip(*texts, strict=True)):
        both = list[Floats]()
        for run, read in zip(runs, (ours[number], theirs[number]), strict=True):
            sides = [
                Side(line, tokenizer.spans(pieces[:-1], line))
                for line, tokenizer, pieces in zip(lines, run.tokenizers, (read.source, read.target), strict=True)
            ]
            if read.matrix_TS is not None:
                both.append(align(*sides, read.matrix_TS).words[:, :-1])
        found.append(both)
    return found
