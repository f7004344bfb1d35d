"""How the learning rate goes, and when to validate."""

import logging
import math

from mt.config import Train

OFTEN = 5000
"""Updates between validations where an epoch has more than these."""


def validates_every(config: Train, updates_of_epoch: int) -> int | None:
    """Return the updates between validations; None where one stands at the end of each epoch."""
    return config.validate_every or (OFTEN if updates_of_epoch > OFTEN else None)


def warn_of_warmup(warmup: int, updates: int) -> None:
    """Say that little will be learned, where the learning rate rises through more than half of the training."""
    if 2 * warmup > updates:
        logging.getLogger("mt").warning(
            "the learning rate rises during %d of about %d updates, so little may be learned: lower train.warmup, "
            "lower train.batch_tokens, or raise train.epochs",
            *(min(warmup, updates), updates),
        )


def learning_rate(config: Train, update: int, fraction: float, scale: float) -> float:
    """Return the rate of an update (from 0) at this fraction of training, after the warm-up of `config`."""
    warmup = min(1.0, (update + 1) / config.warmup) if config.warmup else 1.0
    if config.schedule == "linear":
        return config.learning_rate * warmup * (1 - (1 - config.final) * fraction)
    if config.schedule == "inverse_sqrt":
        return config.learning_rate * warmup * math.sqrt(max(config.warmup, 1) / max(update + 1, config.warmup, 1))
    return config.learning_rate * warmup * scale
