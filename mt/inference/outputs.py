"""Translations that are not whole: empty ones, and those that the limit on their length has cut."""

import logging
from collections.abc import Sequence

from mt.inference.translation import Translation
from mt.runs.scores import Outputs
from mt.text.normal import normalise

log = logging.getLogger("mt")
MOST = 0.01
"""No more of the lines may be empty or cut without a warning."""


def count_outputs(lines: Sequence[str], found: Sequence[Translation], before: Outputs | None = None) -> Outputs:
    """Return how many of the lines that have text have an empty translation, or one that was cut.

    With those `before`, which a stream of lines has counted already.
    """
    before = before or Outputs(0, 0, 0)
    made = [one for line, one in zip(lines, found, strict=True) if normalise(line)]
    cut = sum(one.cut for one in made)
    empty = sum(not one.cut and not one.text.strip() for one in made)
    return Outputs(before.lines + len(made), before.empty + empty, before.cut + cut)


def warn_of(outputs: Outputs) -> Outputs:
    """Return what was counted, and warn of many."""
    for number, what in (
        (outputs.empty, "are empty: the model has perhaps learned too little"),
        (outputs.cut, "are cut by the limit on their length: raise search.max_ratio or search.max_extra"),
    ):
        if number > MOST * outputs.lines:
            log.warning("of %d translations, %d %s", outputs.lines, number, what)
    return outputs
