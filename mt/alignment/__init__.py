"""Alignments as plain data: matrices, links, files, gold, and how wrong they are."""
