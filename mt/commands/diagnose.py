"""`mt diagnose`: question a run."""

from pathlib import Path
from typing import Annotated

import typer

from mt.commands.options import RunPath, open_run


def diagnose(
    run: RunPath,
    split: Annotated[str | None, typer.Option(help="Split to look at. Unset: the corpus's main test split.")] = None,
    against: Annotated[Path | None, typer.Option(help="A run to hold it against, such as another seed.")] = None,
    quick: Annotated[bool, typer.Option("--quick", help="Look at the first 200 pairs only.")] = False,
) -> None:
    """Say what a run suffers from, in plain words, worst first; writes RUN/diagnosis.json."""
    asked, other = open_run(run), open_run(against) if against else None
    name = asked.split_name(split)
    from mt.lab.diagnosis.case import Case
    from mt.lab.diagnosis.diagnose import describe, diagnose

    case = Case(asked, name, quick, other)
    print(describe(case, diagnose(case)))
