"""Characters are drawn by whichever font has them, and those that none has are named."""

import logging
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from fontTools.fontBuilder import FontBuilder
from fontTools.pens.ttGlyphPen import TTGlyphPen
from matplotlib import get_data_path
from matplotlib.font_manager import fontManager
from PIL import Image

from mt.alignment.matrices import Alignment
from mt.views import fonts
from mt.views.fonts import choose_fonts
from mt.views.heat_map import heat_map

HAD, LACKED, OUTLINELESS = "\U00012000", "\U00012001", "\U00012002"
"""Cuneiform, which of matplotlib's own fonts none has; the one below has the first, and for the last no outline."""


def square(side: int) -> object:
    pen = TTGlyphPen(None)
    if side:
        pen.moveTo((0, 0))
        for corner in ((0, side), (side, side), (side, 0)):
            pen.lineTo(corner)
        pen.closePath()
    return pen.glyph()


@pytest.fixture
def squares(tmp_path: Path) -> Iterator[str]:
    """Install a font of two characters, a black square and nothing, beside matplotlib's own alone; give its name."""
    name, font = "Squares of a test", FontBuilder(1000, isTTF=True)
    font.setupGlyphOrder([".notdef", "square", "nothing"])
    font.setupCharacterMap({ord(HAD): "square", ord(OUTLINELESS): "nothing"})
    font.setupGlyf({".notdef": square(0), "square": square(900), "nothing": square(0)})
    font.setupHorizontalMetrics(dict.fromkeys((".notdef", "square", "nothing"), (1000, 0)))
    font.setupHorizontalHeader(ascent=900, descent=-100)
    font.setupNameTable({"familyName": name, "styleName": "Regular"})
    font.setupOS2()
    font.setupPost()
    path, before = tmp_path / "squares.ttf", list(fontManager.ttflist)
    font.save(path)
    fontManager.ttflist[:] = [font for font in before if Path(font.fname).is_relative_to(get_data_path())]
    fontManager.addfont(path)
    fonts._families.cache_clear()
    yield name
    fontManager.ttflist[:] = before
    fonts._families.cache_clear()


def drawn(*words: str) -> Alignment:
    none = np.zeros((0, 0))
    return Alignment("", "", [], [], none, ["a"] * 3, list(words), np.zeros((len(words), 4)), [])


def test_a_font_is_chosen_for_what_those_before_it_lack(squares: str) -> None:
    assert choose_fonts("Wörter αβγ") == (["DejaVu Sans"], [])
    assert choose_fonts(f"a{HAD}b") == (["DejaVu Sans", squares], [])
    assert choose_fonts(f"{LACKED}{HAD}{OUTLINELESS}") == (["DejaVu Sans", squares], [LACKED, OUTLINELESS])


def test_what_a_font_has_is_drawn_and_nothing_is_said(
    squares: str, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    heat_map(tmp_path / "a.png", drawn(HAD * 20))
    with Image.open(tmp_path / "a.png") as image:
        dark = (np.asarray(image.convert("L")) < 64).sum()
    letter = 0.45 * 0.32 * 150
    assert dark > 20 * (0.85 * letter) ** 2
    assert caplog.records == []
    heat_map(tmp_path / "a.svg", drawn(HAD))
    assert f"'{squares}'" in (tmp_path / "a.svg").read_text(encoding="utf-8")


def test_what_no_font_has_is_named_with_what_brings_it(
    squares: str, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    for suffix in ("png", "pdf", "svg"):
        heat_map(tmp_path / f"a.{suffix}", drawn(LACKED + OUTLINELESS, "漢字", "🤖"))
    with_boxes = [record.getMessage() for record in caplog.records if record.levelno == logging.WARNING]
    assert with_boxes == [
        f"{tmp_path / 'a'}.{suffix} has boxes in place of characters: no font here has CJK (字 漢), "
        f"CUNEIFORM ({LACKED} {OUTLINELESS}), emoji and symbols (🤖); install one that has (Debian, Ubuntu: "
        "fonts-noto-cjk, fonts-noto-core, fonts-symbola), or draw an .svg"
        for suffix in ("png", "pdf")
    ]
