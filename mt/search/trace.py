"""The trace of a search: which hypotheses went on at each step, and which were dropped; plain data."""

from dataclasses import dataclass, field


@dataclass(frozen=True)
class Branch:
    """One continuation of a live hypothesis, and the log probability of the whole up to it."""

    parent: int
    """Number of the live hypothesis that it continues; the first step has number 0 alone."""
    piece: int
    log_probability: float


@dataclass(frozen=True)
class Ending:
    """A finished hypothesis: live hypothesis `parent` of step `step` (from 0), and </s> after it."""

    step: int
    parent: int
    log_probability: float
    score: float


@dataclass(frozen=True)
class Selection:
    """What one step of a search did with the hypotheses of a sentence.

    Beam search: number n of `kept` is live hypothesis n of the next step; the last step keeps none. Greedy search and
    sampling, whose hypotheses keep their numbers: the branch that each live one took, </s> included.
    """

    kept: list[Branch] = field(default_factory=list)
    dropped: list[Branch] = field(default_factory=list)
    """What competed and did not stay, best first: of the best 2 x width continuations of a beam, of the best two of
    each hypothesis in the other searches."""
    left: list[Ending] = field(default_factory=list)
    """Finished hypotheses that left the pool at this step, or were never let in, best first."""


Trace = list[Selection]
"""The steps of one sentence."""
