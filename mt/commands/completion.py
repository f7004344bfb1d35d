"""What the shell offers for an argument, once `mt --install-completion` has told it to ask."""

import glob
from collections.abc import Iterator
from pathlib import Path

from mt.config import shipped


def complete_run(incomplete: str) -> Iterator[str]:
    """Yield the run directories that begin so, and the folders that may hold some."""
    for name in sorted(glob.glob(f"{glob.escape(incomplete)}*/")):
        yield name.rstrip("/") if Path(name, "config.yaml").exists() else name


def complete_config(incomplete: str) -> Iterator[str]:
    """Yield the configurations that come with mt, and the YAML files, that begin so."""
    yield from (name for name in shipped.names() if name.startswith(incomplete))
    yield from sorted(glob.glob(f"{glob.escape(incomplete)}*.yaml"))
