"""Where training stands."""

import json
from dataclasses import dataclass, field, fields, replace
from typing import Any, NamedTuple

from pydantic import TypeAdapter

from mt.runs.record import check_record
from mt.runs.run import best_of


class Step(NamedTuple):
    """What an update was like."""

    loss: float
    """Of the translation, summed over its real target pieces, in nats."""
    tokens: int
    """How many target pieces that are."""
    rate: float
    """The learning rate."""
    norm: float
    """Of the gradient, before it was clipped."""


@dataclass(frozen=True)
class Position:
    """Where training stands; written into state.safetensors as JSON."""

    update: int = 0
    epoch: int = 0
    """Epochs completed."""
    part: int = 0
    """Parts of the current epoch completed; pairs that are not streamed are one part."""
    batch: int = 0
    """Batches of the current part completed."""
    stream: dict[str, Any] = field(default_factory=dict)
    """Where the current part begins in the stream."""
    stale: int = 0
    """Validations since the last that was better than all before."""
    scale: float = 1.0
    """What the plateau schedule has multiplied the learning rate by."""
    seconds: float = 0.0
    finished: bool = False
    first_loss: float = 0.0
    """Training loss of the first update, per target piece: that of untrained weights, or of those it began with."""
    summed_loss: float = 0.0
    """Training loss (label-smoothed) since the last validation, in nats, and over how many target pieces."""
    tokens: int = 0
    since: dict[str, float] = field(default_factory=dict)
    """Sums over the updates since the last line of updates.jsonl, and the last one's rate."""
    records: list[dict[str, Any]] = field(default_factory=list)
    """The lines of metrics.jsonl."""
    start: str = ""
    """Fingerprint of the weights that training began with (train.start); none where they were random."""

    def after(self, step: Step, batches: int, seconds: float) -> "Position":
        """Return where training stands after an update of so many batches that took so long."""
        told = {"updates": 1, "loss": step.loss, "tokens": step.tokens, "norm": step.norm, "seconds": seconds}
        return replace(
            self,
            update=self.update + 1,
            batch=self.batch + batches,
            seconds=self.seconds + seconds,
            first_loss=self.first_loss or step.loss / step.tokens,
            summed_loss=self.summed_loss + step.loss,
            tokens=self.tokens + step.tokens,
            since={name: self.since.get(name, 0.0) + value for name, value in told.items()} | {"rate": step.rate},
        )

    def behind(self, after: dict[str, Any], parts: int, epochs: int) -> "Position":
        """Return where training stands once it has read a part, of the `parts` of an epoch; the next begins `after`."""
        position = replace(self, part=self.part + 1, batch=0, stream=after)
        if position.part < parts:
            return position
        return replace(position, part=0, epoch=self.epoch + 1, finished=self.finished or self.epoch + 1 == epochs)

    @property
    def best(self) -> dict[str, Any] | None:
        """The validation whose weights are kept."""
        return best_of(self.records)


POSITION = TypeAdapter(Position)


def position_of(record: dict[str, Any]) -> tuple[Position, dict[str, Any]]:
    """Return the position that a state has, also one of an older version, and what it was made with.

    Raises ValueError where it is no record of a state.
    """
    check_record(record)
    later: dict[str, Any] = {"first_loss": 0.0, "part": 0, "stream": {}, "since": {}, "start": ""}
    others = "best_bleu", "best_update", "format", "made_with"  # the first two are an older version's
    found = later | {key: value for key, value in record.items() if key not in others}
    wanted = {one.name for one in fields(Position)}
    if wrong := found.keys() ^ wanted | {"made_with"} - record.keys():
        raise ValueError(f"its record lacks, or should not have: {', '.join(sorted(wrong))}")
    POSITION.validate_json(json.dumps(found), strict=True)
    if any(isinstance(value, int | float) and value < 0 for value in found.values()):
        raise ValueError("its record has negative numbers")
    made_with = {key: value for key, value in record["made_with"].items() if key != "extends"}  # of training/extend.py
    return Position(**found), made_with
