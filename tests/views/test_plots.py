import html
import io
import re
import subprocess
import sys
import warnings

import matplotlib
import numpy as np
import pytest
from PIL import Image

from mt.alignment.matrices import Alignment
from mt.core.errors import UserError
from mt.views.heat_map import heat_map

SOURCE, TARGET = ["ein", "kleiner", "Hund"], ["a", "small", "dog"]
# Made up: letters of German; and of Greek with breathings, accents, iota subscript, diaeresis, precomposed or not.
GERMAN = ["Öbßkraut", "„Übelfäßchen“", "Ährenjux", "ſchwyzq’v"]
GREEK = ["ᾧβδᾳ", "Ἆγζῆθ", "ῥᾷκλῳ", "ΐμνΰξ", "Ὧπρσς", "τἣφχψ", "ῒηὒ", "ὦ·", "᾽ἀλα;", "α\u0313\u0342ω\u0345"]
WORDS = np.array([[0.9, 0.1, 0.0, 0.0], [0.1, 0.8, 0.1, 0.0], [0.0, 0.1, 0.3, 0.6]])


def drawn(words: np.ndarray, source: list[str], target: list[str]) -> Alignment:
    """Return an alignment of these words; what is not drawn is left out."""
    return Alignment(
        source="",
        target="",
        source_pieces=[],
        target_pieces=[],
        attention=np.zeros((0, 0)),
        source_words=source,
        target_words=target,
        words=words,
        links=[],
    )


def pixels(data: bytes) -> np.ndarray:
    """Return red, green and blue [height, width, 3], through PIL, which matplotlib brings along."""
    with Image.open(io.BytesIO(data)) as image:
        return np.asarray(image.convert("RGB")).astype(int)


def svg_texts(text: str) -> list[str]:
    """Return the labels, which are text in an SVG."""
    return [html.unescape(label) for label in re.findall(r"<text [^>]*>(.*?)</text>", text)]


def matrix_of(image: np.ndarray, rows: int, columns: int) -> np.ndarray:
    """Return the part of a picture that is inside the black frame of the matrix."""
    black, cell = (image < 120).all(axis=2), round(0.32 * 150)
    top = int(np.argmax(black.sum(axis=1) > 0.9 * columns * cell))
    left = int(np.argmax(black[top:].sum(axis=0) > 0.9 * rows * cell))
    return image[top + 1 : top + 1 + rows * cell, left + 1 : left + 1 + columns * cell]


def test_png_has_a_cell_for_every_pair_of_words_coloured_by_its_weight(tmp_path):
    path = tmp_path / "a.png"
    heat_map(path, drawn(WORDS, SOURCE, TARGET))
    matrix = matrix_of(pixels(path.read_bytes()), 3, 4)
    for row in range(3):
        for column in range(4):
            red = matrix[round((row + 0.5) * 48), round((column + 0.5) * 48), 0]
            assert red == pytest.approx(expected_red(WORDS[row, column]), abs=3)


def expected_red(weight: float) -> float:
    """Return the red of ColorBrewer's nine blues, at 2.2 times a weight up to a fifth, and evenly beyond."""
    dark = 2.2 * weight if weight < 0.2 else 0.3 + 0.7 * weight
    return float(np.interp(dark, np.linspace(0, 1, 9), [247, 222, 198, 158, 107, 66, 33, 8, 8]))


def test_source_words_and_the_end_are_across_and_target_words_down(tmp_path):
    path = tmp_path / "a.svg"
    heat_map(path, drawn(WORDS, SOURCE, TARGET), title="A title\nof two lines")
    scale = ["0.0", "0.2", "0.4", "0.6", "0.8", "1.0", "weight"]
    labels = [*SOURCE, "</s>", "source", *TARGET, "target", "A title", "of two lines"]
    assert svg_texts(path.read_text(encoding="utf-8")) == [*labels, *scale]


@pytest.mark.parametrize(("name", "magic"), [("a.png", b"\x89PNG"), ("a.PDF", b"%PDF"), ("a.svg", b"<?xml")])
def test_the_suffix_says_the_format_and_nothing_is_left_behind(tmp_path, name, magic):
    heat_map(tmp_path / "new" / name, drawn(WORDS, SOURCE, TARGET))
    assert (tmp_path / "new" / name).read_bytes().startswith(magic)
    assert [file.name for file in (tmp_path / "new").iterdir()] == [name]


@pytest.mark.parametrize("name", ["a.jpeg", "a", "a.txt"])
def test_other_suffixes_are_refused(tmp_path, name):
    with pytest.raises(UserError, match=r"must end in \.png, \.svg, \.pdf"):
        heat_map(tmp_path / name, drawn(WORDS, SOURCE, TARGET))
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("suffix", ["png", "svg", "pdf"])
def test_any_character_can_be_drawn_and_nothing_is_mathematics(tmp_path, suffix):
    words = [
        "$x_1$",
        r"$\frac{$",
        "a_b^c",
        "<&-->",
        "ἀρχῇ",
        "žluťoučký",
        "🙂",
        "漢字",
        "שלום",
        "NUL\0",
        "\u200b",
        "x" * 5000,
    ]
    path = tmp_path / f"a.{suffix}"
    with warnings.catch_warnings(record=True, action="always") as caught:
        heat_map(path, drawn(np.eye(len(words), len(words) + 1), words, words[::-1]), title=r"$\frac{$ 漢字")
    assert caught == []
    if suffix == "svg":
        labels = svg_texts(path.read_text(encoding="utf-8"))
        assert "$x_1$" in labels
        assert "a_b^c" in labels
        assert r"$\frac{$ 漢字" in labels
        assert "NUL\ufffd" in labels
        assert "x" * 29 + "…" in labels


@pytest.mark.parametrize("matrix", [np.zeros((0, 0)), np.zeros((0, 4))])
def test_an_empty_translation_gives_an_empty_picture(tmp_path, matrix):
    heat_map(tmp_path / "a.png", drawn(matrix, SOURCE, []))
    assert (matrix_of(pixels((tmp_path / "a.png").read_bytes()), 1, 4)[24, 100] == [247, 251, 255]).all()


def test_a_matrix_that_does_not_fit_the_words_is_refused(tmp_path):
    with pytest.raises(ValueError, match=r"matrix \(3, 4\) does not fit 3 target, 4 source words"):
        heat_map(tmp_path / "a.png", drawn(WORDS, [*SOURCE, "läuft"], TARGET))


def test_long_sentences_get_smaller_cells(tmp_path):
    heat_map(tmp_path / "a.png", drawn(np.full((2, 121), 0.5), ["w"] * 120, ["a", "b"]))
    height, width, _ = pixels((tmp_path / "a.png").read_bytes()).shape
    assert 3000 <= width < 3300
    assert height < 400


def test_pyplot_and_its_global_state_stay_unloaded():
    code = "import sys, mt.views.heat_map; sys.exit('matplotlib.pyplot' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


@pytest.mark.parametrize("suffix", ["png", "svg", "pdf"])
def test_german_and_polytonic_greek_have_all_their_glyphs(tmp_path, monkeypatch, suffix):
    # Warnings of missing glyphs are let through, and are errors in these tests.
    monkeypatch.setattr("mt.views.heat_map.UNDRAWABLE", "no such warning")
    heat_map(tmp_path / f"a.{suffix}", drawn(np.eye(10, 5), GERMAN, GREEK), title=" ".join(GERMAN + GREEK))
    with pytest.raises(UserWarning, match="missing from"):
        heat_map(tmp_path / f"a.{suffix}", drawn(WORDS, SOURCE, ["\U00012000", "small", "dog"]))


@pytest.mark.parametrize("suffix", ["png", "svg", "pdf"])
def test_same_input_gives_the_same_bytes_whatever_the_style_of_the_user(tmp_path, monkeypatch, suffix):
    gold = {(2, 0), (0, 1), (1, 2)}
    heat_map(tmp_path / f"a.{suffix}", drawn(WORDS, SOURCE, TARGET), "A title", gold)
    monkeypatch.setenv("SOURCE_DATE_EPOCH", "1000000000")
    with matplotlib.rc_context({"font.family": "serif", "axes.grid": True, "savefig.facecolor": "red"}):
        heat_map(tmp_path / f"b.{suffix}", drawn(WORDS, SOURCE, TARGET), "A title", frozenset(sorted(gold)))
    assert (tmp_path / f"a.{suffix}").read_bytes() == (tmp_path / f"b.{suffix}").read_bytes()


def test_gold_links_are_outlined_and_said_and_nothing_else_changes(tmp_path):
    heat_map(tmp_path / "plain.png", drawn(WORDS, SOURCE, TARGET))
    heat_map(tmp_path / "gold.png", drawn(WORDS, SOURCE, TARGET), gold={(2, 1), (0, 0)})
    plain, gold = (pixels((tmp_path / f"{name}.png").read_bytes()) for name in ("plain", "gold"))
    matrices = [matrix_of(image, 3, 4) for image in (plain, gold)]
    changed = (matrices[0] != matrices[1]).any(axis=2)
    per_cell = changed.reshape(3, 48, 4, 48).sum(axis=(1, 3))
    assert per_cell[0, 0] == per_cell[1, 2] > 4 * 0.8 * 48
    assert per_cell.sum() == per_cell[0, 0] + per_cell[1, 2]
    assert (gold == [255, 140, 0]).all(axis=2).sum() > 4 * 0.8 * 48
    heat_map(tmp_path / "gold.svg", drawn(WORDS, SOURCE, TARGET), gold={(2, 1), (0, 0)})
    assert "gold link" in svg_texts((tmp_path / "gold.svg").read_text(encoding="utf-8"))
