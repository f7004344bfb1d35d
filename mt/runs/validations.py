"""metrics.jsonl: what each validation of a training has found, a line of JSON each."""

from pathlib import Path
from typing import Annotated, Any, Literal, NotRequired

from pydantic import AfterValidator, ConfigDict, TypeAdapter
from typing_extensions import TypedDict

from mt.core.errors import UserError
from mt.core.parse import parse_json


class Validation(TypedDict):
    """What the rest of `mt` counts on; training writes more."""

    __pydantic_config__ = ConfigDict(extra="allow", strict=True)  # type: ignore[misc]

    update: int
    epoch: float
    seconds: float
    validation_bleu: float
    validation_chrf: NotRequired[float]
    validation_loss: NotRequired[float]
    train_loss: NotRequired[float]
    best: NotRequired[bool]
    chosen_by: NotRequired[Literal["bleu", "chrf", "loss"]]


def _has_both_losses(line: Validation) -> Validation:
    if ("train_loss" in line) != ("validation_loss" in line):
        raise ValueError("of two losses it has one")
    return line


LINE = TypeAdapter(Annotated[Validation, AfterValidator(_has_both_losses)])


def read_validations(path: Path) -> list[dict[str, Any]]:
    """Return the lines of a file; none where there is none. Raises UserError where it is damaged."""
    if not path.exists():
        return []
    found = []
    try:
        for line in path.read_text(encoding="utf-8").splitlines():
            found.append(parse_json(line))
            LINE.validate_python(found[-1])
    except (OSError, ValueError) as error:
        where = f"line {len(found) or 1}"
        reason = str(error).partition("\n")[0]
        raise UserError(f"{path} is damaged ({where}: {reason}): restore it, or delete it") from error
    return found
