"""What every room stands on: errors, files, progress, and the processor."""
