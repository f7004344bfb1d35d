"""Confidence: fit on validation what predicts how much a human will have to mend, and measure it on another split."""

import logging
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import NamedTuple

import numpy as np

from mt.config import Config, Search
from mt.core.arrays import Floats
from mt.core.errors import UserError
from mt.core.progress import Meter
from mt.corpora.pairs import Split
from mt.evaluation.edits import Rated, rate
from mt.evaluation.logistic import fit_linear, fit_logistic
from mt.evaluation.metrics import Texts
from mt.evaluation.ranking import auroc, calibration_error, pass_on, reliability, spearman
from mt.evaluation.tokenize import choose_tokenizer
from mt.inference.confidence import CHECK, NO_ENSEMBLE, Estimator, Observed, observe, sigmoid
from mt.inference.load import translator_of
from mt.runs.confidence import Figure, Fitted, Linear, Measured, Predictors, Weight, read_fitted
from mt.runs.own import must_be_own
from mt.runs.run import Run
from mt.runs.scores import describe_search, searched

log = logging.getLogger("mt")
SPLIT = "validation"
FEW = 100
"""Fitted on fewer sentences than this, confidence is worth a warning."""


class Names(NamedTuple):
    """Names of the signals by which something is predicted."""

    sentence: Sequence[str]
    word: Sequence[str]


SIGNALS = Names(
    sentence=("mean_log_probability", "word_probability", "output_entropy", "coverage_deviation", "attention_entropy"),
    word=(
        "probability",
        "probability_before",
        "probability_after",
        "entropy",
        "entropy_before",
        "entropy_after",
        "least_log_probability",
        "sentence",
        "source_pieces",
        "place",
        "first",
        "length",
    ),
)
"""Those of attention only where there is attention. The others that are known gain nothing, or what they gain in TER
they lose in chrF (docs/experiments/confidence.md)."""
ALONE = Names(sentence=("mean_log_probability",), word=("log_probability",))
"""What confidence is held against."""
SHARES = np.linspace(0.05, 1, 20)
HALF = np.array([0.5])
RESAMPLES = 1000
Fit = Callable[[Floats, Floats], tuple[float, Floats]]


def fit_for_run(run: Run, config: Config) -> Fitted:
    """Return what RUN/confidence.json holds, fitted on the validation split and written there when it has none.

    It has none when its weights, the bound of `config` or the run's own search are others. Raises UserError when there
    is no validation text.
    """
    search, bound = searched(run.config).search, config.metrics.good_enough
    settings = describe_search(search)
    kept = read_fitted(run)
    if kept is not None and kept.bound == bound and kept.search == settings:
        return kept
    must_be_own(run)
    pairs = run.splits.get(SPLIT)
    if pairs is None or not pairs.sources:
        raise UserError(f"{run} has no validation text, and confidence is fitted on nothing else")
    if len(pairs.sources) < FEW:
        log.warning("confidence is fitted on %d sentences only: trust it little", len(pairs.sources))
    seen, rated = _translate(run, pairs, search)
    fitted = Fitted(
        weights=run.fingerprint,
        search=settings,
        split=SPLIT,
        sentences=len(pairs.sources),
        words=len(rated.wrong_W),
        bound=bound,
        predictors=fit(seen, rated, bound, SIGNALS),
        alone=fit(seen, rated, bound, ALONE),
    )
    fitted.write(run)
    return fitted


def check_split(name: str, others: Sequence[Run]) -> None:
    """Raise UserError when confidence cannot be measured on a split: it is fitted there, or on one run of several."""
    if others:
        raise UserError(NO_ENSEMBLE)
    if name == SPLIT:
        raise UserError(f"confidence is fitted on {SPLIT}, so it looks better there than it is: measure another split")


def _translate(run: Run, pairs: Split, search: Search) -> tuple[Observed, Rated]:
    """Return the signals of the translations of a split by this search, and how good they are."""
    config = run.config
    meter = Meter(f"translating {SPLIT} for confidence", "line", len(pairs.sources))
    translator = translator_of(run, [], config)
    found = translator.translate(pairs.sources, search, alignments=False, progress=meter.add)
    meter.close()
    hypotheses = [one.text for one in found]
    tokenize = choose_tokenizer(config.metrics.tokenize, config.corpus.target, run.splits["train"].targets)
    return observe(Estimator(run).scorer, pairs.sources, hypotheses), rate(
        Texts(hypotheses, pairs.targets, (), tokenize)
    )


def fit(seen: Observed, rated: Rated, bound: float, names: Names) -> Predictors:
    """Return what predicts, by the signals of these names."""
    ter = rated.ter()
    return Predictors(
        _fit(fit_logistic, seen.sentences, names.sentence, (ter <= bound).astype(np.float64)),
        _fit(fit_linear, seen.sentences, names.sentence, ter),
        _fit(fit_logistic, seen.words, names.word, rated.wrong_W),
    )


def _fit(how: Fit, columns: dict[str, Floats], names: Sequence[str], wanted_N: Floats) -> Linear:
    """Return the prediction of `wanted` from the named columns that there are, each standardised."""
    found = [name for name in names if name in columns]
    if not len(wanted_N):  # no translation has a word
        return Linear(0.0, {name: Weight(0.0, 1.0, 0.0) for name in found})
    inputs_NK = np.column_stack([columns[name] for name in found])
    mean_K, scale_K = inputs_NK.mean(0), inputs_NK.std(0)
    scale_K = np.where(scale_K > 0, scale_K, 1)
    intercept, weight_K = how((inputs_NK - mean_K) / scale_K, wanted_N)
    told = zip(found, mean_K.tolist(), scale_K.tolist(), weight_K.tolist(), strict=True)
    return Linear(intercept, {name: Weight(mean, scale, weight) for name, mean, scale, weight in told})


def measure_for_run(run: Run, config: Config, name: str, texts: Texts) -> Measured:
    """Return how well confidence does on the translations of a split, and add it to RUN/confidence.json."""
    fitted = fit_for_run(run, config)
    estimator = Estimator(run)
    estimator.check(config.search)
    seen = observe(estimator.scorer, texts.sources, texts.hypotheses)
    measured = replace(measure(fitted, seen, rate(texts)), search=describe_search(config.search))
    replace(fitted, measured=fitted.measured | {name: measured}).write(run)
    return measured


def measure(fitted: Fitted, seen: Observed, rated: Rated) -> Measured:
    """Return how well confidence does on translations, with intervals from 1,000 resamplings of the sentences."""
    both = [Predicted(one, seen) for one in (fitted.predictors, fitted.alone)]
    everything = np.arange(len(rated.edits_N))
    values = [one.figures(rated, fitted.bound, everything) for one in both]
    generator = np.random.default_rng(1)
    drawn = [generator.integers(0, len(everything), len(everything)) for _ in range(RESAMPLES)]
    resampled = [[one.figures(rated, fitted.bound, rows) for rows in drawn] for one in both]
    curves = [one.curve(rated, everything) for one in both]
    low, high = np.quantile([both[0].curve(rated, rows) for rows in drawn], (0.025, 0.975), axis=0)
    good = (rated.ter() <= fitted.bound).astype(np.float64)
    shares = SHARES.tolist()
    return Measured(
        sentences=len(everything),
        good=float(good.mean()),
        ter=float(100 * rated.edits_N.sum() / rated.lengths_N.sum()),
        words=len(rated.wrong_W),
        wrong=float(rated.wrong_W.mean()) if len(rated.wrong_W) else 0.0,
        search={},
        figures={name: _figure(name, values, resampled) for name in values[0]},
        flagged=_flag(both[0].wrong, rated.wrong_W),
        pass_on=list(zip(shares, curves[0].tolist(), strict=True)),
        pass_on_interval=list(zip(low.tolist(), high.tolist(), strict=True)),
        pass_on_alone=list(zip(shares, curves[1].tolist(), strict=True)),
        reliability=reliability(both[0].good, good),
    )


class Predicted:
    """What is predicted of translations, by all signals or by one alone."""

    def __init__(self, predictors: Predictors, seen: Observed):
        self.good = sigmoid(predictors.good.predict(seen.sentences))
        self.ter = predictors.ter.predict(seen.sentences)
        """Not cut off at 0, because it ranks."""
        self.wrong = sigmoid(predictors.wrong.predict(seen.words))

    def figures(self, rated: Rated, bound: float, rows: np.ndarray[tuple[int], np.dtype[np.int64]]) -> dict[str, float]:
        """Return the figures of these sentences by name."""
        part, words = rated.take(rows)
        good, ter, wrong = self.good[rows], self.ter[rows], self.wrong[words]
        is_good = (part.ter() <= bound).astype(np.float64)
        return {
            "AUROC of sentences": auroc(good, is_good),
            "rank correlation with TER": spearman(ter, part.ter()),
            "rank correlation with chrF": spearman(-ter, part.chrf_N),
            "calibration error of sentences": calibration_error(good, is_good),
            "error of expected TER": float(np.abs(ter.clip(0) - part.ter()).mean()),
            "TER of the best half": float(pass_on(ter, part.edits_N, part.lengths_N, HALF)[0]),
            "AUROC of words": auroc(wrong, part.wrong_W),
            "calibration error of words": calibration_error(wrong, part.wrong_W) if len(wrong) else float("nan"),
        }

    def curve(self, rated: Rated, rows: np.ndarray[tuple[int], np.dtype[np.int64]]) -> Floats:
        """Return the TER of each of SHARES of these sentences."""
        return pass_on(self.ter[rows], rated.edits_N[rows], rated.lengths_N[rows], SHARES)


def _figure(name: str, values: list[dict[str, float]], resampled: list[list[dict[str, float]]]) -> Figure:
    """Return a figure with its interval, beside that of the log probability alone."""
    own, alone = ([one[name] for one in samples] for samples in resampled)
    gains = [one - other for one, other in zip(own, alone, strict=True)]
    value, beside = values[0][name], values[1][name]
    told = (value, *_interval(own), beside, value - beside, *_interval(gains))
    return Figure(*(None if number is None or number != number else number for number in told))


def _interval(samples: list[float]) -> tuple[float | None, float | None]:
    """Return the middle 95 % of resamples, without those that have no figure; None where none has."""
    known = [one for one in samples if one == one]
    return (float(np.quantile(known, 0.025)), float(np.quantile(known, 0.975))) if known else (None, None)


def _flag(chances_W: Floats, wrong_W: Floats) -> dict[str, float | None]:
    """Return what Measured.flagged says."""
    flagged_W = chances_W >= CHECK
    hits, flagged, wrong = float(wrong_W[flagged_W].sum()), int(flagged_W.sum()), float(wrong_W.sum())
    return {
        "share": flagged / len(wrong_W) if len(wrong_W) else None,
        "precision": hits / flagged if flagged else None,
        "recall": hits / wrong if wrong else None,
    }


def describe(name: str, measured: Measured) -> str:
    """Return what was measured as a table for the terminal."""
    rows = [
        f"{name}: confidence, held against the mean log probability alone; {measured.good:.0%} of the sentences are "
        f"good, {measured.wrong:.0%} of the words wrong"
    ]
    for title, one in measured.figures.items():
        if one.value is None:
            rows.append(f"  {title:32} not defined here")
            continue
        gain = (
            "" if one.gain is None else f"alone {one.alone:.3f}, gain {_range(one.gain, one.gain_low, one.gain_high)}"
        )
        rows.append(f"  {title:32} {_range(one.value, one.low, one.high):28} {gain}")
    told = {share: ter for share, ter in measured.pass_on if round(100 * share) in {25, 50, 75, 100}}
    rows.append(f"  {'TER of those passed on':32} " + ", ".join(f"{a:.0%}: {b:.1f}" for a, b in told.items()))
    if (precision := measured.flagged["precision"]) is not None:
        share, recall = measured.flagged["share"] or 0, measured.flagged["recall"] or 0
        rows.append(
            f"  {'words to check':32} {share:.0%} of all; {precision:.0%} of them are wrong, {recall:.0%} of the wrong"
        )
    return "\n".join(rows)


def _range(value: float, low: float | None, high: float | None) -> str:
    return f"{value:.3f} [{low:.3f}, {high:.3f}]" if low is not None and high is not None else f"{value:.3f}"
