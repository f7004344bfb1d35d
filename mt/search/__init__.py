"""Search: greedy, beam and sampling, on any model that keeps the contract of `mt.models.base`.

Letters of shapes: B sentences still searched (finished ones leave), K live hypotheses of a sentence, W width of the
beam, S source pieces, T output pieces so far, V vocabulary. Sentences never influence each other, so a batch gives what
one by one would give.
"""

from mt.search.beam_search import beam
from mt.search.sampling import greedy, sample
from mt.search.trail import Hypothesis

__all__ = ["Hypothesis", "beam", "greedy", "sample"]
