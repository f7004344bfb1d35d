"""Scripts: those without spaces between words, which of them a text is in, and which scripts a text has at all."""

import re
import unicodedata
from collections import Counter
from collections.abc import Sequence

WITHOUT_SPACES = {
    "Han": r"\u2e80-\u2fd5\u3005\u3007\u3021-\u3029\u3038-\u303b\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff"
    r"\U00020000-\U0003ffff",
    "Kana": r"\u3041-\u3096\u309d-\u309f\u30a1-\u30fa\u30fc-\u30ff\u31f0-\u31ff\uff66-\uff9f\U0001aff0-\U0001afff"
    r"\U0001b000-\U0001b16f",
    "Bopomofo": r"\u3105-\u312f\u31a0-\u31bf",
    "Yi": r"\ua000-\ua48c",
    "Thai": r"\u0e01-\u0e3a\u0e40-\u0e5b",
    "Lao": r"\u0e80-\u0eff",
    "Khmer": r"\u1780-\u17ff\u19e0-\u19ff",
    "Myanmar": r"\u1000-\u109f\ua9e0-\ua9ff\uaa60-\uaa7f\U000116d0-\U000116ff",
    "Tibetan": r"\u0f00-\u0fff",
    "Tai Le": r"\u1950-\u197f",
    "New Tai Lue": r"\u1980-\u19df",
    "Tai Tham": r"\u1a20-\u1aaf",
    "Tai Viet": r"\uaa80-\uaadf",
    "Ahom": r"\U00011700-\U0001174f",
    "Balinese": r"\u1b00-\u1b7f",
    "Javanese": r"\ua980-\ua9df",
    "Tangut": r"\U00016fe0\U00017000-\U00018aff\U00018d00-\U00018d7f",
    "Nushu": r"\U00016fe1\U0001b170-\U0001b2ff",
    "Khitan": r"\U00016fe4\U00018b00-\U00018cff",
}
"""The characters of each script, as ranges of a regular expression. Hangul is not here: Korean has spaces."""
KANA_SHARE = 0.05
"""Of its letters in Han and kana, Japanese has more kana than this; a Chinese text that quotes a few stays Chinese."""
MOST_LINES = 10_000
"""So many lines say what script a text is in."""
KNOWN_SHARE = 1e-4
"""Of the letters of a text, those of a script that it is said to have, or more: a stray letter is no script."""
_SCRIPTS = {name: re.compile(f"[{ranges}]") for name, ranges in WITHOUT_SPACES.items()}


def script_of(lines: Sequence[str]) -> str | None:
    """Return the script of a text, if most of its letters are in scripts without spaces, else None.

    The name is a key of WITHOUT_SPACES, that of most letters; where Han and kana stand together it is "Japanese", so
    "Han" means Chinese. A text without letters has None, too.
    """
    step = max(-(-len(lines) // MOST_LINES), 1)
    characters = Counter("".join(lines[::step]))
    letters = {character: count for character, count in characters.items() if character.isalpha()}
    counts: Counter[str] = Counter()
    for character, count in letters.items():
        for name, pattern in _SCRIPTS.items():
            if pattern.match(character):
                counts[name] += count
    if 2 * counts.total() <= sum(letters.values()):
        return None
    kana = counts["Kana"]
    if kana > KANA_SHARE * (counts["Han"] + kana):
        counts["Japanese"] = counts["Han"] + counts.pop("Kana")
    return counts.most_common(1)[0][0]


def count_scripts(text: str) -> Counter[str]:
    """Return how many letters of a text are in each script, spaced or not: LATIN, CYRILLIC, GREEK, CJK, ...

    A script's name is the first word of its letters' names in Unicode, so that OLD stands for several. Letters that are
    others by compatibility (NFKC), as wide and mathematical ones, count as those.
    """
    counts: Counter[str] = Counter()
    for character, count in Counter(unicodedata.normalize("NFKC", text)).items():
        if character.isalpha():
            counts[re.split("[ -]", unicodedata.name(character, "UNNAMED"))[0]] += count
    return counts


def known_scripts(lines: Sequence[str]) -> frozenset[str]:
    """Return the scripts that a text has, with more than stray letters, by their names as in `count_scripts`."""
    counts = count_scripts("\n".join(lines))
    return frozenset(name for name, count in counts.items() if count >= KNOWN_SHARE * counts.total())
