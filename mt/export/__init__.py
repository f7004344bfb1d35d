"""Models for engines that need no PyTorch: written by files of this room that import it, read by those that do not."""
