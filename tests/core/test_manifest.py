"""The manifest of a run: what was damaged is named, and a kill at any moment leaves nothing that is called so."""

import hashlib
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from mt.core import manifest
from mt.core.errors import DamagedError, UserError
from mt.core.files import read_json, read_lines, write_text
from mt.core.manifest import FIRST, NAME, must_be_whole, read_whole


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(manifest, "PAUSE", 0)
    manifest.begin(tmp_path)
    return tmp_path


def listed(folder: Path) -> dict[str, Any]:
    tree: dict[str, Any] = json.loads((folder / NAME).read_text())["files"]
    return tree


def test_what_is_written_is_listed_as_sha256sum_has_it(folder: Path) -> None:
    names = ("a.json", "eval/test/hypotheses.txt")
    for name in (*names, "README.md"):
        write_text(folder / name, f"{name}\n" * 3)
    twin = {name: [hashlib.sha256((folder / name).read_bytes()).hexdigest()] for name in names}
    assert {name: [one["sha256"] for one in sums] for name, sums in listed(folder).items()} == twin
    assert {name: [one["bytes"] for one in sums] for name, sums in listed(folder).items()} == {
        name: [(folder / name).stat().st_size] for name in names
    }
    assert sorted(path.name for path in folder.iterdir()) == ["README.md", "a.json", "eval", NAME]


def test_a_flipped_bit_and_a_cut_are_named_with_what_to_do(folder: Path) -> None:
    path = folder / "a.txt"
    write_text(path, "a line\nanother\n")
    data = path.read_bytes()
    path.write_bytes(bytes([data[0] ^ 1]) + data[1:])
    for read in (read_lines, read_whole, must_be_whole):
        with pytest.raises(DamagedError, match=r"a\.txt is damaged; ask Ada \(its checksum is not that of manifest"):
            read(path, "ask Ada")
    path.write_bytes(data[:-3])
    with pytest.raises(DamagedError, match=r"a\.txt is damaged; restore it \(it has 12 bytes in place of 15\)"):
        read_lines(path)
    path.write_bytes(data)
    assert read_lines(path) == ["a line", "another"]


@pytest.mark.parametrize("kept", range(4))
def test_a_kill_at_any_renaming_leaves_nothing_that_is_called_damaged(
    folder: Path, monkeypatch: pytest.MonkeyPatch, kept: int
) -> None:
    """The second text is begun twice, as a resumed training does, and the first kill comes before its own renaming."""
    path = folder / "state"
    write_text(path, "first")
    replace = Path.replace
    for attempt in (1, kept):
        left = [attempt]

        def dying(self: Path, target: Path, left: list[int] = left) -> Path:
            left[0] -= 1
            if left[0] < 0:
                raise KeyboardInterrupt
            return replace(self, target)

        with monkeypatch.context() as patch:
            patch.setattr(Path, "replace", dying)
            try:
                write_text(path, f"second {attempt}")
            except KeyboardInterrupt:
                assert kept < 3 or attempt == 1
        must_be_whole(path)
        assert read_whole(path)[0].decode() in {"first", "second 1", f"second {kept}"}
    write_text(path, "third")
    assert [one["sha256"] for one in listed(folder)["state"]] == [hashlib.sha256(b"third").hexdigest()]


def test_what_is_replaced_while_it_is_read_is_read_again(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = folder / "model"
    write_text(path, "old")
    read, pending = Path.read_bytes, ["new"]

    def slow(self: Path) -> bytes:
        data = read(self)
        if self == path and pending:
            write_text(path, pending.pop())
        return data

    monkeypatch.setattr(Path, "read_bytes", slow)
    assert read_whole(path)[0] == b"new"
    assert not pending


def test_the_first_part_of_a_large_file_is_checked_alone(folder: Path) -> None:
    path = folder / "large"
    write_text(path, "x" * (FIRST + 100))
    data = bytearray(path.read_bytes())
    data[FIRST + 50] ^= 1
    path.write_bytes(data)
    must_be_whole(path, first=True)
    with pytest.raises(DamagedError):
        must_be_whole(path)
    data[FIRST + 50] ^= 1
    data[50] ^= 1
    path.write_bytes(data)
    with pytest.raises(DamagedError):
        must_be_whole(path, first=True)


def test_without_a_manifest_or_with_that_of_another_program_nothing_is_checked(tmp_path: Path) -> None:
    for text in (None, '{"name": "a page of the web"}'):
        if text:
            (tmp_path / NAME).write_text(text)
            manifest.begin(tmp_path)
            assert (tmp_path / NAME).read_text() == text
        write_text(tmp_path / "a", "a")
        (tmp_path / "a").write_text("b")
        assert read_whole(tmp_path / "a") == (b"b", None)


@pytest.mark.parametrize("damage", [lambda text: text[:-9], lambda text: text.replace('"bytes": 1', '"bytes": 2')])
def test_a_damaged_manifest_is_named(folder: Path, damage: Callable[[str], str]) -> None:
    write_text(folder / "a", "a")
    text = (folder / NAME).read_text()
    assert damage(text) != text
    (folder / NAME).write_text(damage(text))
    with pytest.raises(DamagedError, match=r"manifest\.json is damaged; restore it, or delete it"):
        read_whole(folder / "a")
    with pytest.raises(UserError, match=r"manifest\.json is damaged"):
        write_text(folder / "a", "b")
    assert (folder / "a").read_text() == "a"


@pytest.mark.parametrize("text", ["[1", "NaN", "[1e999]", "[Infinity]", '"\\ud800', "[" * 100_000, "\udcff"])
def test_json_that_is_none_is_named(tmp_path: Path, text: str) -> None:
    (tmp_path / "x.json").write_bytes(text.encode("utf-8", "surrogateescape"))
    with pytest.raises(DamagedError, match=r"x\.json is damaged; delete it \("):
        read_json(tmp_path / "x.json", "delete it", lambda tree: tree)
