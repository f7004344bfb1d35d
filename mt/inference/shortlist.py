"""The shortlist of a batch: the target pieces that its source pieces may become, which alone are then searched.

Letters of shapes as in `mt.search`; besides, C candidates of a source piece.
"""

import logging
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace

import numpy as np
import torch
from torch import Tensor

from mt import config
from mt.core.arrays import Whole
from mt.core.errors import DamagedError, UserError
from mt.core.special import EOS, PAD
from mt.data.lexicon import candidates
from mt.data.pieces import Pieces
from mt.models.contract import NOTHING, Look, Seq2Seq
from mt.models.shortlist import narrow
from mt.runs import checkpoint
from mt.runs.lock import writing
from mt.runs.names import CACHE, SHORTLIST
from mt.runs.own import must_be_own
from mt.runs.run import Run
from mt.search import Found, Search, Sources
from mt.search.trace import Trace

log = logging.getLogger("mt")
KEPT = 500
"""Candidates of each source piece that a run keeps: the largest search.shortlist."""
MANY = 8
"""Sentences of a batch for which it pays to pack the output layer of its list."""
READ = 1000
"""Pairs that are read at once."""


@dataclass(frozen=True)
class Shortlist:
    """The candidates of each source piece, and of none (the row of <pad>), most probable first."""

    candidates_C: Tensor
    """[source pieces, C]."""
    size: int
    """Target pieces in all."""
    joint: bool
    """Whether source pieces are target pieces, and may stay as they are."""

    def to(self, device: torch.device) -> "Shortlist":
        """Return the same on a device."""
        return replace(self, candidates_C=self.candidates_C.to(device))

    def list_of(self, source_X: Tensor, others: Iterable[int] = ()) -> Tensor:
        """Return the list of these source pieces, ascending.

        On it are the special pieces, the candidates of all source pieces and of none, those pieces themselves, and
        `others`.
        """
        on_list = torch.zeros(self.size, dtype=torch.bool, device=source_X.device)
        on_list[: EOS + 1] = True
        on_list[self.candidates_C[source_X].flatten()] = True
        on_list[self.candidates_C[PAD]] = True
        on_list[torch.tensor([*others], dtype=torch.long, device=source_X.device)] = True
        if self.joint:
            on_list[source_X] = True
        return on_list.nonzero()[:, 0]

    def within(self, search: Search, must: Iterable[int]) -> Search:
        """Return a search among the pieces on the list of its batch alone; `must` are on it, too.

        The special pieces come first on every list, so that they keep their numbers.
        """

        def narrowed(
            model: Seq2Seq,
            sources: Sources,
            settings: config.Search,
            *,
            n_best: int = 1,
            look: Look = NOTHING,
            trace: bool = False,
        ) -> list[Found]:
            forced = [] if sources.prefix_BP is None else sources.prefix_BP.flatten().tolist()
            pieces_V = self.list_of(sources.source_BS.unique(), [*forced, *must])
            ours = _renumber(sources, pieces_V, self.size)
            made = narrow(model, pieces_V, packed=len(sources.source_BS) >= MANY)
            names = pieces_V.tolist()
            return [_name(one, names) for one in search(made, ours, settings, n_best=n_best, look=look, trace=trace)]

        return narrowed


def _renumber(sources: Sources, pieces_V: Tensor, size: int) -> Sources:
    """Return sources whose prefixes and rules have the pieces by their places on the list."""
    prefix_BP, rules = sources.prefix_BP, sources.rules
    if prefix_BP is not None:
        place = pieces_V.new_zeros(size)
        place[pieces_V] = torch.arange(len(pieces_V), device=pieces_V.device)
        prefix_BP = place[prefix_BP]
    if rules is not None:
        tables = {name: getattr(rules, name)[:, pieces_V] for name in ("next_XV", "steps_XV", "unmet_XV", "said_XV")}
        rules = replace(rules, **tables)
    return replace(sources, prefix_BP=prefix_BP, rules=rules)


def _name(found: Found, names: list[int]) -> Found:
    """Return what was found with the pieces by their numbers in the vocabulary."""
    hypotheses = [replace(one, tokens=[names[piece] for piece in one.tokens]) for one in found.hypotheses]
    return Found(hypotheses, None if found.trace is None else _name_trace(found.trace, names))


def _name_trace(trace: Trace, names: list[int]) -> Trace:
    return [
        replace(
            step,
            kept=[replace(one, piece=names[one.piece]) for one in step.kept],
            dropped=[replace(one, piece=names[one.piece]) for one in step.dropped],
        )
        for step in trace
    ]


# In a run -------------------------------------------------------------------------------------------------------------


def write_shortlist(run: Run) -> None:
    """Write RUN/shortlist.safetensors from the training split. Raises UserError where the run has not all of it."""
    if getattr(run.config.corpus, "streaming", False):
        raise UserError(f"{run} read its training pairs from a stream, and a shortlist needs them at hand")
    pieces = Pieces(run.splits["train"], run.tokenizers, run / CACHE)
    source_size, target_size = map(len, run.tokenizers)
    found = candidates(_pairs(pieces), source_size, target_size, min(KEPT, target_size))
    checkpoint.save(run / SHORTLIST, {"candidates": torch.from_numpy(found.astype(np.int32))}, {})
    log.info("the shortlist of %s source pieces written to %s", f"{source_size:,}", run / SHORTLIST)


def _pairs(pieces: Pieces) -> Iterator[tuple[Whole, Whole]]:
    for start in range(0, len(pieces.rows), READ):
        rows = pieces.rows[start : start + READ]
        for source, target in zip(rows["source"], rows["target"], strict=True):
            yield np.array(source), np.array(target)


def has_shortlist(run: Run) -> bool:
    """Tell whether a run has its shortlist, whole; say what is wrong with one that is not."""
    file, remedy = run / SHORTLIST, "it is written again"
    if not file.exists():
        return False
    try:
        source_size, target_size = map(len, run.tokenizers)
        tensors, _ = checkpoint.read(file, remedy)
        found = {
            name: (list(one.shape), str(one.dtype), _are_pieces(one, target_size)) for name, one in tensors.items()
        }
        wanted = {"candidates": ([source_size, min(KEPT, target_size)], "torch.int32", True)}
        checkpoint.must_have(found, wanted, file, remedy)
    except DamagedError as error:
        log.warning("%s", error)
        return False
    return True


def _are_pieces(tensor: Tensor, size: int) -> bool:
    return bool(((tensor >= 0) & (tensor < size)).all())


def read_shortlist(run: Run, count: int) -> Shortlist:
    """Return the shortlist of a run, with so many candidates; it is written where the run has none."""
    if not has_shortlist(run):
        must_be_own(run)
        with writing(run.path):
            write_shortlist(run)
    tensors, _ = checkpoint.read(run / SHORTLIST)
    return Shortlist(tensors["candidates"][:, :count].long(), len(run.tokenizers.target), run.tokenizers.joint)
