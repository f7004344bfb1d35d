"""The datastore of a run: what its output layers saw at each target piece of the training split, beside that piece.

Khandelwal et al. 2021, 2: keys and values for nearest-neighbour translation (model.py).
"""

import json
import logging
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from mt.config import Nearest
from mt.core.errors import DamagedError, UserError
from mt.core.files import replacing
from mt.core.manifest import must_be_whole, told
from mt.core.once import say_once
from mt.core.progress import Meter
from mt.core.special import PAD
from mt.corpora import places_of
from mt.data.pieces import Pieces
from mt.models.contract import Seq2Seq, need_readouts
from mt.neighbours import clusters
from mt.neighbours.exact import Exact
from mt.neighbours.model import Index, NearestNeighbours, key
from mt.runs import checkpoint
from mt.runs.names import CACHE, CLUSTERS, DATASTORE
from mt.runs.run import Run

log = logging.getLogger("mt")
KINDS = {"keys": (2, "F16"), "pieces": (1, "I64")}
"""What it holds: by the name of a tensor, how many dimensions it has, and of which numbers."""


def write_datastore(run: Run, index: str) -> int:
    """Write RUN/datastore.safetensors from the run's best weights and its training split; return how many pieces.

    And RUN/datastore.faiss, for the index of that name.
    """
    if index == "faiss":
        clusters.must_be_installed()
    train = run.config.train
    pieces = Pieces(run.splits["train"], run.tokenizers, run / CACHE)
    fits = np.maximum(pieces.source_lengths, pieces.target_lengths) <= train.max_pieces
    size = int(pieces.target_lengths[fits].sum())
    (run / CLUSTERS).unlink(missing_ok=True)  # else it would be of other keys
    _write(run / DATASTORE, size, _read_training(run, pieces), run.fingerprint)
    if index == "faiss":
        write_clusters(run)
    return size


@torch.inference_mode()
def _read_training(run: Run, pieces: Pieces) -> Iterator[tuple[Tensor, Tensor]]:
    """Yield keys, in float16, and the pieces beside them, a batch after another."""
    model, train = need_readouts(run.model), run.config.train
    meter = Meter("datastore", "pair", len(run.splits["train"].sources))
    for rows, batch in pieces.batches(train.batch_tokens, train.max_pieces):
        read = model.read(*batch.to(run.model.device).given)
        real_BT = batch.target_out_BT != PAD
        yield key(read).cpu()[real_BT].half(), batch.target_out_BT[real_BT]
        meter.add(len(rows))
    meter.close()


def _write(path: Path, size: int, parts: Iterator[tuple[Tensor, Tensor]], fingerprint: str) -> None:
    """Write so many keys and pieces as checkpoint.save would, but part by part: they need not fit into memory."""
    keys, pieces = next(parts)
    width = keys.shape[1]
    ends = 8 * size, (8 + 2 * width) * size
    head = {
        "__metadata__": {"record": json.dumps({"weights": fingerprint})},
        "pieces": {"dtype": "I64", "shape": [size], "data_offsets": [0, ends[0]]},
        "keys": {"dtype": "F16", "shape": [size, width], "data_offsets": list(ends)},
    }
    data = json.dumps(head).encode()
    data += b" " * (-len(data) % 8)
    with replacing(path) as temporary, open(temporary, "rb+") as file:
        file.write(len(data).to_bytes(8, "little") + data)
        at_pieces, done = file.tell(), 0
        while True:
            file.seek(at_pieces + 8 * done)
            file.write(pieces.numpy().tobytes())
            file.seek(at_pieces + ends[0] + 2 * width * done)
            file.write(keys.numpy().tobytes())
            done += len(keys)
            if done == size:
                break
            keys, pieces = next(parts)
    next(parts, None)  # it closes the meter


def write_clusters(run: Run) -> None:
    """Write RUN/datastore.faiss from the keys of RUN/datastore.safetensors."""
    tensors, _ = checkpoint.read(run / DATASTORE)
    clusters.write(run / CLUSTERS, tensors["keys"], run.fingerprint)


def has_current_datastore(run: Run, index: str) -> bool:
    """Tell whether a run has what this index needs, of its present weights."""
    return not any(_state(run, name) for name in _needed(index))


def _needed(index: str) -> list[str]:
    return [DATASTORE, *([CLUSTERS] if index == "faiss" else [])]


def _state(run: Run, name: str) -> str:
    """Return what is wrong with a file, if anything."""
    file = run / name
    if not file.exists():
        return "is missing"
    mark = clusters.mark_of(file) if name == CLUSTERS else checkpoint.read_record(file).get("weights")
    return "" if mark == run.fingerprint else "was written for other weights"


def mend_datastore(run: Run, index: str) -> None:
    """Write what is damaged of what an index needs again, and say so; clusters alone are made from the keys."""
    try:
        _must_be_whole(run, "it is written again")
    except DamagedError as error:
        log.warning("%s", error)
        write_datastore(run, index)
        return
    _mend_clusters(run, index)


def _must_be_whole(run: Run, remedy: str) -> None:
    """Raise DamagedError where the keys, or the pieces beside them, are not what was written."""
    file = run / DATASTORE
    if file.exists():
        must_be_whole(file, remedy)
        found = checkpoint.read_kinds(file, remedy)
        checkpoint.must_have({name: (len(shape), kind) for name, (shape, kind) in found.items()}, KINDS, file, remedy)


def _mend_clusters(run: Run, index: str) -> None:
    if index != "faiss" or run.is_packed or not (run / CLUSTERS).exists():
        return
    try:
        must_be_whole(run / CLUSTERS, f"it is written again from {DATASTORE}")
    except DamagedError as error:
        log.warning("%s", error)
        write_clusters(run)


def with_neighbours(model: Seq2Seq, run: Run, settings: Nearest) -> Seq2Seq:
    """Return the model of a run, which now asks its nearest neighbours; itself where the settings have none.

    Keys stay in their file, and of it only what is searched is read. A damaged datastore is written again, unless that
    needs more than the run: a packed one has no text, and another may name a text that is no business of its reader.
    Raises UserError when the run has no datastore of its present weights.
    """
    if not settings.count:
        return model
    if run.is_packed or places_of(run.config.corpus):
        _must_be_whole(run, "restore it" if run.is_packed else f"`mt datastore {run}` writes it again")
        _mend_clusters(run, settings.index)
    else:
        mend_datastore(run, settings.index)
    for name in [DATASTORE] if run.is_packed else _needed(settings.index):
        if state := _state(run, name):
            option = f" --index {settings.index}" if settings.index != run.config.search.nearest.index else ""
            raise UserError(f"{run / name} {state}: `mt datastore {run}{option}` writes it")
    tensors, _ = checkpoint.read(run / DATASTORE, checked=True)
    return NearestNeighbours(model, _open(run, tensors["keys"], model, settings), tensors["pieces"], settings).eval()


def _open(run: Run, keys_NE: Tensor, model: Seq2Seq, settings: Nearest) -> Index:
    if settings.index == "exact":
        return Exact(keys_NE.to(model.device))
    if run.is_packed or told(run / CLUSTERS) is None:
        say_once(f"{run}: the clusters of its keys are made anew, because only those of a run's own manifest are read")
        return clusters.Clusters(clusters.build(keys_NE), settings.probes)
    found = clusters.Clusters(clusters.read(run / CLUSTERS), settings.probes)
    if len(found) != len(keys_NE):
        raise UserError(
            f"{run / CLUSTERS} is not of the keys in {DATASTORE}: `mt datastore {run} --index faiss` mends it"
        )
    return found
