"""`mt`: a small, exact laboratory for attention in machine translation."""

import os
from typing import TYPE_CHECKING, Any

# Threads that wait without spinning: several times the speed where other programs want the processors too, a tenth
# slower where none does. Read once, when torch is first imported.
os.environ.setdefault("OMP_WAIT_POLICY", "passive")

if TYPE_CHECKING:
    from mt.core.errors import UserError as UserError
    from mt.evaluation.call import evaluate as evaluate
    from mt.inference.load import load as load
    from mt.runs.run import Run as Run
    from mt.training.call import train as train

    __version__: str

__all__ = ["Run", "UserError", "__version__", "evaluate", "load", "train"]


def __getattr__(name: str) -> Any:
    """Import on first use, so that importing one room does not load the house."""
    if name == "load":
        from mt.inference.load import load

        return load
    if name == "train":
        from mt.training.call import train

        return train
    if name == "evaluate":
        from mt.evaluation.call import evaluate

        return evaluate
    if name == "Run":
        from mt.runs.run import Run

        return Run
    if name == "UserError":
        from mt.core.errors import UserError

        return UserError
    if name == "__version__":
        from importlib.metadata import version

        return version("mt")
    raise AttributeError(f"module 'mt' has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted([*globals(), *__all__])
