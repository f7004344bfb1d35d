"""The folder of an exported model: what it says of itself, and whether it is whole. No torch."""

import hashlib
import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from mt.config.exported import Exported
from mt.core.errors import DamagedError, UserError
from mt.core.files import read_json
from mt.text.tokenizer import Tokenizer, Tokenizers

NAME = "export.json"
AGAIN = "export the run again (`mt export`)"


def is_export(folder: Path) -> bool:
    """Tell whether a folder holds an exported model."""
    return (folder / NAME).is_file()


def read_export(folder: Path) -> Exported:
    """Return what an exported model says of itself.

    Raises DamagedError where that, or one of its files, is not what was written.
    """
    told = read_json(folder / NAME, AGAIN, Exported.model_validate)
    for name, sha256 in told.files.items():
        try:
            now = _digest(folder / name)
        except OSError as error:
            raise DamagedError(folder / name, AGAIN, error.strerror or error) from error
        if now != sha256:
            raise DamagedError(folder / name, AGAIN, "it is not what was written")
    return told


def read_vocabularies(folder: Path, told: Exported) -> Tokenizers:
    """Return the vocabularies of an exported model."""
    names = told.vocabularies.source, told.vocabularies.target
    read = {name: Tokenizer((folder / name).read_bytes(), told.vocabularies.normalize) for name in names}
    return Tokenizers(*(read[name] for name in names))


@contextmanager
def new_folder(folder: Path) -> Iterator[Path]:
    """Yield a temporary folder beside `folder`; rename it when the block succeeds, remove it when it fails.

    Raises UserError where there is something of that name already, or the disk refuses.
    """
    if folder.exists():
        raise UserError(f"{folder} is there already: delete it, or name another folder with --output")
    temporary = None
    try:
        folder.parent.mkdir(parents=True, exist_ok=True)
        temporary = Path(tempfile.mkdtemp(prefix=f".{folder.name}.", dir=folder.parent))
        yield temporary
        for file in temporary.iterdir():
            with open(file, "rb+") as opened:
                os.fsync(opened.fileno())
        temporary.chmod(0o755)
        temporary.rename(folder)
    except OSError as error:
        raise UserError(f"cannot write {folder}: {error.strerror or error}") from error
    finally:
        if temporary is not None:
            shutil.rmtree(temporary, ignore_errors=True)


def describe_files(folder: Path) -> dict[str, str]:
    """Return the SHA-256 of each file of a folder."""
    return {file.name: _digest(file) for file in sorted(folder.iterdir())}


def _digest(file: Path) -> str:
    with open(file, "rb") as opened:
        return hashlib.file_digest(opened, "sha256").hexdigest()
