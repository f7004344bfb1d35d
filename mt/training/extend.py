"""A run that is trained longer than it was planned: more epochs, or more patience."""

import logging
import math
from collections.abc import Iterator

from mt.config import Config
from mt.config.before import fingerprint
from mt.config.tree import flatten
from mt.core.errors import DamagedError, UserError
from mt.runs import checkpoint
from mt.runs.names import CONFIG, STATE, WEIGHTS
from mt.runs.run import Run
from mt.training.position import Position, position_of
from mt.training.schedule import validates_every

log = logging.getLogger("mt")
EXTENDABLE = ("train.epochs", "train.early_stop", "train.patience")
"""Keys that may change while a run goes on."""
REMEDY = "restore it, or start anew (--overwrite)"


def must_be_extendable(run: Run, config: Config) -> None:
    """Raise UserError where a run cannot go on by `config`, which differs from its own in keys of EXTENDABLE."""
    if not (run / STATE).exists():
        raise UserError(
            f"{run} has no {STATE}, so its training cannot go on where it ended: begin another run with its weights "
            f"(train.start={run})"
            if (run / WEIGHTS).exists()
            else f"{run} has saved nothing yet that could go on: begin it anew by these settings, with --overwrite"
        )
    position = _position(run)
    made_with, mine = run.record["made_with"], fingerprint(run.config)
    if mine not in (made_with.get("config", mine), made_with.get("extends")):
        raise UserError(f"{run / STATE} belongs to another experiment than the {CONFIG} beside it: restore the pair")
    epochs, patience = config.train.epochs, config.train.early_stop
    if position.epoch >= epochs:
        raise UserError(
            f"{run} has done {position.epoch} epochs, and train.epochs={epochs} asks for no more: give a larger "
            f"number, such as train.epochs={2 * position.epoch}"
        )
    if patience and position.stale >= patience:
        raise UserError(
            f"{run} ended because {position.stale} validations were no better than the best: give a larger "
            f"train.early_stop than {patience}, or train.early_stop=0, which never ends it"
        )


def was_cut_short(run: Run) -> bool:
    """Tell whether the extension of a run was killed between its state and its config."""
    made_with = run.record.get("made_with", {})
    return bool(made_with.get("extends") == fingerprint(run.config) != made_with.get("config"))


def extend_state(run: Run, config: Config) -> None:
    """Write a run's state anew, as one that goes on by `config`, and say what that means; the config is written next.

    Where nothing is another, nothing is written.
    """
    before, now = (flatten(one.model_dump(mode="json")) for one in (run.config, config))
    changed = [f"{key} {now[key]} in place of {before[key]}" for key in EXTENDABLE if now[key] != before[key]]
    if not changed:
        return
    position = _position(run)
    tensors, record = checkpoint.read(run / STATE, REMEDY)
    made_with = record["made_with"] | {"config": fingerprint(config), "extends": fingerprint(run.config)}
    checkpoint.save(run / STATE, tensors, record | {"finished": False, "made_with": made_with})
    reasons = "; ".join(_differences(run.config, config, position))
    log.info(
        "%s goes on from update %d with %s: it ends %s",
        *(run, position.update, ", ".join(changed)),
        f"otherwise than a training that was planned so from its beginning: {reasons}"
        if reasons
        else "in the same weights, bit for bit, as a training that was planned so from its beginning",
    )


def _differences(run: Config, config: Config, position: Position) -> Iterator[str]:
    """Yield why a run that goes on so from there ends otherwise than one that was planned so from its beginning."""
    before, now = run.train, config.train
    if before.epochs != now.epochs and now.schedule == "linear":
        yield (
            f"train.schedule=linear falls towards the last update, so the {position.epoch} epochs so far had the rates "
            f"of a training of {before.epochs}, and the rate goes up again now"
        )
    every = validates_every(now, math.ceil(position.update / max(position.epoch, 1)))
    if before.epochs != now.epochs and position.finished and every and position.update % every:
        yield (
            f"the validation at update {position.update}, where it was to end, counts, and is none of those after "
            f"every {every} updates"
        )
    if before.patience != now.patience and now.schedule == "plateau":
        yield "the learning rate has gone by the train.patience of before so far"
    if (now.early_stop or math.inf) < (before.early_stop or math.inf):
        yield "with this train.early_stop it might have ended before"


def _position(run: Run) -> Position:
    try:
        return position_of(run.record)[0]
    except ValueError as error:
        raise DamagedError(run / STATE, REMEDY, error) from error
