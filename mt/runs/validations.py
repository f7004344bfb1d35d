"""metrics.jsonl: what each validation of a training has found, a line of JSON each."""

from pathlib import Path
from typing import Any, Literal, Self

from pydantic import BaseModel, ConfigDict, model_validator

from mt.core.errors import UserError
from mt.core.parse import parse_json


class Validation(BaseModel):
    """What the rest of `mt` counts on; training writes more."""

    model_config = ConfigDict(extra="allow", strict=True)

    update: int
    epoch: float
    seconds: float
    validation_bleu: float
    validation_chrf: float | None = None
    validation_loss: float | None = None
    train_loss: float | None = None
    best: bool = False
    chosen_by: Literal["bleu", "chrf", "loss"] = "bleu"

    @model_validator(mode="after")
    def _has_both_losses(self) -> Self:
        if (self.train_loss is None) != (self.validation_loss is None):
            raise ValueError("of two losses it has one")
        return self


def read_validations(path: Path) -> list[dict[str, Any]]:
    """Return the lines of a file; none where there is none. Raises UserError where it is damaged."""
    if not path.exists():
        return []
    found = []
    try:
        for line in path.read_text(encoding="utf-8").splitlines():
            found.append(parse_json(line))
            Validation.model_validate(found[-1])
    except (OSError, ValueError) as error:
        where = f"line {len(found) or 1}"
        reason = str(error).partition("\n")[0]
        raise UserError(f"{path} is damaged ({where}: {reason}): restore it, or delete it") from error
    return found
