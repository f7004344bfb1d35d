import numpy as np
import pytest

from mt.views.terminal import KEY, blocks, label, width_of

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


def test_columns_that_do_not_fit_follow_below() -> None:
    drawn = blocks(WORDS, SOURCE, TARGET, width=27).split("\n\n")
    assert [panel.splitlines() for panel in drawn] == [
        ["ein", "│ kleiner", "│ │ Hund", "██· ·  a", "░░▓▓·  small", "· ░░▒▒ dog"],
        ["</s>", "·  a", "·  small", "▓▓ dog"],
        [KEY],
    ]


@pytest.mark.parametrize("width", [1, 23, 40, 80, 200])
def test_no_line_is_wider_than_the_terminal(width: int) -> None:
    source, target = [f"Wort{n}" * 9 for n in range(70)], ["漢字" * 20, "ἀρετή" * 20]
    drawn = blocks(np.full((2, 71), 0.5), source, target, width)
    assert max(map(width_of, drawn.splitlines())) <= max(width, len(KEY), 23)
    assert drawn.count("▒▒") == 2 * 71 + 1
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
        ("", ""),
    ],
)
def test_labels_are_printable_and_fit_in_eight_columns(word: str, expected: str) -> None:
    assert label(word, 8) == expected
    assert width_of(label(word, 8)) <= 8


def test_width_counts_wide_characters_twice_and_marks_not_at_all() -> None:
    assert [width_of(text) for text in ("", "añ", "n\u0303", "漢字", "ｆ", "ᾧ", "🙂")] == [0, 2, 1, 4, 2, 1, 2]
