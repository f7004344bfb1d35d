"""Keys of `log`: what is told of a training while it goes on."""

from mt.config.tree import Count, Tree


class Log(Tree):
    """What is told of a training while it goes on. No part of the experiment: a run goes on with other values."""

    every: Count | None = None
    """Updates between lines of updates.jsonl. Unset: a thousandth of all updates, so that there are up to 1,000 lines.
    """
    tensorboard: bool = False
    """Write the same curves for TensorBoard, to the folder tensorboard of the run; pip install 'mt[tensorboard]'."""
