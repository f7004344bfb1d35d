"""How each signal of a translation is distributed on validation: what later traffic is compared with."""

from typing import Any

import numpy as np

from mt.inference.confidence import observe
from mt.lab.diagnosis.case import QUICK, Case, first
from mt.runs.run import WEIGHTS

BINS = 20


def distributions(case: Case) -> dict[str, Any]:
    """Return, of each signal on validation, its quantiles (0, 5, ..., 100 %) and a histogram.

    Nothing where there is no validation text, or no model; no signal that is no number somewhere.
    """
    pairs = case.run.splits.get("validation")
    if pairs is None or not pairs.sources or not (case.run / WEIGHTS).exists():
        return {}
    pairs = first(pairs, QUICK if case.quick else None)
    texts = [one.text for one in case.translator.translate(pairs.sources, alignments=False)]
    seen = observe(case.scorer, pairs.sources, texts)
    return {name: _describe(values) for name, values in seen.sentences.items() if np.isfinite(values).all()}


def _describe(values: np.ndarray[Any, Any]) -> dict[str, list[float]]:
    counts, edges = np.histogram(values, BINS)
    return {
        "quantiles": np.quantile(values, np.linspace(0, 1, 21)).round(6).tolist(),
        "counts": counts.tolist(),
        "edges": edges.round(6).tolist(),
    }
