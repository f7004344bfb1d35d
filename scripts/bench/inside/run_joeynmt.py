"""Translates with JoeyNMT, in its environment; what `joeynmt translate` does, with the model loaded once."""

from functools import partial
from pathlib import Path

import stopwatch
import torch
import yaml
from joeynmt import prediction
from joeynmt.config import parse_global_args


def start(told: dict) -> stopwatch.Translate:
    """Load the model."""
    torch.set_num_threads(told["threads"])
    args = parse_global_args(yaml.safe_load(Path(told["config"]).read_text()), rank=0, mode="translate")
    prediction.search = partial(prediction.search, min_output_length=told["length"])  # `predict` does not hand it on
    model, _, _, data = prediction.prepare(args, rank=0, mode="translate")

    def translate(lines: stopwatch.Lines, beam: int, batch: int) -> int:
        chosen = args.test._replace(
            beam_size=beam,
            batch_size=batch,
            batch_type="sentence",
            max_output_length=told["length"],
        )
        pieces = 0
        for some in stopwatch.groups(lines, 1) if batch == 1 else [lines]:
            for line in some:
                data.set_item(line)
            _, _, _, tokens, _, _ = prediction.predict(
                model=model, data=data, compute_loss=False, device=args.device, rank=0, n_gpu=0,
                normalization="none", num_workers=0, args=chosen, autocast=args.autocast,
            )  # fmt: skip
            data.reset_cache()
            pieces += sum(len([token for token in one if token != "</s>"]) for one in tokens)
        return pieces

    return translate


if __name__ == "__main__":
    stopwatch.serve(start)
