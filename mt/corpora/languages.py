"""What people call a language in the first row of a table: its code, its English name, or its side."""

import re

NAMES = {
    "af": "afr afrikaans",
    "ar": "ara arabic",
    "bg": "bul bulgarian",
    "bn": "ben bengali",
    "ca": "cat catalan",
    "cs": "ces cze czech",
    "cy": "cym wel welsh",
    "da": "dan danish",
    "de": "deu ger german",
    "el": "ell gre greek",
    "en": "eng english",
    "eo": "epo esperanto",
    "es": "spa spanish",
    "et": "est estonian",
    "eu": "eus baq basque",
    "fa": "fas per persian farsi",
    "fi": "fin finnish",
    "fr": "fra fre french",
    "ga": "gle irish",
    "gl": "glg galician",
    "grc": "ancient greek",
    "gu": "guj gujarati",
    "he": "heb hebrew",
    "hi": "hin hindi",
    "hr": "hrv croatian",
    "hu": "hun hungarian",
    "hy": "hye arm armenian",
    "id": "ind indonesian",
    "is": "isl ice icelandic",
    "it": "ita italian",
    "ja": "jpn japanese",
    "ka": "kat geo georgian",
    "kk": "kaz kazakh",
    "km": "khm khmer",
    "ko": "kor korean",
    "la": "lat latin",
    "lo": "lao",
    "lt": "lit lithuanian",
    "lv": "lav latvian",
    "mk": "mkd macedonian",
    "mr": "mar marathi",
    "ms": "msa may malay",
    "my": "mya bur burmese",
    "nb": "nob",
    "ne": "nep nepali",
    "nl": "nld dut dutch",
    "no": "nor norwegian",
    "pl": "pol polish",
    "pt": "por portuguese",
    "ro": "ron rum romanian",
    "ru": "rus russian",
    "sk": "slk slovak",
    "sl": "slv slovenian",
    "sq": "sqi alb albanian",
    "sr": "srp serbian",
    "sv": "swe swedish",
    "sw": "swa swahili",
    "ta": "tam tamil",
    "te": "tel telugu",
    "th": "tha thai",
    "tr": "tur turkish",
    "uk": "ukr ukrainian",
    "ur": "urd urdu",
    "vi": "vie vietnamese",
    "zh": "zho chi cmn chinese mandarin",
}
"""By ISO 639-1 code, the other codes and the English names of the common languages."""
CODES = {name: code for code, names in NAMES.items() for name in (code, *names.split())} | {"ancient greek": "grc"}
SIDES = {"source": {"source", "src"}, "target": {"target", "trg", "tgt"}}


def code_of(word: str) -> str:
    """Return the code of the language that a word names (de, de-AT, de_DE, deu, German); none: nothing."""
    plain = word.strip().strip('"').casefold()
    return CODES.get(plain) or CODES.get(
        re.split(r"[-_]", plain)[0] if re.fullmatch(r"\w{2,3}[-_]\w+", plain) else "", ""
    )


def names(cell: str, language: str, side: str) -> bool:
    """Tell whether a cell names a language of a config, which may have any name there, or its side (source, target)."""
    plain = cell.strip().strip('"').casefold()
    return plain in SIDES[side] | {language.casefold()} or code_of(cell) == (code_of(language) or None)
