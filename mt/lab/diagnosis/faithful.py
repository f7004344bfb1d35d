"""Is attention faithful: does what it looks at matter to what is said."""

from collections.abc import Callable

import numpy as np

from mt.lab.diagnosis.agreement import measure_agreement
from mt.lab.diagnosis.case import Case, DoesNotApplyError
from mt.lab.diagnosis.erasure import share_of_hits
from mt.lab.diagnosis.finding import Bounds, Diagnosis, Evidence, Measured, Question, show
from mt.lab.diagnosis.rated import ATTENTION, CHANCE, DIAGONAL, erase, hits, late_hits
from mt.lab.diagnosis.rationales import rationales


def measure_erasure(case: Case) -> Measured:
    """Return how often the most attended piece is the one without which the step's piece loses the most."""
    found = case.once(hits)
    rows = ((name, f"{pieces:.0f}", f"{words:.0f}") for name, (pieces, words) in found.items())
    value = found[ATTENTION].pieces
    return Measured(
        value,
        f"In {value:.0f} % of the steps the most attended source piece is the one that matters most; by chance it "
        f"would be {found[CHANCE].pieces:.0f} %.",
        _unfaithful(case),
        (("what names the piece", "right, % of steps by pieces", "by words"), *rows),
    )


def measure_over_diagonal(case: Case) -> Measured:
    """Return how much more often attention names the piece that matters than the diagonal does."""
    found = case.once(hits)
    attention, guess = found[ATTENTION].pieces, found[DIAGONAL].pieces
    return Measured(
        attention - guess,
        f"Attention names the source piece that matters most in {attention:.0f} % of the steps, and a diagonal line, "
        f"which knows nothing of the words, in {guess:.0f} %.",
    )


def _unfaithful(case: Case) -> tuple[Evidence, ...]:
    """Return the three sentences of at least four steps where attention is wrong most often."""
    erased = case.once(erase)
    right = [float(share_of_hits(one.weights, one.pieces_TS).mean()) for one in erased]
    worst = sorted((row for row, one in enumerate(erased) if len(one.pieces_TS) > 3), key=right.__getitem__)[:3]
    notes = [
        (erased[row].number, f"the most attended piece matters most in {100 * right[row]:.0f} % of the steps")
        for row in worst
    ]
    return show(case.pairs, notes, case.texts.hypotheses)


def measure_step(case: Case) -> Measured:
    """Return how much better the rows of the matrix fit their own step than a step beside it."""
    found = case.once(late_hits)
    if not np.isfinite(found[0]):
        raise DoesNotApplyError("No output has three pieces, so no row of attention has both neighbours.")
    value = found[0] - max(found[-1], found[1])
    best = max(found, key=found.__getitem__)
    says = {
        -1: "Attention stands a step early: the row of the step before tells better what matters.",
        0: "The rows of attention stand at their own step.",
        1: "Attention stands a step late: the row of the next step tells better what matters.",
    }
    rows = (
        (name, f"{found[shift]:.0f}")
        for name, shift in (("the step before", -1), ("the step", 0), ("the next step", 1))
    )
    return Measured(value, says[best], table=(("row of", "names the piece that matters, % of steps"), *rows))


def _rationale(figure: str, says: str) -> Callable[[Case], Measured]:
    def measure(case: Case) -> Measured:
        found = case.once(rationales)
        rows = ((name, f"{both[0]:.0f}", f"{both[1]:.0f}") for name, both in found.items())
        value, guess = (getattr(found[name], figure) for name in (ATTENTION, CHANCE))
        table = (("reasons named by", "comprehensiveness, points", "sufficiency, points"), *rows)
        return Measured(
            value, says.format(value=value, guess=guess), table=table if figure == "comprehensiveness" else None
        )

    return measure


_PAPER = "Jain and Wallace 2019; Serrano and Smith 2019"
_DEYOUNG = "DeYoung et al. 2020"
DIAGNOSES: dict[str, Diagnosis] = {
    "erasure": Diagnosis(
        Question(
            "How often is the most attended source piece the one without which the step loses most?",
            "% of steps",
            _PAPER,
        ),
        Bounds(fine=(45, None), broken=(25, None), attempt="model.attention.score"),
        measure_erasure,
    ),
    "over_diagonal": Diagnosis(
        Question("How much more does attention know than the diagonal?", "points", _PAPER),
        Bounds(fine=(0, None), broken=(-15, None), attempt="model.attention.score"),
        measure_over_diagonal,
    ),
    "step": Diagnosis(
        Question("Do the rows of attention stand at their own step?", "points", "Luong et al. 2015, footnote 14"),
        Bounds(fine=(5, None), broken=(0, None), attempt="model.attention.wiring"),
        measure_step,
    ),
    "comprehensiveness": Diagnosis(
        Question("How much probability is lost without the most attended fifth of the source?", "points", _DEYOUNG),
        Bounds(fine=(20, None), broken=(5, None), attempt="model.attention.score"),
        _rationale(
            "comprehensiveness",
            "Without the most attended fifth of the source, a step's piece loses {value:.0f} points of probability; "
            "without as many pieces drawn at random {guess:.0f}.",
        ),
    ),
    "sufficiency": Diagnosis(
        Question(
            "How much probability is lost with nothing but the most attended fifth of the source?", "points", _DEYOUNG
        ),
        Bounds(fine=(None, 60), broken=(None, 90)),
        _rationale(
            "sufficiency",
            "With nothing but the most attended fifth of the source, a step's piece loses {value:.0f} points of "
            "probability; with as many pieces drawn at random {guess:.0f}.",
        ),
    ),
    "agreement": Diagnosis(
        Question("How often do two runs look at the same source piece?", "% of steps", "Jain and Wallace 2019"),
        Bounds(fine=(60, None), broken=(30, None), attempt="seed"),
        measure_agreement,
    ),
}
