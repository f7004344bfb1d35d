"""A run that a stranger made reads nothing but itself: no link in it leads out of it."""

import os
import stat
from pathlib import Path

from mt.core.errors import UserError


def must_stay_inside(run: Path) -> None:
    """Raise UserError that names a link in a run which leads out of it, or what is neither a file nor a folder.

    The run itself may be a link, and its files may be those of the Hub's cache, which keeps them in a folder beside.
    """
    root = run.resolve()
    allowed = [root, *([root.parents[1] / "blobs"] if root.parent.name == "snapshots" else [])]
    for folder, folders, files in os.walk(run):
        for name in (*folders, *files):
            path = Path(folder, name)
            if path.is_symlink() and not any(_end(path).is_relative_to(place) for place in allowed):
                raise UserError(
                    f"{path} is a link that leads out of the run, to {_end(path)}: put in its place what it leads to, "
                    f"if the run is yours; else do not trust it"
                )
            if not _is_plain(path):
                raise UserError(f"{path} is neither a file nor a folder: no run has such a thing; delete it")


def _end(link: Path) -> Path:
    """Return where a link leads, through others; one that leads to itself leads nowhere."""
    try:
        return link.resolve()
    except (OSError, RuntimeError):
        return Path(os.sep)


def _is_plain(path: Path) -> bool:
    try:
        mode = path.stat().st_mode
    except OSError:  # it has gone meanwhile, as temporary files do
        return True
    return stat.S_ISREG(mode) or stat.S_ISDIR(mode)
