"""Translation memories (TMX): which segments are read, and that entities are never expanded."""

import re
import time
from collections.abc import Callable

import pytest
from corpus_files import elsewhere as elsewhere
from corpus_files import write
from formats import PAIRS, config_of, read, streamed, tmx

from mt.core.errors import UserError
from mt.corpora import files


def slow_tmx(written: str) -> list[tuple[str, str]]:
    """Read the units of `tmx` above by regular expressions."""
    found = []
    for unit in re.findall(r"<tu>(.*?)</tu>", written, re.DOTALL):
        sides = {name.lower(): text for name, text in re.findall(r'lang="(..)[^"]*">.*?<seg>(.*?)</seg>', unit, re.S)}
        texts = [sides[language].replace("&lt;", "<").replace("&amp;", "&") for language in ("de", "en")]
        found.append((texts[0], texts[1]))
    return found


@pytest.mark.parametrize("other", ["en", "en-US", "EN_gb", "eng"])
def test_units_of_a_memory(other: str) -> None:
    data = tmx(PAIRS, other=other)
    for encoding in ("utf-8", "utf-16"):
        write("a.tmx", data.decode().replace("UTF-8", encoding).encode(encoding))
        assert read("a.tmx") == streamed("a.tmx") == PAIRS
        assert streamed("a.tmx", 2, pairs=4) == PAIRS[:4]
    if other != "eng":
        assert slow_tmx(data.decode()) == PAIRS


def test_of_variants_the_very_one_is_taken_else_the_first() -> None:
    sides = [("en-GB", "colour"), ("en-US", "color"), ("de-AT", "Farbe"), ("de", "Farbe!"), ("fr", "couleur")]
    unit = "".join(f'<tuv lang="{language}"><seg>{text}</seg></tuv>' for language, text in sides)
    write("a.tmx", f"<tmx><body><tu>{unit}</tu></body></tmx>")
    for source, target, pair in (
        ("de", "en", ("Farbe!", "colour")),
        ("de-at", "en_US", ("Farbe", "color")),
        ("French", "ger", ("couleur", "Farbe")),
        ("en-US", "en-GB", ("color", "colour")),
    ):
        assert read("a.tmx", source=source, target=target) == [pair]
    for source, target, missing in (("it", "en", "it"), ("de", "en-AU", "en-AU")):
        for reads in (read, streamed):
            with pytest.raises(
                UserError, match=rf"no segment in '{missing}'; its languages are en-GB, en-US, de-AT, de"
            ):
                reads("a.tmx", source=source, target=target)


def test_one_segment_is_not_both_sides_of_a_pair() -> None:
    units = '<tu><tuv xml:lang="en-GB"><seg>lift</seg></tuv></tu><tu><tuv xml:lang="en"><seg>elevator</seg></tuv>'
    write("a.tmx", f'<tmx><body>{units}<tuv xml:lang="en-GB"><seg>lift</seg></tuv></tu></body></tmx>')
    for reads in (read, streamed):
        assert reads("a.tmx", source="en", target="en-GB") == [("elevator", "lift")]
        assert reads("a.tmx", source="en-GB", target="en") == [("lift", "elevator")]


def test_of_segments_of_one_language_the_first_is_taken() -> None:
    sides = [("de", "ja"), ("en", "yes"), ("en", "aye"), ("de", "jo")]
    unit = "".join(f'<tuv xml:lang="{language}"><seg>{text}</seg></tuv>' for language, text in sides)
    write("a.tmx", f"<tmx><body><tu>{unit}</tu></body></tmx>")
    assert read("a.tmx") == streamed("a.tmx") == [("ja", "yes")]


def test_markup_in_a_segment_is_no_text_and_units_without_both_languages_are_counted() -> None:
    inner = 'a <bpt i="1">&lt;b <sub>x</sub> y&gt;</bpt>b<ept i="1"/> <hi>c<ph>{1}</ph></hi>&#100; <![CDATA[<e>]]>'
    unit = f'<tu><tuv xml:lang="de"><seg>{inner}</seg></tuv><tuv xml:lang="en"><seg>yes</seg></tuv></tu>'
    only = '<tu><tuv xml:lang="de"><seg>nur</seg></tuv></tu><tu></tu>'
    write("a.tmx", f"<tmx><body>{only}{unit}</body></tmx>")
    split = files.read("a.tmx", config_of("a.tmx"))
    assert (split.sources, split.targets, split.dropped) == (["a b cd <e>"], ["yes"], 2)
    write("a.tmx", tmx([("na\u0086", "well")]))
    with pytest.raises(UserError, match=r"a\.tmx, unit 1: the control character U\+0086"):
        read("a.tmx")
    assert read("a.tmx", raw=True) == [("na\u0086", "well")]


LAUGHS = "".join(f'<!ENTITY l{n} "{f"&l{n - 1};" * 10}">' for n in range(1, 30))
BOMBS = {
    "billion laughs": f'<!DOCTYPE tmx [<!ENTITY l0 "ha">{LAUGHS}]>',
    "a file": '<!DOCTYPE tmx [<!ENTITY l29 SYSTEM "secret.txt">]>',
    "a parameter": '<!DOCTYPE tmx [<!ENTITY % l29 SYSTEM "http://localhost:9/x"> %l29;]>',
    "an attribute": f'<!DOCTYPE tmx [<!ATTLIST tu x CDATA "{"x" * 1000}">]>',
}


@pytest.mark.parametrize("bomb", BOMBS)
@pytest.mark.parametrize("reads", [read, streamed])
def test_a_memory_that_declares_entities_is_refused_at_once(bomb: str, reads: Callable[[str], object]) -> None:
    write("secret.txt", "secret")
    write("a.tmx", tmx(PAIRS, BOMBS[bomb]).replace(b"knights", b"&l29;"))
    before = time.process_time()
    with pytest.raises(UserError, match=r"a\.tmx, line 2: the DOCTYPE has declarations of its own") as error:
        reads("a.tmx")
    assert time.process_time() - before < 1
    assert "secret" not in str(error.value)


@pytest.mark.parametrize(
    ("data", "said"),
    [
        (tmx(PAIRS).replace(b"knights", b"&nbsp;"), r"a\.tmx, line \d+: &nbsp; stands for nothing"),
        (tmx(PAIRS, "").replace(b"knights", b"&nbsp;"), r"a\.tmx is not TMX, or damaged: undefined entity"),
        (tmx(PAIRS)[:-30], r"a\.tmx is not TMX, or damaged: .*line \d+"),
        (b"ein Satz\n", r"a\.tmx is not TMX, or damaged: syntax error: line 1"),
        (b"", r"a\.tmx is not TMX, or damaged: no element found"),
        (b'<?xml version="1.0" encoding="x"?><a/>', r"a\.tmx is not TMX, or damaged: unknown encoding"),
        (b"<html><p>ja</p></html>", r"no sentence pair in a\.tmx"),
    ],
)
def test_wrong_memories(data: bytes, said: str) -> None:
    write("a.tmx", data)
    for reads in (read, streamed) if b"html" not in data else (read,):
        with pytest.raises(UserError, match=said):
            reads("a.tmx")


def test_a_memory_given_twice_is_to_be_given_once() -> None:
    write("a.tmx", tmx(PAIRS))
    config = config_of("a.tmx")
    with pytest.raises(UserError, match=r"a\.tmx is XML, a translation memory .* name it once, train: a\.tmx"):
        files.read(("a.tmx", "a.tmx"), config)
