"""Curves for TensorBoard, an extra that a training has where log.tensorboard is true."""

from pathlib import Path
from typing import Any

from mt.config.log import Log
from mt.core.errors import UserError
from mt.runs.updates import Line

TRAINING = {
    "train_loss": "loss/train",
    "learning_rate": "learning_rate",
    "gradient_norm": "gradient_norm",
    "tokens_per_second": "tokens_per_second",
}
VALIDATION = {"validation_loss": "loss/validation", "validation_bleu": "bleu", "validation_chrf": "chrf"}
"""By the name in updates.jsonl or metrics.jsonl, what a curve is called."""


def must_be_there(log: Log) -> None:
    """Raise UserError where TensorBoard is asked for and is not installed."""
    if log.tensorboard:
        _writer()


def _writer() -> Any:
    try:
        from torch.utils.tensorboard import SummaryWriter
    except ImportError as error:
        raise UserError(
            f"log.tensorboard: true needs the extra tensorboard: pip install 'mt[tensorboard]' ({error})"
        ) from error
    return SummaryWriter


class Board:
    """Writes the curves of a training that stands at an update; what there is of later ones no longer counts."""

    def __init__(self, folder: Path, update: int):
        self.writer = _writer()(str(folder), purge_step=update + 1)

    def add_update(self, line: Line) -> None:
        """Add a line of updates.jsonl."""
        for name, curve in TRAINING.items():
            self.writer.add_scalar(curve, getattr(line, name), line.update)

    def add_validation(self, record: dict[str, Any]) -> None:
        """Add a line of metrics.jsonl."""
        for name, curve in VALIDATION.items():
            self.writer.add_scalar(curve, record[name], record["update"])

    def flush(self) -> None:
        """Write all that was added."""
        self.writer.flush()
