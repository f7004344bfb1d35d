"""What a GPU gives, beside the processor of the same machine, as a table in Markdown: `scripts/bench/accelerator.sh`.

    python scripts/bench/accelerator.py --output table.md

Pieces a second in training and sentences a second in translating, of each kind of model and in each precision, and the
time to some validation BLEU. Each figure is of one run after a warm-up, all in one process.
"""

import sys
import tempfile
from pathlib import Path
from typing import Annotated

import speed
import torch
import typer

from mt import cli
from mt.config import Config
from mt.config.files import read_config
from mt.core.device import CPU, choose, has_bfloat16, set_threads
from mt.core.files import write_text
from mt.corpora import load_splits
from mt.corpora.pairs import Split
from mt.inference.translator import Translator
from mt.runs.run import Run
from mt.text.tokenizer import Tokenizers, train_tokenizers
from mt.training.materials import Materials
from mt.training.trainer import Trainer
from mt.views.markdown import tabulate

TRANSFORMER = "model={kind: transformer, width: 256, layers: 3, heads: 4, feedforward: 1024}"
MODELS: dict[str, list[str]] = {"GRU": [], "Transformer": [TRANSFORMER]}
BATCHES = 768, 6144
"""Target pieces in a batch: what a processor likes, and what keeps a GPU busy."""
SENTENCES = 500
HEAD = ["model", "device", "precision", "pieces in a batch", "training, pieces/s", "beam 5, sentences/s"]


def accelerator(
    config: Annotated[str, typer.Argument(help="What is trained.")] = "multi30k",
    device: Annotated[str, typer.Option(help="What stands beside the processor.")] = "auto",
    updates: Annotated[int, typer.Option(min=2 * speed.WARM, help="Of each measurement.")] = 60,
    bleu: Annotated[float, typer.Option(help="Validation BLEU to be reached; 0: not measured.")] = 37.0,
    output: Annotated[Path | None, typer.Option(help="Markdown file. Unset: the terminal.")] = None,
) -> None:
    """Measure and tabulate."""
    tree = read_config(Path(config))
    set_threads(tree.threads)
    splits = load_splits(tree.corpus)
    tokenizers = train_tokenizers(splits["train"].sources, splits["train"].targets, tree.vocabulary)
    rows = []
    for where in dict.fromkeys([choose(device).type, "cpu"]):
        for name, changes in MODELS.items():
            for precision in ("float32", *["bfloat16"] * has_bfloat16(torch.device(where))):
                for batch in BATCHES[:1] if torch.device(where) == CPU else BATCHES:
                    settings = [*changes, f"device={where}", f"train.precision={precision}"]
                    chosen = read_config(Path(config), [*settings, f"train.batch_tokens={batch}"])
                    rates = _measure(chosen, splits, tokenizers, updates)
                    rows.append([name, where, precision, f"{batch:,}", *(f"{rate:,.0f}" for rate in rates)])
                    print(*rows[-1], file=sys.stderr, flush=True)
    gpu = torch.cuda.get_device_name() if torch.cuda.is_available() else "no GPU of NVIDIA"
    page = f"{tabulate(HEAD, rows)}\n\n{gpu}, {torch.get_num_threads()} threads, PyTorch {torch.__version__}.\n"
    if bleu:
        with tempfile.TemporaryDirectory() as folder:
            reached = speed.reach(read_config(Path(config), [f"device={device}"]), Path(folder, "run"), bleu)
        page += f"\n`mt train {config} device={device}` reached {bleu:g} BLEU on validation after {reached:.0f} s.\n"
    if output:
        write_text(output, page)
    print(page, end="")


def _measure(config: Config, splits: dict[str, Split], tokenizers: Tokenizers, updates: int) -> tuple[float, float]:
    """Return target pieces a second in training, and sentences a second in translating; the model knows little."""
    with tempfile.TemporaryDirectory() as folder:
        trainer = Trainer(Run(folder), Materials(config, splits, tokenizers))
        pieces, _ = speed.train(trainer, updates)
        sources = splits["validation"].sources[:SENTENCES]
        translator = Translator(trainer.model.eval(), tokenizers, config)
        speed.translate(translator, sources[:50], 5, 96)
        seconds, _ = speed.translate(translator, sources, 5, 96)
        return pieces, len(sources) / seconds


if __name__ == "__main__":
    cli.main(accelerator)
