"""What every node of the configuration is, and the ranges of numbers."""

from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

Fraction = Annotated[float, Field(ge=0, lt=1)]
Count = Annotated[int, Field(ge=1)]
Seed = Annotated[int, Field(ge=0, lt=2**32)]


class Tree(BaseModel):
    """A node of the configuration: immutable, and closed to keys it does not know.

    A validator that finds keys in conflict raises ValueError(reason, key, ...), the keys relative to its node.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", use_attribute_docstrings=True, allow_inf_nan=False)
