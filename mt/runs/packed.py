"""A packed run: what a stranger needs of a run, and no more: no state, no cache, no text of the corpus, no paths."""

import json
import logging
import shutil
import tarfile
import tempfile
import zipfile
from collections.abc import Callable, Mapping
from pathlib import Path, PurePosixPath, PureWindowsPath
from typing import Any, Literal

from mt.config import Config
from mt.config.tree import flatten
from mt.core import manifest
from mt.core.errors import UserError
from mt.core.files import make_folder, replacing, write_text
from mt.runs.card import write_card
from mt.runs.config_file import write_config
from mt.runs.names import ALIGNMENTS, ARCHIVES, CARD, CONFIG, DATASTORE, PACKED, SCORES, SHARED
from mt.runs.run import Run
from mt.runs.scores import read_scores

log = logging.getLogger("mt")
KEPT = ("format", "finished", "update")
"""What is kept of the state's record, besides on what was trained."""
LARGEST = 2**21
"""Bytes of a split's alignments; larger ones are left out."""
OTHERS = {".gz", ".bz2", ".xz", ".zst", ".tbz2", ".txz", ".7z", ".rar"}
"""How archives end that are not written."""
Packer = Callable[[Path, Path], None]


def pack(run: Run, to: Path, called: str = "") -> Path:
    """Write what a stranger needs of a run to a folder, or to an archive of it (.zip, .tar, .tar.gz, .tgz); return it.

    `called`: what its card calls it; unset, by the name of the run. Written beside and renamed. Raises UserError where
    the run has no weights, or something is there already.
    """
    write = next((one for suffix, one in PACKERS.items() if to.name.lower().endswith(suffix)), None)
    if not write and to.suffix.lower() in OTHERS:
        raise UserError(f"{to}: an archive is one of {', '.join(ARCHIVES)}, and a folder does not end in {to.suffix}")
    if to.exists() or to.is_symlink():
        raise UserError(f"{to} is there already: delete it, or choose another place with --to")
    summary = run.model.summary
    make_folder(to.parent)
    with tempfile.TemporaryDirectory(dir=to.parent, prefix=f".{to.name}.") as beside:
        folder = Path(beside, run.name)
        _fill(run, folder)
        packed = Run(folder)
        if packed.fingerprint != run.fingerprint:
            raise UserError(f"{run} has been written while it was packed: pack it again")
        write_card(packed, summary, called or run.name)
        if write:
            with replacing(to) as temporary:
                write(folder, temporary)
        else:
            folder.rename(to)
    return to


def _fill(run: Run, folder: Path) -> None:
    make_folder(folder)
    manifest.begin(folder)
    write_config(folder / CONFIG, without_places(run.config))
    _write_record(run, folder)
    for scores in sorted(run.path.glob(SCORES)):
        for path in (scores, *_alignments(scores.parent)) if _is_own(run, scores.parent) else ():
            _copy(path, folder / path.relative_to(run.path))
    apart = {CONFIG, PACKED, CARD, manifest.NAME}
    apart |= set() if run.config.search.nearest.count else {DATASTORE}
    for name in SHARED:
        for path in run.path.glob(name) if "/" not in name and name not in apart else ():
            _copy(path, folder / path.name)


def _is_own(run: Run, split: Path) -> bool:
    """Tell whether scores are those of these weights alone, by the run's own search."""
    scores = read_scores(split)
    return scores is not None and scores.weights == [run.fingerprint] and not {"+", "@"} & {*split.name}


def _alignments(split: Path) -> list[Path]:
    """Return the files of a split's alignments that hold no text, where they are not large."""
    paths = [path for name in ALIGNMENTS if (path := split / Path(name).name).exists()]
    return paths if sum(path.stat().st_size for path in paths) <= LARGEST else []


def _copy(source: Path, target: Path) -> None:
    """Copy a file. Raises DamagedError where it is not what was written."""
    manifest.must_be_whole(source)
    with replacing(target) as temporary:
        shutil.copyfile(source, temporary)


def _write_record(run: Run, folder: Path) -> None:
    """Write what the state says that holds without it: whether training ended, and on what it trained."""
    made_with = run.record.get("made_with", {})
    record = {name: run.record[name] for name in KEPT if name in run.record}
    if "data" in made_with:
        record["made_with"] = {name: made_with[name] for name in ("data", "threads") if name in made_with}
    write_text(folder / PACKED, json.dumps(record, indent=1) + "\n")


def without_places(config: Config) -> Config:
    """Return a config without places of this machine: of each absolute path only its end is left, which it says."""
    tree = config.model_dump(mode="json")
    found = {text for value in flatten(tree).values() for text in _texts(value) if _is_a_place(text)}
    ends = _ends(found)
    for text, end in sorted(ends.items()):
        log.info("the config names %s, which is %s in the packed run", text, end)
    return type(config).model_validate(_renamed(tree, ends))


def _texts(value: Any) -> list[str]:
    values = value if isinstance(value, list) else [value]
    return [one for one in values if isinstance(one, str)]


def _is_a_place(text: str) -> bool:
    """Tell whether a text is a path that tells something of a machine: from its root, from a home, or upwards."""
    absolute = PurePosixPath(text).is_absolute() or PureWindowsPath(text).is_absolute()
    return absolute or text.startswith("~") or ".." in PureWindowsPath(text).parts


def _ends(places: set[str]) -> dict[str, str]:
    """Return for each path its last parts, as few as tell all apart."""
    parts = {place: [part for part in PureWindowsPath(place).parts if part.strip("./\\")] for place in places}
    for count in range(1, max(map(len, parts.values()), default=0) + 1):
        ends = {place: "/".join(names[-count:]) for place, names in parts.items()}
        if len(set(ends.values())) == len(ends):
            return ends
    return {place: "/".join(names) for place, names in parts.items()}


def _renamed(tree: Any, ends: Mapping[str, str]) -> Any:
    if isinstance(tree, dict):
        return {key: _renamed(value, ends) for key, value in tree.items()}
    if isinstance(tree, list):
        return [_renamed(value, ends) for value in tree]
    return ends.get(tree, tree) if isinstance(tree, str) else tree


def _tar(mode: Literal["w", "w:gz"]) -> Packer:
    def write(folder: Path, path: Path) -> None:
        with tarfile.open(path, mode) as archive:
            archive.add(folder, folder.name, filter=_without_owner)

    return write


def _without_owner(member: tarfile.TarInfo) -> tarfile.TarInfo:
    """Leave out who packs, and when."""
    member.uid = member.gid = member.mtime = 0
    member.uname = member.gname = ""
    return member


def _zip(folder: Path, path: Path) -> None:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for file in sorted(folder.rglob("*")):
            if file.is_file():
                name = f"{folder.name}/{file.relative_to(folder).as_posix()}"
                with file.open("rb") as opened, archive.open(zipfile.ZipInfo(name), "w") as member:
                    shutil.copyfileobj(opened, member)


PACKERS: dict[str, Packer] = dict(zip(ARCHIVES, (_zip, _tar("w"), _tar("w:gz"), _tar("w:gz")), strict=True))
"""What writes an archive, by the end of its name."""
