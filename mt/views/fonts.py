"""Which installed fonts have the characters of a picture: matplotlib's own, then whichever has those it lacks."""

import unicodedata
from collections.abc import Iterable, Iterator
from functools import cache

from matplotlib.font_manager import FontProperties, findfont, fontManager, get_font

FONT = "DejaVu Sans"
"""matplotlib's own, because it has German and polytonic Greek, whatever is installed."""
NO_FONT = "Last Resort"
"""Has a box for every character."""
REGULAR = range(350, 551)
"""Weights of fonts that are neither light nor bold."""
LISTED = 12
"""Characters that are named of a script that is missing."""
PACKAGES = {"CJK": "fonts-noto-cjk", "HIRAGANA": "fonts-noto-cjk", "KATAKANA": "fonts-noto-cjk"}
PACKAGES |= {"HANGUL": "fonts-noto-cjk", "emoji and symbols": "fonts-symbola"}
"""Of Debian and Ubuntu; of any other script fonts-noto-core."""


def choose_fonts(text: str) -> tuple[list[str], list[str]]:
    """Return the families that draw a text, each for what those before it lack, and the characters that none has."""
    families, missing = [FONT], _lacking(findfont(FONT), set(text))
    if missing:
        # By names where two have as much, so that the same machine always draws the same picture.
        having = {name: len(missing & _covered(path)) for name, path in _families().items()}
        for name in sorted(filter(having.get, having), key=lambda name: (-having[name], name)):
            left = _lacking(findfont(FontProperties(family=name)), missing)
            families += [name] if left != missing else []
            missing = left
    return families, sorted(missing)


def describe_missing(characters: Iterable[str]) -> str:
    """Return characters that no font has by their scripts, and what brings fonts for them."""
    scripts: dict[str, list[str]] = {}
    for character in characters:
        scripts.setdefault(_script(character), []).append(character)
    named = [f"{name} ({' '.join(found[:LISTED])}{' …' * (len(found) > LISTED)})" for name, found in scripts.items()]
    packages = sorted({PACKAGES.get(script, "fonts-noto-core") for script in scripts})
    return f"no font here has {', '.join(named)}; install one that has (Debian, Ubuntu: {', '.join(packages)})"


def _script(character: str) -> str:
    """Return the script of a character as its Unicode name begins, such as DEVANAGARI."""
    if unicodedata.category(character) == "So":
        return "emoji and symbols"
    return unicodedata.name(character, "unnamed characters").split()[0]


@cache
def _families() -> dict[str, str]:
    """Return the upright families here, each with the file of its regular weight."""
    found = dict[str, str]()
    for font in fontManager.ttflist:
        is_regular = font.style == "normal" and font.weight in REGULAR
        if is_regular and NO_FONT not in font.name:
            found.setdefault(font.name, font.fname)
    return found


@cache
def _covered(path: str) -> frozenset[str]:
    """Return the characters that a font says it has; none of a file that is no font."""
    try:
        return frozenset(map(chr, get_font(path).get_charmap()))
    except (OSError, RuntimeError):
        return frozenset()


def _lacking(path: str, characters: set[str]) -> set[str]:
    """Return the characters of which a font has no outline."""
    return characters - set(_drawn(path, characters & _covered(path)))


def _drawn(path: str, characters: Iterable[str]) -> Iterator[str]:
    # Fonts of coloured pictures list characters and have no outline that could be filled: those do not count.
    for character in characters:
        try:
            font = get_font(path)
            font.set_size(12, 72)
            glyph = font.load_char(ord(character))
        except (OSError, RuntimeError):
            return
        if glyph.width or not _leaves_ink(character):
            yield character


def _leaves_ink(character: str) -> bool:
    return unicodedata.category(character) not in {"Zs", "Cf"}
