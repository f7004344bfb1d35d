"""How well a figure tells good from bad: AUROC, rank correlation, calibration, and the pass-on curve."""

import numpy as np

from mt.core.arrays import Floats

BINS = 10


def auroc(scores_N: Floats, classes_N: Floats) -> float:
    """Return the chance that one of class 1 scores higher than one of class 0, ties half (Hanley and McNeil 1982).

    NaN where all are of one class.
    """
    ones = float(classes_N.sum())
    zeros = len(classes_N) - ones
    if not ones or not zeros:
        return float("nan")
    return float((ranks(scores_N)[classes_N > 0].sum() - ones * (ones + 1) / 2) / (ones * zeros))


def spearman(left_N: Floats, right_N: Floats) -> float:
    """Return the rank correlation, -1 to 1 (Spearman 1904): Pearson's of the ranks. NaN where a side is constant."""
    left_N, right_N = ranks(left_N), ranks(right_N)
    left_N, right_N = left_N - left_N.mean(), right_N - right_N.mean()
    spread = float(np.sqrt((left_N**2).sum() * (right_N**2).sum()))
    return float((left_N * right_N).sum() / spread) if spread else float("nan")


def ranks(values_N: Floats) -> Floats:
    """Return the rank of each value, from 1; equal values share the mean of theirs."""
    _, group_N, counts_G = np.unique(values_N, return_inverse=True, return_counts=True)
    last_G = counts_G.cumsum()
    return np.asarray((last_G - (counts_G - 1) / 2)[group_N])


def calibration_error(chances_N: Floats, classes_N: Floats, bins: int = BINS) -> float:
    """Return the expected calibration error, 0 to 1, of stated chances that the class is 1 (Naeini et al. 2015).

    In bins of equal width: how far the mean chance is from the share of class 1, weighted by how many are in it.
    """
    gaps = (count * abs(chance - share) for chance, share, count in reliability(chances_N, classes_N, bins))
    return sum(gaps) / len(chances_N)


def reliability(chances_N: Floats, classes_N: Floats, bins: int = BINS) -> list[tuple[float, float, int]]:
    """Return of each bin that is not empty the mean chance, the share of class 1, and how many are in it."""
    bin_N = np.minimum((chances_N * bins).astype(int), bins - 1)
    sums = (np.bincount(bin_N, one_N).tolist() for one_N in (chances_N, classes_N, np.ones(len(bin_N))))
    return [(chance / count, share / count, int(count)) for chance, share, count in zip(*sums, strict=True) if count]


def pass_on(expected_N: Floats, edits_N: Floats, lengths_N: Floats, shares: Floats) -> Floats:
    """Return the TER, in percent, of the share of sentences whose expected TER is lowest, for each share.

    The TER is that of the corpus that they make: all edits over all words of the references. At least one sentence is
    passed on.
    """
    order_N = np.argsort(expected_N, kind="stable")
    edits_N, lengths_N = edits_N[order_N].cumsum(), lengths_N[order_N].cumsum()
    counts = np.clip(np.rint(shares * len(order_N)).astype(int), 1, None) - 1
    return np.asarray(100 * edits_N[counts] / lengths_N[counts])
