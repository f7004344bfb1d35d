"""Forced decoding: the weights of stepping through the given pieces, whatever stands beside a pair in its batch."""

import logging
from typing import Any

import numpy as np
import pytest
import torch
from tiny_models import one_thread as one_thread
from toy_runs import HEADS, RNN, TRANSFORMER, aligner, config

from mt.config.models import Report
from mt.core.errors import UserError
from mt.core.special import BOS, EOS, PAD
from mt.corpora import load_splits
from mt.corpora.pairs import Gold, Split
from mt.data.batches import pad
from mt.inference.aligner import Aligner, Forced


def validation(made: Aligner) -> Split:
    return load_splits(made.config.corpus)["validation"]


def stepped(made: Aligner, source: str, target: str) -> np.ndarray[Any, Any]:
    """Feed the pieces one by one and collect the weights that predicted each."""
    source_BS = pad([[*made.tokenizers.source.encode(source), EOS]])
    memory, state = made.model.encode(source_BS, source_BS != PAD)
    rows = []
    for piece in [BOS, *made.tokenizers.target.encode(target)]:
        output, state = made.model.step(torch.tensor([[piece]]), state, memory)
        assert output.attention is not None
        rows.append(output.attention[0, 0].numpy())
    return np.stack(rows)


@torch.inference_mode()
@pytest.mark.parametrize("model", [RNN, HEADS, TRANSFORMER], ids=["rnn", "heads", "transformer"])
def test_forced_decoding_equals_stepping_for_every_layer_and_head(model: dict[str, Any]) -> None:
    made, seen = aligner(config(model, batch=5)), []
    pairs = validation(made)
    for layer in range(1, model.get("layers", 1) + 1):
        for head in (None, *range(1, model.get("heads", model.get("attention", {}).get("heads", 1)) + 1)):
            other = made.reporting(Report(layer=layer, head=head))
            found = other.forced(pairs)
            seen.append(found[0].matrix_TS)
            for one, source, target in zip(found, pairs.sources, pairs.targets, strict=True):
                assert (one.source, one.target) == (source, target)
                np.testing.assert_allclose(one.matrix_TS, stepped(other, source, target), atol=1e-5)
    different = {matrix.round(4).tobytes() for matrix in seen}
    assert len(different) == {id(RNN): 1, id(HEADS): 3, id(TRANSFORMER): 6}[id(model)]


def test_reporting_changes_no_weight_and_no_random_number() -> None:
    made = aligner(config(TRANSFORMER))
    torch.manual_seed(5)
    expected = torch.rand(3)
    torch.manual_seed(5)
    other = made.reporting(Report(layer=1, head=2))
    assert torch.equal(torch.rand(3), expected)
    for one, two in zip(made.model.parameters(), other.model.parameters(), strict=True):
        assert torch.equal(one, two)
    assert made.config.model.report == Report()


def test_a_shifted_alignment_has_the_next_rows_and_both_come_from_one_decoding() -> None:
    made = aligner(config(RNN))
    (one, *_) = made.forced(validation(made))
    plain, shifted = one.alignment(0), one.alignment(1)
    np.testing.assert_array_equal(shifted.attention, [*plain.attention[1:], plain.attention[-1]])
    assert plain.target_words == shifted.target_words
    assert one.gold is not None
    assert len(plain.target_words) == len(one.gold.target_spans)


def test_words_are_those_of_gold_and_blank_sides_are_left_out() -> None:
    made, done = aligner(config(RNN)), list[int]()
    gold = Gold(((0, 3), (4, 8)), ((0, 3), (4, 9), (9, 10)), frozenset(), frozenset())
    pairs = Split(["Der Ofen.", " ", "Ball", "a b"], ["The stove.", "The", "", "\t"], [gold, None, None, None])
    one, blank, empty, tab = (found.alignment() for found in made.forced(pairs, done.append))
    assert (one.source_words, one.target_words) == (["Der", "Ofen"], ["The", "stove", "."])
    assert one.words.shape == (3, 3)
    assert blank.attention.shape == (0, 0)
    assert (empty.target_pieces, empty.links) == (["</s>"], [])
    assert empty.attention.sum() == pytest.approx(1)
    assert (tab.target_pieces, tab.words.shape) == (["</s>"], (0, 3))
    assert sum(done) == 3


def test_a_long_side_is_cut_and_its_last_words_are_unaligned(caplog: pytest.LogCaptureFixture) -> None:
    made = aligner(config(RNN, max_source=6))
    line = "Der Ofen ist kalt und der Tee auch"
    with caplog.at_level(logging.WARNING, "mt"):
        (found,) = made.forced(Split([line], [line]))
    assert [record.getMessage().split(" has ")[0] for record in caplog.records] == ["source line 1", "target line 1"]
    alignment = found.alignment()
    assert alignment.attention.shape == (7, 7)
    assert len(alignment.target_words) == 8
    assert not alignment.words[-1].any()
    assert max(target for _, target in alignment.links) < 7


def test_a_model_without_attention_is_refused() -> None:
    made = aligner(config(RNN))
    without = config(RNN | {"attention": {"score": "none"}})
    with pytest.raises(UserError, match=r"no attention .*nothing to align"):
        Aligner(made.model, made.tokenizers, without)


def test_thresholds_act_on_the_matrix_of_words() -> None:
    matrix = np.array([[0.6, 0.3, 0.1], [0.2, 0.7, 0.1], [0.5, 0.1, 0.4]])
    one = Forced("a b", "x y", [("a", (0, 1)), ("▁b", (1, 3))], [("x", (0, 1)), ("▁y", (1, 3))], matrix, None)
    assert one.alignment().links == [(0, 0), (1, 1)]
    assert one.alignment(threshold=0.3).links == [(0, 0), (1, 0), (1, 1)]
    assert one.alignment(1, 0.5).links == [(1, 0), (0, 1)]
