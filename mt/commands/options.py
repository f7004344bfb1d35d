"""What several commands take."""

import gc
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from mt.commands.completion import complete_run
from mt.config.overrides import KEYS, describe_settings
from mt.core.errors import UsageError

if TYPE_CHECKING:  # it is imported where a command runs: help need not wait for it
    from mt.runs.run import Run

RunPath = Annotated[
    Path, typer.Argument(metavar="RUN", help="A run directory, such as runs/toy.", autocompletion=complete_run)
]
Overrides = Annotated[list[str] | None, typer.Argument(help="Changes to it, such as model.hidden=128 train.epochs=3.")]
Files = Annotated[list[str] | None, typer.Argument(hidden=True)]
"""What stands behind RUN where nothing may, so that it can be said what was meant."""
Others = Annotated[
    list[Path] | None,
    typer.Option(
        "--with", help="Another run of the same vocabulary, to make an ensemble.", autocompletion=complete_run
    ),
]
CHANGES = f"Changes to its settings, for this once, such as {KEYS[0]}=10; the keys are below."
SETTINGS = (
    f"Settings that can change after training, and the values that they have where no config says another:\n\n"
    f"{describe_settings()}"
)


def split_first(first: str | None, rest: list[str] | None) -> tuple[str | None, list[str]]:
    """Return the first argument, which may be left out, and the overrides, each of which has "=" and is no path."""
    left_out = first is not None and "=" in first and not Path(first).exists()
    return (None, [str(first), *(rest or [])]) if left_out else (first, rest or [])


def open_run(path: str | Path) -> "Run":
    """Return a run. Raises UserError where there is none, before the caller imports torch, which takes seconds."""
    from mt.runs.run import Run

    run = Run(path)
    run.must_exist()
    return run


@contextmanager
def loading() -> Iterator[None]:
    """Look for no garbage in this block: importing and loading make none, and would take a tenth longer."""
    gc.disable()
    try:
        yield
    finally:
        gc.enable()


def must_be_runs(paths: Sequence[Path]) -> None:
    """Raise UserError where one is no run directory."""
    for path in paths:
        open_run(path)


def check_given(
    split: str | None, source: Path | None, target: Path | list[Path] | None, files: list[str] | None = None
) -> None:
    """Raise UsageError where it is not clear which pairs are meant: those of a split, or of two files."""
    if files:
        raise UsageError(f"which side is {files[0]}? Give pairs as --source FILE --target FILE")
    if split and (source or target):
        raise UsageError("give --split, or --source and --target, not both")
    if (source is None) != (not target):
        raise UsageError("give both --source and --target: pairs have two sides")
