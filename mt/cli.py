"""The `mt` command: parses, calls, prints."""

import json
import logging
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Annotated

import typer

from mt.errors import UserError

app = typer.Typer(no_args_is_help=True, add_completion=False, pretty_exceptions_enable=False,
                  help="A small, exact laboratory for attention in machine translation.")  # fmt: skip
RUNS = Path("runs")
Overrides = Annotated[list[str] | None, typer.Argument(help="Changes to it, such as model.hidden=128 train.epochs=3.")]
Run = Annotated[Path, typer.Argument(help="A run directory, such as runs/toy.")]
Beam = Annotated[
    int | None, typer.Option(min=1, help="Width of the beam; 1 is greedy search. Unset: the run's config.")
]


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
    from mt import config_file, experiment
    from mt.default import default_config

    changes = list(overrides or [])
    if config is not None and "=" in config:
        changes, config = [config, *changes], None
    if config is None:
        path, why = default_config(RUNS)
        print(why)
    else:
        path = Path(config)
    tree = config_file.load(path, changes)
    finished = experiment.train(tree, run or RUNS / path.stem, resume=resume, overwrite=overwrite)
    raise typer.Exit(0 if finished else 130)


@app.command()
def eval(  # noqa: A001 (the command is called so)
    run: Annotated[Path | None, typer.Argument(help="A run directory. Unset: the one trained last.")] = None,
    split: Annotated[str | None, typer.Option(help="Unset: the corpus's main test split.")] = None,
    beam: Beam = None,
    plot: Annotated[bool, typer.Option("--plot", help="Also draw the first sentence's alignment as PNG.")] = False,
) -> None:
    """Score a run: BLEU, chrF, TER with intervals; AER where gold is known; everything written to the run."""
    from mt import checkpoint, evaluate

    evaluate.evaluate(run or checkpoint.latest(RUNS), split, beam, plot)


@app.command()
def translate(
    run: Run,
    sentences: Annotated[list[str] | None, typer.Argument(help="What to translate. Unset: standard input.")] = None,
    input_file: Annotated[Path | None, typer.Option("--input", help="A file, one sentence a line.")] = None,
    beam: Beam = None,
    length_penalty: Annotated[float | None, typer.Option(min=0, help="Unset: the run's config.")] = None,
    n_best: Annotated[int, typer.Option(min=1, help="Print so many translations of each line, with scores.")] = 1,
    alignments: Annotated[Path | None, typer.Option(help="Write FILE.npz, FILE.jsonl and FILE.pharaoh.")] = None,
    plot: Annotated[Path | None, typer.Option(help="Draw the first line's alignment as PNG.")] = None,
) -> None:
    """Translate sentences, a file or standard input: one line out for each line in."""
    from mt import interact
    from mt.translate import load

    options = interact.Options(beam, length_penalty, n_best, alignments, plot)
    interact.run(load(run), sentences, input_file, options)


@app.command()
def corpora() -> None:
    """List the corpora: size, languages, licence, citation, where from, and whether here already."""
    from mt.corpora import describe

    print(describe())


@app.command()
def config(
    file: Annotated[Path | None, typer.Argument(help="A YAML file.")] = None,
    overrides: Overrides = None,
    schema: Annotated[bool, typer.Option("--schema", help="Print a JSON Schema of config files instead.")] = False,
) -> None:
    """Print the whole resolved configuration of a file."""
    from mt import config_file

    if schema:
        print(json.dumps(config_file.json_schema(), indent=2))
    elif file is None:
        raise typer.BadParameter("name a config file, or give --schema")
    else:
        print(config_file.to_yaml(config_file.load(file, overrides or [])), end="")


def main(program: Callable[..., None] | None = None) -> None:
    """Run `mt`, or one function as a program: exit code 0, 1 (failed; the reason on standard error), 2 (usage)."""
    logging.basicConfig(level=logging.WARNING, format="%(message)s", stream=sys.stderr)
    logging.getLogger("mt").setLevel(logging.INFO)
    try:
        app() if program is None else typer.run(program)
    except UserError as error:
        print(f"mt: {error}", file=sys.stderr)
        sys.exit(1)
    except KeyboardInterrupt:
        sys.exit(130)
    except BrokenPipeError:
        sys.stderr.close()
        sys.exit(1)
