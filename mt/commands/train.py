"""`mt train`: which experiment, and where its run goes."""

from pathlib import Path
from typing import Annotated

import typer

from mt.commands.completion import complete_config
from mt.commands.options import Overrides, split_first
from mt.config.files import read_config
from mt.core.errors import UsageError
from mt.runs.names import RUNS

MULTI30K, GNT = Path("multi30k"), Path("gnt")


def train(
    config: Annotated[
        str | None,
        typer.Argument(
            help="A name that `mt config` lists, or a YAML file. Unset: multi30k, else gnt.",
            autocompletion=complete_config,
        ),
    ] = None,
    overrides: Overrides = None,
    run: Annotated[
        Path | None, typer.Option(help="Where the model goes. Unset: runs/NAME, as the config is named.")
    ] = None,
    resume: Annotated[bool, typer.Option("--resume", help="Continue the run if it exists.")] = False,
    overwrite: Annotated[bool, typer.Option("--overwrite", help="Replace the run if it exists.")] = False,
    extend: Annotated[
        bool,
        typer.Option("--extend", help="Train the run longer, by another train.epochs, .early_stop or .patience."),
    ] = False,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Say what it will take: time, memory, disk; train nothing.")
    ] = False,
) -> None:
    """Train a model; Ctrl-C saves, --resume continues."""
    if extend and overwrite:
        raise UsageError("--extend goes on with a run, and --overwrite replaces it: give one of the two")
    name, changes = split_first(config, overrides)
    if name is None:
        path, why = default_config(RUNS, run)
        print(why)
    else:
        path = Path(name)
    tree = read_config(path, changes)
    from mt.training import estimate, experiment

    place = run or RUNS / path.stem
    if dry_run:
        print(estimate.describe(tree, place, estimate.estimate(tree)), end="")
        return
    finished = experiment.train(tree, place, resume=resume, overwrite=overwrite, extend=extend)
    raise typer.Exit(0 if finished else 130)


def default_config(runs: Path, run: Path | None) -> tuple[Path, str]:
    """Return a config, and in one line why: that of `run`, if it is one; of an unfinished run; Multi30k's; or gnt's.

    Multi30k's, if it can be had. Takes a few seconds at most, also without a network.
    """
    from mt.corpora import multi30k
    from mt.runs.names import CONFIG
    from mt.runs.run import Run

    if run is not None and Run(run).exists:
        return run / CONFIG, f"training as {run / CONFIG} says"
    for config in (MULTI30K, GNT):
        if run is None and Run(runs / config.stem).is_unfinished:
            return config, f"{runs / config.stem} is unfinished: going on with it"
    place = multi30k.available()
    if place == "hub":
        return MULTI30K, "training on Multi30k, from the Hub"
    if place is not None:
        return MULTI30K, f"training on Multi30k, from {place}"
    return GNT, "Multi30k is not here (data/multi30k) and the Hub cannot be reached: training on gnt instead"
