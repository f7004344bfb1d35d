"""Writes the trace of a search while it runs. Letters of shapes as in `mt.search`."""

from collections.abc import Iterable

import torch
from torch import Tensor

from mt.search.live import Live
from mt.search.sources import Found
from mt.search.trace import Branch, Ending, Selection, Trace
from mt.search.trail import Branches, Hypothesis


class Recorder:
    """Collects the traces of a batch, where they are asked for."""

    def __init__(self, sentences: int, trace: bool):
        self.traces: list[Trace | None] = [[] if trace else None for _ in range(sentences)]

    def add(self, live: Live, stay_BK: Tensor, rivals: Branches, left: Iterable[list[Ending]] | None = None) -> None:
        """Add a step: those of the live hypotheses that stay, the rivals that do not, and who left the pool."""
        sentences = live.sentences_B.tolist()
        left = left or [[] for _ in sentences]
        rows = zip(sentences, _rows(live.branches, stay_BK), _rows(rivals), left, strict=True)
        for sentence, kept, best, endings in rows:
            steps = self.traces[sentence]
            if steps is not None:
                steps.append(Selection(kept, [one for one in best if one not in kept], endings))

    def found(self, hypotheses: list[list[Hypothesis]]) -> list[Found]:
        """Return what a search found, with the traces."""
        return [Found(*both) for both in zip(hypotheses, self.traces, strict=True)]


def _rows(branches: Branches, mask_BK: Tensor | None = None) -> list[list[Branch]]:
    """Return the possible branches of each sentence, where the mask has them."""
    wanted_BK = branches.total_BK > -torch.inf
    if mask_BK is not None:
        wanted_BK = wanted_BK & mask_BK
    columns = (branches.parent_BK, branches.piece_BK, branches.total_BK, wanted_BK)
    rows = zip(*(column.tolist() for column in columns), strict=True)
    return [
        [Branch(parent, piece, total) for parent, piece, total, wanted in zip(*row, strict=True) if wanted]
        for row in rows
    ]
