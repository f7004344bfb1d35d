"""What other systems made of a test set, scored and compared with a run: no model of theirs is needed."""

import json
import logging
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path

from mt.core.errors import UserError
from mt.core.files import write_lines, write_text
from mt.evaluation.evaluate import Asked, evaluate, score_text
from mt.evaluation.given import read_hypotheses, split_of
from mt.evaluation.metrics import Texts, read_texts
from mt.evaluation.significance import Difference, compare
from mt.evaluation.sums import MEASURES
from mt.runs.own import must_be_own
from mt.runs.run import Run
from mt.runs.scores import CorpusScore, Scores, describe_search, read_scores, searched

log = logging.getLogger("mt")
OTHERS = "others"
"""The folder of them, in that of the scores they are compared with."""


@dataclass(frozen=True)
class Theirs:
    """What one file is worth beside the run."""

    corpus: dict[str, CorpusScore]
    differences: dict[str, Difference]
    """By metric: their score minus the run's."""


def compare_theirs(run: Run, asked: Asked, files: Sequence[Path]) -> dict[str, Theirs]:
    """Score files of translations of a test set, compare each with the run, and return the results by file name.

    Writes others/FILE.json and others/FILE.txt beside the scores of the run, which are made first where they are not
    there yet, or are of other weights or another search. Raises UserError where a file has not as many lines as the
    test set, two have one name, or the test set has one sentence only.
    """
    must_be_own(run)
    test = asked.given or split_of(run, asked.split)
    names = [file.name for file in files]
    if twice := [name for name in names if names.count(name) > 1]:
        raise UserError(f"two files of --hypotheses are called {twice[0]}: rename one, for results go by the name")
    read = {file.name: read_hypotheses(run, file, test) for file in files}
    asked = replace(asked, given=test)
    scores, texts = _known(run, asked) or _score(run, asked)
    language = run.config.corpus.target if asked.papers else None
    found = {}
    for name, lines in read.items():
        other = replace(texts, hypotheses=lines)
        differences = {metric: compare(metric, texts, other) for metric in MEASURES}
        found[name] = Theirs(score_text(other, language), differences)
        place = asked.folder(run, test.name) / OTHERS / name
        told = {"search": scores.search, "weights": scores.weights}
        text = json.dumps(asdict(found[name]) | {"against": told}, indent=2, ensure_ascii=False)
        write_lines(Path(f"{place}.txt"), lines)
        write_text(Path(f"{place}.json"), text + "\n")
        log.info("%s\nwritten to %s.json", table(f"{name} against {run}, {test.name}", found[name]), place)
    return found


def table(title: str, theirs: Theirs) -> str:
    """Return scores and differences as a table for the terminal."""
    rows = [title]
    for name, one in theirs.corpus.items():
        rows.append(f"  {name:12} {one.score:6.2f}  {f'[{one.low:.2f}, {one.high:.2f}]':16} {one.signature}")
        if name in theirs.differences:
            rows.append(f"  {'':12} {_describe(theirs.differences[name])}")
    return "\n".join(rows)


def _describe(one: Difference) -> str:
    verdict = "may be chance" if one.inside_noise else "more than chance"
    return f"{one.delta:+6.2f}  {f'[{one.low:+.2f}, {one.high:+.2f}]':16} p = {one.p:.4f}: {verdict}"


def _known(run: Run, asked: Asked) -> tuple[Scores, Texts] | None:
    """Return what the run has of this test set by these weights and this search; None where that is not all asked."""
    test, config = asked.given, searched(asked.config or run.config)
    folder = asked.folder(run, test.name if test else "")
    scores = read_scores(folder)
    weights = [one.fingerprint for one in (run, *asked.others)]
    same = scores and (scores.weights, scores.search) == (weights, describe_search(config.search, asked.others))
    if not scores or not same or test is None or asked.plot or asked.papers or asked.novel or asked.confidence:
        return None
    texts, changed = read_texts(folder, scores), config.metrics != run.config.metrics
    every = [test.pairs.targets, *map(list, test.more)]
    return (
        (scores, texts) if texts.every == every and list(texts.sources) == test.pairs.sources and not changed else None
    )


def _score(run: Run, asked: Asked) -> tuple[Scores, Texts]:
    name, scores = evaluate(run, asked)
    return scores, read_texts(asked.folder(run, name), scores)
