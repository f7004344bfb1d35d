"""Studies: a YAML file that says which experiments stand beside one another, and which of them is the baseline."""

import hashlib
import itertools
import json
import math
import re
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from graphlib import CycleError, TopologicalSorter
from pathlib import Path
from typing import Any

from pydantic import Field, ValidationError

from mt.config import ASIDE, Config
from mt.config.files import read_config, read_config_text
from mt.config.mistakes import closest, listed
from mt.config.overrides import CHANGEABLE
from mt.config.parse import parse_yaml
from mt.config.shipped import locate, locate_study, studies
from mt.config.tree import Seed, Tree
from mt.core.errors import UserError, shorten

METRICS = ("BLEU", "chrF", "TER", "BLEU, papers", "BLEU, novel")
MOST = 1000
"""Points of a study."""
LONGEST = 120
"""Bytes of a label in the name of a folder."""
OWN = ("config", "teacher")
"""What a set may say besides keys of the configuration: config=NAME and teacher=LABEL."""


class Study(Tree):
    """What a study's file holds. Changes are written as on the command line: train.epochs=3."""

    config: str | None = None
    """What every point begins with: a name that `mt config` lists, or a file, relative to this one."""
    common: tuple[str, ...] = ()
    """Changes that all points share."""
    axes: dict[str, list[Any] | dict[str, list[str]]] = Field(default_factory=dict)
    """By the name of an axis, what it goes through: a list of values of the key that it is named by (train.epochs, or
    config), or sets of changes, each with a name of its own. The points are all combinations."""
    seeds: tuple[Seed, ...] = Field(default=(1,), min_length=1)
    """Every point is trained with each of them."""
    baseline: str | None = None
    """The point with which the others are compared. Unset: the first."""
    split: str | None = None
    """A split to score besides validation; test is the corpus's main test split. Unset: no test split is touched."""
    metrics: tuple[str, ...] = Field(default=METRICS[:2], min_length=1)
    """What the table shows of the split that is scored; differences are those of the first of
    BLEU, chrF and TER, else of BLEU."""


@dataclass(frozen=True)
class Point:
    """One combination of a study: what it changes, and whose runs teach it."""

    label: str
    base: Path
    changes: tuple[str, ...]
    teacher: str | None
    where: str
    """Where the changes stand, for messages."""

    def config(self, seed: int, teachers: Sequence[Path] = ()) -> Config:
        """Return the experiment with this seed, one thread unless the study says otherwise, taught by these runs."""
        taught = [f"train.teacher.runs={json.dumps([str(run) for run in teachers])}"] if teachers else []
        config = read_config(self.base, [*self.changes, f"seed={seed}", *taught], where=self.where)
        return config.model_copy(update={"threads": config.threads or 1})


def read_study(name: Path) -> tuple[Study, list[Point]]:
    """Return a study, of a file or of a shipped name, and its points, whose configurations can all be read.

    Raises UserError that says what is wrong with it.
    """
    file = locate_study(name)
    if not file.exists():
        near = closest(name.as_posix(), [*studies()])
        raise UserError(f"there is no study {name}; {near or 'known are ' + ', '.join(studies())}")
    tree = parse_yaml(read_config_text(file), str(file))
    if not isinstance(tree, dict):
        raise UserError(f"{file} is not a study: it holds no `key: value` lines")
    try:
        study = Study.model_validate(tree)
    except ValidationError as error:
        raise UserError(listed([_explain(problem, file) for problem in error.errors()])) from None
    points = list(_points(study, file))
    _check(study, points, file)
    return study, points


def fingerprint(config: Config, teachers: Sequence[str], start: str | None = None) -> str:
    """Return 8 characters that change with what is trained.

    That is all keys but those of the machine and those that may change afterwards. `teachers` stand for the runs that
    teach, and `start` for the weights it begins with, which are the same wherever they lie.
    """
    idle = {*ASIDE, *CHANGEABLE} - ({"alignment"} if config.train.guide.links else set())  # the guide's words
    tree = config.model_dump(mode="json", exclude=idle)
    tree["train"]["teacher"]["runs"] = list(teachers)
    tree["train"]["start"] = start
    return hashlib.sha256(json.dumps(tree, sort_keys=True).encode()).hexdigest()[:8]


def folder_name(label: str) -> str:
    """Return a label as a part of a folder's name, which may not be long everywhere."""
    kept = re.sub(r"[^\w.+-]+", "-", label).encode()[:LONGEST].decode(errors="ignore")
    return kept.strip("-.") or "point"


def _points(study: Study, file: Path) -> Iterator[Point]:
    """Yield the product of the axes, the last of which moves fastest."""
    sides = []
    for axis, values in study.axes.items():
        if not values:
            raise UserError(f"{file}: axes.{axis} is empty: give it values, or leave it out")
        if isinstance(values, dict):
            sides.append(list(values.items()))
        else:
            sides.append([(_name(axis, value), [f"{axis}={_text(value)}"]) for value in values])
    if (count := math.prod(map(len, sides))) > MOST:
        raise UserError(f"{file}: its axes make {count:,} points; a study has at most {MOST:,}")
    for chosen in itertools.product(*sides):
        label = ",".join(name for name, _ in chosen) or file.stem
        changes = [*study.common, *itertools.chain(*(own for _, own in chosen))]
        yield _point(study, label, changes, file)


def _point(study: Study, label: str, changes: list[str], file: Path) -> Point:
    own: dict[str, str | None] = {"config": study.config, "teacher": None}
    kept = []
    for change in changes:
        key, equals, value = change.partition("=")
        if not equals or not key:
            told = shorten(repr(change))
            raise UserError(f"{file}, {label}: write key=value, for example model.hidden=128, not {told}")
        if key == "seed":
            raise UserError(f"{file}, {label}: write seeds in `seeds`, not in {change!r}")
        if key in OWN:
            own[key] = str(parse_yaml(value, f"{file}, {label}"))
        else:
            kept.append(change)
    if own["config"] is None:
        raise UserError(f"{file}, {label}: say with `config` which configuration it begins with")
    base = locate(Path(own["config"]), file.parent)
    return Point(label, base, tuple(kept), own["teacher"], f"{label} of {file}")


def _name(axis: str, value: Any) -> str:
    """Return what a point is called for a value: size=5000; for a configuration its name."""
    told = value if isinstance(value, str) else _text(value)
    return told if axis == "config" else f"{axis.rpartition('.')[2]}={told}"


def _text(value: Any) -> str:
    """Return a value as YAML in one line."""
    return json.dumps(value, ensure_ascii=False, default=str)  # str: a date


def _check(study: Study, points: list[Point], file: Path) -> None:
    """Raise UserError where points cannot be told apart, or a name is that of no point; read all configurations."""
    labels = [point.label for point in points]
    if twice := [label for label, count in Counter(labels).items() if count > 1]:
        raise UserError(f"{file}: two points are named {twice[0]}: a value stands twice in its axis")
    if len(set(study.seeds)) < len(study.seeds):
        raise UserError(f"{file}: a seed stands twice in seeds")
    if wrong := [metric for metric in study.metrics if metric not in METRICS]:
        known = closest(wrong[0], [*METRICS]) or f"known are {'; '.join(METRICS)}"
        raise UserError(f"{file}: unknown metric {wrong[0]!r}: {known}")
    named = {"baseline": study.baseline} | {f"the teacher of {point.label}": point.teacher for point in points}
    for what, label in named.items():
        if label is not None and label not in labels:
            known = closest(label, labels) or f"the points are {'; '.join(labels)}"
            raise UserError(f"{file}: {what} is {label!r}, which is no point: {known}")
    try:
        TopologicalSorter({point.label: [point.teacher] for point in points if point.teacher}).prepare()
    except CycleError as error:
        raise UserError(f"{file}: {error.args[1][0]} would be taught by itself") from None
    first: dict[str, str] = {}
    for point in points:
        config = point.config(study.seeds[0])
        same = first.setdefault(f"{point.teacher}: {config.model_dump_json(exclude=ASIDE)}", point.label)
        if same != point.label:
            raise UserError(f"{file}: {same} and {point.label} are the same experiment: no key of it differs")


def _explain(problem: Any, file: Path) -> str:
    """Put one complaint of pydantic in the user's words."""
    loc = [str(part) for part in problem["loc"] if str(part) not in {"list[any]", "dict[str,list[str]]"}]
    key, known = ".".join(loc), list(Study.model_fields)
    if problem["type"] == "extra_forbidden":
        return f"unknown key {key} in {file}: {closest(key, known) or 'known are ' + ', '.join(known)}"
    reason = (problem["msg"][0].lower() + problem["msg"][1:]).replace("tuple", "list")
    return f"{key} in {file} is {shorten(repr(problem['input']))}: {reason}"
