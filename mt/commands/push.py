"""`mt push`: a run goes to the Hugging Face Hub."""

import tempfile
from pathlib import Path
from typing import Annotated

import typer

from mt.commands.options import RunPath


def push(
    run: RunPath,
    repository: Annotated[
        str, typer.Argument(metavar="OWNER/NAME", help="A repository on the Hub; made where there is none.")
    ],
    public: Annotated[bool, typer.Option("--public", help="All may see it. Unset: only you, or your group.")] = False,
) -> None:
    """Pack a run and put it on the Hugging Face Hub, from where `hub:OWNER/NAME` is a RUN for all that reads one.

    Needs a token that may write: `hf auth login`, or HF_TOKEN. What the repository held of an earlier push is replaced.
    """
    from mt.runs.hub import PREFIX, check_repository, upload
    from mt.runs.names import SHARED
    from mt.runs.packed import pack
    from mt.runs.run import Run

    called = PREFIX + check_repository(repository)
    with tempfile.TemporaryDirectory() as folder:
        upload(pack(Run(run), Path(folder, "run"), called), repository, SHARED, public=public)
    print(f"{run} is {called} now, {'for all' if public else 'private'}")
