"""Search: greedy, beam and sampling, on any model that keeps the contract of `mt.models.contract`.

Letters of shapes: B sentences still searched (finished ones leave), K live hypotheses of a sentence, W width of the
beam, S source pieces, T output pieces so far, P pieces of a forced prefix, V vocabulary. Sentences never influence each
other, so a batch gives what one by one would give.
"""

from mt import config
from mt.search.beam_search import beam
from mt.search.sampling import greedy, sample
from mt.search.sources import Found, Search, Sources
from mt.search.trace import Branch, Ending, Selection, Trace
from mt.search.trail import Hypothesis

__all__ = [
    "SEARCHES",
    "Branch",
    "Ending",
    "Found",
    "Hypothesis",
    "Search",
    "Selection",
    "Sources",
    "Trace",
    "beam",
    "choose",
    "greedy",
    "sample",
]

SEARCHES: dict[str, Search] = {"greedy": greedy, "beam": beam, "sample": sample}


def choose(settings: config.Search, n_best: int = 1) -> str:
    """Return the name of the search that the settings mean, for so many hypotheses of a sentence.

    Raises ValueError when that is none.
    """
    if n_best < 1:
        raise ValueError("a search finds at least one hypothesis")
    if settings.sample:
        return "sample"
    return "greedy" if settings.beam == n_best == 1 else "beam"
