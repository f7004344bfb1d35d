"""Is attention used: what becomes of translation when its weights are replaced."""

from mt.lab.diagnosis.finding import Diagnosis

DIAGNOSES: dict[str, Diagnosis] = {}
