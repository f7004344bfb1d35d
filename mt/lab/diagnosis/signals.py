"""How each signal of a translation is distributed on validation: what later traffic is compared with."""

from typing import Any

import numpy as np

from mt.inference.scorer import Scored
from mt.lab.diagnosis.case import QUICK, Case, first

BINS = 20


def distributions(case: Case) -> dict[str, Any]:
    """Return, of each signal on validation, its quantiles (0, 5, ..., 100 %) and a histogram; nothing without text."""
    pairs = case.run.splits.get("validation")
    if pairs is None or not pairs.sources:
        return {}
    pairs = first(pairs, QUICK if case.quick else None)
    texts = [one.text for one in case.translator.translate(pairs.sources, alignments=False)]
    read = case.scorer.score(pairs.sources, texts)
    rows = [signals(one) for one in read]
    return {name: _describe(np.array([row[name] for row in rows])) for name in rows[0]}


def signals(read: Scored) -> dict[str, float]:
    """Return the signals of one translation as the model reads it off: lengths in pieces, the others in nats."""
    found = {
        "mean_log_probability": float(read.log_probabilities_T.mean()),
        "least_log_probability": float(read.log_probabilities_T.min()),
        "output_entropy": float(read.entropies_T.mean()),
        "source_pieces": float(len(read.source)),
        "target_pieces": float(len(read.target)),
    }
    if read.matrix_TS is not None:
        weights_TS = read.matrix_TS.clip(1e-12)
        found["attention_entropy"] = float(-(weights_TS * np.log(weights_TS)).sum(-1).mean())
        found["coverage_deviation"] = float(np.abs(1 - read.matrix_TS.sum(0)).mean())
    return found


def _describe(values: np.ndarray[Any, Any]) -> dict[str, list[float]]:
    counts, edges = np.histogram(values, BINS)
    return {
        "quantiles": [round(float(one), 6) for one in np.quantile(values, np.linspace(0, 1, 21))],
        "counts": counts.tolist(),
        "edges": [round(float(one), 6) for one in edges],
    }
