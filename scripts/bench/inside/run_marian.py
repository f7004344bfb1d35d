"""Translates with Marian, in the environment of its wheel."""

import stopwatch
from pymarian import Translator


def start(told: dict) -> stopwatch.Translate:
    """Load the model."""
    translator = Translator(
        models=told["model"],
        vocabs=[told["vocabulary"]] * 2,
        cpu_threads=told["threads"],
        maxi_batch=1,
        normalize=1,
        max_length_factor=1,
        workspace=256,
        quiet=True,
    )

    def translate(lines: stopwatch.Lines, beam: int, batch: int) -> int:
        given = stopwatch.groups(lines, 1) if batch == 1 else [lines]
        changes = {"beam-size": beam, "mini-batch": batch}
        return sum(len(line.split()) for some in given for line in translator.translate(some, **changes))

    return translate


if __name__ == "__main__":
    stopwatch.serve(start)
