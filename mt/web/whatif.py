"""What if attention had looked elsewhere: weights that replace the model's own in some steps of one search."""

from collections import Counter
from collections.abc import Mapping, Sequence

from torch import Tensor

from mt.core.errors import UserError
from mt.models.contract import Site


class Clamped:
    """Replaces the weights of some steps, of every hypothesis, in the search of one sentence. It counts the steps."""

    def __init__(self, rows: Mapping[int, Sequence[float]], site: Site | None = None):
        """`rows`: by step, from 0, a weight for each source piece; `site`: where, None for every layer and head."""
        self.rows, self.site, self._steps = rows, site, Counter[int]()

    def __call__(self, weights_BNQS: Tensor, mask_BS: Tensor, layer: int) -> Tensor:
        """Return the weights of the layer's next step. Raises UserError where there are too few or too many."""
        step = self._steps[layer]
        self._steps[layer] += 1
        if step not in self.rows or (self.site and self.site.layer != layer):
            return weights_BNQS
        row_S = weights_BNQS.new_tensor(list(self.rows[step]))
        if len(row_S) != weights_BNQS.shape[-1]:
            raise UserError(
                f"step {step} has {len(row_S)} weights, and the source {weights_BNQS.shape[-1]} pieces, </s> included"
            )
        heads = (
            slice(None) if self.site is None or self.site.head is None else slice(self.site.head - 1, self.site.head)
        )
        changed_BNQS = weights_BNQS.clone()
        changed_BNQS[:, heads] = row_S
        return changed_BNQS
