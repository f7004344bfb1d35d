"""How the translations of its sentences make that of a paragraph."""

import pytest

from mt.inference.paragraphs import translate_paragraphs
from mt.inference.translation import Translation


@pytest.mark.parametrize(("parts", "text"), [
    (["A cat.", "A dog."], "A cat. A dog."),
    (["A cat.", "", "A dog."], "A cat. A dog."),
    (["", "A dog."], "A dog."),
    (["A cat.", ""], "A cat."),
    (["一只猫。", "A dog."], "一只猫。A dog."),
    (["A cat.", "一只猫。"], "A cat.一只猫。"),
    (["它走了！", "它来了。"], "它走了！它来了。"),
    ([], ""),
])  # fmt: skip
def test_spaces_stand_between_sentences_where_the_script_has_them(parts: list[str], text: str) -> None:
    given = [[f"{place}" for place in range(len(parts))], ["last"]]
    found = [*map(Translation, parts), Translation("end", -4.0)]
    first, last = translate_paragraphs(["0", "1"], lambda line: given[int(line)], lambda lines: found)
    assert (first.text, last.text, last.score) == (text, "end", -4.0)


def test_scores_add_up_and_one_part_cut_is_a_paragraph_cut() -> None:
    found = [Translation("a.", -1.0), Translation("b.", -2.5, cut=True)]
    (made,) = translate_paragraphs(["x"], lambda line: [line, line], lambda lines: found)
    assert (made.score, made.cut) == (-3.5, True)
