"""The nearest keys by looking at the clusters of keys that are nearest, with Faiss (Douze et al. 2024).

Shapes as in model.py.
"""

from pathlib import Path
from types import ModuleType
from typing import Any

import torch
from torch import Tensor

from mt.core.errors import UserError
from mt.core.files import replacing

SAMPLE, ROUNDS = 40, 8
"""Keys for each cluster that its centre is fitted on, and rounds of k-means."""
BLOCK = 2**15
"""Keys that are put into their clusters together."""
MARK = 16
"""Bytes behind the index that say of which weights its keys are."""
NOWHERE = -1000.0
"""The product with a key that is missing, where the clusters have too few: it has no vote beside any other."""


class Clusters:
    """Of what `read` or `build` returns; as many clusters as `probes` are looked at for a query."""

    def __init__(self, index: Any, probes: int):
        self.index = index
        lists = _faiss().downcast_InvertedLists(index.invlists)
        lists.prefetch_nthread = 0  # a search would start threads of its own
        index.nprobe = min(probes, index.nlist)

    def __len__(self) -> int:
        """Return how many keys there are."""
        return int(self.index.ntotal)

    def find(self, query_XE: Tensor, count: int) -> tuple[Tensor, Tensor]:
        """Return the products with the keys that have the greatest, these first, and the places of the keys, [X, C]."""
        _faiss().omp_set_num_threads(torch.get_num_threads())
        found = self.index.search(query_XE.float().cpu().contiguous().numpy(), min(count, len(self)))
        product_XC, place_XC = (torch.from_numpy(array).to(query_XE.device) for array in found)
        missing_XC = place_XC < 0
        return product_XC.masked_fill(missing_XC, NOWHERE).to(query_XE.dtype), place_XC.masked_fill(missing_XC, 0)


def read(path: Path) -> Any:
    """Return the index of a file that `write` wrote, which stays there: only clusters that are asked for are read.

    Faiss believes what it reads, so the file must be of this program: datastore.py knows. Raises UserError where Faiss
    sees that it is none.
    """
    faiss = _faiss()
    try:
        return faiss.read_index(str(path), faiss.IO_FLAG_MMAP | faiss.IO_FLAG_READ_ONLY)
    except RuntimeError as error:
        raise UserError(f"cannot read {path}: {error}") from error


def build(keys_NE: Tensor) -> Any:
    """Put keys into clusters, as many as four times the root of their number, in float16; the same each time."""
    faiss = _faiss()
    faiss.omp_set_num_threads(torch.get_num_threads())
    size, width = keys_NE.shape
    clusters = max(1, min(round(4 * size**0.5), size // SAMPLE))
    centres: Any = faiss.IndexFlatIP(width)
    kind = faiss.ScalarQuantizer.QT_fp16
    index = faiss.IndexIVFScalarQuantizer(centres, width, clusters, kind, faiss.METRIC_INNER_PRODUCT, False)
    index.cp.niter, index.cp.spherical = ROUNDS, True
    some = torch.randperm(size, generator=torch.Generator().manual_seed(1))[: SAMPLE * clusters].sort().values
    index.train(keys_NE[some].float().numpy())
    for part_NE in keys_NE.split(BLOCK):
        index.add(part_NE.float().numpy())
    return index


def write(path: Path, keys_NE: Tensor, mark: str) -> None:
    """Write the clusters of keys, and behind them of which weights these are."""
    index = build(keys_NE)
    with replacing(path) as temporary:
        _faiss().write_index(index, str(temporary))
        with open(temporary, "ab") as file:
            file.write(mark.encode().ljust(MARK))


def mark_of(path: Path) -> str:
    """Return the mark that a file was written with."""
    with open(path, "rb") as file:
        file.seek(-min(MARK, path.stat().st_size), 2)
        return file.read().decode(errors="replace").rstrip()


def must_be_installed() -> None:
    """Raise UserError where Faiss is missing."""
    _faiss()


def _faiss() -> ModuleType:
    try:
        import faiss
    except ModuleNotFoundError as error:
        raise UserError("search.nearest.index: faiss needs faiss-cpu: pip install 'mt[neighbours]'") from error
    return faiss
