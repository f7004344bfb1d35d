"""Where training stands."""

from dataclasses import dataclass, field
from typing import Any

from mt.runs.run import best_of


@dataclass(frozen=True)
class Position:
    """Where training stands; written into state.safetensors as JSON."""

    update: int = 0
    epoch: int = 0
    """Epochs completed."""
    batch: int = 0
    """Batches of the current epoch completed."""
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

    @property
    def best(self) -> dict[str, Any] | None:
        """The validation whose weights are kept."""
        return best_of(self.records)
