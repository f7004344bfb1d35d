"""What the files of a training say besides tensors, held against what they must say: validations, and the state."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Annotated, Any, Literal

from pydantic import Field, TypeAdapter

from mt.core.parse import parse_json

Count = Annotated[int, Field(strict=True, ge=0)]
Number = Annotated[float, Field(strict=True)]
Truth = Annotated[bool, Field(strict=True)]


@dataclass(frozen=True)
class _Validation:
    """A line of metrics.jsonl. What has a value here an older version may not have written."""

    update: Count
    epoch: Count
    validation_bleu: Number
    train_loss: Number | None = None
    validation_loss: Number | None = None
    validation_chrf: Number = 0.0
    seconds: Number = 0.0
    best: Truth = False
    chosen_by: Literal["bleu", "chrf", "loss"] = "bleu"

    def __post_init__(self) -> None:
        if (self.train_loss is None) != (self.validation_loss is None):
            raise ValueError("of two losses it has one")


@dataclass(frozen=True)
class _MadeWith:
    """What a state was made with, as far as others than a training need it."""

    data: str
    threads: Count = 1
    config: str = ""
    extends: str = ""
    """Fingerprint of the config before, where a run was just extended (training/extend.py)."""


@dataclass(frozen=True)
class _State:
    """The record of a state; what a training goes on from is more (training/position.py)."""

    format: Count = 1
    finished: Truth = False
    update: Count = 0
    first_loss: Number = 0.0
    start: str = ""
    made_with: _MadeWith = field(default_factory=lambda: _MadeWith(""))
    records: list[_Validation] = field(default_factory=list)


VALIDATION, STATE = TypeAdapter(_Validation), TypeAdapter(_State)


def parse_validations(data: bytes) -> list[dict[str, Any]]:
    """Return the lines of metrics.jsonl. Raises ValueError where one is none."""
    lines = [parse_json(line) for line in data.decode().splitlines()]
    for line in lines:
        VALIDATION.validate_python(line)
    return lines


def check_record(record: Mapping[str, Any]) -> None:
    """Raise ValueError where a record is not that of a state."""
    STATE.validate_python(record)
