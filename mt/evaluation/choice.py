"""How a run aligns: which attention is read, and how it becomes links. Chosen on the validation split's gold."""

import json
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any, Literal

from pydantic import TypeAdapter

from mt.alignment.links import AlignmentScore, aer, hard
from mt.core.errors import UserError
from mt.core.files import read_json, write_text
from mt.core.progress import Meter
from mt.corpora.pairs import Split
from mt.inference.aligner import Aligner, Forced, View
from mt.models.contract import Site
from mt.runs.names import CHOICE
from mt.runs.own import is_own
from mt.runs.run import Run

Reading = Literal["as-is", "shifted", "posterior"]
"""as-is: the weights that predicted a piece. shifted: those of the next step, whose query has read it (Shift-Att, Chen
et al. 2020; with `conditional: false` only the query after that has). posterior: which source piece explains it
(models/contract.py)."""
WEIGHTS: tuple[Reading, ...] = ("as-is", "shifted")
"""Readings of the weights, which every layer has; the posterior is the last layer's."""
THRESHOLDS = (None, 0.1, 0.15, 0.2, 0.25, 0.3, 0.4)
"""None is argmax. What comes first wins a tie."""


@dataclass(frozen=True)
class Choice:
    """One way to make links."""

    layer: int
    """Decoder layer, from 1."""
    head: int | None
    """From 1; None: the mean over the heads."""
    reading: Reading = "as-is"
    threshold: float | None = None
    """Each word is linked to all whose weight is at least this; None: to the one of the largest weight."""

    def __str__(self) -> str:
        head = "mean of heads" if self.head is None else f"head {self.head}"
        links = "argmax" if self.threshold is None else f"weights from {self.threshold:g}"
        return f"layer {self.layer}, {head}, {self.reading}, {links}"

    @property
    def shift(self) -> int:
        """How many steps later than a piece its weights are read."""
        return int(self.reading == "shifted")

    @property
    def view(self) -> View:
        """What is read of the model; a shift comes later."""
        return View(Site(self.layer, self.head), self.reading == "posterior")


def as_it_is(aligner: Aligner, reading: Reading = "as-is") -> Choice:
    """Return what is done where nothing is chosen: the layer and head of the config, unshifted, argmax."""
    return Choice(*aligner.site, reading)


def ways(aligner: Aligner, chosen: Choice) -> dict[str, Choice]:
    """Return the ways that are reported: as it is, the next step's, the last layer's posterior, the chosen."""
    plain = as_it_is(aligner)
    posterior = Choice(aligner.model.sites[0], plain.head, "posterior")
    return {"as_it_is": plain, "shifted": as_it_is(aligner, "shifted"), "posterior": posterior, "chosen": chosen}


def forced(
    aligner: Aligner, pairs: Split, choices: Iterable[Choice], meter: Meter | None = None
) -> dict[Choice, list[Forced]]:
    """Return what each choice reads of each pair, attention or posterior, all in one decoding; shifts come later.

    Raises UserError when the model has no such layer or head, or no posterior in that layer.
    """
    layers, heads = aligner.model.sites
    views = {choice: choice.view for choice in choices}
    for choice in views:
        if choice.layer > layers or (choice.head or 1) > heads:
            raise UserError(
                f"no layer {choice.layer}, head {choice.head or 'mean'}: the model has {layers} decoder "
                f"layer{'s' * (layers > 1)} and {heads} head{'s' * (heads > 1)}"
            )
        if choice.reading == "posterior" and choice.layer != layers:
            raise UserError(f"the posterior is read in the last decoder layer: use layer {layers}, or another reading")
    found = aligner.forced(pairs, list(dict.fromkeys(views.values())), meter.add if meter else None)
    return {choice: found[view] for choice, view in views.items()}


def score(found: Sequence[Forced], shift: int, thresholds: Iterable[float | None]) -> list[AlignmentScore]:
    """Return the score by each threshold, all from one forced decoding of pairs whose gold is known."""
    words = [one.alignment(shift).words for one in found]
    gold = [one.gold for one in found if one.gold]
    return [aer([set(hard(matrix, threshold)) for matrix in words], gold) for threshold in thresholds]


def with_gold(pairs: Split) -> Split:
    """Return the pairs that have gold links."""
    return pairs.take([row for row, gold in enumerate(pairs.gold or []) if gold and gold.possible])


def choose(aligner: Aligner, validation: Split) -> tuple[Choice, list[dict[str, Any]]]:
    """Return the choice of the lowest AER on pairs whose gold is known, and the AERs of all that was tried.

    Tried are all layers x (mean of heads, each head) x readings x THRESHOLDS, in one direction, all from one decoding;
    the posterior is that of the last layer.
    """
    layers, heads = aligner.model.sites
    sites = [
        (layer, head) for layer in range(1, layers + 1) for head in (None, *range(1, heads + 1 if heads > 1 else 1))
    ]
    plain = [Choice(layer, head, reading) for layer, head in sites for reading in WEIGHTS]
    posterior = [Choice(layer, head, "posterior") for layer, head in sites if layer == layers]
    meter = Meter("choosing how to align", "pair", len(validation.sources))
    read = forced(aligner, validation, [*plain, *posterior], meter)
    meter.close()
    found: dict[Choice, float] = {}
    tried = []
    for way, here in read.items():
        errors = [scored.aer for scored in score(here, way.shift, THRESHOLDS)]
        found |= {replace(way, threshold=how): error for how, error in zip(THRESHOLDS, errors, strict=True)}
        named = {str(how or "argmax"): error for how, error in zip(THRESHOLDS, errors, strict=True)}
        tried.append({"layer": way.layer, "head": way.head, "reading": way.reading, "aer": named})
    return min(found, key=found.__getitem__), tried


def of_run(run: Run) -> Choice | None:
    """Return the choice in RUN/alignment.json, or None when there is none that belongs to the run's weights."""
    path = run / CHOICE
    if not path.exists():
        return None
    layers, heads = run.model.sites

    def parse(record: Any) -> tuple[Choice, str]:
        choice = TypeAdapter(Choice).validate_python(record["choice"])
        mine = 1 <= choice.layer <= layers and 1 <= (choice.head or 1) <= heads
        if not mine or (choice.reading == "posterior" and choice.layer != layers):
            raise ValueError(f"the model has not what it names: {choice}")
        return choice, str(record.get("weights"))

    choice, weights = read_json(path, f"delete it, and `mt eval {run}` writes it again", parse)
    return choice if weights == run.fingerprint else None


def choose_for_run(run: Run, aligner: Aligner) -> Choice:
    """Return the run's choice, made on its validation split and written to RUN/alignment.json when it has none yet.

    Without gold nothing is chosen: the matrix as it is, argmax.
    """
    known = with_gold(run.splits["validation"])
    if not known.sources:
        return as_it_is(aligner)
    if (chosen := of_run(run)) is not None:
        return chosen
    chosen, tried = choose(aligner, known)
    record = {
        "weights": run.fingerprint,
        "choice": asdict(chosen),
        "split": "validation",
        "pairs": len(known.sources),
        "tried": tried,
    }
    if is_own(run):
        write_text(run / CHOICE, json.dumps(record, indent=2) + "\n")
    return chosen
