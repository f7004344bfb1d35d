"""Whether a config may be trained in a run's folder, and what the config of that training is."""

import logging
from pathlib import Path

from mt.config import ASIDE, Config
from mt.config.before import BEFORE
from mt.config.tree import flatten
from mt.core import ranks
from mt.core.device import choose, require
from mt.core.errors import UserError
from mt.core.memory import TRAINING
from mt.runs.names import WEIGHTS
from mt.runs.own import must_be_own
from mt.runs.run import Run
from mt.runs.shown import resume_command
from mt.training.extend import EXTENDABLE, must_be_extendable, was_cut_short
from mt.training.start import adopt, take_over

log = logging.getLogger("mt")


def resolve(config: Config, run: Run, *, resume: bool, overwrite: bool, extend: bool = False) -> Config:
    """Return the config if it may be trained in `run`, or that of the run, which may be older; nothing is changed.

    Threads are the machine's, not the experiment's: another number goes on with the run, though not bit for bit.
    Raises UserError also when a run that is still to be trained needs another processor, and of a packed run.
    """
    must_be_own(run)
    if run.is_packed:
        raise UserError(
            f"{run} is a packed run, which has no state to train from: begin another run with its weights "
            f"(train.start={run}), or choose another directory with --run"
        )
    begun = run.exists and not overwrite
    if extend and not begun:
        raise UserError(f"{run} holds no run that could be extended: train one without --extend")
    if overwrite or extend or not run.is_finished:
        for key, wanted in {"train": config.train.precision, "search": config.search.precision}.items():
            require(wanted, choose(config.device), f"give {key}.precision=float32, or train on one that has")
    if begun:
        if not resume and not extend:
            raise UserError(_already(run))
        return _must_be_the_same(config, run, extend=extend)
    if not run.exists and not run.may_begin():
        raise UserError(f"{run} exists and is not a run directory: choose another one with --run")
    if config.train.start and Path(config.train.start).resolve() == run.path.resolve():
        raise UserError(f"train.start is {run} itself, which would be replaced: choose another directory with --run")
    config = take_over(config)
    together = config.train.model_copy(update={"accumulate": max(config.train.accumulate, ranks.count())})
    return config.model_copy(update={"train": together})


def lighter(run: Run) -> str:
    """Return what to do where a training has not enough memory, by what its run has saved."""
    if not run.exists:
        return TRAINING
    if _is_untrained(run):
        return f"{TRAINING}, and give --overwrite, since {run} holds nothing yet that would be lost"
    return (
        f"`{resume_command(run)}` goes on with the same settings, where there is more memory; or {TRAINING}, and train "
        f"anew, with --overwrite or in another directory (--run)"
    )


def _is_untrained(run: Run) -> bool:
    """Tell whether a run was begun, and nothing of its training is saved yet."""
    return not run.record.get("update", 0) and not (run / WEIGHTS).exists()


def _already(run: Run) -> str:
    if _is_untrained(run):
        return (
            f"{run} holds a run that was begun, of which nothing is trained yet: --resume begins it again by its own "
            f"settings, --overwrite by those given now (a smaller train.batch_tokens, if it lacked memory); or choose "
            f"another directory with --run"
        )
    return (
        f"{run} already holds a run: continue it with --resume, train it longer with --extend, replace it with "
        f"--overwrite, or choose another directory with --run"
    )


def _must_be_the_same(config: Config, run: Run, *, extend: bool) -> Config:
    """Return the run's config, with the device, threads and log of `config`. Raises UserError when that is another one.

    One batch an update (the default) stands for as many as the run has; what it took over from another run, the run
    itself says. `extend`: keys of EXTENDABLE are those of `config`.
    """
    if config.train.start:
        config = adopt(config, run.config)
    mine, theirs = (flatten(tree.model_dump(mode="json", exclude=ASIDE)) for tree in (config, run.config))
    if mine["train.accumulate"] == 1:
        mine["train.accumulate"] = theirs["train.accumulate"]
    differing = [key for key in sorted(mine.keys() | theirs.keys()) if mine.get(key) != theirs.get(key)]
    older = [key for key in differing if key in BEFORE and theirs.get(key) == BEFORE[key]]
    for key in older:
        log.info("%s was begun without %s: it goes on with %s", run, key, theirs[key])
    wrong = [key for key in differing if key not in older and not (extend and key in EXTENDABLE)]
    if wrong:
        told = "; ".join(f"{key} is {mine.get(key)} here and {theirs.get(key)} there" for key in wrong)
        longer = "train it by these with --extend, " * (not extend and set(wrong) <= {*EXTENDABLE})
        raise UserError(
            f"{run} holds another experiment ({told}): {longer}go on with it by `{resume_command(run)}`, choose "
            f"another directory with --run, or replace it with --overwrite"
            f"{', by which nothing is lost: nothing of it is trained yet' * _is_untrained(run)}"
        )
    kept = run.config.model_copy(
        update={"threads": config.threads or run.config.threads, "device": config.device, "log": config.log}
    )
    if extend:
        asked = {name: getattr(config.train, name) for name in (key.removeprefix("train.") for key in EXTENDABLE)}
        kept = kept.model_copy(update={"train": kept.train.model_copy(update=asked)})
        must_be_extendable(run, kept)
    elif was_cut_short(run):
        raise UserError(f"{run} was being extended when it was killed: give that command again, with --extend")
    return kept
