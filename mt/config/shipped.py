"""Configurations that come with mt: beside the package in a checkout, inside it once it is installed. Found by name."""

import difflib
import os
from pathlib import Path

PACKAGE = Path(__file__).parents[1]
STUDIES = "studies"
"""Folder of the studies (study.py), which are no configurations."""


def folder(package: Path = PACKAGE) -> Path:
    """Return where the shipped configurations are."""
    inside = package / "configs"
    return inside if inside.is_dir() else package.parent / "configs"


def names() -> dict[str, str]:
    """Return each name, such as attention/luong-general, and what the file's first line says of it."""
    found = {file.relative_to(folder()).with_suffix(""): file for file in folder().rglob("*.yaml")}
    return {
        name.as_posix(): _meaning(file)
        for name, file in sorted(found.items(), key=lambda one: (len(one[0].parts), one[0]))
        if name.parts[0] != STUDIES
    }


def studies() -> dict[str, str]:
    """Return the name of each study, such as attention, and what the file's first line says of it."""
    return {file.stem: _meaning(file) for file in sorted((folder() / STUDIES).glob("*.yaml"))}


def _meaning(file: Path) -> str:
    """Return what the first line of a file says of it."""
    return file.read_text(encoding="utf-8").partition("\n")[0].removeprefix("# ")


def locate_study(name: Path) -> Path:
    """Return the file of a study: one of this path, else the shipped one of this name, else the path as it is."""
    shipped = not os.path.isfile(name) and name.as_posix() in studies()
    return folder() / STUDIES / f"{name}.yaml" if shipped else name


def locate(name: Path, near: Path = Path()) -> Path:
    """Return the file that is meant: one of this path (relative to `near`), else the shipped one of this name.

    Where there is neither, the path comes back as it is, for whoever reads it to complain.
    """
    path = near / name
    shipped = not os.path.isfile(path) and name.as_posix() in names()
    return folder() / f"{name}.yaml" if shipped else path


def suggestion(path: Path) -> str:
    """Return what to do about a configuration that is not there; nothing where something else is there."""
    if os.path.isfile(path / "config.yaml"):
        return f"; it holds a run, with which `mt train --run {path}` goes on, or the config {path / 'config.yaml'}"
    if os.path.exists(path):
        return ""
    if path.suffix:
        names_here = {file.name: str(file) for file in path.parent.glob("*.yaml")}
        close = difflib.get_close_matches(path.name, names_here, 1)
        return f"; did you mean {names_here[close[0]]}?" if close else ""
    by_end = {name.rpartition("/")[2]: name for name in reversed(names())}
    for known in ({name: name for name in names()}, by_end):
        if close := difflib.get_close_matches(path.as_posix(), known, 1):
            return f"; did you mean {known[close[0]]}?"
    return "; `mt config` lists the names that come with mt"
