"""An experiment from its config to a trained run directory: begin, resume, interrupt."""

import ctypes
import logging
import os
import signal
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import torch

from mt.config import Config
from mt.config.files import flatten, read_config, to_yaml
from mt.core.errors import UserError
from mt.core.files import make_folder, write_text
from mt.core.precision import require
from mt.corpora import load_splits
from mt.data.pieces import must_fit
from mt.evaluation.evaluate import splits_of
from mt.neighbours import datastore
from mt.runs import checkpoint
from mt.runs.card import write_card
from mt.text.tokenizer import load_tokenizers, train_tokenizers
from mt.training.guide import load_guide
from mt.training.teacher import load_teacher
from mt.training.trainer import Trainer

log = logging.getLogger("mt")


def train(config: Config, run: Path, *, resume: bool = False, overwrite: bool = False) -> bool:
    """Train `config` in the directory `run`, from the start or from where it stopped; return whether it is finished.

    Ctrl-C (or SIGTERM) ends it after the current update with everything saved. Raises UserError when `run` exists and
    neither `resume` nor `overwrite` (which wins over `resume`) is given, or when it holds another experiment.
    """
    resume = resume and not overwrite
    config = resolve(config, run, resume=resume, overwrite=overwrite)
    if resume and checkpoint.is_finished(run) and (run / checkpoint.WEIGHTS).exists():
        _complete(config, run)
        log.info("%s is already trained; `mt eval %s` scores it, --overwrite trains it anew", run, run)
        return True
    trainer = prepare(config, run, resume=resume, overwrite=overwrite)
    parameters = sum(parameter.numel() for parameter in trainer.model.parameters())
    log.info("training %s parameters on %d threads in %s, from update %d",
             f"{parameters:,}", torch.get_num_threads(), run, trainer.position.update)  # fmt: skip
    with _interrupts(trainer):
        trainer.train()
    position = trainer.position
    if not position.finished:
        write_card(run)
        log.info("interrupted at update %d; all is saved in %s, `mt train --resume` continues", position.update, run)
        return False
    log.info("trained in %.1f minutes: best validation BLEU %.2f (greedy) at update %d; model in %s",
             position.seconds / 60, position.best_bleu, position.best_update, run)  # fmt: skip
    _complete(config, run)
    return True


def _complete(config: Config, run: Path) -> None:
    """Write what a finished run has besides its weights."""
    write_card(run)
    if config.search.nearest.count and not datastore.is_current(run):
        write_datastore(run)


def write_datastore(run: Path) -> None:
    """Write the datastore of a trained run. Raises UserError when there is no model, or its corpus has changed."""
    config, tokenizers, _ = checkpoint.load(run)
    _, splits = splits_of(run, config, tokenizers)
    count = datastore.write(run, splits["train"])
    log.info("%s target pieces of the training split written to %s", f"{count:,}", run / checkpoint.DATASTORE)


def prepare(config: Config, run: Path, *, resume: bool = False, overwrite: bool = False) -> Trainer:
    """Return the trainer of a resolved config, where its state stands; the text of its corpus is not kept."""
    trainer = _trainer(config, run, resume=resume, overwrite=overwrite)
    with suppress(AttributeError, OSError, TypeError):  # not every system has it
        ctypes.CDLL(None).malloc_trim(0)  # gives the memory that the text took back to the system; glibc would keep it
    return trainer


def _trainer(config: Config, run: Path, *, resume: bool, overwrite: bool) -> Trainer:
    if resume and (run / checkpoint.WEIGHTS).exists() and not (run / checkpoint.STATE).exists():
        raise UserError(f"{run} has a model but no {checkpoint.STATE} to resume from; train it anew with --overwrite")
    torch.set_num_threads(config.threads or 1)
    splits = load_splits(config.corpus)
    tokenizers = load_tokenizers(run, config.vocabulary.joint) if resume and checkpoint.is_run(run) else None
    if tokenizers is None:
        tokenizers = train_tokenizers(splits["train"].sources, splits["train"].targets, config.vocabulary)
    # what may not fit: before anything is changed
    must_fit(splits["train"], tokenizers, config.train.max_pieces)
    links = load_guide(config.train.guide, splits["train"], tokenizers)
    taught_by = load_teacher(config.train.teacher, tokenizers)
    if overwrite and checkpoint.is_run(run):
        checkpoint.remove(run)
    for leftover in _leftovers(run):
        leftover.unlink()
    make_folder(run / checkpoint.CACHE)
    tokenizers.save(run)
    write_text(run / "config.yaml", to_yaml(config))
    trainer = Trainer(run, config, splits, tokenizers, links, taught_by)
    trainer.restore()
    return trainer


def resolve(config: Config, run: Path, *, resume: bool, overwrite: bool) -> Config:
    """Return the config with its threads resolved, if it may be trained in `run`; what is there stays as it is.

    Raises UserError also when a run that is still to be trained needs another processor.
    """
    if overwrite or not checkpoint.is_finished(run):
        for key, wanted in {"train": config.train.precision, "search": config.search.precision}.items():
            require(wanted, f"give {key}.precision=float32, or train on one that has")
    if checkpoint.is_run(run) and not overwrite:
        if not resume:
            raise UserError(
                f"{run} already holds a run: continue it with --resume, replace it with --overwrite, or choose another "
                f"directory with --run"
            )
        earlier = read_config(run / "config.yaml")
        config = config.model_copy(update={"threads": config.threads or earlier.threads})
        mine, theirs = (flatten(tree.model_dump(mode="json")) for tree in (config, earlier))
        differing = [f"{key} is {mine.get(key)} here and {theirs.get(key)} there"
                     for key in sorted(mine.keys() | theirs.keys()) if mine.get(key) != theirs.get(key)]  # fmt: skip
        if differing:
            raise UserError(
                f"{run} holds another experiment ({'; '.join(differing)}): choose another directory with --run, or "
                f"replace it with --overwrite"
            )
        return config
    ours = {*_leftovers(run), *([run / checkpoint.CACHE] if _has_cache(run) else [])}
    if run.exists() and not checkpoint.is_run(run) and (not run.is_dir() or {*run.iterdir()} - ours):
        raise UserError(f"{run} exists and is not a run directory: choose another one with --run")
    return config.model_copy(update={"threads": config.threads or _processors()})


def _leftovers(run: Path) -> list[Path]:
    """Return what a kill left in a run directory: temporary files (see disk.replacing), vocabularies without a config.

    The latter only beside a cache, with which a run begins and ends: others may be the user's own.
    """
    begun = _has_cache(run) and not (run / "config.yaml").exists()
    vocabularies = [*run.glob("tokenizer*.model")] if begun else []
    return vocabularies + [path for name in checkpoint.FILES for path in run.glob(f".{name}.*{Path(name).suffix}")]


def _has_cache(run: Path) -> bool:
    """Tell whether a folder has a cache of ours, which holds nothing but Arrow files, whole or half written."""
    cache = run / checkpoint.CACHE
    return cache.is_dir() and all(".arrow" in path.name for path in cache.iterdir())


def _processors() -> int:
    """Return how many processors this process may use; systems other than Linux tell only how many there are."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


@contextmanager
def _interrupts(trainer: Trainer) -> Iterator[None]:
    """Let SIGINT and SIGTERM ask the trainer to stop after its update; a second one stops at once, without a save."""

    def stop(number: int, frame: object) -> None:
        if trainer.interrupted:
            raise KeyboardInterrupt
        trainer.interrupted = True

    before = {number: signal.signal(number, stop) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
