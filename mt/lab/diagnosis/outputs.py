"""What goes wrong in single translations: said twice, left out, made up, or wrong from end to end."""

import numpy as np

from mt.evaluation.copied import compare_copied
from mt.evaluation.novelty import Nearest, find_nearest
from mt.evaluation.sums import score_sentences
from mt.lab.diagnosis.breakdown import repeats
from mt.lab.diagnosis.case import Case, DoesNotApplyError
from mt.lab.diagnosis.finding import Bounds, Diagnosis, Measured, Question, show
from mt.lab.diagnosis.support import support

SHOWN = 3
WORST = 5
FEWEST = 10
"""Numbers and names of which a share is worth saying."""


def _repeated(case: Case) -> Measured:
    split = case.texts.split()
    pairs = zip(split.hypotheses, split.references, strict=True)
    found = [repeats(hypothesis.split(), reference.split()) for hypothesis, reference in pairs]
    rows = [row for row, again in enumerate(found) if again]
    share = 100 * len(rows) / len(found)
    rows.sort(key=lambda row: -len(found[row]))
    notes = [(row, "says again: " + "; ".join(found[row][:3])) for row in rows[:SHOWN]]
    says = f"{share:.1f} % of its translations say something twice that the reference does not."
    return Measured(share, says, show(case.pairs, notes, case.texts.hypotheses))


def _copied(case: Case) -> Measured:
    asked, lost, notes = 0, 0, []
    for row, kinds in enumerate(compare_copied(case.texts, case.training)):
        gone = [word for one in kinds.values() for word in (one.asked - one.kept).elements()]
        asked += sum(one.asked.total() for one in kinds.values())
        lost += len(gone)
        if gone:
            notes.append((row, f"lacks {', '.join(gone)}"))
    if asked < FEWEST:
        raise DoesNotApplyError(f"Only {asked} numbers and unknown names must come through as they stand.")
    share = 100 * lost / asked
    says = f"{share:.0f} % of the {asked} numbers and unknown names that references keep do not come through."
    return Measured(share, says, show(case.pairs, notes[:SHOWN], case.texts.hypotheses))


def _unsupported(case: Case) -> Measured:
    found = support(case.scorer, case.outputs_read)
    mean = np.array([one.mean() for one in found])
    if len({tuple(one.source) for one in case.outputs_read}) == 1:
        raise DoesNotApplyError("All sources are the same, so none can be held against others.")
    share = 100 * float((mean <= 0).mean())
    order = np.argsort(mean)
    notes = [(int(row), f"its own source adds {mean[row]:.2f} nats a piece") for row in order[:SHOWN]]
    pieces = np.concatenate(found)
    rows = [(f"{level} %", f"{np.nanquantile(mean, level / 100):.2f}") for level in (0, 5, 25, 50, 75, 95, 100)]
    says = (
        f"{share:.1f} % of its translations are as likely given the sources of other sentences as given their own, and "
        f"so are {100 * (pieces <= 0).mean():.0f} % of their pieces. In the middle their own source adds "
        f"{np.nanmedian(mean):.1f} nats a piece."
    )
    return Measured(
        share,
        says,
        show(case.pairs, notes, case.texts.hypotheses),
        (("of the translations", "nats a piece, at most"), *rows),
    )


def _worst(case: Case) -> Measured:
    scores = score_sentences("chrF", case.texts)
    order = scores.argsort(kind="stable").tolist()
    value = float(scores[order[: max(len(order) // 10, 1)]].mean())
    shown = order[:WORST]
    nearest = find_nearest([case.pairs.sources[row] for row in shown], case.training.sources)
    notes = [(row, _note(scores[row], near, case)) for row, near in zip(shown, nearest, strict=True)]
    return Measured(
        value,
        f"The worst tenth of its translations has a chrF of {value:.0f}.",
        show(case.pairs, notes, case.texts.hypotheses),
    )


def _note(score: float, near: Nearest, case: Case) -> str:
    if near.number is None:
        return f"chrF {score:.0f}; no training source shares a word with it"
    return (
        f"chrF {score:.0f}; the nearest training source has {near.shared} of its {near.words} words: "
        f"{case.training.sources[near.number]}"
    )


DIAGNOSES: dict[str, Diagnosis] = {
    "repeated": Diagnosis(
        Question("Does it say things twice?", "%", "Tu et al. 2016"),
        Bounds(fine=(None, 15), broken=(None, 50), attempt="search.no_repeat"),
        _repeated,
    ),
    "copied": Diagnosis(
        Question("Do numbers and names get lost?", "%", "Koehn and Knowles 2017, 3.3"),
        Bounds(fine=(None, 80), broken=(None, None), attempt="vocabulary.size"),
        _copied,
    ),
    "unsupported": Diagnosis(
        Question("Does it say what the source does not?", "%", "Lee et al. 2018; Sennrich et al. 2024"),
        Bounds(fine=(None, 3), broken=(None, 20), attempt="train.epochs"),
        _unsupported,
    ),
    "worst": Diagnosis(
        Question("How bad are the worst translations?", "chrF"),
        Bounds(fine=(15, None), broken=(5, None)),
        _worst,
    ),
}
