"""How far each point of a study is from the baseline, and whether that is inside the noise."""

import hashlib
import json
import logging
from collections.abc import Sequence
from pathlib import Path

from pydantic import TypeAdapter, ValidationError

from mt.core.errors import UserError
from mt.core.parse import parse_json
from mt.evaluation.metrics import Texts, read_texts
from mt.evaluation.significance import Difference, compare, compare_seeds
from mt.evaluation.sums import MEASURES
from mt.lab.study.plan import Plan
from mt.lab.study.rows import Entry, Row

log = logging.getLogger("mt")


class Differences:
    """Compares points with the baseline, each pair of sides once: what FOLDER/study.json holds already is read."""

    def __init__(self, plan: Plan):
        self.plan = plan
        self.metric = next((one for one in plan.study.metrics if one in MEASURES), "BLEU")
        self.known = read_differences(plan.folder / "study.json")
        self.refused = set[str]()

    def of(self, rows: Sequence[Row]) -> dict[str, Difference]:
        """Return the differences by the labels of the points that can be compared by now."""
        (baseline,) = (row for row in rows if row.label == self.plan.baseline)
        found = {}
        for row in [row for row in rows if row.label != baseline.label]:
            split = row.splits[-1]
            sides = [[entry for entry in one.entries if split in entry.scores] for one in (baseline, row)]
            if any(len(side) < min(2, len(self.plan.study.seeds)) for side in sides):
                continue
            key = _key(self.metric, sides, split)
            if key not in self.known and key not in self.refused:
                texts = ([read_texts(Path(one.folders[split]), one.scores[split]) for one in side] for side in sides)
                try:
                    self.known[key] = self._compare(*texts)
                except UserError as error:  # points of other corpora
                    log.info("%s is not compared with %s: %s", row.label, baseline.label, error)
                    self.refused.add(key)
            if key in self.known:
                found[row.label] = self.known[key]
        return found

    def _compare(self, baselines: list[Texts], others: list[Texts]) -> Difference:
        if len(self.plan.study.seeds) == 1:
            return compare(self.metric, baselines[0], others[0])
        return compare_seeds(self.metric, baselines, others)


def _key(metric: str, sides: Sequence[Sequence[Entry]], split: str) -> str:
    """Return what changes with the weights, the searches, and the words that are compared."""
    scores = [[entry.scores[split] for entry in side] for side in sides]
    told = [[[one.weights, one.search, one.corpus["BLEU"].signature] for one in side] for side in scores]
    return hashlib.sha256(json.dumps([metric, split, told], sort_keys=True).encode()).hexdigest()[:16]


def read_differences(file: Path) -> dict[str, Difference]:
    """Return the differences that a study has found before; none where there is no such file, or an older one."""
    try:
        tree = parse_json(file.read_text(encoding="utf-8"))
        return TypeAdapter(dict[str, Difference]).validate_python(tree["differences"])
    except (OSError, ValueError, KeyError, TypeError, ValidationError):
        return {}
