"""When training has diverged: what its losses say."""

import math
from dataclasses import dataclass

SLACK = 1.2
"""Batches and validation differ by less than this factor in the loss that an untrained model has."""


@dataclass(frozen=True)
class Watch:
    """Judges losses, in nats per target piece, by what a model has that knows nothing."""

    vocabulary: int
    """Target pieces that there are."""
    first_loss: float
    """Training loss of the first update, that of untrained weights; 0 where it is not known."""

    @property
    def guess(self) -> float:
        """The loss of guessing uniformly."""
        return math.log(self.vocabulary)

    @property
    def most(self) -> float:
        """What no model has but one whose training diverges."""
        return SLACK * max(self.guess, self.first_loss)

    def judge_training(self, loss: float) -> str:
        """Return what is wrong with the training loss of an epoch; nothing where it is one of learning."""
        return self._too_high("training loss", loss) if loss > self.most else ""

    def judge_validation(self, loss: float, training: float) -> str:
        """Return what is wrong with a validation loss; nothing where it is one of learning, or of overfitting.

        After that it may be high, too, but the training loss is low.
        """
        lost = loss > self.most and (training > self.guess / 2 or loss > 10 * self.most)
        return self._too_high("validation loss", loss) if lost else ""

    def _too_high(self, what: str, loss: float) -> str:
        return f"the {what} is {loss:.4g}, and guessing would have {self.guess:.4g}"
