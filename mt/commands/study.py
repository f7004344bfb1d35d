"""`mt study`: several experiments side by side, by one file."""

from pathlib import Path
from typing import Annotated

import typer

from mt.config.shipped import studies
from mt.config.study import read_study


def study(
    name: Annotated[
        Path | None, typer.Argument(metavar="STUDY", help="A YAML file, or a name. Unset: list the names.")
    ] = None,
    runs: Annotated[Path, typer.Option(help="Folder of the study's folder, which is named as the study is.")] = Path(
        "runs/studies"
    ),
    workers: Annotated[
        int | None, typer.Option(min=1, help="Trainings at once. Unset: as many as there are processors for.")
    ] = None,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Print the plan with time, memory and disk; train nothing.")
    ] = False,
) -> None:
    """Train and score every point of a study that is not yet, and write one table; again: goes on where it stopped."""
    if name is None:
        names = studies()
        width = max(map(len, names))
        print("\n".join(f"{one:{width}}  {meaning}" for one, meaning in names.items()))
        return
    given, points = read_study(name)
    from mt.lab.study.dry_run import describe_plan
    from mt.lab.study.plan import make_plan
    from mt.lab.study.study import study

    plan = make_plan(name.stem, given, points, runs / name.stem)
    if dry_run:
        print(describe_plan(plan, workers), end="")
        return
    print(study(plan, workers), end="")
