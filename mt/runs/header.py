"""The JSON record in the header of a safetensors file, which can be read without torch."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import safetensors

from mt.core.errors import DamagedError
from mt.core.manifest import FIRST, must_be_whole
from mt.core.parse import parse_json

RESTORE = "restore it"
UNREADABLE = OSError, safetensors.SafetensorError, ValueError, TypeError, KeyError, AttributeError, RuntimeError
"""What is raised of a file that is not whole, or of none."""


def read_record(path: Path, remedy: str = RESTORE) -> dict[str, Any]:
    """Return the JSON record alone, without reading the tensors. Raises DamagedError as `checkpoint.read` does."""
    try:
        with open(path, "rb") as opened:
            header = int.from_bytes(opened.read(8), "little") + 8
        must_be_whole(path, remedy, first=header <= FIRST)
        with safetensors.safe_open(path, framework="numpy") as file:
            return parse_record(file.metadata())
    except UNREADABLE as error:
        raise DamagedError(path, remedy, error) from error


def parse_record(metadata: Mapping[str, str] | None) -> dict[str, Any]:
    """Return the record that the metadata of a file holds. Raises TypeError or ValueError where there is none."""
    record = parse_json((metadata or {}).get("record", ""))
    if not isinstance(record, dict):
        raise TypeError("its record is no JSON object")
    return record
