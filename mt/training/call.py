"""`mt.train`: the command `mt train`, as a function."""

from collections.abc import Sequence
from pathlib import Path

from mt.config.files import must_be_listed, read_config
from mt.core.memory import TRAINING, telling_shortage
from mt.runs.names import RUNS
from mt.runs.run import Run
from mt.training import experiment


def train(
    config: str | Path,
    run: str | Path | None = None,
    changes: Sequence[str] = (),
    *,
    resume: bool = False,
    overwrite: bool = False,
) -> Run:
    """Train as `mt train` does, and return the run: `mt.train("toy", changes=["train.epochs=2"])`.

    `config` is a name that `mt config` lists, or a YAML file; `changes` are those that follow it on the command line.
    Unset, the run is runs/NAME. Raises UserError, as the command tells mistakes; KeyboardInterrupt where Ctrl-C or
    SIGTERM ended it, when all is saved and `resume` goes on.
    """
    must_be_listed(changes)
    place = Path(run) if run is not None else RUNS / Path(config).stem
    tree = read_config(Path(config), list(changes))
    with telling_shortage(TRAINING):
        finished = experiment.train(tree, place, resume=resume, overwrite=overwrite)
    if not finished:
        raise KeyboardInterrupt(f"all is saved in {place}, and resume=True goes on")
    return Run(place)
