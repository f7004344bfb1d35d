"""Does attention link the words that translate each other."""

from mt.lab.diagnosis.finding import Diagnosis

DIAGNOSES: dict[str, Diagnosis] = {}
