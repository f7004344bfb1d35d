"""Nearest-neighbour translation (Khandelwal et al. 2021): it wraps a model, as an ensemble does."""
