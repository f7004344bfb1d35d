"""What a translation says of itself, and what a caller may ask for besides: prefixes, sites, other weights, traces."""

import math
from typing import Any

import numpy as np
import pytest
import torch
from tiny_models import one_thread as one_thread
from tiny_models import transformer
from tiny_translators import LINES, WITH_TEXT, assert_same, is_word, searching, settings, translator, vocabularies
from torch import Tensor

from mt.core.errors import UserError
from mt.core.special import BOS, EOS, PAD
from mt.inference.lines import Line
from mt.inference.outputs import count_outputs, warn_of
from mt.inference.translation import write
from mt.inference.translator import Translation, Translator
from mt.inference.wording import Wording
from mt.models import build_model
from mt.models.contract import NOTHING, Look, Site
from mt.runs.scores import Outputs
from mt.search import Hypothesis
from mt.text.words import Unit

WAYS = {"greedy": {"beam": 1}, "beam": {"beam": 4}, "samples": {"sample": True, "top_k": 30}}
ways = pytest.mark.parametrize("way", WAYS.values(), ids=WAYS.keys())


def stacked() -> Translator:
    """A Transformer of two layers with two heads, random weights in float64."""
    config, tokenizers = settings().model_copy(update={"model": transformer()}), vocabularies()
    model = build_model(config.model, len(tokenizers.source), len(tokenizers.target), joint=True)
    draw = torch.Generator().manual_seed(2)
    for parameter in model.double().parameters():
        parameter.data.copy_(0.7 * torch.randn(parameter.shape, generator=draw, dtype=torch.float64))
    return Translator(model.eval(), tokenizers, config)


def stepped(made: Translator, line: str, pieces: list[int], look: Look = NOTHING) -> list[float]:
    """Feed the pieces one by one and collect the log probability of each."""
    source_BS = torch.tensor([[*made.tokenizers.source.encode(line), EOS]])
    memory, state = made.model.encode(source_BS, source_BS != PAD)
    found = []
    for previous, piece in zip([BOS, *pieces], [*pieces, EOS], strict=True):
        output, state = made.model.step(torch.tensor([[previous]]), state, memory, look)
        weights = output.logits[0, 0].exp()
        found.append(float((weights[piece] / weights.sum()).log()))
    return found


def numbers(made: Translator, one: Translation) -> list[int]:
    """The pieces of a translation by number, without </s>."""
    names = [made.tokenizers.target.name(number) for number in range(len(made.tokenizers.target))]
    return [names.index(name) for name in one.pieces[:-1]]


@ways
@torch.inference_mode()
def test_pieces_have_the_log_probabilities_of_stepping(way: dict[str, object]) -> None:
    made = translator(settings(), is_word)
    for line, found in zip(WITH_TEXT, made.translate(WITH_TEXT, searching(made, **way), alignments=False), strict=True):
        pieces = numbers(made, found)
        assert found.pieces[-1] == "</s>"
        assert made.tokenizers.target.decode(pieces) == found.text
        assert found.log_probabilities == pytest.approx(stepped(made, line, pieces), abs=1e-10)
        if "beam" not in way or way["beam"] == 1:
            assert found.score == pytest.approx(sum(found.log_probabilities), abs=1e-10)


@ways
def test_a_translation_begins_with_its_prefix_as_text_or_as_pieces(way: dict[str, object]) -> None:
    made = translator(settings(), is_word)
    texts = ["The cold", "", " The stove ", "a", *[""] * (len(LINES) - 4)]
    pieces = [made.tokenizers.target.encode(text.strip()) for text in texts]
    found = made.translate(LINES, searching(made, **way), prefixes=texts)
    for line, one, other, prefix in zip(
        LINES, found, made.translate(LINES, searching(made, **way), prefixes=pieces), texts, strict=True
    ):
        assert one.text.startswith(prefix.strip()) or not line.strip()
        assert_same(one, other)
        assert one.log_probabilities == pytest.approx(other.log_probabilities, abs=1e-10)
    assert found[0].text != made.translate(LINES[:1], searching(made, **way))[0].text


@pytest.mark.parametrize("size", [1, 2, 100])
def test_a_translation_begun_by_its_own_prefix_is_the_same(size: int) -> None:
    made = translator(settings(beam=1), is_word)
    free = made.translate(LINES)
    for one, other in zip(
        free, made.translate(LINES, prefixes=[numbers(made, one)[:size] for one in free]), strict=True
    ):
        assert_same(one, other)
        assert one.log_probabilities == pytest.approx(other.log_probabilities, abs=1e-10)


@pytest.mark.parametrize("piece", [-1, PAD, BOS, EOS, 350])
def test_a_prefix_of_impossible_pieces_is_refused(piece: int) -> None:
    with pytest.raises(UserError, match=rf"line 2: its prefix has piece {piece}; pieces are from 4 to 349"):
        translator(settings()).translate(["a", "Ball"], prefixes=[[4], [5, piece]])


@ways
def test_all_sites_are_each_site_and_change_nothing_else(way: dict[str, object]) -> None:
    made = stacked()
    every = made.translate(WITH_TEXT, searching(made, **way), n_best=2 if "beam" not in way else 1, look=Look("all"))
    for site in (Site(1), Site(1, 1), Site(2, 2)):
        one_by_one = made.translate(WITH_TEXT, searching(made, **way), look=Look(site))
        for all_of_it, one in zip(every, one_by_one, strict=True):
            assert one.text == all_of_it.text
            assert one.score == pytest.approx(all_of_it.score, abs=1e-10)
            assert all_of_it.attention is not None
            assert one.alignment is not None
            assert one.attention is None
            layer = all_of_it.attention[site.layer - 1]
            expected = layer.mean(0) if site.head is None else layer[site.head - 1]
            np.testing.assert_allclose(one.alignment.attention, expected, rtol=0, atol=1e-10)
    for all_of_it, usual in zip(every, made.translate(WITH_TEXT, searching(made, **way)), strict=True):
        assert_same(all_of_it, usual)
        assert usual.attention is None
        assert all_of_it.attention is not None
        assert all_of_it.attention.shape[:2] == (2, 2)


@ways
@torch.inference_mode()
def test_replaced_weights_translate_and_are_seen(way: dict[str, object]) -> None:
    """Weights that are the same for all pieces: what one line's attention looks at is then 1 / its length."""

    def evenly(weights_BNQS: Tensor, mask_BS: Tensor, layer: int) -> Tensor:
        even_BS = mask_BS.to(weights_BNQS) / mask_BS.sum(1, keepdim=True)
        return even_BS[:, None, None].expand_as(weights_BNQS)

    made = translator(settings(), is_word)
    usual = made.translate(WITH_TEXT, searching(made, **way))
    look = Look(replace=evenly)
    changed = made.translate(WITH_TEXT, searching(made, **way), look=look)
    assert [one.log_probabilities for one in usual] != [one.log_probabilities for one in changed]
    for line, one in zip(WITH_TEXT, changed, strict=True):
        assert one.log_probabilities == pytest.approx(stepped(made, line, numbers(made, one), look), abs=1e-10)
        assert one.alignment is not None
        pieces = one.alignment.attention.shape[1]
        np.testing.assert_allclose(one.alignment.attention, 1 / pieces, rtol=0, atol=1e-12)


@ways
def test_a_trace_is_there_when_asked_for(way: dict[str, object]) -> None:
    made = translator(settings(), is_word)
    lines = ["", *WITH_TEXT[:3]]
    for line, one, plain in zip(
        lines,
        made.translate(lines, searching(made, **way), trace=True),
        made.translate(lines, searching(made, **way)),
        strict=True,
    ):
        assert_same(one, plain)
        assert plain.trace is None
        assert bool(one.trace) == bool(line)
        if one.trace:
            assert len(one.trace) >= len(one.pieces)
            first = one.trace[0]
            assert {branch.parent for branch in first.kept + first.dropped} == {0}


def test_a_coverage_penalty_beside_all_sites_is_refused() -> None:
    made = stacked()
    with pytest.raises(UserError, match="goes by one site, and all are asked for"):
        made.translate(["Ball"], searching(made, coverage_penalty=0.1), look=Look("all"))


def test_a_translation_shows_itself_in_a_few_words() -> None:
    made = translator(settings(), is_word)
    (one,) = made.translate(["Der Ofen ist kalt."], n_best=3)
    assert repr(one) == f"<Translation {one.text!r}, score {one.score:.3f}, 2 others>"
    assert repr(one.others[0]) == f"<Translation {one.others[0].text!r}, score {one.others[0].score:.3f}>"


def test_a_text_alone_is_one_line() -> None:
    made = translator(settings())
    (one,) = made.translate(LINES[0])
    assert_same(one, made.translate([LINES[0]])[0])
    assert made.translate("")[0].text == ""


def test_lines_may_come_from_anywhere_but_are_texts() -> None:
    made = translator(settings())
    expected = [one.text for one in made.translate(LINES[:3])]
    for lines in (tuple(LINES[:3]), iter(LINES[:3]), (line for line in LINES[:3])):
        assert [one.text for one in made.translate(lines)] == expected
    wrongs: list[Any] = [["a", None], ["a", b"b"], ["a", 3]]
    for wrong in wrongs:
        with pytest.raises(UserError, match="line 2 is no text but"):
            made.translate(wrong)


def test_half_a_surrogate_pair_is_read_as_what_it_is_not() -> None:
    made = translator(settings())
    half, known = made.translate(["Der \ud800 Kater", "Der \ufffd Kater"])
    assert_same(half, known)


def test_prefixes_are_one_for_each_line() -> None:
    made = translator(settings())
    pieces = made.tokenizers.target.encode("The")
    (expected,) = made.translate(LINES[:1], prefixes=["The"])
    assert expected.text.startswith("The")
    assert_same(made.translate(LINES[0], prefixes="The")[0], expected)
    assert_same(made.translate(LINES[0], prefixes=pieces)[0], expected)
    for wrong in ("The", pieces, ["The"], []):
        with pytest.raises(UserError, match="as many prefixes as there are lines, 3"):
            made.translate(LINES[:3], prefixes=wrong)


def repeating(many: int) -> Translator:
    """A translator for which several pieces are one text: a letter, and the byte that spells it."""
    spelling = {"B", "<0x42>"}
    return translator(settings(max_ratio=0.1, max_extra=4, beam=many), spelling.__contains__)


def test_of_the_n_best_each_text_comes_once() -> None:
    made = repeating(12)
    every = made.translate(LINES[:3], searching(made, distinct=False), n_best=12)
    once = made.translate(LINES[:3], n_best=4)
    for before, after in zip(every, once, strict=True):
        texts = [one.text for one in before.n_best]
        assert len(set(texts)) < len(texts)
        assert [one.text for one in after.n_best] == list(dict.fromkeys(texts))[:4]
        best = {one.text: one.score for one in reversed(before.n_best)}
        assert [one.score for one in after.n_best] == pytest.approx([best[one.text] for one in after.n_best])


def test_samples_are_all_given() -> None:
    made = repeating(4)
    (found,) = made.translate(LINES[:1], searching(made, sample=True), n_best=40)
    texts = [one.text for one in found.n_best]
    assert len(texts) == 40
    assert len(set(texts)) < 40


@ways
def test_what_the_limit_ended_is_known(way: dict[str, float]) -> None:
    endless, brief = (translator(settings(max_ratio=0.2, max_extra=3), ending=ending) for ending in (-50, 50))
    assert all(one.cut for one in endless.translate(WITH_TEXT, searching(endless, **way)))
    assert not any(one.cut for one in brief.translate(WITH_TEXT, searching(brief, **way)))


def test_empty_and_cut_translations_are_counted_and_many_are_warned_of(caplog: pytest.LogCaptureFixture) -> None:
    lines = ["a"] * 200 + ["", " "]
    found = [Translation("b")] * 200 + [Translation()] * 2
    found[3] = Translation("")
    found[4] = found[5] = Translation("c", cut=True)
    assert warn_of(count_outputs(lines, found)) == Outputs(200, empty=1, cut=2)
    assert caplog.messages == []
    found[6] = Translation(" ")
    found[7] = Translation("c", cut=True)
    assert warn_of(count_outputs(lines, found)) == Outputs(199 + 1, empty=2, cut=3)
    assert warn_of(count_outputs(["\u200b", "\u00ad "], [Translation()] * 2)) == Outputs(0, 0, 0)
    half = count_outputs(lines[:100], found[:100])
    assert warn_of(half) == Outputs(100, empty=2, cut=3)
    assert count_outputs(lines[100:], found[100:], half) == count_outputs(lines, found)
    assert [message.split(":")[0] for message in caplog.messages] == [
        "of 200 translations, 3 are cut by the limit on their length",
        "of 100 translations, 2 are empty",
        "of 100 translations, 3 are cut by the limit on their length",
    ]


@pytest.mark.parametrize(("pieces", "ending", "cut"), [(3, 0.49, True), (3, 0.51, False), (2, 0.49, False)])
def test_it_is_cut_where_the_model_would_rather_have_gone_on(pieces: int, ending: float, cut: bool) -> None:
    tokens = [5] * (pieces - 1)
    found = Hypothesis(tokens, -1.0, -1.0, [*(-0.1 for _ in tokens), math.log(ending)], None)
    line = Line("x", [5, EOS], [], None, Wording())
    assert write(vocabularies(), "words", line, found, 3, None).cut is cut


@pytest.mark.parametrize(("unit", "parts"), [("words", ["Der", "Ofen"]), ("characters", [*"DerOfen"])])
def test_it_is_aligned_in_the_unit_that_is_asked_for(unit: Unit, parts: list[str]) -> None:
    made = vocabularies()
    source, tokens = [*made.source.encode("Der Ofen"), EOS], made.target.encode("The stove")
    found = Hypothesis(tokens, -1.0, -1.0, [-0.1] * (len(tokens) + 1), None)
    weights = np.full((len(tokens) + 1, len(source)), 1 / len(source))
    alignment = write(made, unit, Line("Der Ofen", source, [], None, Wording()), found, 9, weights).alignment
    assert alignment is not None
    assert alignment.source_words == parts
