"""A model that predicts some pieces alone.

Shapes as in models/contract.py; V is then the number of these pieces.
"""

from torch import Tensor

from mt.models.contract import NOTHING, Look, Memory, Output, Read, Seq2Seq, State, need_readouts
from mt.models.ensemble import Ensemble
from mt.models.packed import pick


class Shortlisted(Seq2Seq):
    """A model with the weights of another, whose target vocabulary is a list of its pieces, numbered by their place.

    Logits are the model's own. Their softmax is over the list, so what probability the model gave to other pieces is
    shared out. `packed`: whether output layers of a packed model are packed again, which takes as long as some steps of
    a few sentences.
    """

    def __init__(self, model: Seq2Seq, pieces_V: Tensor, packed: bool = True):
        super().__init__()
        self.model, self.pieces_V = model, pieces_V
        self.sites, self.summary = model.sites, f"{model.summary}, {len(pieces_V)} pieces"
        self.products = [pick(layer, pieces_V, packed) for layer in need_readouts(model).outputs]

    def encode(self, source_BS: Tensor, mask_BS: Tensor) -> tuple[Memory, State]:
        """Return the model's memory and state."""
        return self.model.encode(source_BS, mask_BS)

    def step(self, previous_BK: Tensor, state: State, memory: Memory, look: Look = NOTHING) -> tuple[Output, State]:
        """Predict the piece after `previous_BK`."""
        read, state = need_readouts(self.model).read_step(self.pieces_V[previous_BK], state, memory, look)
        return self._predict(read), state

    def forward(self, source_BS: Tensor, mask_BS: Tensor, target_in_BT: Tensor, look: Look = NOTHING) -> Output:
        """Predict every next piece of given targets."""
        return self._predict(need_readouts(self.model).read(source_BS, mask_BS, self.pieces_V[target_in_BT], look))

    def _predict(self, read: Read) -> Output:
        first, *more = (product(readout) for product, readout in zip(self.products, read.readouts, strict=True))
        for logits in more:
            first += logits
        return Output(first, read.attention)


def narrow(model: Seq2Seq, pieces_V: Tensor, packed: bool = True) -> Seq2Seq:
    """Return a model, or an ensemble, that predicts these pieces alone. Raises TypeError where it has no readouts."""
    if isinstance(model, Ensemble):
        return Ensemble([narrow(member, pieces_V, packed) for member in model.members], model.looked_at)
    return Shortlisted(model, pieces_V, packed).eval()
