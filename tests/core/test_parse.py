"""JSON that anybody may have written."""

import json

import pytest

from mt.core.parse import DEEPEST, parse_json


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("[" * 3000 + "]" * 3000, "more than 50 lists or objects"),
        ("[" * 300_000, "more than 50 lists or objects"),
        ('{"a":' * 3000, "more than 50 lists or objects"),
        ("1" * 5000, "4300 digits"),
        (r'"\ud800"', "half a surrogate pair"),
        (r'{"\uDC00": 1}', "half a surrogate pair"),
        ("{", "Expecting property name"),
        ("", "Expecting value"),
    ],
)
def test_what_is_endless_or_no_text_is_a_value_error(text: str, reason: str) -> None:
    with pytest.raises(ValueError, match=reason):
        parse_json(text)


def test_all_else_is_what_it_says() -> None:
    tree = {"a": [[1.5, -2], {"b": "[" * 200 + '\\"{'}], "c": "\U0001f600 \\ud", "d": None}
    for ascii_only in (True, False):
        assert parse_json(json.dumps(tree, ensure_ascii=ascii_only)) == tree
    wide = [[number] for number in range(1000)]
    assert parse_json(json.dumps(wide)) == wide
    deep = "[" * DEEPEST + "]" * DEEPEST
    assert parse_json(f"[{deep[1:-1]}, {'[1], ' * 100}1]") is not None
