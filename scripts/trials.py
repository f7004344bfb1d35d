"""Run a list of trials, judged on the validation split alone, and keep a log of all of them.

    nohup python scripts/trials.py configs/trials/de-en-5.yaml --workers 2 &

FILE names a config, changes to it that all trials share, and those of each trial. A trial is trained in RUNS/FILE/TRIAL
where it is missing, and resumed where it was interrupted. The log, OUTPUT, is written after each of them.
"""

import logging
import multiprocessing
import signal
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor, as_completed
from multiprocessing.synchronize import Event
from pathlib import Path
from typing import Annotated

import typer
from pydantic import ValidationError

from mt import cli
from mt.config import Config
from mt.config.files import parse_yaml, read_config, read_config_text
from mt.config.tree import Tree
from mt.core.errors import UserError
from mt.core.files import write_text
from mt.runs.run import Run
from mt.training import experiment

interrupted: Event


class Trials(Tree):
    """What FILE holds. Changes are written as on the command line: train.epochs=3."""

    config: Path
    """Relative to FILE."""
    common: tuple[str, ...] = ()
    trials: dict[str, list[str]]


def trials(
    file: Annotated[Path, typer.Argument(help="YAML: config, common changes, trials.")],
    runs: Annotated[Path, typer.Option(help="Folder of the folder of run directories.")] = Path("runs/trials"),
    output: Annotated[Path | None, typer.Option(help="Markdown file. Unset: docs/experiments/trials/FILE.md.")] = None,
    workers: Annotated[int, typer.Option(min=1, help="Trials at once; `common` should have threads=1.")] = 1,
) -> None:
    """Train each trial and write what validation says of it."""
    given, folder = read(file), runs / file.stem
    path = file.parent / given.config
    configs = {name: read_config(path, [*given.common, *own]) for name, own in given.trials.items()}
    output = output or Path("docs/experiments/trials") / f"{file.stem}.md"
    signal.signal(signal.SIGTERM, stop)
    spawn, failures = multiprocessing.get_context("spawn"), []
    with ProcessPoolExecutor(workers, spawn, begin, (spawn.Event(),)) as pool:
        jobs = {pool.submit(train, config, folder / name): name for name, config in configs.items()}
        for job in as_completed(jobs):
            try:
                if not job.result():
                    raise KeyboardInterrupt
                print(f"{jobs[job]} is done", flush=True)
            except UserError as error:  # such as a training that diverged; the others go on
                failures.append(f"{jobs[job]}: {error}")
            write_text(output, log(given, file, folder))
    print(log(given, file, folder), end="")
    if failures:
        raise UserError("\n".join(failures))


def read(file: Path) -> Trials:
    """Return what FILE holds. Raises UserError that says what is wrong with it."""
    try:
        return Trials.model_validate(parse_yaml(read_config_text(file), str(file)))
    except ValidationError as error:
        raise UserError(f"{file}: {error}") from error


def stop(number: int, frame: object) -> None:
    """Pass `kill`, which reaches this process alone, on to the trainings; Ctrl-C reaches them by itself."""
    for worker in multiprocessing.active_children():
        worker.terminate()
    raise KeyboardInterrupt


def begin(event: Event) -> None:
    """Let this process know what all of them share: whether a trial was interrupted."""
    global interrupted
    interrupted = event
    logging.getLogger("mt").setLevel(logging.ERROR)


def train(config: Config, run: Path) -> bool:
    """Train or resume one trial, unless one was interrupted already; return whether it is finished."""
    try:
        if not interrupted.is_set() and experiment.train(config, run, resume=True):
            return True
    except KeyboardInterrupt:  # before training catches it
        interrupted.set()
        raise
    interrupted.set()
    return False


def log(given: Trials, file: Path, folder: Path) -> str:
    """Return the trials that have begun, as Markdown, in the order of FILE."""
    lines = [
        f"# Trials: {file.stem}",
        "",
        f"`{given.config.name}`, changed for all: `{' '.join(given.common)}`",
        "",
        "| trial | changes | seed | validation BLEU, greedy | validation loss | minutes |",
        "| --- | --- | --- | --- | --- | --- |",
        *rows(given, folder),
        "",
        f"    python scripts/trials.py {file}",
    ]
    return "\n".join(lines) + "\n"


def rows(given: Trials, folder: Path) -> Iterator[str]:
    """Yield a row for each trial that has been validated at least once: BLEU and loss of its best validation."""
    for name, changes in given.trials.items():
        run = Run(folder / name)
        records, best = run.validations, run.best_validation
        if best is None:
            continue
        cells = [
            name + " (unfinished)" * (not run.is_finished),
            " ".join(f"`{change}`" for change in changes),
            str(run.config.seed),
            f"{best['validation_bleu']:.2f}",
            f"{best['validation_loss']:.3f}",
            f"{records[-1]['seconds'] / 60:.0f}",
        ]
        yield f"| {' | '.join(cells)} |"


if __name__ == "__main__":
    cli.main(trials)
