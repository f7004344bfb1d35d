"""What the weights look like: entropy, places, coverage."""

from mt.lab.diagnosis.finding import Diagnosis

DIAGNOSES: dict[str, Diagnosis] = {}
