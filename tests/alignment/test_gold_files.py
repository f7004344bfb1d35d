"""Gold links from files: what is read, and how each wrong line is named."""

from pathlib import Path

import pytest

from mt.alignment.gold import FORMATS, read_gold
from mt.core.errors import UserError
from mt.corpora.pairs import Gold, Split

PAIRS = Split(["das Haus ist  klein", "ja", "a b c"], ["the house is small", "yes", "x y"])
SURE, POSSIBLE = frozenset({(0, 0), (3, 3)}), frozenset({(0, 0), (3, 3), (1, 2)})
FIRST = Gold(((0, 3), (4, 8), (9, 12), (14, 19)), ((0, 3), (4, 9), (10, 12), (13, 18)), SURE, POSSIBLE)
THIRD = Gold(((0, 1), (2, 3), (4, 5)), ((0, 1), (2, 3)), frozenset(), frozenset({(2, 1)}))
FILES = {
    "pharaoh0": "0-0 3-3 1?2\n\n2?1\n",
    "pharaoh1": "1-1 4-4 2?3\n\n3?2\n",
    "naacl": "1 1 1 S\n0001  4\t4\n3 3 2 P\n1 2 3 P\n\n1 1 1 P\n",
}


@pytest.mark.parametrize("form", ["pharaoh0", "pharaoh1"])
def test_possible_links_are_written_with_a_p_too(tmp_path: Path, form: str) -> None:
    path = tmp_path / "gold"
    path.write_text(FILES[form].replace("?", "p"))
    assert read_gold(path, form, PAIRS) == [FIRST, None, THIRD]


def test_its_words_are_those_that_white_space_divides_in_every_script(tmp_path: Path) -> None:
    path = tmp_path / "gold"
    path.write_text("0-0 1-1")
    gold = read_gold(path, "pharaoh0", Split(["厨房 干净"], ["kitchen clean"]))[0]
    assert gold is not None
    assert gold.source_spans == ((0, 2), (3, 5))


@pytest.mark.parametrize("form", FORMATS)
def test_the_same_gold_in_every_format(tmp_path: Path, form: str) -> None:
    path = tmp_path / "gold"
    path.write_text(FILES[form])
    assert read_gold(path, form, PAIRS) == [FIRST, None, THIRD]


WRONG = {
    "not a link": ("pharaoh0", "0-0\n\n1:1\n", r"gold, line 3: '1:1' is not a link; write source-target"),
    "source": (
        "pharaoh0",
        "0-0 4-0\n\n\n",
        r"gold, line 1: link 4-0 has no source word 4: sentence 1 has 4 source words",
    ),
    "target": ("pharaoh0", "0-0\n0-1\n\n", r"line 2: link 0-1 has no target word 1: sentence 2 has 1 target words"),
    "zero": ("pharaoh1", "0-1\n\n\n", r"line 1: link 0-1 has no source word 0: .* pharaoh1 counts from 1"),
    "last": ("pharaoh1", "5-1\n\n\n", r"line 1: link 5-1 has no source word 5: sentence 1 has 4 source words"),
    "lines": ("pharaoh0", "0-0\n", r"gold has 1 lines for 3 pairs"),
    "naacl zero": ("naacl", "1 1 1\n1 0 1 S\n", r"line 2: link 0-1 has no source word 0: .* naacl counts from 1"),
    "naacl mark": ("naacl", "1 1 1 X\n", r"line 1: '1 1 1 X' is not a link; write sentence source target and S or P"),
    "naacl sentence": ("naacl", "1 1 1\n\n4 1 1\n", r"line 3: no sentence 4; there are 3, counted from 1"),
    "naacl sentence zero": ("naacl", "0 1 1\n", r"line 1: no sentence 0"),
    "nothing": ("naacl", "\n", r"gold has no link"),
    "missing": ("pharaoh0", None, r"cannot read .*gold: No such file"),
}


@pytest.mark.parametrize(("form", "text", "complaint"), WRONG.values(), ids=WRONG.keys())
def test_a_wrong_file_says_where_and_why(tmp_path: Path, form: str, text: str | None, complaint: str) -> None:
    path = tmp_path / "gold"
    if text is not None:
        path.write_text(text)
    with pytest.raises(UserError, match=complaint):
        read_gold(path, form, PAIRS)
