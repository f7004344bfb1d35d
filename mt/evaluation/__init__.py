"""How good the translations and the alignments of a run are."""
