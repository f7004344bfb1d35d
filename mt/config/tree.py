"""What every node of the configuration is, and what its values may be."""

from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field

Fraction = Annotated[float, Field(ge=0, lt=1)]
Count = Annotated[int, Field(ge=1, le=1_000_000_000)]
"""Every number has a bound that no experiment needs to pass, because a configuration may be a stranger's."""
Width = Annotated[int, Field(ge=1, le=65_536)]
"""Of a layer."""
Few = Annotated[int, Field(ge=1, le=1000)]
"""Layers, heads, hypotheses."""
Seed = Annotated[int, Field(ge=0, lt=2**32)]
Precision = Literal["float32", "bfloat16"]
"""bfloat16 takes about half the time, and needs a processor with instructions for it (AVX512-BF16, AMX, or ARM's)."""


class Tree(BaseModel):
    """A node of the configuration: immutable, and closed to keys it does not know.

    A validator that finds keys in conflict raises ValueError(reason, key, ...), the keys relative to its node.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", use_attribute_docstrings=True, allow_inf_nan=False)


def flatten(tree: dict[str, Any], prefix: str = "") -> dict[str, Any]:
    """Return {"model.hidden": 256, ...} for a nested tree."""
    flat: dict[str, Any] = {}
    for key, value in tree.items():
        flat |= flatten(value, f"{prefix}{key}.") if isinstance(value, dict) else {prefix + key: value}
    return flat
