"""The `mt` command: parses, calls, prints."""

import json
import logging
import os
import sys
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Annotated, Literal

import typer

from mt.config.files import json_schema, read_config, to_yaml
from mt.core.errors import UserError

app = typer.Typer(
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    help="A small, exact laboratory for attention in machine translation.",
)
RUNS = Path("runs")
INTERRUPTED = 130
"""The exit code that Typer makes of Ctrl-C."""
Overrides = Annotated[list[str] | None, typer.Argument(help="Changes to it, such as model.hidden=128 train.epochs=3.")]
Run = Annotated[Path, typer.Argument(help="A run directory, such as runs/toy.")]
FROM_CONFIG = "Unset: the run's config."
Others = Annotated[
    list[Path] | None, typer.Option("--with", help="Another run of the same vocabulary, to make an ensemble.")
]
Beam = Annotated[int | None, typer.Option(min=1, help=f"Width of the beam; 1 is greedy search. {FROM_CONFIG}")]
Nearest = Annotated[
    int | None,
    typer.Option(min=0, help=f"So many moments of training vote; 0: none. {FROM_CONFIG}"),
]
Precision = Annotated[
    Literal["float32", "bfloat16"] | None, typer.Option(help=f"bfloat16 takes about half the time. {FROM_CONFIG}")
]
Symmetrisation = Literal["grow-diag-final-and", "intersection", "union"]
Reading = Literal["as-is", "shifted", "posterior"]
GoldFormat = Literal["pharaoh0", "pharaoh1", "naacl"]


@app.command()
def train(
    config: Annotated[
        str | None, typer.Argument(help="A YAML file, such as configs/toy.yaml. Unset: Multi30k, else gnt.")
    ] = None,
    overrides: Overrides = None,
    run: Annotated[
        Path | None, typer.Option(help="Where the model goes. Unset: runs/NAME, as the config is named.")
    ] = None,
    resume: Annotated[bool, typer.Option("--resume", help="Continue the run if it exists.")] = False,
    overwrite: Annotated[bool, typer.Option("--overwrite", help="Replace the run if it exists.")] = False,
) -> None:
    """Train a model; Ctrl-C saves, --resume continues."""
    from mt.commands.default import default_config
    from mt.training import experiment

    changes = list(overrides or [])
    if config is not None and "=" in config:
        changes, config = [config, *changes], None
    if config is None:
        path, why = default_config(RUNS, run)
        print(why)
    else:
        path = Path(config)
    tree = read_config(path, changes)
    finished = experiment.train(tree, run or RUNS / path.stem, resume=resume, overwrite=overwrite)
    raise typer.Exit(0 if finished else 130)


@app.command()
def eval(  # noqa: A001 (the command is called so)
    run: Annotated[Path | None, typer.Argument(help="A run directory. Unset: the one trained last.")] = None,
    split: Annotated[str | None, typer.Option(help="Unset: the corpus's main test split.")] = None,
    beam: Beam = None,
    plot: Annotated[
        bool, typer.Option("--plot", help="Also draw: the first sentence (PNG, SVG), the first 50 (HTML).")
    ] = False,
    papers: Annotated[
        bool, typer.Option("--papers", help="Also the papers' BLEU: lower case, Moses normalised and tokenized.")
    ] = False,
    novel: Annotated[
        bool, typer.Option("--novel", help="Also BLEU of the sources that no training source holds half of.")
    ] = False,
    others: Others = None,
    nearest: Nearest = None,
    precision: Precision = None,
) -> None:
    """Score a run: BLEU, chrF, TER with intervals; AER where gold is known; everything written to the run."""
    from mt.evaluation.evaluate import Asked, evaluate
    from mt.runs import run as runs

    scored = runs.Run(run) if run else runs.latest(RUNS)
    search = scored.config.search
    changes: dict[str, object] = {"beam": beam, "precision": precision}
    changes |= {"nearest": search.nearest.model_copy(update={"count": nearest})} if nearest is not None else {}
    search = search.model_copy(update={key: value for key, value in changes.items() if value is not None})
    ensemble = tuple(runs.Run(other) for other in others or [])
    evaluate(scored, Asked(split, search, ensemble, plot, papers, novel))


@app.command()
def datastore(run: Run) -> None:
    """Write what a run saw at each target piece of its training split, for --nearest (Khandelwal et al. 2021)."""
    from mt.neighbours.datastore import write_datastore
    from mt.runs import run as runs
    from mt.runs.lock import writing

    with writing(runs.Run(run)):
        count = write_datastore(runs.Run(run))
    print(f"{count:,} target pieces of the training split written to {run / runs.DATASTORE}")


@app.command()
def align(
    run: Run,
    split: Annotated[str | None, typer.Option(help="Pairs of the corpus. Unset: its main test split.")] = None,
    source: Annotated[Path | None, typer.Option(help="Instead of a split: a file, one sentence a line.")] = None,
    target: Annotated[Path | None, typer.Option(help="Its translation, line by line.")] = None,
    output: Annotated[
        Path | None, typer.Option(help="Write OUTPUT.npz, .jsonl and .pharaoh. Unset: RUN/align/SPLIT.")
    ] = None,
    reverse: Annotated[Path | None, typer.Option(help="A run from target to source, to symmetrise with.")] = None,
    symmetrise: Annotated[Symmetrisation | None, typer.Option(help="Unset: grow-diag-final-and.")] = None,
    layer: Annotated[
        int | None,
        typer.Option(min=1, help="Decoder layer. Unset, as the next three: RUN's choice; the last for the posterior."),
    ] = None,
    head: Annotated[int | None, typer.Option(min=0, help="Head; 0 is the mean over the heads.")] = None,
    read: Annotated[
        Reading | None, typer.Option(help="Which weights: of the step, of the next step, or the posterior.")
    ] = None,
    threshold: Annotated[
        float | None, typer.Option(min=0, max=1, help="Link all words whose weight is at least this; 0: argmax.")
    ] = None,
    gold: Annotated[Path | None, typer.Option(help="Gold links of white-space words. Unset: the corpus's.")] = None,
    gold_format: Annotated[GoldFormat | None, typer.Option(help="Pharaoh from 0 or 1, or NAACL style.")] = None,
    plot: Annotated[bool, typer.Option("--plot", help="Print the first pair's matrix.")] = False,
) -> None:
    """Align the words of given pairs; AER where gold is known. What is chosen applies to both directions."""
    from mt.commands import aligning as align
    from mt.runs import run as runs

    if symmetrise and not reverse:
        raise typer.BadParameter("it needs the other direction: --reverse RUN", param_hint="--symmetrise")
    pairs = align.Pairs(split, source, target, gold, gold_format)
    backward = align.Reverse(runs.Run(reverse), symmetrise or "grow-diag-final-and") if reverse else None
    if text := align.align(runs.Run(run), pairs, align.Wanted(layer, head, read, threshold), backward, output, plot):
        print(text)


@app.command()
def translate(
    run: Run,
    sentences: Annotated[list[str] | None, typer.Argument(help="What to translate. Unset: standard input.")] = None,
    input_file: Annotated[Path | None, typer.Option("--input", help="A file, one sentence a line.")] = None,
    others: Others = None,
    nearest: Nearest = None,
    precision: Precision = None,
    beam: Beam = None,
    length_penalty: Annotated[float | None, typer.Option(help=f"Rewards length. {FROM_CONFIG}")] = None,
    coverage_penalty: Annotated[float | None, typer.Option(help=f"Rewards reading all. {FROM_CONFIG}")] = None,
    no_repeat: Annotated[
        int | None, typer.Option(help=f"Never repeat so many pieces in a row; 0: may. {FROM_CONFIG}")
    ] = None,
    n_best: Annotated[int, typer.Option(min=1, help="Print so many of each line: its number, score, translation.")] = 1,
    sample: Annotated[bool | None, typer.Option(help=f"Draw translations at random. {FROM_CONFIG}")] = None,
    temperature: Annotated[float | None, typer.Option(help="Sampling: below 1 likelier, above 1 wilder.")] = None,
    top_k: Annotated[int | None, typer.Option(help="Sampling: only from so many pieces; 0: all.")] = None,
    top_p: Annotated[float | None, typer.Option(help="Sampling: only from the likeliest of this sum.")] = None,
    seed: Annotated[int | None, typer.Option(help="Sampling: another seed, other translations.")] = None,
    alignments: Annotated[Path | None, typer.Option(help="Write FILE.npz, FILE.jsonl and FILE.pharaoh.")] = None,
    picture: Annotated[
        Path | None, typer.Option(help="Draw the first line's alignment as .png, .svg or .pdf; all lines' as .html.")
    ] = None,
    plot: Annotated[bool, typer.Option("--plot", help="Draw each alignment in the terminal.")] = False,
) -> None:
    """Translate sentences, a file or standard input: one line out for each line in."""
    from mt.commands import translating as interact
    from mt.inference.load import load

    wishes = {"beam": beam, "length_penalty": length_penalty, "coverage_penalty": coverage_penalty}
    wishes |= {"no_repeat": no_repeat, "sample": sample, "temperature": temperature, "top_k": top_k, "top_p": top_p}
    try:
        translator = load(run, *others or [], nearest=nearest, precision=precision)
        changes = interact.changes(wishes | {"sample_seed": seed}, translator.settings)
        options = interact.Options(changes, n_best, alignments, picture, plot)
        interact.run(translator, sentences, input_file, options)
    except interact.UsageError as error:
        raise typer.BadParameter(str(error)) from None


@app.command()
def corpora() -> None:
    """List the corpora: size, languages, licence, citation, where from, and whether here already."""
    from mt.corpora import describe_corpora

    print(describe_corpora())


@app.command()
def config(
    file: Annotated[Path | None, typer.Argument(help="A YAML file.")] = None,
    overrides: Overrides = None,
    schema: Annotated[bool, typer.Option("--schema", help="Print a JSON Schema of config files instead.")] = False,
) -> None:
    """Print the whole resolved configuration of a file."""
    if schema:
        print(json.dumps(json_schema(), indent=2))
    elif file is None:
        raise typer.BadParameter("name a config file, or give --schema")
    else:
        print(to_yaml(read_config(file, overrides or [])), end="")


def main(program: Callable[..., None] | None = None) -> None:
    """Run `mt`, or one function as a program: exit code 0, 1 (failed; the reason on standard error), 2 (usage)."""
    logging.basicConfig(level=logging.WARNING, format="%(message)s", stream=sys.stderr)
    logging.getLogger("mt").setLevel(logging.INFO)
    try:
        app() if program is None else typer.run(program)
    except UserError as error:
        print(f"mt: {error}", file=sys.stderr)
        sys.exit(1)
    except SystemExit as end:
        if end.code != INTERRUPTED:
            raise
        with suppress(OSError):  # a reader that Ctrl-C ended too
            sys.stdout.flush()
        os._exit(INTERRUPTED)  # sys.exit would wait for the batches that other threads search
    except BrokenPipeError:
        sys.stderr.close()
        sys.exit(1)
    except OSError as error:  # a folder that may not be read, a device that is gone
        print(f"mt: {error.filename or ''}: {error.strerror or error}".replace(" : ", " "), file=sys.stderr)
        sys.exit(1)
