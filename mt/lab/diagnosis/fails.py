"""Where translation fails: by length, novelty, frequency of words."""

from mt.lab.diagnosis.finding import Diagnosis

DIAGNOSES: dict[str, Diagnosis] = {}
