"""An experiment from its config to a trained run: begin, resume, interrupt."""

import functools
import logging
import random
import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import torch

from mt.config import Config
from mt.core import exchange, manifest, ranks
from mt.core.device import set_threads
from mt.core.errors import UserError
from mt.core.files import make_folder, must_be_writable, write_text
from mt.core.memory import telling_shortage
from mt.core.progress import say_time
from mt.corpora import load_splits, open_stream
from mt.corpora.groups import MOST, overlap
from mt.corpora.pairs import Split
from mt.data.pieces import must_fit
from mt.data.reading import keep_survey, kept_survey
from mt.inference.shortlist import has_shortlist, write_shortlist
from mt.neighbours.datastore import has_current_datastore, mend_datastore, write_datastore
from mt.runs.cache import BEGUN
from mt.runs.card import BLEU_TELLS_NOTHING, describe_best, tells_nothing, write_card
from mt.runs.config_file import write_config
from mt.runs.lock import writing
from mt.runs.names import CACHE, CONFIG, DATASTORE, STATE, WEIGHTS
from mt.runs.run import Run
from mt.runs.settled import is_settled
from mt.runs.shown import resume_command
from mt.text.tokenizer import train_tokenizers
from mt.training.board import must_be_there
from mt.training.extend import extend_state
from mt.training.guide import load_guide
from mt.training.materials import Materials
from mt.training.resolve import lighter, resolve
from mt.training.start import begin_with, load_start
from mt.training.teacher import load_teacher
from mt.training.trainer import Trainer

log = logging.getLogger("mt")
TRAINED, FAILED = "trained", "failed"
"""What the first process tells the others of a run, besides BEGUN: it was trained already, it cannot be prepared."""
SAMPLE = 200_000
"""Pairs that vocabularies are learned from, where there are more."""
Watch = Callable[..., None]
"""watch(updates done, total=updates in all) is called before the first update and after each."""


def train(
    config: Config,
    path: Path,
    *,
    resume: bool = False,
    overwrite: bool = False,
    extend: bool = False,
    watch: Watch | None = None,
) -> bool:
    """Train `config` in the directory `path`, from the start or from where it stopped; return whether it is finished.

    `extend`: a run there, finished or not, goes on by what `config` says of the keys of extend.EXTENDABLE. Ctrl-C
    (or SIGTERM) ends it after the current update with everything saved. Raises UserError when there is a run and
    neither `resume` nor `overwrite` (which wins over `resume`) is given, when it is of another experiment, or when
    another process is writing it. Processes that torchrun has started train it together.
    """
    with exchange.joined():
        if ranks.rank():
            finished = _train_along(config, path)
        else:
            again = _was_begun(path)
            resume, overwrite = again or (resume and not overwrite), overwrite and not again
            how = {"resume": resume, "overwrite": overwrite, "extend": extend and not again}
            finished = _train(config, path, **how, watch=watch)
        exchange.tell(finished)  # torchrun stops all when one ends: not before the first has written all
        return finished


def _was_begun(path: Path) -> bool:
    """Tell whether this run was begun before torchrun started the processes anew, which then go on with it."""
    mark = path / CACHE / BEGUN
    if not ranks.restarts() and mark.exists():
        mark.unlink()
    return mark.exists()


def _train_along(config: Config, path: Path) -> bool:
    """Train with the first process, which prepares the run and writes it; return whether it is finished."""
    word = exchange.tell("")
    if word == FAILED:
        raise SystemExit(1)  # the first process says why
    if word == TRAINED:
        return True
    run = Run(path)
    trainer = Trainer(run, gather(resolve(config, run, resume=True, overwrite=False), run, resume=True))
    trainer.restore()
    with _interrupts(trainer):
        trainer.train()
    return trainer.position.finished


def _train(config: Config, path: Path, *, resume: bool, overwrite: bool, extend: bool, watch: Watch | None) -> bool:
    run, resolving = Run(path), {"resume": resume, "overwrite": overwrite, "extend": extend}
    with telling_shortage(lambda: lighter(Run(path))), ExitStack() as stack:
        with exchange.waited_for(FAILED):
            config = resolve(config, Run(path), **resolving)
            if resume and not extend and run.is_trained and is_settled(run):
                with writing(path):
                    complete(run)
                log.info(
                    "%s is already trained; `mt eval %s` scores it, --extend trains it longer, --overwrite anew",
                    *(run, run),
                )
                exchange.tell(TRAINED)
                return True
            must_be_writable(run / CONFIG)
            given = gather(config, run, resume=resume or extend)
            stack.enter_context(writing(path))
            resolve(config, Run(path), **resolving)  # another process may have been here since
            if extend:
                extend_state(run, config)
            trainer = begin(run, given, overwrite=overwrite)
        exchange.tell(BEGUN)
        del given  # the text, which training does not need
        _announce(trainer)
        if watch:
            watch(trainer.position.update, total=trainer.updates)
            trainer.tell = functools.partial(watch, total=trainer.updates)
        with _interrupts(trainer):
            trainer.train()
        return _conclude(trainer)


def _announce(trainer: Trainer) -> None:
    """Say what is trained, and by how many."""
    processes, batches = ranks.count(), trainer.config.train.accumulate
    log.info(
        "training %s parameters on %d %s%s in %s, from update %d",
        f"{sum(parameter.numel() for parameter in trainer.model.parameters()):,}",
        *(torch.get_num_threads(), "thread" if torch.get_num_threads() == 1 else "threads"),
        f" of each of {processes} processes" * (processes > 1),
        *(trainer.run, trainer.position.update),
    )
    if processes > batches:
        log.warning(
            "an update reads %d batches (train.accumulate, which a run keeps), so that not all of the %d processes "
            "have something to do",
            *(batches, processes),
        )


def _conclude(trainer: Trainer) -> bool:
    """Say how training ended, and write what a run has then; return whether it is finished."""
    run, position = Run(trainer.run.path), trainer.position
    if not position.finished:
        write_card(run, trainer.model.summary)
        log.info(
            "interrupted at update %d; all is saved in %s, and `%s` continues",
            *(position.update, run, resume_command(run)),
        )
        return False
    log.info(
        "trained in %s: best validation %s; model in %s",
        *(say_time(position.seconds), describe_best(position.best), run),
    )
    if tells_nothing(position.records):
        log.warning("%s", BLEU_TELLS_NOTHING)
    complete(run)
    return True


def complete(run: Run) -> None:
    """Write what a finished run has besides its weights."""
    write_card(run, run.model.summary)
    nearest = run.config.search.nearest
    mend_datastore(run, nearest.index)
    if nearest.count and not has_current_datastore(run, nearest.index):
        count = write_datastore(run, nearest.index)
        log.info("%s target pieces of the training split written to %s", f"{count:,}", run / DATASTORE)
    if run.config.search.shortlist and not has_shortlist(run):
        write_shortlist(run)


def gather(config: Config, run: Run, *, resume: bool = False) -> Materials:
    """Return what a resolved config trains on. Raises UserError when anything does not fit; nothing is written."""
    if resume and (run / WEIGHTS).exists() and not (run / STATE).exists():
        raise UserError(
            f"{run} has a model but no {STATE} to resume from; train it anew with --overwrite, or begin another "
            f"run with its weights (train.start={run})"
        )
    must_be_there(config.log)
    set_threads(config.threads)
    splits = load_splits(config.corpus)
    train = splits["train"]
    _warn_of_overlap(splits)
    begun = resume and run.exists
    stream = open_stream(config.corpus)
    survey, sample = (kept_survey(run / CACHE) if begun else None), train
    if stream and not survey:
        survey, sample = stream.survey(SAMPLE, config.seed)
    elif not begun and len(train.sources) > SAMPLE:
        sample = train.take(sorted(random.Random(config.seed).sample(range(len(train.sources)), SAMPLE)))
    start = None if begun and (run / STATE).exists() else load_start(config, run.tokenizers if begun else None)
    tags = sorted({*(train.tags or ())} - {""})
    if begun:
        tokenizers = run.tokenizers
    elif start:
        tokenizers = start.tokenizers
    else:
        tokenizers = train_tokenizers(sample.sources, sample.targets, config.vocabulary, tags)
    if start and (unknown := [tag for tag in tags if not tokenizers.source.has_tag(tag)]):
        raise UserError(
            f"the vocabulary of train.start has no tag {unknown[0]}: leave corpus.added.tag as it was there, or begin "
            f"with a run that was trained with added pairs"
        )
    must_fit(train, tokenizers, config.train.max_pieces)
    guide = load_guide(config.train.guide, train, tokenizers, config.alignment.unit)
    teacher = load_teacher(config.train.teacher, tokenizers)
    return Materials(config, splits, tokenizers, guide, teacher, stream, survey, start)


def _warn_of_overlap(splits: dict[str, Split]) -> None:
    """Say which splits have so many sentences of training that their scores tell less."""
    given = {name: split for name, split in splits.items() if name != "train"}
    for (name, split), shared in zip(given.items(), overlap(splits["train"], *given.values()), strict=True):
        if shared > MOST * len(split.sources):
            log.warning(
                "training has a sentence of %s of the %s pairs of %s, so its scores will be too good: take these pairs "
                "out of one of the two",
                *(f"{shared:,}", f"{len(split.sources):,}", name),
            )


def begin(run: Run, given: Materials, *, overwrite: bool = False) -> Trainer:
    """Return the trainer of these materials, where the run's state stands; write what a run begins with."""
    if overwrite and run.exists:
        run.remove()
    run.clear()
    make_folder(run / CACHE)
    manifest.begin(run.path)
    if ranks.count() > 1:
        write_text(run / CACHE / BEGUN, "")
    if given.survey:
        keep_survey(given.survey, run / CACHE)
    given.tokenizers.save(run.path)
    write_config(run / CONFIG, given.config)
    trainer = Trainer(run, given)
    if given.start:
        begin_with(trainer, given.start)
    trainer.restore()
    return trainer


@contextmanager
def _interrupts(trainer: Trainer) -> Iterator[None]:
    """Let SIGINT and SIGTERM ask the trainer to stop after its update; a second one stops at once, without a save.

    In a thread, which gets no signals, nothing is asked.
    """
    if threading.current_thread() is not threading.main_thread():
        yield
        return

    def stop(number: int, frame: object) -> None:
        if trainer.interrupted and ranks.count() == 1:  # torchrun sends several of its own
            raise KeyboardInterrupt
        trainer.interrupted = True

    before = {number: signal.signal(number, stop) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
