"""Is attention faithful: does what it looks at matter to what is said."""

from mt.lab.diagnosis.finding import Diagnosis

DIAGNOSES: dict[str, Diagnosis] = {}
