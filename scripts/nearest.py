"""Choose how nearest neighbours vote, on the validation split alone: the loss of every combination in one pass.

    python scripts/nearest.py RUN --count 64 --count 256 --weight 0.4 --weight 0.6 --temperature 0.08

The first row is the model alone. RUN must have its datastore: `mt datastore RUN`.
"""

import itertools
from pathlib import Path
from typing import Annotated, cast

import torch
import typer
from torch import Tensor

from mt import cli
from mt.config import Nearest
from mt.core.device import set_threads
from mt.core.progress import Meter
from mt.core.special import PAD
from mt.data.pieces import Pieces
from mt.models.contract import need_readouts
from mt.neighbours.datastore import with_neighbours
from mt.neighbours.model import NearestNeighbours, key, votes
from mt.runs.names import CACHE
from mt.runs.run import Run

COUNTS, WEIGHTS, TEMPERATURES = [256], [0.3, 0.4, 0.5, 0.6, 0.7], [0.04, 0.06, 0.08, 0.1, 0.12]


def nearest(
    run: Annotated[Path, typer.Argument(help="A run directory.")],
    count: Annotated[list[int] | None, typer.Option(min=1, help="Unset: 256.")] = None,
    weight: Annotated[list[float] | None, typer.Option(min=0.01, max=0.99, help="Unset: 0.3 to 0.7.")] = None,
    temperature: Annotated[list[float] | None, typer.Option(min=0.001, help="Unset: 0.04 to 0.12.")] = None,
) -> None:
    """Print the validation loss, nats per target piece, for each count, weight and temperature."""
    counts, weights, temperatures = count or COUNTS, weight or WEIGHTS, temperature or TEMPERATURES
    own_P, cosine_PC, beside_PC = looked_up(Run(run), max(counts))
    print("| count | weight | temperature | validation loss |\n| --- | --- | --- | --- |")
    print(f"| 0 | | | {loss(own_P):.3f} |")
    for one, share, heat in itertools.product(counts, weights, temperatures):
        voted_P = (votes(cosine_PC[:, :one], heat) * beside_PC[:, :one]).sum(1)
        print(f"| {one} | {share} | {heat} | {loss((1 - share) * own_P + share * voted_P):.3f} |")


def loss(probability_P: Tensor) -> float:
    """Return the mean of -log p."""
    return -probability_P.log().mean().item()


@torch.inference_mode()
def looked_up(run: Run, count: int) -> tuple[Tensor, Tensor, Tensor]:
    """Return, for each target piece of validation, its probability, the nearest cosines, and which are beside it."""
    set_threads(run.config.threads)
    bare = need_readouts(run.model)
    model = cast(NearestNeighbours, with_neighbours(run.model, run, Nearest(count=count)))
    pieces, found = Pieces(run.splits["validation"], run.tokenizers, run / CACHE), []
    meter = Meter("looking up", "pair", len(pieces.rows))
    for rows, batch in pieces.batches(run.config.train.batch_tokens):
        read, real_BT = bare.read(batch.source_BS, batch.mask_BS, batch.target_in_BT), batch.target_out_BT != PAD
        target_P1 = batch.target_out_BT[real_BT][:, None]
        cosine_PC, beside_PC = model.find(key(read)[real_BT])
        own_P = bare.predict(read.readouts)[real_BT].softmax(-1).gather(1, target_P1)[:, 0]
        found.append((own_P, cosine_PC, beside_PC == target_P1))
        meter.add(len(rows))
    meter.close()
    own, cosines, beside = zip(*found, strict=True)
    return torch.cat(own), torch.cat(cosines), torch.cat(beside)


if __name__ == "__main__":
    cli.main(nearest)
