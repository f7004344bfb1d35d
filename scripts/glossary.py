"""What it costs that translations must say a word.

    python scripts/glossary.py RUN

Of each sentence of a split, one word of its reference is drawn at random, and the translation must have it. Written are
BLEU with and without, and how many translations have their word.
"""

import random
import time
from pathlib import Path
from typing import Annotated

import typer

from mt import cli
from mt.core.files import write_text
from mt.corpora.pairs import Split
from mt.evaluation.metrics import METRICS, Texts
from mt.inference.load import translator_of
from mt.inference.wording import Wording, holds
from mt.runs.run import Run
from mt.text.words import plain_words
from mt.views.markdown import tabulate


def glossary(
    run: Annotated[Path, typer.Argument(help="A run directory.")],
    output: Annotated[Path, typer.Option(help="The table, as Markdown.")] = Path("runs/glossary.md"),
    sentences: Annotated[int, typer.Option(min=1, help="So many of the split, drawn at random.")] = 200,
    split: Annotated[str, typer.Option(help="Of the run's corpus.")] = "validation",
    seed: Annotated[int, typer.Option(help="Draws sentences and words.")] = 1,
) -> None:
    """Measure BLEU and the words that are there, with and without the demand that they be."""
    asked, draw = Run(run), random.Random(seed)
    every = asked.splits[split]
    pairs = every.take(sorted(draw.sample(range(len(every.sources)), min(sentences, len(every.sources)))))
    words = [draw.choice(plain_words(line) or [line]) for line in pairs.targets]
    translator = translator_of(asked, [], asked.config)
    rows = []
    for name, wording in {
        "as ever": [Wording() for _ in words],
        "with a word of the reference": [Wording(must=(word,)) for word in words],
        "without that word": [Wording(must_not=(word,)) for word in words],
    }.items():
        before = time.perf_counter()
        texts = [one.text for one in translator.translate(pairs.sources, wording=wording, alignments=False)]
        seconds = time.perf_counter() - before
        rows.append([name, *_figures(texts, pairs, words), f"{seconds:.0f}"])
    head = ["translations", "BLEU", "95 % interval", "have the word", "seconds"]
    text = f"{tabulate(head, rows)}\n\n{len(words)} sentences of {split}, seed {seed}.\n"
    write_text(output, text)
    print(text, end="")


def _figures(texts: list[str], pairs: Split, words: list[str]) -> tuple[str, str, str]:
    """Return BLEU, its interval, and how many translations have their word."""
    bleu = METRICS["BLEU"](Texts(texts, pairs.targets))
    share = sum(holds(text, word) for text, word in zip(texts, words, strict=True)) / len(words)
    return f"{bleu.score:.1f}", f"{bleu.low:.1f} to {bleu.high:.1f}", f"{100 * share:.1f} %"


if __name__ == "__main__":
    cli.main(glossary)
