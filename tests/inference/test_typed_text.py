"""All ways to type a sentence give one translation and one alignment, in which it stands as it was typed."""

import unicodedata
from pathlib import Path

import numpy as np
import pytest

import mt
from mt.alignment.matrices import EMPTY
from mt.core.errors import UserError
from mt.corpora.pairs import Split
from mt.inference.aligner import View, load_aligner
from mt.inference.translator import Translator
from mt.runs.run import Run

LINE = "fünf zwölf drei fünf"
TYPED = [
    LINE,
    unicodedata.normalize("NFD", LINE),
    LINE.replace(" ", "\xa0"),
    LINE.replace("f", "f\xad"),
    f"\u200b{LINE}\u200b",
    f"\ufeff{LINE.replace(' ', '  ')} ",
    LINE.replace("drei", "\u202adrei\u202c"),
    LINE.replace(" ", " \u200b\u3000"),
]


@pytest.fixture(scope="module")
def made(numbers: Path) -> Translator:
    return mt.load(numbers)


def test_they_are_translated_alike_and_shown_as_they_were_typed(made: Translator) -> None:
    found = made.translate(TYPED, prefixes=["fi\u200bve"] * len(TYPED))
    first = found[0].alignment or EMPTY
    assert found[0].text == "five twelve three five"
    for typed, one in zip(TYPED, found, strict=True):
        alignment = one.alignment or EMPTY
        assert (one.text, one.score, one.pieces) == (found[0].text, found[0].score, found[0].pieces)
        assert alignment.source == typed.strip()
        assert alignment.source_words == [word for word in typed.split() if word != "\u200b"][: len(first.source_words)]
        np.testing.assert_array_equal(alignment.attention, first.attention)
        np.testing.assert_allclose(alignment.words, first.words)
        assert alignment.links == first.links


def test_they_are_aligned_alike(numbers: Path) -> None:
    aligner = load_aligner(Run(numbers))
    view = View(aligner.site)
    targets = ["five twelve three five", "five\xa0twelve \u200bthree fi\xadve"] * (len(TYPED) // 2)
    found = [one.alignment() for one in aligner.forced(Split(TYPED, targets), [view])[view]]
    for typed, target, one in zip(TYPED, targets, found, strict=True):
        assert (one.source, one.target) == (typed, target)
        assert "".join(one.target_words) == "".join(target.split())
        assert one.links == found[0].links
        np.testing.assert_allclose(one.attention, found[0].attention, atol=1e-6)


def test_what_is_invisible_is_empty(made: Translator) -> None:
    assert [one.text for one in made.translate(["\u200b", "\xad \ufeff"])] == ["", ""]


def test_a_run_that_reads_text_as_it_is_makes_no_ensemble_with_one_that_does_not(numbers: Path) -> None:
    config = numbers / "config.yaml"
    other = numbers.parent / "as-it-is"
    other.mkdir()
    for file in ("tokenizer.model", "model.safetensors"):
        (other / file).write_bytes((numbers / file).read_bytes())
    (other / "config.yaml").write_text(config.read_text().replace("normalize: nfc", "normalize: none"))
    assert mt.load(other).translate([LINE])[0].text == "five twelve three five"
    assert mt.load(other).translate([TYPED[1]])[0].text != "five twelve three five"
    with pytest.raises(UserError, match="different vocabularies, so they make no ensemble"):
        mt.load(numbers, other)
