"""Files are whole or untouched, and what cannot be read or written is said with file and line."""

import errno
import gzip
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from mt.core import files as disk
from mt.core.errors import UserError
from mt.core.files import replacing

ROOT = Path(__file__).parents[2]


@pytest.fixture
def umask() -> Iterator[int]:
    before = os.umask(0o027)
    yield 0o027
    os.umask(before)


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def test_a_new_file_appears_whole(tmp_path: Path) -> None:
    path = tmp_path / "deep" / "folder" / "file.npz"
    with replacing(path) as temporary:
        assert temporary.parent == path.parent  # a rename across file systems would not be atomic
        assert temporary.suffix == ".npz"  # some writers choose the format, or add a suffix, by name
        temporary.write_bytes(b"new")
        assert not path.exists()
    assert path.read_bytes() == b"new"
    assert names(path.parent) == ["file.npz"]


@pytest.mark.parametrize("error", [ValueError("no"), KeyboardInterrupt()])
def test_a_block_that_fails_leaves_the_old_file_alone(tmp_path: Path, error: BaseException) -> None:
    path = tmp_path / "file"
    path.write_bytes(b"old")

    def fail() -> None:
        with replacing(path) as temporary:
            temporary.write_bytes(b"half")
            raise error

    with pytest.raises(type(error)):
        fail()
    assert path.read_bytes() == b"old"
    assert names(tmp_path) == ["file"]


def test_the_old_file_stays_until_the_block_ends(tmp_path: Path) -> None:
    path = tmp_path / "file"
    path.write_bytes(b"old")
    with replacing(path) as temporary:
        temporary.write_bytes(b"new")
        assert path.read_bytes() == b"old"
    assert path.read_bytes() == b"new"


def test_writers_of_one_file_do_not_meet(tmp_path: Path) -> None:
    path = tmp_path / "file"
    with replacing(path) as first, replacing(path) as second:
        assert first != second
        first.write_bytes(b"first")
        second.write_bytes(b"second")
    assert path.read_bytes() == b"first"
    assert names(tmp_path) == ["file"]


def test_permissions_follow_the_umask(tmp_path: Path, umask: int) -> None:
    disk.write_text(tmp_path / "file", "text")
    assert (tmp_path / "file").stat().st_mode & 0o777 == 0o666 & ~umask == 0o640
    assert os.umask(umask) == umask  # reading the mask did not change it


def test_text_and_lines_are_written_as_they_are(tmp_path: Path) -> None:
    disk.write_text(tmp_path / "text", "ä\n\u2028\r\n🐕")
    assert (tmp_path / "text").read_bytes() == "ä\n\u2028\r\n🐕".encode()
    disk.write_lines(tmp_path / "lines", iter(["ä", "", " b "]))
    assert (tmp_path / "lines").read_bytes() == "ä\n\n b \n".encode()
    disk.write_lines(tmp_path / "none", [])
    assert (tmp_path / "none").read_bytes() == b""


@pytest.mark.parametrize(
    ("target", "reason"),
    [("file/below", "(Not a directory|File exists)"), ("folder", "Is a directory"), ("x" * 250, "File name too long")],
)
def test_a_place_that_takes_no_file_is_named(tmp_path: Path, target: str, reason: str) -> None:
    (tmp_path / "file").write_text("old")
    (tmp_path / "folder").mkdir()
    with pytest.raises(UserError, match=rf"cannot write {tmp_path / target}: {reason}\. What was there before is unch"):
        disk.write_text(tmp_path / target, "new")
    assert names(tmp_path) == ["file", "folder"]
    assert (tmp_path / "file").read_text() == "old"


@pytest.mark.parametrize(
    ("number", "reason"), [(errno.EACCES, "Permission denied"), (errno.EROFS, "Read-only file sy")]
)
def test_a_place_that_is_read_only_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, number: int, reason: str
) -> None:
    (tmp_path / "file").write_text("old")

    def refuse(*_: object, **__: object) -> None:  # as root, tests can write everywhere
        raise OSError(number, os.strerror(number))

    monkeypatch.setattr("tempfile.mkstemp", refuse)
    with pytest.raises(UserError, match=rf"cannot write {tmp_path / 'file'}: {reason}.*\. What was there before"):
        disk.write_text(tmp_path / "file", "new")
    assert (tmp_path / "file").read_text() == "old"


def test_a_full_disk_loses_nothing(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("old")
    code = f"""
import resource
from pathlib import Path
from mt.core import files as disk
from mt.core.errors import UserError
resource.setrlimit(resource.RLIMIT_FSIZE, (1000, 1000))
path = Path({str(tmp_path / "file")!r})
try:
    disk.write_text(path, "x" * 100_000)
except UserError as error:
    print(error)
disk.write_text(path.with_name("small"), "fits")
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=ROOT)
    assert done.stdout == f"cannot write {tmp_path / 'file'}: File too large. What was there before is unchanged\n"
    assert (tmp_path / "file").read_text() == "old"
    assert names(tmp_path) == ["file", "small"]


def test_only_a_line_feed_ends_a_line(tmp_path: Path) -> None:
    data = "\ufeffa\r\n\r\n b \t\nc\rd\u2028e\u0085f\x0bg\x0c\n\ufeffh\0i".encode()
    lines = ["a", "", " b \t", "c\rd\u2028e\u0085f\x0bg\x0c", "\ufeffh\0i"]
    (tmp_path / "plain").write_bytes(data)
    (tmp_path / "packed.gz").write_bytes(gzip.compress(data[:20]) + gzip.compress(data[20:]))  # as `cat a.gz b.gz`
    assert disk.read_lines(tmp_path / "plain") == lines
    assert disk.read_lines(tmp_path / "packed.gz") == lines
    assert disk.decode_lines(data + b"\n", "stdin") == lines


@pytest.mark.parametrize(
    ("data", "lines"),
    [
        (b"", []),
        (b"\n", [""]),
        (b"\n\n", ["", ""]),
        (b"a", ["a"]),
        (b"a\r\n", ["a"]),
        (b"a\r\r\n", ["a\r"]),
        (b"\xef\xbb\xbf", []),
    ],
)
def test_ends_of_files(data: bytes, lines: list[str]) -> None:
    assert disk.decode_lines(data, "stdin") == lines


def test_written_lines_come_back(tmp_path: Path) -> None:
    lines = ["ä", "", "  ", "\u2028", "x\ry", "🐕\0"]
    disk.write_lines(tmp_path / "file", lines)
    assert disk.read_lines(tmp_path / "file") == lines


@pytest.mark.parametrize(
    ("row", "byte"), [(b"na\xefve", 3), (b"\xff\xfea\0", 1), (b"cut \xf0\x9f\x90", 5), (b"\xed\xa0\x80", 1)]
)
def test_what_is_not_utf8_is_named_with_its_line(tmp_path: Path, row: bytes, byte: int) -> None:
    (tmp_path / "file").write_bytes("ä\r\nb\n".encode() + row + b"\nd\n")
    with pytest.raises(UserError, match=rf"{tmp_path / 'file'}, line 3: not UTF-8 at byte {byte}; convert the file"):
        disk.read_lines(tmp_path / "file")


def test_a_file_that_cannot_be_read_is_named(tmp_path: Path) -> None:
    with pytest.raises(UserError, match=rf"cannot read {tmp_path / 'missing'}: No such file or directory"):
        disk.read_lines(tmp_path / "missing")
    with pytest.raises(UserError, match=rf"cannot read {tmp_path}: Is a directory"):
        disk.read_lines(tmp_path)


def test_a_damaged_gzip_file_is_named(tmp_path: Path) -> None:
    path = tmp_path / "file.gz"
    whole = gzip.compress(b"".join(b"%d\n" % number for number in range(1000)))
    middle = len(whole) // 2
    damaged = [
        b"plain text\n",
        whole[:-1],
        whole[:middle],
        whole[:5],  # no gzip; cut short
        whole[:-8] + bytes(8),
        whole[:middle] + bytes(20) + whole[middle + 20 :],
        whole[:10] + b"\xff" * 50,
    ]
    for data in damaged:
        path.write_bytes(data)
        with pytest.raises(UserError, match=rf"cannot read {path}: .+"):
            disk.read_lines(path)
    path.write_bytes(whole)
    assert disk.read_lines(path)[-1] == "999"
