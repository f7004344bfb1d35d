"""JSON that anybody may have written."""

import json
import math
import re
from collections.abc import Callable, Iterator
from typing import Any, TypeVar

Kind = TypeVar("Kind")
DEEPEST = 50
"""Lists and objects inside one another."""
TOKEN = re.compile(r'"(?:[^"\\]|\\.)*"|[][{}]')


def parse_json(data: str | bytes, *, finite: bool = True) -> Any:
    """Return what JSON says.

    Raises ValueError where it is none, is nested too deeply, has a number of more digits than Python reads, half of a
    surrogate pair, which no file in UTF-8 can hold, or, unless it need not be `finite`, a number that is not.
    """
    text = data if isinstance(data, str) else data.decode()
    if text.count("[") + text.count("{") > DEEPEST and _depth(text) > DEEPEST:
        raise ValueError(f"more than {DEEPEST} lists or objects inside one another")
    value = json.loads(text, parse_constant=_refuse, parse_float=_finite) if finite else json.loads(text)
    if "\\ud" in text or "\\uD" in text:
        try:
            json.dumps(value, ensure_ascii=False).encode()
        except UnicodeEncodeError as error:
            raise ValueError("half a surrogate pair, which is no character") from error
    return value


def readable_lines(data: bytes, parse: Callable[[bytes], Kind]) -> Iterator[Kind]:
    """Yield what `parse` makes of each line of a damaged file, but for those of which it raises ValueError."""
    for line in data.splitlines():
        try:
            yield parse(line)
        except ValueError:
            continue


def _refuse(name: str) -> float:
    raise ValueError(f"{name} is not a number")


def _finite(text: str) -> float:
    number = float(text)
    return number if math.isfinite(number) else _refuse(text)


def _depth(text: str) -> int:
    """Return how many lists and objects stand inside one another at most; those in texts are none."""
    depth = deepest = 0
    for token in TOKEN.finditer(text):
        depth += {"[": 1, "{": 1, "]": -1, "}": -1}.get(token[0], 0)
        deepest = max(deepest, depth)
    return deepest
