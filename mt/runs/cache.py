"""RUN/cache, by the names of its files: what is ours, and what of it a kill has left half written."""

import re
from pathlib import Path

from mt.corpora.stream import SURVEY

BEGUN = "begun"
"""A file of the cache: a run that several processes train is prepared."""
HALF_WRITTEN = re.compile(rf"\.(\w+\.arrow|{SURVEY}|{BEGUN})\.|tmp\w{{8}}$")
"""Beside their names files are written, and folders that tables are encoded in; an older version called those tmp..."""
OURS = re.compile(rf"[.\w]+\.arrow|({SURVEY}|{BEGUN})$|{HALF_WRITTEN.pattern}")


def is_cache(folder: Path) -> bool:
    """Tell whether a folder is a cache of ours, which holds nothing else, whole or half written."""
    return folder.is_dir() and all(OURS.match(path.name) for path in folder.iterdir())


def half_written(folder: Path) -> list[Path]:
    """Return what a kill left in a cache of ours."""
    return [path for path in folder.iterdir() if HALF_WRITTEN.match(path.name)] if is_cache(folder) else []
