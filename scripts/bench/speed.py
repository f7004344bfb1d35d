"""What the bench measures of this program: training, translating, the share of the machine, memory."""

import multiprocessing
import resource
import time
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import replace
from pathlib import Path

import torch
from torch.utils.flop_counter import FlopCounterMode

from mt.config import Config
from mt.config.corpora import FilesCorpus
from mt.core.errors import UserError
from mt.core.files import write_lines
from mt.corpora import load_splits
from mt.inference.translator import Translator
from mt.runs.run import Run
from mt.training import experiment
from mt.training.trainer import Trainer

WARM = 10
"""Updates that are not timed."""
SIDE, PRODUCTS = 2048, 5
"""The matmul that a machine's speed is judged by: float32, square, the best of some."""


def train(trainer: Trainer, updates: int) -> tuple[float, float]:
    """Train for so many updates; return target pieces a second, and our share of the machine's float32 speed."""
    order = trainer.part.batches
    chosen = [order[number % len(order)] for number in range(updates)]

    def update(rows: list[int]) -> int:
        trainer.position = replace(trainer.position, update=trainer.position.update + 1)
        return trainer.update([rows], 0.5).tokens

    for rows in chosen[:WARM]:
        update(rows)
    clock = time.perf_counter()
    tokens = sum(map(update, chosen[WARM:]))
    if torch.cuda.is_available():
        torch.cuda.synchronize()  # what was asked of a GPU is done
    seconds = time.perf_counter() - clock
    with FlopCounterMode(display=False) as counter:
        for rows in chosen[WARM:]:
            update(rows)
    return tokens / seconds, counter.get_total_flops() / seconds / matmul()


def matmul() -> float:
    """Return the floating-point operations a second of the best of some large products."""
    one, other = torch.randn(2, SIDE, SIDE)
    seconds = []
    for _ in range(PRODUCTS):
        clock = time.perf_counter()
        torch.mm(one, other)
        seconds.append(time.perf_counter() - clock)
    return 2 * SIDE**3 / min(seconds)


def translate(translator: Translator, lines: Sequence[str], beam: int, batch: int) -> tuple[float, list[str]]:
    """Translate, a batch of 1 line by line; return the seconds that it took, and the translations."""
    settings = translator.settings.model_copy(update={"beam": beam, "batch": batch})
    clock = time.perf_counter()
    groups = [[line] for line in lines] if batch == 1 else [lines]
    found = [one for group in groups for one in translator.translate(group, settings, alignments=False)]
    return time.perf_counter() - clock, [one.text for one in found]


def reach(config: Config, run: Path, bleu: float) -> float:
    """Train anew in `run`; return the seconds to the first validation of such BLEU. Raises UserError without one."""
    experiment.train(config, run, overwrite=True)
    found = [float(record["seconds"]) for record in Run(run).validations if record["validation_bleu"] >= bleu]
    if not found:
        raise UserError(f"ours ended before {bleu} BLEU: see {run}/metrics.jsonl; let it train longer")
    return found[0]


def footprint(config: Config, folder: Path, updates: int) -> tuple[float, float]:
    """Train on the text of a corpus, from files; return the process's largest memory in MB, and seconds a piece."""
    files = {name: str(folder / f"{name}.tsv") for name in ("train", "validation", "test")}
    splits = load_splits(config.corpus)
    for name, file in files.items():
        pairs = zip(splits[name].sources, splits[name].targets, strict=True)
        write_lines(Path(file), [f"{source}\t{target}" for source, target in pairs])
    corpus = FilesCorpus(name="files", source=config.corpus.source, target=config.corpus.target, **files)
    text_alone = config.model_copy(update={"corpus": corpus, "threads": torch.get_num_threads()})
    with ProcessPoolExecutor(1, multiprocessing.get_context("spawn")) as pool:
        return pool.submit(_footprint, text_alone, folder / "run", updates).result()


def _footprint(config: Config, run: Path, updates: int) -> tuple[float, float]:
    rate, _ = train(experiment.begin(Run(run), experiment.gather(config, Run(run))), updates)
    return largest_memory(), 1 / rate


def largest_memory() -> float:
    """Return the most memory that this process had, in MB; Linux counts it from the start of this program."""
    status = Path("/proc/self/status")
    if status.exists():  # getrusage would count the process that started this one, too
        line = next(line for line in status.read_text(encoding="utf-8").splitlines() if line.startswith("VmHWM"))
        return int(line.split()[1]) / 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024**2
