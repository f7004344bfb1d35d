"""What `mt diagnose` says of healthy runs, as the table of docs/experiments/diagnosis.md: healthy.py RUN...

Each run is diagnosed anew on its main test split, which writes RUN/diagnosis.json. A value that is not fine is marked.
"""

import argparse
import json
from pathlib import Path
from typing import Any

from mt.lab.diagnosis import DIAGNOSES
from mt.lab.diagnosis.case import Case
from mt.lab.diagnosis.diagnose import diagnose
from mt.runs.run import DIAGNOSIS, Run
from mt.views.markdown import tabulate


def main() -> None:
    """Diagnose the runs and print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("runs", nargs="+", type=Path)
    parser.add_argument("--against", type=Path, help="a run to hold each of them against")
    asked = parser.parse_args()
    columns = [_findings(path, asked.against) for path in asked.runs]
    rows = [[name, one.question.unit, *(_cell(column[name]) for column in columns)] for name, one in DIAGNOSES.items()]
    print(tabulate(["diagnosis", "unit", *(path.name for path in asked.runs)], rows))


def _findings(path: Path, against: Path | None) -> dict[str, dict[str, Any]]:
    run = Run(path)
    diagnose(Case(run, run.split_name(None), against=Run(against) if against else None))
    told = json.loads((run / DIAGNOSIS).read_text(encoding="utf-8"))
    return {finding["name"]: finding for finding in told["findings"]}


def _cell(finding: dict[str, Any]) -> str:
    if finding["value"] is None:
        return "-" if finding["verdict"] == "not applicable" else finding["verdict"]
    mark = "" if finding["verdict"] == "fine" else f" ({finding['verdict']})"
    return f"{finding['value']:.3g}{mark}"


if __name__ == "__main__":
    main()
