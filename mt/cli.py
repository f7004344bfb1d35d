"""The `mt` command: its commands, and how each of them ends."""

import logging
import os
import sys
from collections.abc import Callable
from importlib.metadata import version
from typing import Annotated, NoReturn, TextIO

import typer

from mt.commands.align import align
from mt.commands.config import config
from mt.commands.corpora import corpora
from mt.commands.datastore import datastore
from mt.commands.diagnose import diagnose
from mt.commands.eval import evaluate
from mt.commands.export import export
from mt.commands.options import SETTINGS
from mt.commands.pack import pack
from mt.commands.push import push
from mt.commands.report import report
from mt.commands.runs import runs
from mt.commands.score import score
from mt.commands.serve import serve
from mt.commands.study import study
from mt.commands.train import train
from mt.commands.translate import translate
from mt.core.errors import UsageError, UserError
from mt.core.memory import SEARCHING, TRAINING, telling_shortage
from mt.core.streams import UNWRITABLE, drop, open_streams

COMMANDS: dict[str, Callable[..., None]] = {
    "train": train,
    "eval": evaluate,
    "translate": translate,
    "align": align,
    "score": score,
    "study": study,
    "diagnose": diagnose,
    "report": report,
    "runs": runs,
    "serve": serve,
    "pack": pack,
    "push": push,
    "export": export,
    "datastore": datastore,
    "corpora": corpora,
    "config": config,
}
REMEDIES = {"train": TRAINING, "study": TRAINING, "datastore": TRAINING}
REMEDIES |= dict.fromkeys(("align", "score"), "give fewer pairs, or shorter ones")
"""What to do where a command has not enough memory; the others search."""
BELOW = {"eval": SETTINGS, "translate": SETTINGS}
"""What stands below the help of a command."""
TIME = "%F %T"
"""How the log has the time of a line, as in ISO 8601."""
INTERRUPTED = 130
"""The exit code that Typer makes of Ctrl-C."""

app = typer.Typer(
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    help="A small, exact laboratory for attention in machine translation.",
)


def _tell_version(asked: bool) -> None:
    if asked:
        print(f"mt {version('mt')}")
        raise typer.Exit


@app.callback()
def _all(
    asked: Annotated[
        bool, typer.Option("--version", callback=_tell_version, is_eager=True, help="Say which version of mt this is.")
    ] = False,
) -> None:
    """Take what is not of one command."""


for name, command in COMMANDS.items():
    app.command(name, epilog=BELOW.get(name))(command)


def _start() -> None:
    """Run a command. Raises UserError where torchrun has started several processes for what one does."""
    if os.environ.get("WORLD_SIZE", "1") != "1" and (sys.argv[1:2] != ["train"] or "--dry-run" in sys.argv):
        raise UserError("torchrun is for `mt train`: start other commands, and --dry-run, without it")
    app()


def log_format(stream: TextIO) -> str:
    """Return what a line of the log is like: with its time in a file, which is read later; short on a terminal."""
    return "%(message)s" if stream.isatty() else "%(asctime)s %(message)s"


def main(program: Callable[..., None] | None = None) -> None:
    """Run `mt`, or one function as a program: exit code 0, 1 (failed; the reason on standard error), 2 (usage)."""
    open_streams()
    logging.basicConfig(level=logging.WARNING, format=log_format(sys.stderr), datefmt=TIME, stream=sys.stderr)
    logging.getLogger("mt").setLevel(logging.INFO)
    try:
        try:
            with telling_shortage(REMEDIES.get("".join(sys.argv[1:2]), SEARCHING)):
                _start() if program is None else typer.run(program)
        finally:
            sys.stdout.flush()  # here, where it can still be said that this fails
    except UserError as error:
        print(f"mt: {error}", file=sys.stderr)
        _leave(2 if isinstance(error, UsageError) else 1)
    except SystemExit as end:
        if end.code != INTERRUPTED:
            raise
        os._exit(INTERRUPTED)  # sys.exit would wait for the batches that other threads search
    except BrokenPipeError:  # nobody reads on, as after `| head`
        _leave(1)
    except OSError as error:  # a folder that may not be read, a full disk, a device that is gone
        what = error.filename or ("cannot write standard output" if error.errno in UNWRITABLE else "")
        print(f"mt: {what}: {error.strerror or error}".replace(" : ", " "), file=sys.stderr)
        _leave(1)


def _leave(code: int) -> NoReturn:
    """End with an exit code, which Python would change where it cannot write what is left for standard output."""
    drop(sys.stdout)
    sys.exit(code)
