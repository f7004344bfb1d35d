"""Lines as they are searched: numbered from the first, stripped, whole."""

import pytest
from tiny_translators import vocabularies

from mt.core.errors import UserError
from mt.core.special import EOS
from mt.inference.lines import Asked, read_lines
from mt.inference.wording import Wording


def test_what_is_wrong_is_told_with_the_number_of_its_line() -> None:
    made = vocabularies()
    with pytest.raises(UserError, match="line 8: its prefix has piece 3"):
        read_lines(made, 9, 7, Asked(["a", "b"], prefixes=[[], [EOS]]))
    with pytest.raises(UserError, match="line 8 is no text but 5"):
        read_lines(made, 9, 7, Asked(["a", 5]))
    with pytest.raises(UserError, match="as many as there are lines, 2"):
        read_lines(made, 9, 7, Asked(["a", "b"], wording=[Wording()]))
    for lines, prefixes in ((["a", "b"], "x"), (["a"], "x"), (["a", "b"], ["x"]), (["a"], [4])):
        with pytest.raises(UserError, match=f"as many prefixes as there are lines, {len(lines)}"):
            read_lines(made, 9, 7, Asked(lines, prefixes=prefixes))


def test_lines_are_read_as_corpora_are() -> None:
    made = vocabularies()
    found = read_lines(
        made, 3, 1, Asked([" \tDer Ofen. ", "", "a\ud83d\ude00", "a\udc80", " "], prefixes=["", "x", "", "", ""])
    )
    assert [one.text for one in found] == ["Der Ofen.", "", "a\N{GRINNING FACE}", "a\ufffd", ""]
    assert found[0].source == [*made.source.encode("Der Ofen.")[:3], EOS]
    assert [bool(one.source) for one in found] == [True, False, True, True, False]
    assert found[1].prefix == made.target.encode("x")
    (alone,) = read_lines(made, 9, 1, Asked("Der", prefixes=[5, 6]))
    assert alone.prefix == [5, 6]
