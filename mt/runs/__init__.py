"""A run: a directory that explains itself."""
