"""Settings of one call: the keys of `search`, checked as those of a config are, for that call alone."""

from pathlib import Path

import pytest
from tiny_translators import LINES, settings, translator
from toy_runs import RNN, config, write_run

import mt
from mt.config.overrides import change, parse_changes
from mt.core.errors import UserError
from mt.inference.translator import Translator


@pytest.fixture(scope="module")
def made() -> Translator:
    return translator(settings())


@pytest.mark.parametrize(
    ("keywords", "overrides"),
    [
        ({"beam": 1}, ["search.beam=1"]),
        ({"beam": 7, "length_penalty": 0}, ["search.beam=7", "search.length_penalty=0"]),
        ({"sample": True, "sample_seed": 9}, ["search.sample=true", "search.sample_seed=9"]),
        ({"max_extra": 1, "max_ratio": 0.1, "batch": 2}, ["search.max_extra=1", "search.max_ratio=0.1"]),
    ],
)
def test_a_keyword_does_what_a_change_of_all_calls_does(
    made: Translator, keywords: dict[str, object], overrides: list[str]
) -> None:
    changed = Translator(made.model, made.tokenizers, change(settings(), parse_changes(overrides)))
    before = [one.text for one in made.translate(LINES)]
    wanted = [one.text for one in changed.translate(LINES)]
    assert [one.text for one in made.translate(LINES, **keywords)] == wanted != before
    assert [one.text for one in made.translate(LINES)] == before


@pytest.mark.parametrize(
    ("keywords", "told"),
    [
        ({"baem": 3}, "unknown key search.baem in this call: did you mean search.beam?"),
        ({"beam": 0}, "search.beam in this call is 0: input should be greater than or equal to 1"),
        ({"beam": True}, "search.beam in this call is True, not a number"),
        ({"beam": "many"}, "search.beam in this call is 'many': input should be a valid integer"),
        ({"top_k": 5}, "search.top_k has no effect without search.sample=true"),
        ({"sample": True, "beam": 5}, "search.beam has no effect with search.sample=true"),
        ({"precision": "bfloat16"}, "search.precision is of the model, and not of this call: give it as mt.load"),
        ({"nearest": {"count": 3}}, "search.nearest is of the model, and not of this call: give it as mt.load"),
    ],
)
def test_a_keyword_that_cannot_be_is_refused(made: Translator, keywords: dict[str, object], told: str) -> None:
    with pytest.raises(UserError) as caught:
        made.translate(LINES, **keywords)
    assert str(caught.value).startswith(told)


def test_several_samples_are_those_of_one_beam(made: Translator) -> None:
    with pytest.raises(UserError, match=r"search.length_penalty has no effect with search.beam=1"):
        made.translate("Ball", beam=1, length_penalty=2)
    assert made.translate("Ball", beam=1, length_penalty=2, n_best=2)


def test_what_is_shown_is_one_short_line(made: Translator, tmp_path: Path) -> None:
    run = write_run(tmp_path / "run", config(RNN))
    (translation,) = made.translate("Der Ball", n_best=3)
    assert translation.alignment is not None
    shown = [made, translation, translation.alignment, mt.load(run), mt.Run(run), mt.Run("nowhere")]
    for one in map(repr, shown):
        assert one.startswith("<")
        assert one.endswith(">")
        assert "\n" not in one
        assert "tensor" not in one
        assert len(one) < 250
    assert repr(made).startswith("<Translator de to en: ")
    assert repr(made).endswith(", beam 4>")
    assert repr(translation).startswith(f"<Translation {translation.text!r}, score ")
    words = len(translation.alignment.source_words), len(translation.alignment.target_words)
    assert f"{words[0]} to {words[1]} words" in repr(translation.alignment)
    assert repr(mt.Run(run)) == f"<Run {run}: de to en, it has weights, and no state>"
    assert repr(mt.Run("nowhere")) == "<Run nowhere: nothing is there>"
