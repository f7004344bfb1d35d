"""Does the model know what it does not know: are its probabilities those with which it is right.

N pieces are counted, each with the confidence of the model in it and whether it is right.
"""

from collections.abc import Sequence

import numpy as np

from mt.config import Train
from mt.core.arrays import Floats
from mt.evaluation.ranking import calibration_error, reliability
from mt.lab.diagnosis.case import Case, DoesNotApplyError
from mt.lab.diagnosis.finding import Bounds, Diagnosis, Measured, Question
from mt.lab.diagnosis.words import matched

BINS = 15
"""As Guo et al. 2017 have them."""
FEWEST = 200
"""So many pieces say something of probabilities."""
HEAD = ("pieces", "mean confidence, %", "without smoothing, %", "right, %")


def unsmooth(confidence: float, smoothing: float, vocabulary: int) -> float:
    """Return p where the confidence is (1 - e) p + e / V, which a model trained with label smoothing e is led to."""
    return min(max((confidence - smoothing / vocabulary) / (1 - smoothing), 0.0), 1.0)


def smoothed_error(bins: Sequence[tuple[float, float, int]], smoothing: float, vocabulary: int) -> float:
    """Return the calibration error that smoothing does not explain, 0 to 1, of bins of evaluation/ranking.py.

    A bin errs by how far its share of right pieces lies outside what stands between its confidence as it is and its
    confidence without smoothing (`unsmooth`): a model follows its smoothed targets more or less far.
    """
    error = 0.0
    for confidence, right, count in bins:
        low, high = sorted((confidence, unsmooth(confidence, smoothing, vocabulary)))
        error += count * max(low - right, right - high, 0.0)
    return error / sum(count for _, _, count in bins)


def smoothing_of(train: Train) -> float:
    """Return the share of the target that all pieces divide; beside a teacher it weighs less."""
    return train.label_smoothing * (1 - train.teacher.weight if train.teacher.runs else 1)


def _forced(case: Case) -> Measured:
    read = case.references_read
    confidence_N = np.exp(np.concatenate([one.highest_T for one in read]))
    right_N = np.concatenate([one.likeliest_T == np.array(one.target) for one in read])
    return _measure(case, confidence_N, right_N, "Given the reference so far, the next piece that it finds likeliest")


def _output(case: Case) -> Measured:
    read = case.outputs_read
    confidence_N = np.exp(np.concatenate([one.log_probabilities_T for one in read]))
    right_N = np.concatenate(
        [matched(one.target, other.target) for one, other in zip(read, case.references_read, strict=True)]
    )
    return _measure(case, confidence_N, right_N, "By the one reference, which is strict, a piece of its output")


def _measure(case: Case, confidence_N: Floats, right_N: Floats, what: str) -> Measured:
    if len(right_N) < FEWEST:
        raise DoesNotApplyError(f"There are only {len(right_N)} pieces to judge probabilities by.")
    bins, vocabulary = reliability(confidence_N, right_N, BINS), len(case.run.tokenizers.target)
    smoothing = smoothing_of(case.run.config.train)
    plain = 100 * calibration_error(confidence_N, right_N, BINS)
    left = 100 * smoothed_error(bins, smoothing, vocabulary)
    told = f", of which label smoothing ({smoothing:g}) does not explain {left:.1f}" if smoothing else ""
    says = (
        f"{what} is right in {100 * right_N.mean():.1f} % of cases, with a probability of "
        f"{100 * confidence_N.mean():.1f} %. Among pieces of about one probability the two differ by {plain:.1f} "
        f"points on average{told}."
    )
    rows = []
    for confidence, right, count in bins:
        shares = confidence, unsmooth(confidence, smoothing, vocabulary), right
        rows.append((str(count), *(f"{100 * share:.1f}" for share in shares)))
    return Measured(left, says, table=(HEAD, *rows))


DIAGNOSES: dict[str, Diagnosis] = {
    "forced": Diagnosis(
        Question(
            "Are the probabilities of the next piece those with which it is right?",
            "points",
            "Guo et al. 2017, eq. 3; Müller et al. 2019 on label smoothing",
        ),
        Bounds(fine=(None, 5), broken=(None, 15), attempt="model.dropout"),
        _forced,
    ),
    "output": Diagnosis(
        Question(
            "Are the probabilities of its own output those with which it is right, at most?",
            "points",
            "Guo et al. 2017, eq. 3; Wang et al. 2020",
        ),
        Bounds(fine=(None, 20), broken=(None, 40), attempt="train.label_smoothing"),
        _output,
    ),
}
