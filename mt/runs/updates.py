"""updates.jsonl: how training went between validations, a line for every so many updates (log.every)."""

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

from pydantic import Field, TypeAdapter

from mt.core.files import parse_file, write_lines
from mt.core.parse import readable_lines

Count = Annotated[int, Field(strict=True, ge=0)]
Finite = Annotated[float, Field(allow_inf_nan=False)]


@dataclass(frozen=True)
class Line:
    """Some updates in a row."""

    update: Count
    """The last of them."""
    epoch: Count
    """From 1."""
    train_loss: Finite
    """Their mean (label-smoothed) loss in nats per target piece."""
    learning_rate: Finite
    """Of the last of them."""
    gradient_norm: Finite
    """The mean of the norms of their gradients, before these were clipped to train.clip."""
    tokens_per_second: Finite
    """Target pieces, </s> included and padding not, that they took in a second; validations and saves do not count."""


LINE = TypeAdapter(Line)


def read_updates(path: Path, remedy: str = "restore it, or delete it, and go without the lines it had") -> list[Line]:
    """Return the lines of a file; none where there is no file. Raises DamagedError where it is damaged."""
    return parse_file(path, remedy, _parse) if path.exists() else []


def rescue_updates(path: Path) -> list[Line]:
    """Return the lines that can be read of a damaged file, each update once."""
    lines = readable_lines(path.read_bytes() if path.is_file() else b"", LINE.validate_json)
    return [line for _, line in sorted({line.update: line for line in lines}.items())]


def write_updates(path: Path, lines: list[Line]) -> None:
    """Replace the file by these lines."""
    write_lines(path, [LINE.dump_json(line).decode() for line in lines])


def _parse(data: bytes) -> list[Line]:
    return [LINE.validate_json(line) for line in data.splitlines()]
