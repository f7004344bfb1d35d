"""Forced decoding: the weights of stepping through the given pieces, whatever stands beside a pair in its batch."""

import logging
from typing import Any

import numpy as np
import pytest
import torch
from tiny_models import one_thread as one_thread
from tolerances import FLOAT32
from toy_runs import HEADS, RNN, TRANSFORMER, aligner, config, read_off

from mt.core.errors import UserError
from mt.core.special import BOS, EOS, PAD
from mt.corpora import load_splits
from mt.corpora.pairs import Gold, Split
from mt.data.batches import pad
from mt.inference.aligner import Aligner, Forced, View
from mt.models.contract import Look, Site


def validation(made: Aligner) -> Split:
    return load_splits(made.config.corpus)["validation"]


def stepped(made: Aligner, source: str, target: str) -> np.ndarray[Any, Any]:
    """Feed the pieces one by one and collect the weights that predicted each, [layers, heads, T, S]."""
    source_BS = pad([[*made.tokenizers.source.encode(source), EOS]])
    memory, state = made.model.encode(source_BS, source_BS != PAD)
    rows = []
    for piece in [BOS, *made.tokenizers.target.encode(target)]:
        output, state = made.model.step(torch.tensor([[piece]]), state, memory, Look("all"))
        assert output.attention is not None
        rows.append(output.attention[0, :, :, 0].numpy())
    return np.stack(rows, 2)


@torch.inference_mode()
@pytest.mark.parametrize("model", [RNN, HEADS, TRANSFORMER], ids=["rnn", "heads", "transformer"])
def test_forced_decoding_equals_stepping_for_every_layer_and_head(model: dict[str, Any]) -> None:
    """All in one pass, and each in a pass of its own."""
    made = aligner(config(model, batch=5))
    pairs, (layers, heads) = validation(made), made.model.sites
    sites = [Site(layer, head) for layer in range(1, layers + 1) for head in (None, *range(1, heads + 1))]
    together = made.forced(pairs, [View(site) for site in sites])
    slow = [stepped(made, source, target) for source, target in zip(pairs.sources, pairs.targets, strict=True)]
    for layer, head in sites:
        view = View(Site(layer, head))
        for found in (together[view], read_off(made, pairs, view)):
            for one, source, target, by_head in zip(found, pairs.sources, pairs.targets, slow, strict=True):
                expected = by_head[layer - 1].mean(0) if head is None else by_head[layer - 1, head - 1]
                assert (one.source, one.target) == (source, target)
                np.testing.assert_allclose(one.matrix_TS, expected, rtol=0, atol=FLOAT32)
    different = {found[0].matrix_TS.round(4).tobytes() for found in together.values()}
    assert len(different) == {id(RNN): 1, id(HEADS): 3, id(TRANSFORMER): 6}[id(model)]


@torch.inference_mode()
def test_posteriors_beside_weights_are_the_models_own() -> None:
    made = aligner(config(HEADS, batch=5))
    pairs, views = validation(made), [View(Site(1, head), posterior) for head in (None, 1, 2) for posterior in (0, 1)]
    found = made.forced(pairs, views)
    for row, (source, target) in enumerate(zip(pairs.sources, pairs.targets, strict=True)):
        source_BS, target_out_BT = (
            pad([[*tokenizer.encode(line), EOS]])
            for tokenizer, line in zip(made.tokenizers[:2], (source, target), strict=True)
        )
        target_in_BT = pad([[BOS, *target_out_BT[0, :-1].tolist()]])
        of_mean, one, two = made.model.posterior(source_BS, source_BS != PAD, target_in_BT, target_out_BT)[0]
        for head, expected in ((None, of_mean), (1, one), (2, two)):
            matrix_TS = found[View(Site(1, head), True)][row].matrix_TS
            np.testing.assert_allclose(matrix_TS, expected.numpy(), rtol=0, atol=FLOAT32)
            assert np.abs(matrix_TS - found[View(Site(1, head))][row].matrix_TS).max() > 1e-3


def test_a_shifted_alignment_has_the_next_rows_and_both_come_from_one_decoding() -> None:
    made = aligner(config(RNN))
    (one, *_) = read_off(made, validation(made))
    plain, shifted = one.alignment(0), one.alignment(1)
    np.testing.assert_array_equal(shifted.attention, [*plain.attention[1:], plain.attention[-1]])
    assert plain.target_words == shifted.target_words
    assert one.gold is not None
    assert len(plain.target_words) == len(one.gold.target_spans)


def test_words_are_those_of_gold_and_blank_sides_are_left_out() -> None:
    made, done, view = aligner(config(RNN)), list[int](), View(Site(1))
    gold = Gold(((0, 3), (4, 8)), ((0, 3), (4, 9), (9, 10)), frozenset(), frozenset())
    pairs = Split(["Der Ofen.", " ", "Ball", "a b"], ["The stove.", "The", "", "\t"], [gold, None, None, None])
    one, blank, empty, tab = (found.alignment() for found in made.forced(pairs, [view], done.append)[view])
    assert (one.source_words, one.target_words) == (["Der", "Ofen"], ["The", "stove", "."])
    assert one.words.shape == (3, 3)
    assert blank.attention.shape == (0, 0)
    assert (empty.target_pieces, empty.links) == (["</s>"], [])
    assert empty.attention.sum() == pytest.approx(1, abs=FLOAT32)
    assert (tab.target_pieces, tab.words.shape) == (["</s>"], (0, 3))
    assert sum(done) == 3


def test_a_long_side_is_cut_and_its_last_words_are_unaligned(caplog: pytest.LogCaptureFixture) -> None:
    made = aligner(config(RNN, max_source=6))
    line = "Der Ofen ist kalt und der Tee auch"
    with caplog.at_level(logging.WARNING, "mt"):
        (found,) = read_off(made, Split([line], [line]))
    assert [record.getMessage().split(" has ")[0] for record in caplog.records] == ["source line 1", "target line 1"]
    alignment = found.alignment()
    assert alignment.attention.shape == (7, 7)
    assert len(alignment.target_words) == 8
    assert not alignment.words[-1].any()
    assert max(target for _, target in alignment.links) < 7


def test_a_model_without_attention_is_refused() -> None:
    with pytest.raises(UserError, match=r"no attention .*nothing to align"):
        aligner(config(RNN | {"attention": {"score": "none"}}))


def test_thresholds_act_on_the_matrix_of_words() -> None:
    matrix = np.array([[0.6, 0.3, 0.1], [0.2, 0.7, 0.1], [0.5, 0.1, 0.4]])
    one = Forced("a b", "x y", [("a", (0, 1)), ("▁b", (1, 3))], [("x", (0, 1)), ("▁y", (1, 3))], matrix, None)
    assert one.alignment().links == [(0, 0), (1, 1)]
    assert one.alignment(threshold=0.3).links == [(0, 0), (1, 0), (1, 1)]
    assert one.alignment(1, 0.5).links == [(1, 0), (0, 1)]
