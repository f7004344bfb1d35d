"""What readers are tried on: a tiny run that has every file a run can have, its model never trained."""

import json
from dataclasses import asdict
from pathlib import Path

import numpy as np
import torch

from mt.alignment.files import write_jsonl, write_npz
from mt.alignment.matrices import Alignment
from mt.config import Config
from mt.config.files import read_config, to_yaml
from mt.core.files import write_lines, write_text
from mt.corpora import load_splits
from mt.corpora.stream import Survey
from mt.evaluation.evaluate import score_text
from mt.evaluation.metrics import Texts
from mt.evaluation.significance import Difference
from mt.lab.diagnosis.distributions import CENTILES
from mt.runs import checkpoint
from mt.runs.confidence import Figure, Fitted, Linear, Measured, Predictors, Weight
from mt.runs.film import Film, Frame, Seen, Sentence
from mt.runs.names import CHOICE, CONFIDENCE, CONFIG, DIAGNOSIS, FILM, METRICS, STATE, UPDATES, WEIGHTS
from mt.runs.run import Run
from mt.runs.updates import Line, write_updates
from mt.text.tokenizer import train_tokenizers

PAIRS = [
    ("Der alte Hund läuft heute nicht mehr über die Straße.", "The old dog does not cross the street any more today."),
    ("Die kleine Katze schläft sehr gern auf dem warmen Ofen.", "The small cat likes to sleep on the warm stove."),
    ("Ja, gewiss!", "Yes, sure!"),
]
SMALL = {"kind": "rnn", "embedding": 8, "hidden": 8, "encoder_hidden": 4, "attention": {"width": 8}}


class Material:
    """A folder with a run, and inputs that are no part of it."""

    def __init__(self, path: Path):
        self.path = path
        config = Config.model_validate(
            {"corpus": {"name": "toy", "pairs": 80, "held_out": 12}, "vocabulary": {"size": 400}, "model": SMALL}
        )
        write_run(path / "run", config)
        self.run = Run(path / "run")
        self.alignments = path / "valid.npz"
        write_npz(self.alignments, _alignments())
        shipped = [read_config(Path(name)) for name in ("gnt", "multi30k-en-de")]
        self.configs = [to_yaml(one).encode() for one in (config, *shipped)]
        self.survey = json.dumps(asdict(Survey(80, 79, 1, 12345))).encode()
        known = {"0123456789abcdef": asdict(Difference("BLEU", 1.0, 0.5, 1.5, 0.01, "paired randomisation"))}
        self.differences = json.dumps({"differences": known}).encode()

    def __truediv__(self, name: str) -> Path:
        return self.path / name

    def write(self, name: str, data: bytes) -> Path:
        """Write a file, and return where it is."""
        (self / name).write_bytes(data)
        return self / name


def write_run(path: Path, config: Config) -> None:
    """Write a run with all of its files."""
    splits = load_splits(config.corpus)
    tokenizers = train_tokenizers(splits["train"].sources, splits["train"].targets, config.vocabulary)
    write_text(path / CONFIG, to_yaml(config))
    tokenizers.save(path)
    checkpoint.save(path / WEIGHTS, checkpoint.weights(checkpoint.build(config, tokenizers)), {"update": 7})
    record = {"format": 1, "finished": True, "update": 7, "first_loss": 6.0, "made_with": {"threads": 1, "data": "x"}}
    checkpoint.save(path / STATE, {"a": torch.zeros(1)}, record)
    line = {"update": 7, "epoch": 1, "train_loss": 4.0, "validation_loss": 3.0, "validation_bleu": 1.5, "best": True}
    write_lines(path / METRICS, [json.dumps(line | {"update": row, "seconds": row}) for row in (7, 14)])
    write_updates(path / UPDATES, [Line(row, 1, 4.0, 0.001, 1.5, 900.0) for row in (7, 14)])
    sentence = Sentence("Ja", "Yes", ["▁Ja", "</s>"], ["▁Yes", "</s>"], ["Ja"], ["Yes"])
    Film([sentence], [Frame(7, 1, [Seen([[900, 100], [100, 900]], "Yes")])]).write(path / FILM)
    choice = {"layer": 1, "head": None, "reading": "shifted", "threshold": 0.25}
    fingerprint = Run(path).fingerprint
    write_text(path / CHOICE, json.dumps({"weights": fingerprint, "choice": choice}))
    _write_scores(Run(path))
    _write_confidence(Run(path))
    _write_diagnosis(path / DIAGNOSIS, fingerprint)
    assert (path / CONFIDENCE).exists()


def _alignments() -> list[Alignment]:
    return [_alignment(source, target) for source, target in PAIRS]


def _alignment(source: str, target: str) -> Alignment:
    sources, targets = source.split(), target.split()
    weights = np.full((len(targets), len(sources) + 1), 0.25)
    pieces = np.full((len(targets) + 1, len(sources) + 1), 0.25)
    links = [(0, 0)]
    return Alignment(source, target, [*sources, "</s>"], [*targets, "</s>"], pieces, sources, targets, weights, links)


def _write_scores(run: Run) -> None:
    from mt.runs.scores import Outputs, Part, Scores

    place, references = run.scored("test"), [target for _, target in PAIRS]
    write_lines(place / "sources.txt", [source for source, _ in PAIRS])
    write_lines(place / "references.txt", references)
    write_lines(place / "hypotheses.txt", references)
    write_jsonl(place / "alignments.jsonl", _alignments())
    search = run.config.search.model_dump()
    counts = {"outputs": Outputs(3, 0, 0), "seen": Part(1, 3), "copied": {"numbers": Part(1, 2)}}
    Scores(score_text(Texts(references, references), None), search, [run.fingerprint], **counts).write(place)


def _write_confidence(run: Run) -> None:
    one = Linear(0.1, {"log_probability": Weight(-1.0, 0.5, 0.3)})
    figures = {"AUROC": Figure(0.81, 0.78, 0.84, 0.79, 0.02, 0.0, 0.04)}
    curve = [(0.5, 30.0), (1.0, 42.0)]
    measured = Measured(
        *(60, 0.6, 42.0, 500, 0.3), {"beam": 5}, figures, {"share": 0.1}, curve, curve, curve, [(0.2, 0.25, 30)]
    )
    predictors = Predictors(one, one, one)
    Fitted(run.fingerprint, {}, "validation", 60, 500, 50.0, predictors, predictors, {"test": measured}).write(run)


def _write_diagnosis(path: Path, fingerprint: str) -> None:
    found = {"name": "sure.ece", "group": "sure", "title": "Is it as sure as it is right?", "value": 12.0, "low": None}
    found |= {"unit": "points", "high": 5, "verdict": "look", "says": "It is surer.", "try": "train.label_smoothing"}
    found |= {"paper": "Guo et al. 2017", "table": [["said", "true"], ["0.9", "0.7"]]}
    found |= {"evidence": [{"source": "tac", "reference": "cat", "hypothesis": "dog", "note": "said 0.99"}]}
    signal = {"centiles": [row / 10 for row in range(CENTILES)], "counts": [1, 2, 3], "edges": [0, 1, 2, 3]}
    tree = {"version": 1, "split": "test", "weights": fingerprint, "findings": [found], "summary": ["It is surer."]}
    tree |= {"source_scripts": ["LATIN"], "distributions": {"length": signal}}
    write_text(path, json.dumps(tree))
