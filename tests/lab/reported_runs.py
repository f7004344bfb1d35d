"""Runs that were scored, for reports about them: random weights, and outputs with so many wrong words."""

import json
import random
from pathlib import Path
from typing import Any

import numpy as np
from toy_runs import RNN, config, write_run

from mt.alignment.files import write_jsonl
from mt.alignment.matrices import Alignment
from mt.core.files import write_lines, write_text
from mt.evaluation.evaluate import score_text
from mt.evaluation.metrics import Texts
from mt.runs.confidence import Figure, Fitted, Linear, Measured, Predictors
from mt.runs.run import Run
from mt.runs.scores import Scores

WORDS = ["the", "a", "old", "dog", "cat", "house,", "walks", "sleeps", "near", "green!", "she's", "<b>Äpfel</b>"]
DRAW = random.Random(1)
REFERENCES = [" ".join(DRAW.choices(WORDS, k=DRAW.randint(3, 16))) for _ in range(60)]
SOURCES = [" ".join(word[::-1] for word in one.split()) for one in REFERENCES]


def scored_run(path: Path, wrong: float, seed: int = 1, split: str = "test") -> Path:
    """Write a run of seed `seed` whose outputs have so many wrong words; return its path."""
    write_run(path, config(RNN).model_copy(update={"seed": seed}))
    draw = random.Random(f"{seed} {wrong}")
    hypotheses = [
        " ".join(word if draw.random() > wrong else draw.choice(WORDS) for word in one.split()) for one in REFERENCES
    ]
    folder, run = path / "eval" / split, Run(path)
    write_lines(folder / "sources.txt", SOURCES)
    write_lines(folder / "references.txt", REFERENCES)
    write_lines(folder / "hypotheses.txt", hypotheses)
    write_jsonl(folder / "alignments.jsonl", [_alignment(*pair) for pair in zip(SOURCES, hypotheses, strict=True)])
    corpus = score_text(Texts(hypotheses, REFERENCES), None)
    Scores(corpus, {"beam": 2}, [run.fingerprint]).write(folder)
    lines = [
        {"update": 10 * epoch, "epoch": epoch, "train_loss": 4 / epoch, "validation_loss": 3 / epoch}
        | {"validation_bleu": 10.0 * epoch, "best": True, "seconds": 60 * epoch}
        for epoch in (1, 2, 3)
    ]
    write_lines(path / "metrics.jsonl", map(json.dumps, lines))
    return path


def _alignment(source: str, target: str) -> Alignment:
    sources, targets = source.split(), target.split()
    weights = np.full((len(targets), len(sources) + 1), 0.1)
    np.fill_diagonal(weights, 0.9)
    return Alignment(source, target, [*sources, "</s>"], [*targets, "</s>"], weights, sources, targets, weights, [])


def diagnose(path: Path, **changes: Any) -> None:
    """Write RUN/diagnosis.json with one finding that is fine and one that is not."""
    fine: dict[str, Any] = {"name": "use.uniform", "group": "use", "title": "Is attention used?", "value": 31.5}
    fine |= {"unit": "BLEU", "low": 5, "high": None, "verdict": "fine", "says": "It is used.", "try": None}
    ill = fine | {"name": "sure.ece", "title": "Is it as sure as it is right?", "value": 12.0, "unit": "points"}
    ill |= {"low": None, "high": 5, "verdict": "look", "says": "It is surer than it is right."}
    ill |= {"try": "train.label_smoothing", "paper": "Guo et al. 2017", "table": [["said", "true"], ["0.9", "0.7"]]}
    ill |= {"evidence": [{"source": "tac", "reference": "cat", "hypothesis": "dog", "note": "said 0.99"}]}
    tree = {"version": 1, "split": "test", "weights": Run(path).fingerprint, "findings": [fine, ill]}
    tree |= {"summary": ["It is surer than it is right. Try train.label_smoothing."], "distributions": {}}
    write_text(path / "diagnosis.json", json.dumps(tree | changes))


def know(path: Path) -> None:
    """Write RUN/confidence.json with its curves."""
    one = Linear(0.0, {})
    measured = Measured(
        *(60, 0.6, 42.0, 500, 0.3),
        search={},
        figures={"AUROC": Figure(0.81, 0.78, 0.84, 0.79, 0.02, 0.0, 0.04)},
        flagged={},
        pass_on=[(0.5, 30.0), (1.0, 42.0)],
        pass_on_interval=[],
        pass_on_alone=[],
        reliability=[(0.2, 0.25, 30), (0.9, 0.8, 30)],
    )
    run, predictors = Run(path), Predictors(one, one, one)
    Fitted(run.fingerprint, {}, "validation", 60, 500, 50.0, predictors, predictors, {"test": measured}).write(run)
