"""How fast we are beside JoeyNMT, Marian and CTranslate2: equal shapes and lengths, CPU and wall time in turn.

    python scripts/bench scratch --output docs/experiments/bench/figures.md
    python scripts/bench scratch --quick
    python scripts/bench scratch --ours search.precision=bfloat16 --only mt,Marian

Each program gets a folder in `scratch`, with an environment made from the package index, and keeps it.
"""

import platform
from collections import defaultdict
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

import torch
import typer
from against_joeynmt import conditions
from peer_ctranslate2 import CTranslate2
from peer_joeynmt import JoeyNMT
from peer_marian import Marian
from peer_ours import Ours
from peers import Peer, Shape, Text, Translated, Usage
from tables import MODES, Key, Row, draw, least, page

from mt import cli
from mt.config import Config
from mt.config.files import read_config
from mt.core.errors import UserError
from mt.core.files import write_lines, write_text
from mt.corpora import load_splits
from mt.text.tokenizer import train_tokenizers

TRANSFORMER = "model={kind: transformer, width: 256, layers: 3, heads: 4, feedforward: 1024}"
LENGTH = 16
"""Pieces of each sentence that is translated, and of its translation."""
SENTENCES, ALONE = 128, 16
"""How many are translated, in batches of 64 and one by one; of the longer program four times as many."""
UPDATES = 8
"""Of our batch size, the first not timed; of the longer program four times as many."""


def bench(
    work: Annotated[Path, typer.Argument(help="Folder for the programs and their models; it is kept.")],
    config: Annotated[Path, typer.Option(help="What is trained; also as a Transformer.")] = Path("configs/bench.yaml"),
    ours: Annotated[list[str] | None, typer.Option(help="One more row of ours: changes, as search.beam=4.")] = None,
    only: Annotated[str, typer.Option(help="Names of programs, as mt,Marian. Unset: all.")] = "",
    threads: Annotated[str, typer.Option(help="How many, in turn.")] = "1,2",
    rounds: Annotated[int, typer.Option(min=1, help="The smallest time of these counts.")] = 3,
    quick: Annotated[bool, typer.Option("--quick", help="One round, and a quarter of the work.")] = False,
    output: Annotated[Path | None, typer.Option(help="Markdown file; a plot is put beside it.")] = None,
) -> None:
    """Measure, tabulate and draw."""
    tree = read_config(config)
    shapes = [Shape("GRU", tree), Shape("Transformer", read_config(config, [TRANSFORMER]))]
    text = prepare(tree, work.resolve() / "text", 1 if quick else 4)
    programs = chosen(programs_of(work, text, ours or []), only)
    counts = [int(count) for count in threads.split(",")]
    rows = measure(programs, shapes, counts, 1 if quick else rounds, UPDATES if quick else 4 * UPDATES)
    said = page(rows, [program.unfair for program in programs])
    said += f"\n`{config}`, {conditions()}, {platform.system()}; {len(text.lines)} sentences of {LENGTH} pieces.\n"
    if output:
        write_text(output, said)
        draw(output.with_suffix(".svg"), rows)
    print(said, end="")


def prepare(config: Config, folder: Path, times: int) -> Text:
    """Write the training text and its pieces; return what is translated: sentences of one length."""
    train = load_splits(config.corpus)["train"]
    tokenizers = train_tokenizers(train.sources, train.targets, config.vocabulary)
    vocabulary = [tokenizers.source.name(piece) for piece in range(len(tokenizers.source))]
    found: dict[str, str] = {}
    for language, lines in ((config.corpus.target, train.targets), (config.corpus.source, train.sources)):
        encoded = [[vocabulary[piece] for piece in tokenizers.source.encode(line)] for line in lines]
        write_lines(folder / f"train.{language}", lines)
        write_lines(folder / f"pieces.{language}", [" ".join(pieces) for pieces in encoded])
        found = {line: " ".join(pieces) for line, pieces in zip(lines, encoded, strict=True) if len(pieces) == LENGTH}
    lines = list(found)[: times * SENTENCES]
    if len(lines) < SENTENCES:
        raise UserError(
            f"the corpus has only {len(lines)} sentences of {LENGTH} pieces, not {SENTENCES}: take a larger one"
        )
    return Text(lines, [found[line] for line in lines], LENGTH, times * ALONE, folder, vocabulary)


def programs_of(work: Path, text: Text, changes: Sequence[str]) -> list[Peer]:
    """Return the rows of the table; those of one folder share what the first of them trains."""
    ours = Ours(work / "ours", text)
    return [
        ours,
        *(Ours(work / "ours", text, change) for change in changes),
        JoeyNMT(work / "joeynmt", text),
        Marian(work / "marian", text),
        Marian(work / "marian", text, "intgemm8"),
        CTranslate2(work / "ctranslate2", text, ours),
        CTranslate2(work / "ctranslate2", text, ours, "int8"),
    ]


def chosen(programs: Sequence[Peer], only: str) -> list[Peer]:
    """Return the programs of these names; ours, which the ratios are of, always."""
    names = only.split(",") if only else []
    return [one for one in programs if not names or one.name.startswith("mt") or one.name.split()[0] in names]


def measure(
    programs: Sequence[Peer], shapes: Sequence[Shape], threads: Sequence[int], rounds: int, updates: int
) -> list[Row]:
    """Measure all in turn; a program that fails is a row that says so."""
    trained: dict[Key, list[Usage]] = defaultdict(list)
    translated: dict[Key, list[Translated]] = defaultdict(list)
    failed: dict[Key, str] = {}
    keys = [
        Key(shape.name, count, number)
        for count in threads
        for shape in shapes
        for number, program in enumerate(programs)
        if shape.config.model.kind in program.kinds
    ]
    by_name = {shape.name: shape for shape in shapes}
    refused = {number: said for number, program in enumerate(programs) if (said := refusal(program))}
    for _ in range(rounds):
        for key in keys:
            program, shape = programs[key.program], by_name[key.shape]
            if key.program in refused or key in failed:
                failed.setdefault(key, refused.get(key.program, ""))
                continue
            try:
                if program.trains:
                    trained[key].append(program.train(shape, key.threads, updates))
                translated[key].append(program.translate(shape, key.threads, MODES))
            except UserError as error:
                failed[key] = str(error)
            print(key, failed.get(key) or translated[key][-1], flush=True)
    return [
        Row(key, programs[key.program].name, failed.get(key, ""), *least(trained[key], translated[key])) for key in keys
    ]


def refusal(program: Peer) -> str:
    """Return why a program cannot be installed; nothing when it can."""
    try:
        program.prepare()
    except UserError as error:
        return str(error)
    return ""


if __name__ == "__main__":
    torch.set_num_threads(1)
    cli.main(bench)
