"""Text and its pieces."""
