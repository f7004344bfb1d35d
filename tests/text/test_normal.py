"""One text for all the ways to type it, and where it stands in what was typed."""

import itertools
import random
import re
import sys
import unicodedata

import pytest

from mt.text.normal import normalise, spans_in

UNSEEN = "\xad\u200b\u2060\ufeff\u200e\u200f\u202a\u202c\u202e\u2066\u2069\u061c\u034f\u2064"
JOINERS = ["می\u200cخواهم", "क्\u200dष", "👩\u200d👩\u200d👧", "❤\ufe0f", "葛\U000e0100"]


@pytest.mark.parametrize(
    "typed",
    [
        "Ku\u0308che",
        "K\u00adü\u00adche",
        "\u200bKüche\u200b",
        "\u200e\u2067Küche\u2069",
        "Ku\u200b\u0308che",
        "\xa0Küche\u3000",
        "\ufeffKüche",
    ],
)
def test_all_ways_to_type_a_word_are_one(typed: str) -> None:
    assert normalise(typed) == "Küche"


def test_white_space_is_one_space() -> None:
    spaces = [chr(code) for code in range(sys.maxunicode) if unicodedata.category(chr(code)) in {"Zs", "Zl", "Zp"}]
    assert len(spaces) == 19
    for space in [*spaces, "\t", "\x85", "\r", "\n", "  ", "\t \u2028", "\u200b \u200b", " \xad\xa0"]:
        assert normalise(f"a{space}b") == "a b", repr(space)
        assert normalise(f"{space}a{space}") == "a", repr(space)
    assert normalise(" \t\u200b\u2029") == normalise("\xad") == normalise("") == ""


def test_what_other_scripts_need_stays() -> None:
    for text in [*JOINERS, "ﬁ ² ① ｶﾞ", "a\0b", "▁", "\x07"]:
        assert normalise(text) == text
        assert spans_in(text) == [(place, place + 1) for place in range(len(text))]


def test_spans_by_hand() -> None:
    assert spans_in("Ku\u0308che") == [(0, 1), (1, 3), (3, 4), (4, 5), (5, 6)]
    assert spans_in("a\u0323\u0301b") == [(0, 3), (0, 3), (3, 4)]
    assert spans_in("\u200b a\xad\xa0 \u200b\tb\u200b ") == [(2, 4), (4, 8), (8, 10)]
    assert spans_in("\u1112\u1161\u11ab\u1100\u1173\u11af") == [(0, 3), (3, 6)]
    assert spans_in(" \u0301a ") == [(1, 2), (2, 3)]
    assert spans_in("\u200ba \u2067b") == [(0, 2), (2, 3), (3, 5)]
    assert spans_in("\xad \xad") == spans_in("") == []


def texts() -> list[str]:
    """Return texts of many scripts, as they are and decomposed, and random ones of what is easily mistaken."""
    natural = [
        "Größe, naïve Übung.",
        "Tiếng Việt rất khó",
        "한국어는 어렵다",
        "ห้องครัวเล็กสะอาด",
        "ผู้ที่ น้ำ",
        "मैं हिन्दी",
        "বাংলা কো কৌ",
        "தமிழ் கொ",
        "မီးဖိုချောင်",
        "مَرْحَبًا آب",
        "שָׁלוֹם",
        "ἄνθρωπος ᾧ",
        "日本語 が ば",
        *JOINERS,
    ]
    natural += [unicodedata.normalize("NFD", text) for text in natural]
    chosen = random.Random(1)
    marks = [chr(code) for code in range(sys.maxunicode) if unicodedata.combining(chr(code))]
    atoms = [
        *"aeouAbqxzあか가각ᄀᄒαωаकকெ日 ",
        *UNSEEN,
        *"\u0301\u0308\u0323\u0302\u1161\u11ab\u3099\u09be\u09c7",
        "\xa0",
        "\t",
        "\u2028",
        "\u212b",
        "\u0344",
        "\u1e69",
        "\0",
    ]
    mixed = [
        "".join(
            chosen.choice(marks) if chosen.random() < 0.1 else chosen.choice(atoms)
            for _ in range(chosen.randint(1, 12))
        )
        for _ in range(3000)
    ]
    wild = ["".join(chr(chosen.randrange(0xD800)) for _ in range(chosen.randint(1, 20))) for _ in range(500)]
    return ["", *natural, *mixed, *wild]


def test_what_is_normalised_stays() -> None:
    for text in texts():
        assert normalise(normalise(text)) == normalise(text), repr(text)
        assert unicodedata.is_normalized("NFC", normalise(text)), repr(text)
        assert not set(normalise(text)) & set(UNSEEN), repr(text)


def check_spans(text: str) -> None:
    """The slow twin of spans_in: what stands in each span is what was made of it, and only what changed is merged."""
    new, spans = normalise(text), spans_in(text)
    assert len(spans) == len(new), repr(text)
    places = itertools.groupby(range(len(new)), key=spans.__getitem__)
    merged = [(span, "".join(new[place] for place in group)) for span, group in places]
    for (start, end), made in merged:
        seen = re.sub(f"[{UNSEEN}]", "", text[start:end])
        assert start == 0 or (text[start - 1].isspace() != made.isspace()) or seen[0] == text[start], repr(text)
        assert made.isspace() or not any(map(str.isspace, text[start:end])), repr(text)
        assert made == (" " if seen.isspace() else unicodedata.normalize("NFC", seen)), repr(text)
        assert len(seen) == 1 or seen != made, repr(text)
    ends = [span for span, _ in merged]
    assert [end for _, end in ends[:-1]] == [start for start, _ in ends[1:]], repr(text)
    if ends:
        assert not normalise(text[: ends[0][0]] + text[ends[-1][1] :]), repr(text)


def test_spans_cover_what_was_typed() -> None:
    for text in texts():
        check_spans(text)


def test_every_character_that_is_composed_has_the_span_of_its_parts() -> None:
    count = 0
    for code in range(sys.maxunicode):
        parts = unicodedata.normalize("NFD", chr(code))
        if len(parts) > 1 and unicodedata.normalize("NFC", parts) == chr(code):
            assert spans_in(f"{parts}b")[:-1] == [(0, len(parts))], hex(code)
            check_spans(f"q {parts}{parts}")
            count += 1
    assert count > 12_000
