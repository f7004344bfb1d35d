"""What a word is."""

from mt.text.words import word_spans


def test_words_are_between_white_space() -> None:
    assert word_spans("  Ein Hund,\tläuft 🙂\n") == ((2, 5), (6, 11), (12, 17), (18, 19))
    assert word_spans(" \t ") == ()
