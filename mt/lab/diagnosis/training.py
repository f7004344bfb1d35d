"""Did training go well."""

from mt.lab.diagnosis.finding import Diagnosis

DIAGNOSES: dict[str, Diagnosis] = {}
