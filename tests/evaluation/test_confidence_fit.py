"""Confidence: what is fitted predicts what it was fitted on, is kept with the weights, and is measured as it says."""

import json
import math
import shutil
from pathlib import Path

import numpy as np
import pytest
from tiny_models import one_thread as one_thread
from toy_runs import RNN, config, write_run

from mt.config import Config
from mt.core.errors import UserError
from mt.corpora.pairs import Split
from mt.evaluation import confidence
from mt.evaluation.confidence import ALONE, Names, Predicted, fit, fit_for_run, measure
from mt.evaluation.edits import Rated
from mt.evaluation.evaluate import Asked, evaluate
from mt.inference.confidence import Observed
from mt.runs import checkpoint
from mt.runs.confidence import Fitted, Linear, Weight, read_fitted
from mt.runs.run import Run

OLD = Path(__file__).parent.parent / "old_runs" / "rnn"
NAMES = Names(sentence=("mean_log_probability", "output_entropy"), word=("probability", "place"))
BOUND = 50.0


def made_up(seed: int, size: int = 60) -> tuple[Observed, Rated]:
    """Sentences of 10 words each, whose edits follow two signals, and words that are wrong where they are unlikely."""
    rng = np.random.default_rng(seed)
    logs, spread = rng.normal(size=size), rng.normal(size=size)
    edits = np.clip(np.rint(5 - 2 * logs + 2 * spread + rng.normal(size=size)), 0, 10)
    chances = rng.random(10 * size)
    wrong = (rng.random(10 * size) > chances).astype(float)
    sentences = {"mean_log_probability": logs, "output_entropy": spread}
    words = {"probability": chances, "log_probability": np.log(chances), "place": rng.random(10 * size)}
    rated = Rated(edits, np.full(size, 10.0), 100 - 5 * edits, wrong, np.repeat(np.arange(size), 10))
    return Observed([], sentences, words), rated


def fitted(seen: Observed, rated: Rated) -> Fitted:
    predictors, alone = fit(seen, rated, BOUND, NAMES), fit(seen, rated, BOUND, ALONE)
    return Fitted("weights", {}, "validation", len(rated.edits_N), len(rated.wrong_W), BOUND, predictors, alone)


def test_a_prediction_is_the_sum_of_its_standardised_signals() -> None:
    one = Linear(0.5, {"a": Weight(mean=2, scale=4, weight=3), "b": Weight(mean=0, scale=1, weight=-1)})
    found = one.predict({"a": np.array([2.0, 6]), "b": np.array([1.0, 0]), "unused": np.array([9.0, 9])})
    assert found.tolist() == [0.5 + 0 - 1, 0.5 + 3 - 0]


def test_what_is_fitted_finds_what_was_planted() -> None:
    """The second signal is as good as the first, which is all that is used alone."""
    measured = measure(fitted(*made_up(1, 300)), *made_up(2, 300))
    sentences, words = (measured.figures[f"AUROC of {what}"] for what in ("sentences", "words"))
    assert sentences.value is not None
    assert sentences.alone is not None
    assert sentences.value > 0.9 > sentences.alone > 0.7
    assert sentences.gain_low is not None
    assert sentences.gain_low > 0.02
    assert words.value == pytest.approx(0.83, abs=0.04)  # of a uniform chance that is true: 5 / 6
    curve = [ter for _, ter in measured.pass_on]
    assert curve[0] < curve[9] < curve[-1] == pytest.approx(measured.ter)
    assert (measured.figures["calibration error of words"].value or 1) < 0.04
    for _, high in measured.pass_on_interval[:1]:
        assert high < measured.ter


def test_figures_of_a_resample_are_those_of_sentences_written_out_again() -> None:
    seen, rated = made_up(3, 12)
    predicted = Predicted(fit(seen, rated, BOUND, NAMES), seen)
    rows = np.array([3, 3, 0, 7, 11, 11, 11, 5])
    places = [10 * row + word for row in rows for word in range(10)]
    again = Observed(
        [],
        {name: np.array([column[row] for row in rows]) for name, column in seen.sentences.items()},
        {name: np.array([column[place] for place in places]) for name, column in seen.words.items()},
    )
    same = Rated(
        *(np.array([column[row] for row in rows]) for column in rated[:3]),
        np.array([rated.wrong_W[place] for place in places]),
        np.repeat(np.arange(len(rows)), 10),
    )
    other = Predicted(fit(seen, rated, BOUND, NAMES), again)
    assert predicted.figures(rated, BOUND, rows) == pytest.approx(other.figures(same, BOUND, np.arange(len(rows))))


def test_an_interval_is_what_the_middle_resamples_say() -> None:
    """Of 60 sorted values the 2.5th percentile lies between the second and the third, at 59 x 0.025 = 1.475."""
    seen, rated = made_up(6, 20)
    one = fitted(seen, rated)
    generator, errors, gains = np.random.default_rng(1), [], []
    off = [
        [abs(max(ter, 0) - true) for ter, true in zip(linear.predict(seen.sentences), rated.ter(), strict=True)]
        for linear in (one.predictors.ter, one.alone.ter)
    ]
    for _ in range(60):
        rows = [int(row) for row in generator.integers(0, 20, 20)]
        own, alone = (sum(column[row] for row in rows) / 20 for column in off)
        errors.append(own)
        gains.append(own - alone)
    figure = measure(one, seen, rated).figures["error of expected TER"]
    assert figure.value == pytest.approx(sum(off[0]) / 20)
    for values, low, high in ((errors, figure.low, figure.high), (gains, figure.gain_low, figure.gain_high)):
        ranked = sorted(values)
        assert low == pytest.approx(ranked[1] + 0.475 * (ranked[2] - ranked[1]))
        assert high == pytest.approx(ranked[58] - 0.475 * (ranked[58] - ranked[57]))


def test_flagged_words_are_counted_one_by_one() -> None:
    seen, rated = made_up(4)
    one = fitted(seen, rated)
    found, linear = measure(one, seen, rated).flagged, one.predictors.wrong
    flagged = hits = 0
    for place, wrong in enumerate(rated.wrong_W):
        terms = [w.weight * (seen.words[name][place] - w.mean) / w.scale for name, w in linear.signals.items()]
        if linear.intercept + math.fsum(terms) >= 0:
            flagged, hits = flagged + 1, hits + int(wrong)
    assert found == pytest.approx(
        {"share": flagged / 600, "precision": hits / flagged, "recall": hits / sum(rated.wrong_W)}
    )


def test_what_is_not_defined_is_none_and_not_nan() -> None:
    """Where all sentences are good, none can be told from another."""
    seen, rated = made_up(5)
    perfect = rated._replace(edits_N=np.zeros(60), wrong_W=np.zeros(600))
    measured = measure(fitted(seen, perfect), seen, perfect)
    for name in ("AUROC of sentences", "AUROC of words", "rank correlation with TER"):
        one = measured.figures[name]
        assert (one.value, one.low, one.high, one.gain) == (None, None, None, None)
    assert "not defined here" in confidence.describe("test", measured)
    assert measured.flagged["recall"] is None


@pytest.fixture(autouse=True)
def few_resamples(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(confidence, "RESAMPLES", 60)


@pytest.fixture
def run(tmp_path: Path) -> Path:
    """Return a run whose model has learned a little."""
    return shutil.copytree(OLD, tmp_path / "run")


def rewrite(run: Path) -> None:
    """Give a run other weights."""
    model = Run(run).model
    for parameter in model.parameters():
        parameter.data *= 0.9
    checkpoint.save(run / "model.safetensors", checkpoint.weights(model), {"update": 8})


def refuse(*arguments: object, **options: object) -> None:
    raise AssertionError("it translates again")


def test_it_is_fitted_once_for_each_weights_and_bound(run: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    first = fit_for_run(Run(run), Run(run).config)
    assert read_fitted(Run(run)) == first
    assert (first.split, first.sentences, first.bound, first.weights) == ("validation", 12, 50, Run(run).fingerprint)
    with monkeypatch.context() as patch:
        patch.setattr(confidence, "translator_of", refuse)
        assert fit_for_run(Run(run), Run(run).config) == first
        stricter = Config.model_validate(Run(run).config.model_dump() | {"metrics": {"good_enough": 90}})
        with pytest.raises(AssertionError, match="translates again"):
            fit_for_run(Run(run), stricter)
    rewrite(run)
    assert read_fitted(Run(run)) is None
    again = fit_for_run(Run(run), Run(run).config)
    assert again.weights == Run(run).fingerprint != first.weights
    (run / "confidence.json").write_text("{}")
    with pytest.raises(UserError, match=r"confidence\.json is damaged; delete it"):
        fit_for_run(Run(run), Run(run).config)


def test_without_validation_text_it_is_refused(run: Path) -> None:
    known = Run(run)
    known.splits = {name: pairs for name, pairs in known.splits.items() if name != "validation"}
    for splits in (known.splits, known.splits | {"validation": Split([], [])}):
        known.splits = splits
        with pytest.raises(UserError, match="has no validation text, and confidence is fitted on nothing else"):
            fit_for_run(known, known.config)
    assert not (run / "confidence.json").exists()


def test_a_model_without_attention_goes_by_the_other_signals(tmp_path: Path) -> None:
    blind = write_run(tmp_path / "blind", config(RNN | {"attention": {"score": "none"}}))
    evaluate(Run(blind), Asked(confidence=True))
    kept = json.loads((blind / "confidence.json").read_text())
    names = set(kept["predictors"]["ter"]["signals"])
    assert names == {"mean_log_probability", "word_probability", "output_entropy"}
    assert kept["measured"]["test"]["sentences"] == 12
    assert len(kept["measured"]["test"]["pass_on"]) == 20


def test_it_is_not_measured_where_it_is_fitted_nor_of_an_ensemble(run: Path) -> None:
    with pytest.raises(UserError, match="confidence is fitted on validation, so it looks better there than it is"):
        evaluate(Run(run), Asked("validation", confidence=True))
    with pytest.raises(UserError, match="an ensemble has no confidence"):
        evaluate(Run(run), Asked(others=(Run(run),), confidence=True))
    assert not (run / "confidence.json").exists()


def test_new_weights_forget_what_was_measured(run: Path) -> None:
    evaluate(Run(run), Asked(confidence=True))
    kept = read_fitted(Run(run))
    assert kept is not None
    assert set(kept.measured) == {"test"}
    rewrite(run)
    assert fit_for_run(Run(run), Run(run).config).measured == {}


def test_translations_without_a_word_are_no_failure(tmp_path: Path) -> None:
    """An untrained model ends at once: its sentences are told apart by nothing, and it has no words."""
    silent = write_run(tmp_path / "silent", config(RNN))
    evaluate(Run(silent), Asked(confidence=True))
    kept = read_fitted(Run(silent))
    assert kept is not None
    assert kept.words == kept.measured["test"].words == 0
    assert kept.measured["test"].figures["AUROC of words"].value is None
