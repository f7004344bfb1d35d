"""What the tests of corpora share: an empty folder without the Hub, and small files to put into it."""

import gzip
import json
from pathlib import Path

import datasets
import pytest
from huggingface_hub import constants


@pytest.fixture(autouse=True)
def elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Each test runs in an empty folder, without corpora of its own, without the Hub and with an empty cache."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("MT_DATA", raising=False)
    monkeypatch.setenv("no_proxy", "*")
    monkeypatch.setenv("HF_DATASETS_CACHE", str(tmp_path / "cache"))
    monkeypatch.setattr(datasets.config, "HF_DATASETS_CACHE", tmp_path / "cache")
    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", True)
    return tmp_path


def write(name: str, text: str | bytes) -> str:
    path = Path(name)
    path.parent.mkdir(parents=True, exist_ok=True)
    data = text.encode() if isinstance(text, str) else text
    path.write_bytes(gzip.compress(data) if name.endswith(".gz") else data)
    return name


def numbered(count: int, language: str) -> str:
    return "".join(f"{language} {number}\n" for number in range(count))


def hub_folder(name: str, rows: dict[str, list[dict[str, object]]]) -> str:
    for split, lines in rows.items():
        write(f"{name}/{split}.jsonl", "".join(json.dumps(line) + "\n" for line in lines))
    return name


def pairs(count: int) -> list[dict[str, object]]:
    return [{"de": f"de {number}", "en": f"en {number}"} for number in range(count)]
