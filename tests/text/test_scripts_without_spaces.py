"""Which script a text is in, as far as it is written without spaces."""

import time
import unicodedata
from collections.abc import Sequence

import pytest

from mt.text.scripts import WITHOUT_SPACES, script_of

TEXTS = {
    "Han": "小厨房很干净。他说 Python 3.12 很好",
    "Japanese": "東京都の小さな台所はきれいです",
    "Bopomofo": "ㄒㄧㄠㄔㄨㄈㄤ",
    "Yi": "ꆈꌠꁱꂷ",
    "Thai": "ห้องครัวเล็กสะอาด",
    "Lao": "ເຮືອນຄົວນ້ອຍສະອາດ",
    "Khmer": "ផ្ទះបាយតូចស្អាត",
    "Myanmar": "မီးဖိုချောင်သေးသေး",
    "Tibetan": "ཐབ་ཚང་ཆུང་ཆུང་",
    "Tai Le": "ᥖᥭᥰᥖᥬᥳ",
    "New Tai Lue": "ᦟᦲᧅᦷᦎ",
    "Tai Tham": "ᨲ᩠ᩅᩫᨾᩮᩬᩥᨦ",
    "Tai Viet": "ꪎꪳꪼꪕ",
    "Balinese": "ᬅᬓ᭄ᬱᬭ",
    "Javanese": "ꦲꦏ꧀ꦱꦫ",
}


@pytest.mark.parametrize(("script", "text"), TEXTS.items())
def test_a_script_without_spaces_is_named(script: str, text: str) -> None:
    assert script_of([text]) == script
    assert script_of(["An English line of 40 letters, and a half.", text]) is None


@pytest.mark.parametrize(
    "text",
    [
        "",
        "12 , 34 ... 🙂",
        "Eine kleine Küche.",
        "Μικρή κουζίνα",
        "Маленькая кухня",
        "작은 부엌은 깨끗하다 漢字",
        "छोटी रसोई साफ़ है",
        "المطبخ الصغير نظيف",
        "מטבח קטן",
        "Nhà bếp nhỏ",
        "He said 你好 to me.",
    ],
)
def test_scripts_with_spaces_have_no_name(text: str) -> None:
    assert script_of([text]) is None
    assert script_of([]) is None


def test_a_few_kana_do_not_make_japanese() -> None:
    chinese, name = "小厨房很干净" * 20, "ひらの"
    assert script_of([chinese, name]) == "Han"
    assert script_of(["日本語 は 難しい"]) == "Japanese"
    assert script_of(["カタカナ"]) == "Japanese"


NAMES = {
    "Han": ("CJK UNIFIED IDEOGRAPH-", "CJK COMPATIBILITY IDEOGRAPH-"),
    "Kana": ("HIRAGANA ", "KATAKANA ", "HALFWIDTH KATAKANA "),
    "Bopomofo": ("BOPOMOFO ",),
    "Yi": ("YI SYLLABLE ",),
    "Khitan": ("KHITAN SMALL SCRIPT ",),
}
"""How the names of a script's letters begin in Unicode, where not with the name of the script."""
OTHERS = ("LATIN ", "GREEK ", "CYRILLIC ", "HANGUL ", "ARABIC ", "HEBREW ", "DEVANAGARI ", "TAMIL ", "ETHIOPIC ")


def test_the_table_says_what_unicode_says() -> None:
    begin = {script: NAMES.get(script, (f"{script.upper()} ",)) for script in WITHOUT_SPACES}
    seen = set()
    for letter in filter(str.isalpha, map(chr, range(0x110000))):
        name, found = unicodedata.name(letter, ""), script_of([letter])
        if name.startswith(OTHERS):
            assert found is None, name
        for script, names in begin.items():
            if name.startswith(names):
                assert found == {"Kana": "Japanese"}.get(script, script), name
                seen.add(script)
    assert seen == WITHOUT_SPACES.keys()


def test_lines_from_all_over_a_text_are_looked_at() -> None:
    lines: Sequence[str] = ["Eine Küche."] * 20_000 + ["小厨房很干净，他说"] * 80_000
    started = time.perf_counter()
    assert script_of(lines) == "Han"
    assert script_of(lines[::-1]) == "Han"
    assert time.perf_counter() - started < 1
