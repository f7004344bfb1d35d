"""The datastore of a run: what its output layers saw at each target piece of the training split, beside that piece.

Khandelwal et al. 2021, 2: keys and values for nearest-neighbour translation (model.py).
"""

import logging

import torch
from torch import Tensor

from mt.config import Nearest
from mt.core.errors import DamagedError, UserError
from mt.core.manifest import must_be_whole
from mt.core.progress import Meter
from mt.core.special import PAD
from mt.data.pieces import Pieces
from mt.models.contract import Seq2Seq, need_readouts
from mt.neighbours.model import NearestNeighbours, key
from mt.runs import checkpoint
from mt.runs.run import CACHE, DATASTORE, Run

log = logging.getLogger("mt")
KINDS = {"keys": (2, "F16"), "pieces": (1, "I64")}
"""What it holds: by the name of a tensor, how many dimensions it has, and of which numbers."""


@torch.inference_mode()
def write_datastore(run: Run) -> int:
    """Write RUN/datastore.safetensors from the run's best weights and its training split; return how many pieces."""
    model, train = need_readouts(run.model), run.config.train
    pieces = Pieces(run.splits["train"], run.tokenizers, run / CACHE)
    meter = Meter("datastore", "pair", len(run.splits["train"].sources))
    keys: list[Tensor] = []
    values: list[Tensor] = []
    for rows, batch in pieces.batches(train.batch_tokens, train.max_pieces):
        read = model.read(*batch.to(run.model.device).given)
        real_BT = batch.target_out_BT != PAD
        keys.append(key(read).cpu()[real_BT].half())
        values.append(batch.target_out_BT[real_BT])
        meter.add(len(rows))
    meter.close()
    tensors = {"keys": torch.cat(keys), "pieces": torch.cat(values)}
    checkpoint.save(run / DATASTORE, tensors, {"weights": run.fingerprint})
    return sum(map(len, values))


def has_current_datastore(run: Run) -> bool:
    """Tell whether a run has a datastore, of its present weights."""
    file = run / DATASTORE
    return file.exists() and checkpoint.read_record(file).get("weights") == run.fingerprint


def mend_datastore(run: Run) -> None:
    """Write a damaged datastore again, and say so."""
    file, remedy = run / DATASTORE, "it is written again"
    try:
        if file.exists():
            must_be_whole(file, remedy)
            found = checkpoint.read_kinds(file, remedy)
            checkpoint.must_have(
                {name: (len(shape), kind) for name, (shape, kind) in found.items()}, KINDS, file, remedy
            )
    except DamagedError as error:
        log.warning("%s", error)
        write_datastore(run)


def with_neighbours(model: Seq2Seq, run: Run, settings: Nearest) -> Seq2Seq:
    """Return the model of a run, which now asks its nearest neighbours; itself where the settings have none.

    Raises UserError when the run has no datastore of its present weights.
    """
    if not settings.count:
        return model
    mend_datastore(run)
    if not has_current_datastore(run):
        state = "was written for other weights" if (run / DATASTORE).exists() else "is missing"
        raise UserError(f"{run / DATASTORE} {state}: `mt datastore {run}` writes it")
    tensors, _ = checkpoint.read(run / DATASTORE, checked=True)
    keys, pieces = (tensors[name].to(model.device) for name in ("keys", "pieces"))
    return NearestNeighbours(model, keys.float(), pieces, settings).eval()
