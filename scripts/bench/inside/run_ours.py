"""Translates with a run of ours, or trains one (`train`); in the environment of `mt`."""

import json
import sys
import time
from dataclasses import replace

import stopwatch


def start(told: dict) -> stopwatch.Translate:
    """Load the run."""
    from mt.inference.load import load

    translator = load(told["model"], changes=told["changes"])

    def translate(lines: stopwatch.Lines, beam: int, batch: int) -> int:
        settings = translator.settings.model_copy(update={"beam": beam, "batch": batch})
        given = [[line] for line in lines] if batch == 1 else [lines]
        found = [one for some in given for one in translator.translate(some, settings, alignments=False)]
        return sum(len(one.numbers) for one in found)

    return translate


def train() -> None:
    """Train a new run for some updates, the first of which is not timed; its outputs then end at the limit."""
    import torch

    from mt.config import Config
    from mt.core.special import EOS
    from mt.runs import checkpoint
    from mt.runs.names import WEIGHTS
    from mt.runs.run import Run
    from mt.training import experiment

    told = json.load(sys.stdin)
    run, config = Run(told["model"]), Config.model_validate(told["config"])
    trainer = experiment.begin(run, experiment.gather(config, run), overwrite=True)
    order = trainer.part.batches

    def update(number: int) -> int:
        trainer.position = replace(trainer.position, update=number + 1)
        return trainer.update([order[number % len(order)]], 0.5).tokens

    update(0)
    before, clock = stopwatch.cpu(), time.perf_counter()
    pieces = sum(map(update, range(1, told["updates"])))
    print(json.dumps({"pieces": pieces, "cpu": stopwatch.cpu() - before, "wall": time.perf_counter() - clock}))
    with torch.no_grad():
        trainer.model.output.bias[EOS] = told["end"]
    checkpoint.save(run / WEIGHTS, checkpoint.weights(trainer.model), {"update": told["updates"]})


if __name__ == "__main__":
    train() if sys.argv[1:] == ["train"] else stopwatch.serve(start)
