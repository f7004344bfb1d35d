"""What people bring as text: read, or refused with what to do."""

import bz2
import gzip
import lzma
import re
from collections.abc import Callable
from pathlib import Path

import pyarrow
import pytest

from mt.core.errors import UserError
from mt.core.files import decode_lines, read_lines
from mt.core.text import decode_sentences, read_sentences, unknown_encoding

LINES = ["Die Tür ist „schön“.", "", " Ça coûte 3 €. ", "ein\u2028Satz\u00a0hier"]
TEXT = "\n".join(LINES) + "\n"
WESTERN = ["Die Tür – „schön“ – ist groß.", "Ça coûte 3 €, c’est cher."]


@pytest.fixture(autouse=True)
def elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def refused(data: bytes, encoding: str | None = None, name: str = "a.de") -> str:
    with pytest.raises(UserError) as error:
        decode_sentences(data, name, encoding)
    assert str(error.value).startswith(name)
    assert not re.search(r"[\0-\x09\x0b-\x1f\x7f-\x9f]", str(error.value))
    return str(error.value)


# encodings


@pytest.mark.parametrize(
    ("mark", "encoding"),
    [
        (b"", "utf-8"),
        (b"\xef\xbb\xbf", "utf-8"),
        (b"\xff\xfe", "utf-16-le"),
        (b"\xfe\xff", "utf-16-be"),
        (b"\xff\xfe\0\0", "utf-32-le"),
        (b"\0\0\xfe\xff", "utf-32-be"),
    ],
)
@pytest.mark.parametrize("end", ["\n", "\r\n"])
def test_a_byte_order_mark_says_what_the_bytes_are(mark: bytes, encoding: str, end: str) -> None:
    data = mark + end.join([*LINES, ""]).encode(encoding)
    assert decode_sentences(data, "a.de") == LINES
    assert decode_sentences(data, "a.de", "utf-8") == LINES


@pytest.mark.parametrize(
    ("encoding", "text"),
    [
        ("utf-16-le", TEXT),
        ("utf-16-be", TEXT),
        ("utf-32-le", TEXT),
        ("utf-16-le", "厨房很小。\n这只猫睡觉。\n"),
        ("utf-16-be", "厨房很小。\n这只猫睡觉。\n"),
    ],
)
def test_utf_16_without_a_mark_is_refused_and_the_key_reads_it(encoding: str, text: str) -> None:
    data = text.encode(encoding)
    assert f"set corpus.encoding: {encoding}" in refused(data, "utf-8") == refused(data, "UTF8")
    assert f"iconv -f {encoding} -t utf-8" in refused(data)
    assert decode_sentences(data, "a.de", encoding) == text.splitlines() or text == TEXT
    assert "\n".join(decode_sentences(data, "a.de", encoding)) + "\n" == text


def test_windows_1252_is_named_and_the_key_reads_it() -> None:
    data = "\n".join(WESTERN).encode("windows-1252")
    said = refused(data, "utf-8")
    assert (
        "a.de, line 1: not UTF-8 at byte 6; it may be windows-1252, if the text is in a western European language"
        in said
    )
    assert "set corpus.encoding: windows-1252; if it is not, find out what it is (windows-1250" in said
    assert "iconv -f windows-1252 -t utf-8" in refused(data)
    assert decode_sentences(data, "a.de", "windows-1252") == WESTERN
    assert "line 2: not UTF-8" in refused(b"ja\nnein, \xfc\n")


@pytest.mark.parametrize(("encoding", "text"), [("windows-1251", "Кухня маленькая.\n"), ("gb18030", "厨房很小。\n")])
def test_what_is_not_western_is_not_called_so(encoding: str, text: str) -> None:
    said = refused(text.encode(encoding), "utf-8")
    assert encoding in said
    assert "1252" not in said
    assert "latin" not in said
    assert decode_sentences(text.encode(encoding), "a.ru", encoding) == [text.strip()]


@pytest.mark.parametrize("rows", [1, 40])
@pytest.mark.parametrize(
    ("encoding", "text", "named"),
    [
        ("windows-1251", "Кухня маленькая, но чистая.", False),
        ("koi8-r", "Кухня маленькая, но чистая.", False),
        ("cp874", "ห้องครัวเล็กมาก", False),
        ("gb2312", "厨房很小但是很干净。", False),
        ("big5", "廚房很小但是很乾淨。", False),
        ("euc-jp", "台所はとても小さいです。コーヒー", False),
        ("shift_jis", "コーヒー", False),
        ("euc-kr", "부엌은 아주 작습니다.", False),
        ("windows-1253", "Η κουζίνα είναι μικρή.", False),
        ("windows-1255", "המטבח קטן מאוד", False),
        ("windows-1256", "المطبخ صغير جدا", False),
        ("iso-8859-2", "Kuchyně je velmi malá a čistá.", True),
        ("windows-1254", "Mutfak çok küçük, değil mi?", True),
        ("windows-1252", "Die Küche – „klein“, 3 €, größer. ¿Él está aquí? « Très bien »", True),
    ],
)
def test_advice_beside_an_english_column(encoding: str, text: str, named: bool, rows: int) -> None:
    data = "".join(f"The kitchen is clean, and has number {row}.\t{text}\n" for row in range(rows)).encode(encoding)
    said = refused(data, "utf-8")
    assert encoding.replace("gb2312", "gb18030") in said
    assert ("windows-1252, if the text is in a western European language: set" in said) == named == ("1252" in said)
    assert decode_sentences(data, "a.tsv", encoding)[0].endswith(text)


@pytest.mark.parametrize("width", [16, 32])
def test_a_wide_encoding_says_which_byte_comes_first(width: int) -> None:
    for order, other in (("le", "be"), ("be", "le")):
        data = TEXT.encode(f"utf-{width}-{order}")
        for encoding in (f"utf-{width}", f"utf{width}", f"utf-{width}-{other}"):
            assert f"set corpus.encoding: utf-{width}-{order}" in refused(data, encoding)
    assert "set corpus.encoding: utf-16-le, or utf-16-be" in refused("厨房".encode("utf-16-le"), "utf-16")
    assert decode_sentences(TEXT.encode(f"utf-{width}"), "a.de", f"utf-{width}") == LINES  # it has a mark


def test_carriage_returns_end_lines_where_no_line_feed_does() -> None:
    assert decode_sentences(b"a\rb\r\rc\r", "a.de") == ["a", "b", "", "c"]
    assert decode_sentences(b"a\rb\r\nc", "a.de") == ["a\rb", "c"]
    assert "line 2: not UTF-8" in refused(b"ja\rnein, \xfc\r")


def test_no_advice_gives_control_characters() -> None:
    assert "damaged, or no text" in refused(bytes(range(1, 256)) * 3)
    assert "windows-1252" not in refused(b"a word and \x81 a byte that windows-1252 has not")


def test_another_encoding_than_the_key_says() -> None:
    for encoding in ("ascii", "windows-1252", "latin1", "windows-1251", "gb18030"):
        assert "is UTF-8, not" in (said := refused("Küche".encode(), encoding))
        assert said.endswith("leave corpus.encoding out")
    assert decode_sentences("Küche".encode(), "a.de", "utf-8-sig") == ["Küche"]
    assert decode_sentences(b"kitchen", "a.de", "windows-1252") == ["kitchen"]


@pytest.mark.parametrize("code", [0x80, 0x86, 0x93, 0x9F])
def test_control_characters_in_place_of_letters_are_refused(code: int) -> None:
    said = refused(f"gut\nein {chr(code)}Satz\n".encode())
    assert f"a.de, line 2: the control character U+{code:04X}" in said
    assert "windows-1252?" in said
    assert "convert its origin anew" in said
    said = refused("Preis: 3 €\n".encode("windows-1252"), "latin-1")
    assert said.startswith("a.de, line 1: the control character U+0080")
    assert said.endswith("set corpus.encoding: windows-1252")
    assert "set corpus.encoding: windows-1250" in refused("Kuchyně\n…".encode("windows-1250"), "iso-8859-2")
    assert decode_sentences(f"ein {chr(code)}Satz".encode(), "a.de", raw=True) == [f"ein {chr(code)}Satz"]


def test_what_no_text_has_and_what_some_have() -> None:
    assert decode_sentences(b"a\nb\0c\n", "a.de") == ["a", "b\0c"]  # corpora refuse it
    assert decode_sentences("ein\u0085Satz".encode(), "a.de") == ["ein\u0085Satz"]  # white space
    assert decode_sentences(b"a\tb\x0bc\x0cd\n\x1b\n", "a.de") == ["a\tb\x0bc\x0cd", "\x1b"]


@pytest.mark.parametrize("data", [b"", b"\n", b"\n\n", b"a", b"a\r\n", b"a\r\r\n", b"\r", b"\xef\xbb\xbf", b"a\n\r"])
def test_lines_end_as_in_other_files(data: bytes) -> None:
    assert decode_sentences(data, "stdin") == decode_lines(data, "stdin")


@pytest.mark.parametrize("name", ["utf-8", "UTF8", "windows-1252", "latin1", "utf-16", "gb18030", "Shift_JIS"])
def test_known_encodings(name: str) -> None:
    assert unknown_encoding(name) == ""


@pytest.mark.parametrize(
    ("name", "close"),
    [
        ("windws-1252", "windows-1252"),
        ("utf-9", "utf-"),
        ("hex", ""),
        ("rot13", ""),
        ("a\0", ""),
        ("idna", ""),
        ("undefined", ""),
        ("base64", ""),
        ("unicode_escape", ""),
        ("raw-unicode-escape", ""),
        ("punycode", ""),
    ],
)
def test_what_is_no_encoding_of_text(name: str, close: str) -> None:
    assert "is no encoding of text" in unknown_encoding(name)
    assert close in unknown_encoding(name)


# compression


def pack_as_zstd(data: bytes) -> bytes:
    return bytes(pyarrow.Codec("zstd").compress(data, asbytes=True))


def pack_as_lzma(data: bytes) -> bytes:
    return lzma.compress(data, format=lzma.FORMAT_ALONE)


@pytest.mark.parametrize(
    ("name", "pack"), [("x.tgz", gzip.compress), ("x.TBZ2", bz2.compress), ("x.txz", lzma.compress)]
)
def test_a_tar_archive_is_called_one(name: str, pack: Callable[[bytes], bytes]) -> None:
    Path(name).write_bytes(pack(b"a.de".ljust(257, b"\0") + b"ustar\0"))
    with pytest.raises(UserError, match=f"{name} is a tar archive, compressed with .*: unpack it"):
        read_sentences(Path(name))


@pytest.mark.parametrize(
    ("suffix", "pack"),
    [
        (".gz", gzip.compress),
        (".bz2", bz2.compress),
        (".xz", lzma.compress),
        (".lzma", pack_as_lzma),
        (".zst", pack_as_zstd),
    ],
)
def test_compressed_files(tmp_path: Path, suffix: str, pack: Callable[[bytes], bytes]) -> None:
    data = pack(TEXT.encode())
    for name in (f"a.de{suffix}", f"a.de{suffix.upper()}"):
        (tmp_path / name).write_bytes(data + pack(b"mehr\n"))
        assert read_sentences(tmp_path / name) == [*LINES, "mehr"] == read_lines(tmp_path / name)
    (tmp_path / f"a.de{suffix}").write_bytes(data[: len(data) // 2])
    with pytest.raises(UserError, match=f"cannot read .*a.de{suffix}"):
        read_sentences(tmp_path / f"a.de{suffix}")
    for name in ("a.de", "a.txt.gz" if suffix != ".gz" else "a.txt.xz"):
        (tmp_path / name).write_bytes(data)
        with pytest.raises(UserError, match=f"its name does not say so: call it .*a.(de|txt){suffix}$"):
            read_sentences(tmp_path / name)
    (tmp_path / f"plain{suffix}").write_bytes(TEXT.encode())
    with pytest.raises(UserError, match=f"cannot read .*plain{suffix}"):
        read_sentences(tmp_path / f"plain{suffix}")
    (tmp_path / f"twice{suffix}").write_bytes(pack(data))
    with pytest.raises(UserError, match="is data compressed with"):
        read_sentences(tmp_path / f"twice{suffix}")
    assert "compressed with" in refused(data, name="standard input")


@pytest.mark.parametrize(
    ("data", "kind"),
    [
        (b"PK\x03\x04\x14\0\0", "a zip archive"),
        (b"\x28\xb5\x2f\xfd\x04", "zstd"),
        (b"%PDF-1.7\n", "a PDF"),
        (b"\x89PNG\r\n\x1a\n", "a picture"),
        (b"PAR1\x15\x04", "Parquet"),
        (b"a.de".ljust(257, b"\0") + b"ustar\0", "a tar archive"),
    ],
)
def test_containers_are_refused(data: bytes, kind: str) -> None:
    assert kind in refused(data)
    assert kind in refused(data, "windows-1252")
