"""The choice of layer, head, reading and threshold: the lowest AER on validation's gold, made once."""

import json
import os
from collections import Counter
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from tiny_models import one_thread as one_thread
from torch import Tensor
from toy_runs import RNN, TRANSFORMER, aligner, config, read_off, write_run

from mt.alignment.links import aer, hard
from mt.core.errors import UserError
from mt.corpora import load_splits
from mt.corpora.pairs import Gold, Split
from mt.evaluation import choice
from mt.evaluation.choice import THRESHOLDS, Choice
from mt.inference.aligner import Forced, load_aligner
from mt.runs import checkpoint
from mt.runs.run import Run

PIECES = [("a", (0, 1)), ("▁b", (1, 3))]


def test_all_that_is_tried_has_the_aer_of_its_own_decoding_and_the_lowest_is_taken() -> None:
    made = aligner(config(TRANSFORMER))
    validation = load_splits(made.config.corpus)["validation"]
    chosen, tried = choice.choose(made, validation)
    expected = {
        (layer, head, reading, how): aer(
            [
                set(hard(one.alignment(int(reading == "shifted")).words, how))
                for one in read_off(made, validation, Choice(layer, head, reading).view)
            ],
            [gold for gold in validation.gold or [] if gold],
        ).aer
        for layer in (1, 2)
        for head in (None, 1, 2)
        for reading in ("as-is", "shifted", *["posterior"] * (layer == 2))
        for how in THRESHOLDS
    }
    assert len(set(expected.values())) > 12
    found = {
        (one["layer"], one["head"], one["reading"], how): one["aer"][str(how or "argmax")]
        for one in tried
        for how in THRESHOLDS
    }
    assert found == expected
    assert expected[chosen.layer, chosen.head, chosen.reading, chosen.threshold] == min(expected.values())


def test_choosing_builds_no_model_and_passes_twice_over_the_pairs(monkeypatch: pytest.MonkeyPatch) -> None:
    """Once for the weights of all layers and heads, once for all posteriors: not once for each of the twenty."""
    made, built, passed = aligner(config(TRANSFORMER | {"layers": 3, "heads": 4})), [], Counter[str]()

    def counting(name: str) -> None:
        method = getattr(made.model, name)

        def counted(source_BS: Tensor, *more: Any) -> Tensor:
            passed[name] += len(source_BS)
            return method(source_BS, *more)

        monkeypatch.setattr(made.model, name, counted)

    for name in ("encode", "forward", "posterior"):
        counting(name)
    monkeypatch.setattr(checkpoint, "build_model", lambda *how: built.append(how))
    validation = load_splits(made.config.corpus)["validation"]
    _, tried = choice.choose(made, validation)
    assert len({(one["layer"], one["head"], one["reading"] == "posterior") for one in tried}) == 3 * 5 + 5
    assert built == []
    assert passed == {"encode": 2 * 12, "forward": 12, "posterior": 12}
    assert len(validation.sources) == 12


def test_scores_by_hand() -> None:
    # Row 0 looks at a; row 1 at a and b; the end at b. Gold: x-a, y-b.
    matrix = np.array([[0.8, 0.1, 0.1], [0.5, 0.4, 0.1], [0.1, 0.8, 0.1]])
    gold = Gold(((0, 1), (2, 3)), ((0, 1), (2, 3)), frozenset({(0, 0), (1, 1)}), frozenset({(0, 0), (1, 1)}))
    found = [Forced("a b", "x y", PIECES, [("x", (0, 1)), ("▁y", (1, 3))], matrix, gold)]
    argmax, wide, narrow = choice.score(found, 0, [None, 0.4, 0.6])
    assert argmax.aer == pytest.approx(50)  # 0-0 0-1
    assert wide.aer == pytest.approx(20)  # 0-0 0-1 1-1: 1 - (2 + 2) / (3 + 2)
    assert narrow.aer == pytest.approx(100 / 3)  # 0-0: 1 - (1 + 1) / (1 + 2)
    assert choice.score(found, 1, [None])[0].aer == pytest.approx(0)  # rows 1 and 2: 0-0 1-1


def test_without_a_choice_the_config_says_where_to_look() -> None:
    deep = TRANSFORMER | {"layers": 4}
    for model, expected in (
        (RNN, Choice(1, None)),
        (TRANSFORMER, Choice(1, None)),  # the last of two but one
        (deep, Choice(3, None)),
        (deep | {"report": {"layer": 4, "head": 2}}, Choice(4, 2)),
        (TRANSFORMER | {"layers": 1}, Choice(1, None)),
    ):
        assert choice.as_it_is(aligner(config(model))) == expected


def test_a_choice_is_named() -> None:
    assert str(Choice(2, None)) == "layer 2, mean of heads, as-is, argmax"
    assert str(Choice(1, 3, "shifted", 0.25)) == "layer 1, head 3, shifted, weights from 0.25"


@pytest.mark.parametrize(("layer", "head"), [(3, None), (1, 3)])
def test_a_layer_or_head_that_is_not_there_is_named(layer: int, head: int | None) -> None:
    made = aligner(config(TRANSFORMER))
    with pytest.raises(UserError, match="the model has 2 decoder layers and 2 heads"):
        choice.forced(made, Split(["x"], ["y"]), [Choice(layer, head)])


def test_the_posterior_is_that_of_the_last_layer() -> None:
    made = aligner(config(TRANSFORMER))
    with pytest.raises(UserError, match="use layer 2, or another reading"):
        choice.forced(made, Split(["x"], ["y"]), [Choice(1, None, "posterior")])


def test_a_run_chooses_once_and_again_when_its_weights_are_newer(tmp_path: Path) -> None:
    run = write_run(tmp_path / "run", config(RNN))
    made = load_aligner(Run(run))
    assert choice.of_run(Run(run)) is None
    chosen = choice.choose_for_run(Run(run), made)
    record = json.loads((run / "alignment.json").read_text())
    assert Choice(**record["choice"]) == chosen == choice.of_run(Run(run))
    assert (record["split"], record["pairs"], len(record["tried"])) == ("validation", 12, 3)
    lowest = min(one for tried in record["tried"] for one in tried["aer"].values())
    (mine,) = [tried for tried in record["tried"] if tried["reading"] == chosen.reading]
    assert mine["aer"][str(chosen.threshold or "argmax")] == lowest
    other = record | {"choice": record["choice"] | {"threshold": 0.9}}
    (run / "alignment.json").write_text(json.dumps(other))
    assert choice.choose_for_run(Run(run), made).threshold == 0.9
    os.utime(run / "alignment.json", (0, 0))  # as a copy of the run may have it
    assert choice.of_run(Run(run)) is not None
    weights, record = checkpoint.read(run / "model.safetensors")
    checkpoint.save(run / "model.safetensors", weights, record | {"update": record["update"] + 1})
    assert choice.of_run(Run(run)) is None
    assert choice.choose_for_run(Run(run), made) == chosen


def test_pairs_without_gold_links_are_not_scored() -> None:
    words = ((0, 1),)
    none, one = Gold(words, words, frozenset(), frozenset()), Gold(words, words, frozenset(), frozenset({(0, 0)}))
    assert choice.with_gold(Split(["a", "b", "c"], ["x", "y", "z"], [None, none, one])) == Split(["c"], ["z"], [one])


def test_without_gold_nothing_is_chosen_or_written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    run = Run(write_run(tmp_path / "run", config(TRANSFORMER)))
    monkeypatch.setitem(run.__dict__, "splits", {"validation": Split(["Ball"], ["ball"])})
    assert choice.choose_for_run(run, load_aligner(run)) == Choice(1, None)
    assert not (run / "alignment.json").exists()


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"choice": {"layer": "x", "head": null}}', '{"choice": 3}'])
def test_a_damaged_choice_says_what_to_do(tmp_path: Path, text: str) -> None:
    run = write_run(tmp_path / "run", config(RNN))
    (run / "alignment.json").write_text(text)
    with pytest.raises(UserError, match=r"alignment\.json is damaged; delete it, and `mt eval .*run` writes it again"):
        choice.of_run(Run(run))
