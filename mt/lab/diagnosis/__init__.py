"""DIAGNOSES: the questions that `mt diagnose` asks of a run."""

from mt.lab.diagnosis import aligned, data, fails, faithful, search, shape, sure, training, use
from mt.lab.diagnosis.finding import Diagnosis

GROUPS: dict[str, dict[str, Diagnosis]] = {
    "training": training.DIAGNOSES,
    "data": data.DIAGNOSES,
    "use": use.DIAGNOSES,
    "faithful": faithful.DIAGNOSES,
    "aligned": aligned.DIAGNOSES,
    "shape": shape.DIAGNOSES,
    "sure": sure.DIAGNOSES,
    "search": search.DIAGNOSES,
    "fails": fails.DIAGNOSES,
}
"""What explains the most comes first."""
DIAGNOSES: dict[str, Diagnosis] = {
    f"{group}.{name}": diagnosis for group, entries in GROUPS.items() for name, diagnosis in entries.items()
}
