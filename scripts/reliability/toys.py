"""What both labs train: small toy runs, by name, and `mt` in this process."""

import contextlib
import io
import logging
import sys
import traceback
from dataclasses import dataclass
from pathlib import Path

from mt import cli

SMALL = [
    *("toy", "corpus.pairs=100", "corpus.held_out=8", "vocabulary.size=400", "threads=1", "train.epochs=2"),
    *("train.film=2", "train.batch_tokens=250", "train.validate_every=5", "train.save_every=2", "log.every=3"),
    *("search.beam=2", "search.max_extra=3", "search.max_ratio=1"),
]
RNN = ["model.embedding=8", "model.hidden=8", "model.encoder_hidden=4", "model.attention.width=8"]
TRANSFORMER = ["model.kind=transformer", "model.width=8", "model.layers=1", "model.heads=2", "model.feedforward=16"]
TOYS = {
    "plain": RNN,
    "plateau": [*RNN, "train.schedule=plateau", "train.patience=1", "train.early_stop=2", "train.average=0.9"],
    "guided": [*RNN, "train.guide.links=gold"],
    "taught": [*RNN, "train.teacher.runs=[{teacher}]"],
    "nearest": [*RNN, "search.nearest.count=2"],
    "two vocabularies": [*RNN, "vocabulary.joint=false"],
    "transformer": TRANSFORMER,
    "tensorboard": [*RNN, "log.tensorboard=true"],
}
"""By what is special of them, the overrides; {teacher} stands for the run of `plain`."""


def command(name: str, teacher: Path) -> list[str]:
    """Return what trains a toy, without its folder."""
    return ["train", *SMALL, *(one.format(teacher=teacher) for one in TOYS[name])]


@dataclass(frozen=True)
class Done:
    """How a command ended."""

    code: int
    """0 or 1 or 2, and -1 where it ended by an exception that nobody caught."""
    out: str
    said: str
    """On standard error."""


def mt(*arguments: object) -> Done:
    """Run `mt` in this process."""
    out, said, code = io.StringIO(), io.StringIO(), 0
    root = logging.getLogger()
    root.handlers[:] = []
    before, sys.argv = sys.argv, ["mt", *map(str, arguments)]
    try:
        with contextlib.redirect_stdout(out), contextlib.redirect_stderr(said):
            cli.main()
    except SystemExit as end:
        code = int(end.code or 0)
    except Exception:
        code = -1
        said.write(traceback.format_exc())
    finally:
        sys.argv = before
    return Done(code, out.getvalue(), said.getvalue())
