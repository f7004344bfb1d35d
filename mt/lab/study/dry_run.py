"""The plan of a study on paper: what would be trained, and what that will take, from a few measured updates."""

import json
from dataclasses import replace

from mt.config import Config
from mt.core.device import processors
from mt.core.errors import UserError
from mt.core.progress import say_time
from mt.lab.study.plan import Member, Plan, State, Training
from mt.training.estimate import Estimate, estimate, say_size
from mt.views.markdown import tabulate

HEAD = ["point", "seed", "run", "state", "parameters", "time", "memory", "disk"]
NOTE = (
    "Time, memory and disk are estimates, from a few updates of each kind of training that were measured just now; a "
    "busy machine takes longer, and a training that stops early less. Nothing was kept."
)


def describe_plan(plan: Plan, workers: int | None = None) -> str:
    """Return the plan as a table, with what is still to be done and what it will take; nothing is trained or kept."""
    known: dict[str, tuple[int, Estimate]] = {}
    lines, states = list[list[str]](), [plan.state(member) for member in plan.members]
    counted: set[str] = set()
    seconds, memory, disk = [0.0], [0.0], 0.0
    for member, state in zip(plan.members, states, strict=True):
        training = member.training
        cells = [member.point.label, str(member.seed), str(training.path), state]
        if state == "scored":
            lines.append([*cells, f"{member.run.parameters / 1e6:.2f}M", "", "", ""])
            continue
        if (shape := _shape(training.config)) not in known:
            known[shape] = member.search.search.beam, _measure(training)
        beam, one = known[shape]
        fresh = training.fingerprint not in counted
        counted.add(training.fingerprint)
        wider = (1 + member.search.search.beam) / (1 + beam)  # a search takes as long as its hypotheses are many
        takes, needs = _left(member, replace(one, scoring=one.scoring * wider), state, fresh)
        seconds.append(takes)
        memory.append(one.memory)
        disk += needs
        lines.append([*cells, f"{one.parameters / 1e6:.2f}M", say_time(takes), say_size(one.memory), say_size(needs)])
    threads = max(member.training.config.threads or 1 for member in plan.members)
    at_once = min(workers or max(1, processors() // threads), max(1, len(counted)))
    total = max(sum(seconds) / at_once, *seconds)
    summary = (
        f"In all {say_time(sum(seconds))} of computing, which is about {say_time(total)} with {at_once} at once; "
        f"{say_size(at_once * max(memory))} of memory, {say_size(disk)} of disk."
    )
    return f"{tabulate(HEAD, lines)}\n\n" + (f"{summary}\n{NOTE}\n" if counted else "All of it is done.\n")


def _left(member: Member, one: Estimate, state: State, fresh: bool) -> tuple[float, float]:
    """Return the seconds and the disk that a member still takes; a run that several share is trained for the first."""
    config, takes, needs = member.training.config, 0.0, 0.0
    if fresh and state in ("missing", "unfinished"):
        done = int(member.run.record.get("update", 0)) / one.updates(config) if state == "unfinished" else 0.0
        takes += one.seconds(config, done)
        needs += one.disk if state == "missing" else 0.0
    sentences = len(member.splits) * one.sentences
    return takes + sentences * one.scoring, needs + sentences * one.scores


def _measure(training: Training) -> Estimate:
    try:
        return estimate(training.config)
    except UserError as error:
        raise UserError(f"{training.path.name}: {error}") from error


def _shape(config: Config) -> str:
    """Return what the time of an update, the memory and the disk depend on."""
    told = config.model_dump(mode="json", exclude={"seed", "alignment", "metrics"})
    told["search"] = config.search.precision
    for idle in ("epochs", "learning_rate", "warmup", "label_smoothing", "betas", "schedule", "final", "clip"):
        told["train"].pop(idle)
    told["train"]["teacher"]["runs"] = bool(config.train.teacher.runs)
    return json.dumps(told, sort_keys=True)
