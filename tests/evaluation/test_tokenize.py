"""Which words BLEU counts, by language, by script, and as asked."""

import importlib.util
import sys

import pytest

from mt.core.errors import UserError
from mt.evaluation import tokenize
from mt.evaluation.metrics import METRICS, Texts, short_references
from mt.evaluation.tokenize import choose_tokenizer

TEXTS = {
    "zh": "今天老猫在桥上看书。",
    "ja": "きょうは古い猫が橋の上で本を読む。",
    "ko": "오늘 늙은 고양이가 다리 위에서 책을 읽는다.",
    "th": "วันนี้แมวแก่อ่านหนังสือบนสะพาน",
    "lo": "ມື້ນີ້ແມວແກ່ອ່ານປຶ້ມ",
    "km": "ថ្ងៃនេះឆ្មាចាស់អានសៀវភៅ",
    "my": "ယနေ့ကြောင်အိုကစာဖတ်သည်",
    "en": "Today the old cat reads on the bridge.",
    "el": "Σήμερα η γριά γάτα διαβάζει.",
    "hi": "आज बूढ़ी बिल्ली पुल पर पढ़ती है।",
}
EXPECTED = {"zh": "zh", "ja": "char", "ko": "char", "th": "char", "lo": "char", "km": "char", "my": "char"}


@pytest.fixture
def no_mecab(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tokenize, "_installed", lambda name: not name.endswith("mecab"))


@pytest.mark.usefixtures("no_mecab")
@pytest.mark.parametrize("language", TEXTS)
def test_a_language_has_its_tokenizer_whatever_its_text(language: str) -> None:
    for name in (language, f"{language}-XY", f"{language.upper()}_Latn_XY", f"{language} (somewhere)"):
        assert choose_tokenizer("auto", name, [TEXTS["en"]]) == EXPECTED.get(language, "13a")


@pytest.mark.usefixtures("no_mecab")
@pytest.mark.parametrize("language", TEXTS)
def test_a_language_of_another_name_has_that_of_its_script(language: str) -> None:
    for name in ("target", "xx", "en", "my_target", "lo-res", "zh_pinyin"):
        assert choose_tokenizer("auto", name, [TEXTS[language]] * 3 + ["OK 12"]) == EXPECTED.get(language, "13a")


def test_words_of_a_dictionary_are_used_where_it_is_installed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tokenize, "_installed", lambda name: True)
    assert choose_tokenizer("auto", "ja", []) == "ja-mecab"
    assert choose_tokenizer("auto", "kor", []) == "ko-mecab"
    assert choose_tokenizer("auto", "xx", [TEXTS["ja"]]) == "ja-mecab"


def test_what_is_asked_for_is_done_or_refused() -> None:
    assert choose_tokenizer("intl", "zh", []) == "intl"
    if importlib.util.find_spec("MeCab") is None:
        with pytest.raises(UserError, match=r"ja-mecab, which is not installed: pip install 'mt\[ja\]'"):
            choose_tokenizer("ja-mecab", "ja", [])
    assert "MeCab" not in sys.modules


@pytest.mark.parametrize("language", EXPECTED)
def test_perfect_translations_have_perfect_scores(language: str) -> None:
    texts = Texts([TEXTS[language]] * 2, [TEXTS[language]] * 2, tokenize=EXPECTED[language])
    scores = {name: metric(texts) for name, metric in METRICS.items()}
    assert {name: round(one.score, 9) for name, one in scores.items()} == {"BLEU": 100, "chrF": 100, "TER": 0}
    assert f"|tok:{EXPECTED[language]}|" in scores["BLEU"].signature
    assert scores["TER"].signature.endswith(f"of the words of BLEU's tok:{EXPECTED[language]}")
    assert scores["BLEU"].note is None


def test_one_wrong_character_of_ten_is_one_edit_of_ten() -> None:
    right = TEXTS["zh"]
    texts = Texts([right.replace("书", "报")], [right], tokenize="zh")
    assert METRICS["TER"](texts).score == pytest.approx(100 / len(right))


def test_references_too_short_for_bleu_are_said() -> None:
    few = Texts(["a b c"] * 3, ["a b c", "a b c", "a b c d"])
    assert METRICS["BLEU"](few).note == "2 of 3 references have fewer than 4 words: BLEU tells little here"
    assert short_references(Texts(["狗车狗"] * 2, ["狗车狗", "狗车狗狗"], tokenize="zh")) is None
    assert short_references(Texts(["狗车狗"] * 2, ["狗车狗", "狗车"], tokenize="zh")) is not None
