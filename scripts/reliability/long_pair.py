"""How much memory one long pair takes in training: an update on it alone, in a process of its own for each model.

    python scripts/reliability/long_pair.py
    python scripts/reliability/long_pair.py --pieces 1000 --ask model.attention.score=location

The pair has random pieces, so many on either side, and the model has the sizes and the vocabulary of a configuration.
The table is Markdown: peak memory is what Linux says the process had in RAM at most, PyTorch included (VmHWM).
"""

import subprocess
import sys
from pathlib import Path
from typing import Annotated

import typer

from mt import cli
from mt.config import Config
from mt.config.files import read_config
from mt.core.errors import UserError
from mt.views.markdown import tabulate

ASKED = (
    "model.attention.score=additive",
    "model.attention.score=concat",
    "model.attention.score=general",
    "model={kind: transformer}",
)


def long_pair(
    pieces: Annotated[int, typer.Option(min=2, help="On either side, </s> included.")] = 2000,
    config: Annotated[str, typer.Option(help="A shipped configuration, or a YAML file.")] = "multi30k",
    ask: Annotated[list[str] | None, typer.Option(help="A change to it, for each row. Unset: four models.")] = None,
    alone: Annotated[bool, typer.Option(help="Train in this process, by the first change; print megabytes.")] = False,
) -> None:
    """Measure it and print a table."""
    rows = []
    for one in ask or ASKED:
        if alone:
            update(read_config(Path(config), [one]), pieces)
            print(peak())
            return
        given = ["--pieces", str(pieces), "--config", config, "--ask", one, "--alone"]
        done = subprocess.run([sys.executable, __file__, *given], capture_output=True, text=True, encoding="utf-8")
        if done.returncode:
            raise UserError(f"{one}: {done.stderr.strip()}")
        rows.append([f"`{one}`", f"{float(done.stdout):.0f}"])
        print(*rows[-1], sep="\t", file=sys.stderr, flush=True)
    print(f"{config}, a pair of {pieces:,} pieces on either side:\n\n{tabulate(['change', 'peak memory, MB'], rows)}")


def update(config: Config, pieces: int) -> None:
    """Take one step of training on one pair, as Trainer.update does."""
    import torch

    from mt.data.batches import batch_of
    from mt.models import build_model
    from mt.training.losses import cross_entropy

    torch.manual_seed(config.seed)
    size, first = config.vocabulary.size, 5
    model = build_model(config.model, size, size, config.vocabulary.joint)
    optimizer = torch.optim.Adam(model.parameters(), config.train.learning_rate, fused=True)
    source, target = torch.randint(first, size, (2, pieces)).tolist()
    batch = batch_of([source], [target])
    output = model(*batch.given).float()
    loss = cross_entropy(output.logits, batch.target_out_BT, config.train.label_smoothing)
    torch.autograd.backward(loss / pieces)
    torch.nn.utils.clip_grad_norm_(model.parameters(), config.train.clip)
    optimizer.step()


def peak() -> float:
    """Return how many megabytes of RAM this process had at most, without the process that started it."""
    status = Path("/proc/self/status").read_text(encoding="ascii")
    return int(status.partition("VmHWM:")[2].split()[0]) / 1024


if __name__ == "__main__":
    cli.main(long_pair)
