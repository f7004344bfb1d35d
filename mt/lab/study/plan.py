"""The plan of a study: which runs it consists of, where they are or will be, and how far each has come."""

import logging
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cache, cached_property
from pathlib import Path
from typing import Literal

from mt.config import Config
from mt.config.corpora import CorpusConfig
from mt.config.overrides import CHANGEABLE
from mt.config.study import Point, Study, fingerprint, folder_name
from mt.core.errors import UserError
from mt.corpora import load_splits
from mt.evaluation import metrics
from mt.lab.study.score import is_scored
from mt.runs.names import CONFIG
from mt.runs.run import Run
from mt.training.resolve import resolve
from mt.training.start import take_over

log = logging.getLogger("mt")
State = Literal["missing", "unfinished", "finished", "scored"]


@dataclass(frozen=True)
class Training:
    """A run that one or more members of a study share: what is trained, where, and which runs teach it."""

    path: Path
    config: Config
    fingerprint: str
    teachers: tuple["Training", ...] = ()

    @property
    def is_finished(self) -> bool:
        """Whether it is trained to the end; read from the disk now."""
        return Run(self.path).is_trained


@dataclass(frozen=True)
class Member:
    """A point with one seed: a training, and how it is searched and scored."""

    point: Point
    seed: int
    training: Training
    search: Config
    """Whose nodes of overrides.CHANGEABLE are those of the point."""
    splits: tuple[str, ...]
    """What is scored: validation, and the split that the study names."""

    @property
    def run(self) -> Run:
        """The run as it is on the disk now."""
        return Run(self.training.path)

    def config_of(self, run: Run) -> Config:
        """Return the config by which its run is searched and scored."""
        return run.config.model_copy(update={node: getattr(self.search, node) for node in CHANGEABLE})


@dataclass(frozen=True)
class Plan:
    """A study with all its members, in the order of its points and seeds."""

    name: str
    folder: Path
    study: Study
    points: list[Point]
    members: list[Member]

    @cached_property
    def trainings(self) -> list[Training]:
        """Each run once, teachers before those whom they teach."""
        found: dict[str, Training] = {}
        for member in self.members:
            for training in (*member.training.teachers, member.training):
                found.setdefault(training.fingerprint, training)
        return list(found.values())

    @property
    def baseline(self) -> str:
        """The label of the point with which the others are compared."""
        return self.study.baseline or self.points[0].label

    def of(self, training: Training) -> list[Member]:
        """Return the members that share a run."""
        return [member for member in self.members if member.training.path == training.path]

    def state(self, member: Member, run: Run | None = None) -> State:
        """Return how far a member has come; `run` is its run, if it has been read."""
        run = run or member.run
        if not run.is_trained:
            return "unfinished" if run.exists else "missing"
        config = member.config_of(run)
        scored = all(is_scored(run, config, split, self.study.metrics) for split in member.splits)
        return "scored" if scored else "finished"


def make_plan(name: str, study: Study, points: list[Point], folder: Path) -> Plan:
    """Return the plan of a study whose runs are in this folder, known by what they were trained with.

    Raises UserError where a run cannot be trained as it is planned; nothing is trained or written.
    """
    weights_of = cache(_weights_of)
    known = {mark: path for path, mark in _runs_in(folder, weights_of)}
    by_label, planned, members = {point.label: point for point in points}, dict[tuple[str, int], Training](), []

    def training(point: Point, seed: int) -> Training:
        if (point.label, seed) not in planned:
            above = by_label[point.teacher] if point.teacher else None
            teachers = tuple(training(above, one) for one in study.seeds) if above else ()
            config = take_over(point.config(seed, [one.path for one in teachers]))
            start = config.train.start and weights_of(config.train.start)
            mark = fingerprint(config, [one.fingerprint for one in teachers], start)
            path = known.setdefault(mark, folder / f"{folder_name(point.label)}-seed{seed}-{mark}")
            planned[point.label, seed] = Training(path, config, mark, teachers)
        return planned[point.label, seed]

    for point in points:
        for seed in study.seeds:
            one = training(point, seed)
            also = [split_of(one.config.corpus, study.split)] if study.split else []
            members.append(Member(point, seed, one, one.config, tuple(dict.fromkeys(["validation", *also]))))
    plan = Plan(name, folder, study, points, members)
    _check(plan)
    return plan


def _runs_in(folder: Path, weights_of: Callable[[str], str]) -> Iterator[tuple[Path, str]]:
    """Yield the runs of a folder and the fingerprint of each, the one that has come farthest last."""
    found = []
    for file in folder.glob(f"*/{CONFIG}"):
        run = Run(file.parent)
        try:
            if run.exists:
                found.append((run.is_finished, int(run.record.get("update", 0)), run.path, _mark(run, weights_of)))
        except UserError as error:
            log.warning("%s is left aside: %s", run, error)
    for _, _, path, mark in sorted(found):
        yield path, mark


def _mark(run: Run, weights_of: Callable[[str], str]) -> str:
    """Return the fingerprint of what a run was trained with; teachers that are gone count by their paths."""
    teachers = [_mark(Run(path), weights_of) if Run(path).exists else path for path in run.config.train.teacher.runs]
    start = run.config.train.start
    return fingerprint(run.config, teachers, start and (run.record.get("start") or weights_of(start)))


def _weights_of(start: str) -> str:
    """Return what stands for the weights of a run that another begins with: its path, where there are none."""
    return Run(start).fingerprint or start


def _check(plan: Plan) -> None:
    """Raise UserError for what would go wrong only after hours."""
    for one in [one for one in plan.trainings if not one.is_finished]:
        run = Run(one.path)
        try:
            resolve(run.config if run.exists else one.config, run, resume=True, overwrite=False)
        except UserError as error:
            if not one.path.exists():
                raise
            raise UserError(f"{error}; moved away from the study's folder, it is trained anew") from error
        if "BLEU, papers" in plan.study.metrics:
            metrics.moses([], one.config.corpus.target)


@cache
def split_of(corpus: CorpusConfig, name: str) -> str:
    """Return the name of a split; `test` is the last of the test splits. Raises UserError when there is none."""
    splits = load_splits(corpus)
    if name == "test" and name not in splits:
        return [split for split in splits if split.startswith("test")][-1]
    if name not in splits:
        raise UserError(f"split: {corpus.name} has no split {name!r}; it has {', '.join(splits)}")
    return name
