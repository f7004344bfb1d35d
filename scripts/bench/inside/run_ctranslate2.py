"""Translates with CTranslate2, in an environment that has nothing else."""

import ctranslate2
import stopwatch


def start(told: dict) -> stopwatch.Translate:
    """Load the model."""
    model = ctranslate2.Translator(
        told["model"], device="cpu", compute_type=told["precision"], intra_threads=told["threads"], inter_threads=1
    )

    def translate(lines: stopwatch.Lines, beam: int, batch: int) -> int:
        pieces = 0
        for some in stopwatch.groups(lines, batch):
            found = model.translate_batch(
                [[*line.split(), "</s>"] for line in some],
                beam_size=beam,
                length_penalty=1,
                max_decoding_length=told["length"],
                min_decoding_length=told["length"],
            )
            pieces += sum(len(one.hypotheses[0]) for one in found)
        return pieces

    return translate


if __name__ == "__main__":
    stopwatch.serve(start)
