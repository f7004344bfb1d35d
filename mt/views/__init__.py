"""Alignments for people: pictures, the terminal, a page."""
