"""`mt`: a small, exact laboratory for attention in machine translation."""

import os
from typing import TYPE_CHECKING, Any

# Threads that wait without spinning: several times the speed where other programs want the processors too, a tenth
# slower where none does. Read once, when torch is first imported.
os.environ.setdefault("OMP_WAIT_POLICY", "passive")

if TYPE_CHECKING:
    from mt.inference.load import load as load

    __version__: str

__all__ = ["__version__", "load"]


def __getattr__(name: str) -> Any:
    """Import on first use, so that importing one room does not load the house."""
    if name == "load":
        from mt.inference.load import load

        return load
    if name == "__version__":
        from importlib.metadata import version

        return version("mt")
    raise AttributeError(f"module 'mt' has no attribute {name!r}")
