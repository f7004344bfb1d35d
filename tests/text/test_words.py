"""What a word is."""

import itertools
import random
import re
import unicodedata

import pytest

from mt.config.alignment import Unit
from mt.text.words import plain, spans_of, word_spans


def words(text: str, unit: Unit = "words") -> str:
    """Return the words of a text, with bars between."""
    spans = spans_of(text, unit)
    assert all(0 <= start < end <= len(text) for start, end in spans)
    assert all(end <= start for (_, end), (start, _) in itertools.pairwise(spans))
    return "|".join(text[start:end] for start, end in spans)


def test_words_are_between_white_space() -> None:
    assert word_spans("  Ein Hund,\tläuft 🙂\n") == ((2, 5), (6, 11), (12, 17), (18, 19))
    assert word_spans(" \t ") == ()


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("小厨房很干净。", "小|厨|房|很|干|净|。"),
        ("他说“Python 3.12很好”,价格是1,200.50元!", "他|说|“|Python|3.12|很|好|”|,|价|格|是|1,200.50|元|!"),
        ("１２．５％の「ＡＢＣ」、です", "１２．５|％|の|「|ＡＢＣ|」|、|で|す"),
        ("東京タワーへ iPhone15で", "東|京|タ|ワ|ー|へ|iPhone15|で"),
        ("他说“Hello”。", "他|说|“|Hello|”|。"),
        ("我有iPhone,你呢?", "我|有|iPhone|,|你|呢|?"),
        ("他 “Hello”。 it's (fine), 你", "他|“|Hello|”|。|it's|(fine),|你"),
        ("don't说2020-2021年...", "don't|说|2020-2021|年|.|.|."),
        ("か\u3099ｶﾞ々〇", "か\u3099|ｶﾞ|々|〇"),
        ("葛\U000e0100飾", "葛\U000e0100|飾"),
        ("ห้องน้ำที่ ๑๒.๕", "ห้|อ|ง|น้ำ|ที่|๑๒.๕"),
        ("ເຮືອນຄຳ", "ເ|ຮື|ອ|ນ|ຄຳ"),
        ("ផ្ទះបាយ។", "ផ្ទះ|បា|យ|។"),
        ("မင်္ဂလာပါ", "မ|င်္ဂ|လာ|ပါ"),
        ("བོད་སྐད།", "བོ|ད|་|སྐ|ད|།"),
        ("ꦲꦏ꧀ꦱꦫ", "ꦲ|ꦏ꧀ꦱ|ꦫ"),
        ("ก\u200bข \u200b ค", "ก\u200b|ข|ค"),
        ("한국어는 어렵다", "한국어는|어렵다"),
        ("「안녕」 「안녕」", "「안녕」|「안녕」"),
        ("He said 你好 to me.", "He|said|你|好|to|me."),
        ("Küche \u200b klein", "Küche|klein"),
    ],
)
def test_scripts_without_spaces_have_a_word_a_character(text: str, expected: str) -> None:
    assert words(text) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Der Hund", "D|e|r|H|u|n|d"),
        ("Ku\u0308che", "K|u\u0308|c|h|e"),
        ("हिन्दी", "हि|न्|दी"),
        ("👩\u200d👩\u200d👧👍🏽❤\ufe0f!", "👩\u200d👩\u200d👧|👍🏽|❤\ufe0f|!"),
        ("\u1112\u1161\u11abㅎ", "\u1112\u1161\u11ab|ㅎ"),
        ("ផ្ទះ 小。", "ផ្ទះ|小|。"),
    ],
)
def test_characters_have_their_marks(text: str, expected: str) -> None:
    assert words(text, "characters") == expected


def test_tokens_are_what_white_space_divides_in_every_script() -> None:
    assert words("小 厨房 很\u200b Küche.", "tokens") == "小|厨房|很\u200b|Küche."
    with pytest.raises(ValueError, match="tokenizer"):
        spans_of("a", "pieces")


def test_plain_words_have_their_marks_and_no_signs() -> None:
    """Without its vowel sign, "of" in Hindi would be one word whatever its gender."""
    assert [plain(word) for word in ("»Katze«,", "का", "(की)।", "ma\u0301.", "—", "❤\ufe0f", "")] == [
        *("Katze", "का", "की", "ma\u0301", "", "", "")
    ]


def test_other_scripts_have_the_words_they_had() -> None:
    chosen = random.Random(5)
    blocks = [
        (0x20, 0x7E),
        (0xC0, 0x24F),
        (0x370, 0x3FF),
        (0x400, 0x4FF),
        (0x590, 0x6FF),
        (0x900, 0xD7F),
        (0xAC00, 0xD7A3),
    ]
    for _ in range(500):
        block = chosen.choice(blocks)
        text = "".join(chr(chosen.randint(*block)) if chosen.random() < 0.8 else " " for _ in range(40))
        text = re.sub("[\u061c\u034f]", "", text)
        assert word_spans(text) == tuple(match.span() for match in re.finditer(r"\S+", text))


def test_nothing_but_what_cannot_be_seen_is_in_no_word() -> None:
    chosen = random.Random(6)
    atoms = "aé7. \u3000,小のカー、ก้ำ๑ក្ខမ္မ\u200b\u200d\xad\u0301가😀１．"
    for unit in ("words", "characters"):
        for _ in range(2000):
            text = "".join(chosen.choices(atoms, k=12))
            inside = {place for span in spans_of(text, unit) for place in range(*span)}
            words(text, unit)
            outside = "".join(one for place, one in enumerate(text) if place not in inside)
            assert all(one.isspace() or unicodedata.category(one) == "Cf" for one in outside), repr(text)
