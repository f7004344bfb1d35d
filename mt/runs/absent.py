"""What is said of a path that is no run."""

from pathlib import Path

from mt.config.mistakes import closest
from mt.runs.names import ARCHIVES, CONFIG, RUNS


def explain_absence(path: Path) -> str:
    """Return why there is no run at a path, and what to do, in words."""
    if path.is_file() and path.name.lower().endswith(ARCHIVES):
        return "it is an archive: unpack it, and give the folder that comes out"
    if path.exists():
        return f"it has no {CONFIG} and tokenizer"
    places = [path.parent, *([RUNS] if len(path.parts) == 1 else [])]
    beside = {file.parent.name: str(file.parent) for place in places for file in place.glob(f"*/{CONFIG}")}
    near = closest(path.name, [*beside], beside) or f"`mt runs {path.parent}` lists those beside it"
    return "there is no such folder" + (f"; {near}" if path.parent.is_dir() else "")
