"""Where training stands."""

from dataclasses import dataclass, field, fields, replace
from typing import Any

from mt.runs.run import best_of


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
    """Training loss of the first update, per target piece: that of untrained weights."""
    summed_loss: float = 0.0
    """Training loss (label-smoothed) since the last validation, in nats, and over how many target pieces."""
    tokens: int = 0
    records: list[dict[str, Any]] = field(default_factory=list)
    """The lines of metrics.jsonl."""

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


def position_of(record: dict[str, Any]) -> Position | None:
    """Return the position that a state has, also one of an older version; None where that is none."""
    later: dict[str, Any] = {"first_loss": 0.0, "part": 0, "stream": {}}
    retired = "best_bleu", "best_update"  # which the records tell, too
    found = later | {key: value for key, value in record.items() if key not in retired}
    return Position(**found) if found.keys() == {one.name for one in fields(Position)} else None
