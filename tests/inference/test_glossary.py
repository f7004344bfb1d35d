"""What a glossary asks of the translation of a line, and what is said of a file that is none."""

from pathlib import Path

import pytest

from mt.core.errors import UserError
from mt.inference.glossary import Glossary, read_glossary
from mt.inference.wording import Wording


def test_only_whole_words_of_the_line_ask_for_theirs_beside_what_always_holds() -> None:
    made = Glossary((("Ofen", "stove"), ("Junge", "boy")), Wording(("x",), ("y",)))
    found = made.wordings(["Der Ofen und der Junge", "Ofenrohr", ""])
    assert found == [Wording(("x", "stove", "boy"), ("y",)), Wording(("x",), ("y",)), Wording(("x",), ("y",))]


def test_pairs_are_read_and_a_line_that_is_none_is_told(tmp_path: Path) -> None:
    file = tmp_path / "glossary.tsv"
    file.write_text("Ofen\tstove\n\n  \nrotes Auto \t red car\nOfen\tstove\n")
    assert read_glossary(file) == (("Ofen", "stove"), ("rotes Auto", "red car"))
    for text, message in {
        "a\tb\na\tb\tc\n": "line 2: write a word of the source",
        "\tb\n": "line 1: write a word of the source",
        "a\t\n": "line 1: write a word of the source",
        "a\tb\n\na\tc\n": "line 3: a has two translations",
    }.items():
        file.write_text(text)
        with pytest.raises(UserError, match=message):
            read_glossary(file)
