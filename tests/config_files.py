"""Small config files for tests, and what is said of wrong ones."""

from pathlib import Path

import pytest

from mt.config.files import read_config
from mt.core.errors import UserError


def write(path: Path, text: str | bytes) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(text.encode() if isinstance(text, str) else text)
    return path


def refused(path: Path, *overrides: str) -> str:
    with pytest.raises(UserError) as caught:
        read_config(path, overrides)
    return str(caught.value)
