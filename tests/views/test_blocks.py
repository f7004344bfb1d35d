import io
import re

import numpy as np
import pytest

from mt.views.terminal import COLOURED, KEY, NARROW_KEY, blocks, label, may_colour, width_of

SOURCE, TARGET = ["ein", "kleiner", "Hund"], ["a", "small", "dog"]
WORDS = np.array([[1.0, 0.1, 0.0, 0.0], [0.13, 0.87, 0.0, 0.0], [0.0, 0.3, 0.55, 0.7]])


def test_source_words_stand_above_their_columns_and_target_words_beside_their_rows() -> None:
    assert blocks(WORDS, SOURCE, TARGET).splitlines() == [
        "ein",
        "│ kleiner",
        "│ │ Hund",
        "│ │ │ </s>",
        "██· · ·  a",
        "░░▓▓· ·  small",
        "· ░░▒▒▓▓ dog",
        "",
        "░░ 0.25  ▒▒ 0.5  ▓▓ 0.75  ██ 1",
    ]


def test_words_that_do_not_fit_above_their_columns_are_numbered() -> None:
    assert blocks(WORDS, SOURCE, TARGET, width=28).splitlines() == [
        "1234",
        "█··· a",
        "░▓·· small",
        "·░▒▓ dog",
        "",
        "1 ein  2 kleiner  3 Hund",
        "4 </s>",
        "",
        "░ 0.25  ▒ 0.5  ▓ 0.75  █ 1",
    ]


def test_columns_that_do_not_fit_follow_below() -> None:
    drawn = blocks(WORDS, SOURCE, TARGET, width=14).split("\n\n")
    assert [part.splitlines() for part in drawn] == [
        ["123", "█·· a", "░▓· small", "·░▒ dog"],
        ["1 ein", "2 kleiner", "3 Hund"],
        ["4", "· a", "· small", "▓ dog"],
        ["4 </s>"],
        [NARROW_KEY],
    ]


def test_sixty_words_stay_in_eighty_columns_one_under_the_other() -> None:
    source = [f"{word}{number}" for number, word in enumerate(["Wort", "漢字", "שלום", "हिन्दी"] * 15)]
    drawn = blocks(np.eye(60, 61), source, ["漢字漢字漢字漢字漢字", *source[1:]], width=80).splitlines()
    assert max(map(width_of, drawn)) <= 80
    assert drawn[1] == "1234567890" * 6 + "1"
    assert [(at + 1, drawn[0][at]) for at in range(60) if drawn[0][at : at + 1].strip()] == [
        (number, str(number // 10)) for number in range(10, 61, 5)
    ]
    for number, line in enumerate(drawn[2:62]):
        assert line[:62] == "·" * number + "█" + "·" * (60 - number) + " "
    key = " ".join(drawn[63:-2]).split()
    assert [key[key.index(str(number + 1)) + 1] for number in range(60)] == source
    assert drawn[-1] == NARROW_KEY


def test_colour_marks_the_most_of_each_row_and_changes_nothing_else(monkeypatch: pytest.MonkeyPatch) -> None:
    for width in (80, 28):
        plain, coloured = (blocks(WORDS, SOURCE, TARGET, width, colour=colour) for colour in (False, True))
        marked = re.findall(r"\033\[1;35m(.*?)\033\[0m", coloured)
        assert marked == [shade * (2 if width == 80 else 1) for shade in "█▓▓"]
        assert re.sub(r"\033\[[\d;]*m", "", coloured) == plain + COLOURED
        assert "\033" not in plain
    terminal = io.StringIO()
    monkeypatch.setattr(terminal, "isatty", lambda: True)
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.delenv("NO_COLOR", raising=False)
    assert (may_colour(terminal), may_colour(io.StringIO())) == (True, False)
    monkeypatch.setenv("NO_COLOR", "1")
    assert not may_colour(terminal)


@pytest.mark.parametrize("width", [1, 23, 40, 80, 200])
def test_no_line_is_wider_than_the_terminal(width: int) -> None:
    source, target = [f"Wort{n}" * 9 for n in range(70)], ["漢字" * 20, "ἀρετή" * 20]
    drawn = blocks(np.full((2, 71), 0.5), source, target, width)
    assert max(map(width_of, drawn.splitlines())) <= max(width, len(KEY), 23)
    assert drawn.count("▒") == (2 if width == 200 else 1) * (2 * 71 + 1)
    assert sum(f"Wort{n}" in drawn for n in range(70)) == 70


@pytest.mark.parametrize("matrix", [np.zeros((0, 0)), np.zeros((0, 4))])
def test_an_empty_translation_draws_nothing(matrix: np.ndarray) -> None:
    assert blocks(matrix, SOURCE, []) == ""


def test_a_matrix_that_does_not_fit_the_words_is_refused() -> None:
    with pytest.raises(ValueError, match=r"matrix \(3, 4\) does not fit 3 target, 4 source words"):
        blocks(WORDS, [*SOURCE, "läuft"], TARGET)


@pytest.mark.parametrize(
    ("word", "expected"),
    [
        ("Hund", "Hund"),
        ("\x1b[1mro\n", "\ufffd[1mro\ufffd"),
        ("\u202eabc", "\ufffdabc"),
        ("x" * 8, "x" * 8),
        ("x" * 9, "x" * 7 + "…"),
        ("漢字漢字", "漢字漢字"),
        ("漢字漢字漢", "漢字漢…"),
        ("x漢字漢字", "x漢字漢…"),
        ("a\u0301" * 8, "a\u0301" * 8),
        ("a\u0301" * 9, "a\u0301" * 7 + "…"),
        ("نمی\u200cدانم", "نمی\u200cدانم"),
        ("", ""),
    ],
)
def test_labels_are_printable_and_fit_in_eight_columns(word: str, expected: str) -> None:
    assert label(word, 8) == expected
    assert width_of(label(word, 8)) <= 8


def test_width_counts_wide_characters_twice_and_marks_not_at_all() -> None:
    texts = {"": 0, "añ": 2, "n\u0303": 1, "漢字": 4, "ｆ": 2, "ᾧ": 1, "🙂": 2, "م\u200cی": 2}
    assert {text: width_of(text) for text in texts} == texts
