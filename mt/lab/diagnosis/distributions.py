"""How each signal of a translation is distributed on validation: written to RUN/diagnosis.json, for later traffic."""

from dataclasses import dataclass
from typing import Any

import numpy as np

from mt.core.arrays import Floats
from mt.core.files import read_json
from mt.inference.traffic import DIGITS, traffic_signals
from mt.lab.diagnosis.case import QUICK, Case, first
from mt.runs.confidence import read_fitted
from mt.runs.names import DIAGNOSIS, WEIGHTS
from mt.runs.run import Run
from mt.text.scripts import known_scripts

BINS = 20
"""Of the histogram of a signal."""
CENTILES = 101


def distributions(case: Case) -> dict[str, Any]:
    """Return, of each signal on validation, its quantiles and a histogram: for later traffic.

    `quantiles` are at 0, 5, ..., 100 %, `centiles` at 0, 1, ..., 100 %. Nothing where there is no validation text, or
    no model; no signal that is no number somewhere.
    """
    if not (case.run / WEIGHTS).exists():
        return {}
    seen = validation_signals(case)
    return {name: _describe(values_N) for name, values_N in seen.items() if np.isfinite(values_N).all()}


def validation_signals(case: Case) -> dict[str, Floats]:
    """Return the signals of the translations of validation, a column of each; nothing where it has no text."""
    pairs = case.run.splits.get("validation")
    sources = [] if pairs is None else first(pairs, QUICK if case.quick else None).sources
    sources = [source for source in sources if source.strip()]
    if not sources:
        return {}
    texts = [one.text for one in case.translator.translate(sources, alignments=False)]
    return traffic_signals(case.scorer, sources, texts, source_scripts(case), read_fitted(case.run))


def source_scripts(case: Case) -> frozenset[str]:
    """Return the scripts that the sources of training and of validation are written in."""
    splits = [case.run.splits[name] for name in ("train", "validation") if name in case.run.splits]
    return known_scripts([source for split in splits for source in split.sources])


def _describe(values_N: Floats) -> dict[str, list[float]]:
    counts, edges = np.histogram(values_N, BINS)
    return {
        "quantiles": np.quantile(values_N, np.linspace(0, 1, 21)).round(DIGITS).tolist(),
        "centiles": np.quantile(values_N, np.linspace(0, 1, CENTILES)).round(DIGITS).tolist(),
        "counts": counts.tolist(),
        "edges": edges.round(DIGITS).tolist(),
    }


@dataclass(frozen=True)
class Distribution:
    """How a signal is distributed on validation."""

    centiles: tuple[float, ...]
    """At 0, 1, ..., 100 %."""
    count: int
    """Of sentences."""


@dataclass(frozen=True)
class Expected:
    """What RUN/diagnosis.json says of validation."""

    scripts: frozenset[str]
    """That sources are written in, by name as in `count_scripts`."""
    signals: dict[str, Distribution]
    """Those that the file has centiles of: none, where an older version wrote it."""


def read_expected(run: Run) -> Expected | None:
    """Return what RUN/diagnosis.json says of validation; None where there is no such file, or it is of other weights.

    Raises UserError when it is damaged.
    """
    path = run / DIAGNOSIS
    if not path.exists():
        return None
    found, weights = read_json(path, f"delete it, and `mt diagnose {run}` writes it again", _parse)
    return found if weights == run.fingerprint else None


def _parse(told: Any) -> tuple[Expected, object]:
    signals = {
        str(name): Distribution(tuple(map(float, one["centiles"])), int(sum(one["counts"])))
        for name, one in told["distributions"].items()
        if len(one.get("centiles", ())) == CENTILES
    }
    return Expected(frozenset(map(str, told.get("source_scripts", ()))), signals), told["weights"]
