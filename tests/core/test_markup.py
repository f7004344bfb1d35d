"""Trees in place of sentences, XML and JSON, are refused; sentences that look a little like them are not."""

from pathlib import Path

import pytest

from mt.core.errors import UserError
from mt.core.text import decode_sentences, read_sentences


@pytest.fixture(autouse=True)
def elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def refused_file(text: str) -> str:
    Path("a.de").write_text(text, encoding="utf-8")
    said = []
    for encoding in (None, "utf-8"):
        with pytest.raises(UserError, match=r"^a\.de is ") as error:
            read_sentences(Path("a.de"), encoding)
        said.append(str(error.value))
    assert said[0].endswith("mt translate takes them from standard input")
    assert said[1].endswith("set corpus.raw: true")
    assert read_sentences(Path("a.de"), raw=True)
    return said[0]


@pytest.mark.parametrize(
    "text",
    [
        '<?xml version="1.0"?>\n<tmx version="1.4">\n',
        "\ufeff\n  <!DOCTYPE html>\n<p>ja\n",
        '<tmx version="1.4"><body>',
        '<refset setid="a" srclang="any">\n<doc docid="b">\n<seg id="1"> ja </seg>\n',
        '<seg id="1"> ja </seg>\n<seg id="2"> nein </seg>\nein Satz\n',
        '<DOC docid="x">\nein Satz\n',
    ],
)
def test_xml_and_sgml_are_refused(text: str) -> None:
    assert "XML, SGML or HTML" in refused_file(text)
    assert decode_sentences(text.encode(), "a.de", raw=True)


@pytest.mark.parametrize(
    "text",
    [
        '{"de": "ja", "en": "yes"}\n{"de": "nein", "en": "no"}\n',
        '[{"de": "ja"},\n {"de": "nein"}]\n',
        '["ja", "nein"]',
        '{\n  "rows": ["ja"]\n}\n',
    ],
)
def test_json_is_refused(text: str) -> None:
    assert "is JSON" in refused_file(text)
    assert decode_sentences(text.encode(), "a.de", raw=True)


@pytest.mark.parametrize(
    "text",
    [
        "<i>Ja.</i>\n<i>Nein.</i>\n",
        "<unk> ein Satz\n",
        "< 3\n",
        "[1]\n[2]\n",
        "[Musik]\n",
        "{Lachen}\nja\n",
        '"ja"\n"nein"\n',
        "Ein Satz mit <seg>.\n",
        "ein Satz\n<p>\nzwei\n",
        "12\n13\n",
        "<Anna> dog cat\n<Peter> cat\n",
        "<de> How are you?\n<fr> Hello\n",
        "<root> dog <b>cat</b>\n<root> cat\n",
    ],
)
def test_sentences_are_not_taken_for_markup(text: str) -> None:
    Path("a.de").write_text(text, encoding="utf-8")
    assert read_sentences(Path("a.de")) == text.splitlines()
