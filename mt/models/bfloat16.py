"""A model in bfloat16.

Shapes as in models/contract.py.
"""

from torch import Tensor, nn

from mt.models.contract import NOTHING, Look, Memory, Output, Read, Seq2Seq, State, need_readouts


class Rounded(Seq2Seq):
    """A model whose weights, memory and state are rounded to bfloat16; what it predicts is float32 again.

    The model itself is changed, and so are others that share its weights.
    """

    def __init__(self, model: Seq2Seq):
        super().__init__()
        self.model = model.bfloat16()
        self.sites, self.summary = model.sites, f"{model.summary}, bfloat16"

    def encode(self, source_BS: Tensor, mask_BS: Tensor) -> tuple[Memory, State]:
        """Return the model's memory and state."""
        return self.model.encode(source_BS, mask_BS)

    def step(self, previous_BK: Tensor, state: State, memory: Memory, look: Look = NOTHING) -> tuple[Output, State]:
        """Predict the piece after `previous_BK`."""
        output, state = self.model.step(previous_BK, state, memory, look)
        return output.float(), state

    def forward(self, source_BS: Tensor, mask_BS: Tensor, target_in_BT: Tensor, look: Look = NOTHING) -> Output:
        """Predict every next piece of given targets."""
        output: Output = self.model(source_BS, mask_BS, target_in_BT, look)
        return output.float()

    def read(self, source_BS: Tensor, mask_BS: Tensor, target_in_BT: Tensor, look: Look = NOTHING) -> Read:
        """Return what the model's output layers see, in float32."""
        return _widened(need_readouts(self.model).read(source_BS, mask_BS, target_in_BT, look))

    def read_step(self, previous_BK: Tensor, state: State, memory: Memory, look: Look = NOTHING) -> tuple[Read, State]:
        """Return what the model's output layers see, in float32, and the next state."""
        read, state = need_readouts(self.model).read_step(previous_BK, state, memory, look)
        return _widened(read), state

    @property
    def outputs(self) -> tuple[nn.Linear, ...]:
        """The output layers, one for each readout."""
        return need_readouts(self.model).outputs

    def predict(self, readouts: tuple[Tensor, ...]) -> Tensor:
        """Return the logits of the readouts, which lose nothing when they are rounded again."""
        return need_readouts(self.model).predict(tuple(readout.bfloat16() for readout in readouts)).float()


def _widened(read: Read) -> Read:
    attention = None if read.attention is None else read.attention.float()
    return Read(tuple(readout.float() for readout in read.readouts), attention)
