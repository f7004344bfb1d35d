"""JSON that anybody may have written."""

import json
import re
from typing import Any

DEEPEST = 50
"""Lists and objects inside one another."""
TOKEN = re.compile(r'"(?:[^"\\]|\\.)*"|[][{}]')


def parse_json(text: str) -> Any:
    """Return what JSON says.

    Raises ValueError where it is none, is nested too deeply, has a number of more digits than Python reads, or half of
    a surrogate pair, which no file in UTF-8 can hold.
    """
    if text.count("[") + text.count("{") > DEEPEST and _depth(text) > DEEPEST:
        raise ValueError(f"more than {DEEPEST} lists or objects inside one another")
    value = json.loads(text)
    if "\\ud" in text or "\\uD" in text:
        try:
            json.dumps(value, ensure_ascii=False).encode()
        except UnicodeEncodeError as error:
            raise ValueError("half a surrogate pair, which is no character") from error
    return value


def _depth(text: str) -> int:
    """Return how many lists and objects stand inside one another at most; those in texts are none."""
    depth = deepest = 0
    for token in TOKEN.finditer(text):
        depth += {"[": 1, "{": 1, "]": -1, "}": -1}.get(token[0], 0)
        deepest = max(deepest, depth)
    return deepest
