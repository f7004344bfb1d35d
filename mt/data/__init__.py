"""From pairs of sentences to batches of pieces."""
