"""The commands of `mt`."""
