"""What `mt diagnose` says of healthy runs, as the table of docs/experiments/diagnosis.md: healthy.py RUN...

Each run is diagnosed anew on its main test split, which writes RUN/diagnosis.json. A value that is not fine is marked.
"""

from pathlib import Path
from typing import Annotated

import typer

from mt import cli
from mt.lab.diagnosis import DIAGNOSES
from mt.lab.diagnosis.case import Case
from mt.lab.diagnosis.diagnose import diagnose
from mt.lab.diagnosis.finding import Finding
from mt.runs.run import Run
from mt.views.markdown import tabulate


def healthy(
    runs: Annotated[list[Path], typer.Argument(metavar="RUN...", help="Run directories.")],
    against: Annotated[Path | None, typer.Option(help="A run to hold each of them against.")] = None,
) -> None:
    """Diagnose the runs and print the table."""
    other = Run(against) if against else None
    cases = [Case(run, run.split_name(None), against=other) for run in map(Run, runs)]
    columns = [{finding.name: finding for finding in diagnose(case)} for case in cases]
    rows = [[name, one.question.unit, *(_cell(column[name]) for column in columns)] for name, one in DIAGNOSES.items()]
    print(tabulate(["diagnosis", "unit", *(path.name for path in runs)], rows))


def _cell(finding: Finding) -> str:
    if finding.value is None:
        return "-"
    return f"{finding.value:.3g}" if finding.verdict == "fine" else f"{finding.value:.3g} ({finding.verdict})"


if __name__ == "__main__":
    cli.main(healthy)
