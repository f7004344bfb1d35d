"""`mt translate`: arguments, a file, a pipe, or a person at a terminal."""

import io
import itertools
import json
import os
import shutil
import sys
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from mt.commands.options import CHANGES, Others, RunPath
from mt.config import Search
from mt.config.overrides import KEYS, change, parse_changes
from mt.core.errors import UsageError, UserError
from mt.core.progress import Meter
from mt.core.text import decode_sentences, read_sentences

if TYPE_CHECKING:  # they import torch, which help and wrong options need not wait for
    from mt.inference.translator import Translation, Translator
    from mt.runs.run import Run
    from mt.text.words import Unit

MEANING = {name: field.description for name, field in Search.model_fields.items()}
PICTURES = (".png", ".svg", ".pdf", ".html")
UNDERLINED, BRACKETS = ("\x1b[4m", "\x1b[24m"), ("[", "]")
"""What stands around a word to check, on a terminal and elsewhere."""
Confident = Annotated[
    bool,
    typer.Option(
        "--confidence",
        help="Before each, the probability that it is good and the TER to expect; words to check are marked.",
    ),
]
AsJson = Annotated[
    bool, typer.Option("--json", help="Print an object of JSON for each translation, with all that is known of it.")
]


def translate(
    run: RunPath,
    sentences: Annotated[list[str] | None, typer.Argument(help="What to translate. Unset: standard input.")] = None,
    input_file: Annotated[Path | None, typer.Option("--input", help="A file, one sentence a line.")] = None,
    others: Others = None,
    beam: Annotated[int | None, typer.Option("--beam", "-b", metavar="N", help=MEANING["beam"])] = None,
    n_best: Annotated[
        int, typer.Option("--n-best", "-n", min=1, help="Print so many of each line: its number, score, translation.")
    ] = 1,
    sample: Annotated[bool, typer.Option("--sample", help=MEANING["sample"])] = False,
    settings: Annotated[list[str] | None, typer.Option("--set", metavar="KEY=VALUE", help=CHANGES)] = None,
    alignments: Annotated[Path | None, typer.Option(help="Write FILE.npz, FILE.jsonl and FILE.pharaoh.")] = None,
    picture: Annotated[
        Path | None, typer.Option(help="Draw the first line's alignment as .png, .svg or .pdf; all lines' as .html.")
    ] = None,
    plot: Annotated[bool, typer.Option("--plot", help="Draw each alignment in the terminal.")] = False,
    confidence: Confident = False,
    as_json: AsJson = False,
) -> None:
    """Translate sentences, a file or standard input: one line out for each line in."""
    short = ([f"search.beam={beam}"] if beam is not None else []) + (["search.sample=true"] if sample else [])
    long = settings or []
    for option in short:
        key = option.partition("=")[0]
        if any(setting.startswith(f"{key}=") for setting in long):
            raise UsageError(f"{key} is given twice, by its short option and by --set: give it once")
    changes = parse_changes([*short, *long])
    if "metrics" in changes:
        raise UsageError("metrics.* says how a split is scored: give it to `mt eval`")
    if changed := [sentence for sentence in sentences or [] if sentence.partition("=")[0] in KEYS]:
        raise UsageError(f"{changed[0]} is a setting, not a sentence: write --set {changed[0]}")
    if sentences and input_file:
        raise UsageError("give sentences or --input, not both")
    if picture and picture.suffix.lower() not in PICTURES:
        raise UsageError(f"cannot draw {picture}: the name must end in {', '.join(PICTURES)}")
    from mt.inference.load import translator_of
    from mt.runs.run import Run

    first, ensemble = Run(run), [Run(other) for other in others or []]
    config = change(first.config, changes, n_best)
    translator = translator_of(first, ensemble, config)
    if confidence and not ensemble:
        prepare(first)
    raw = getattr(first.config.corpus, "raw", False)
    output = Output(n_best, alignments, picture, plot, confidence, as_json)
    write_translations(translator, sentences, input_file, output, raw=raw)


def prepare(run: "Run") -> None:
    """Fit confidence where that has not been done for these weights: by what bound a sentence is good, is kept."""
    from mt.evaluation.confidence import fit_for_run
    from mt.runs.confidence import read_fitted

    if read_fitted(run) is None:
        fit_for_run(run, run.config)


@dataclass(frozen=True)
class Output:
    """What to make besides the translations, and how many of each line."""

    n_best: int = 1
    alignments: Path | None = None
    picture: Path | None = None
    plot: bool = False
    confidence: bool = False
    as_json: bool = False


def write_translations(
    translator: "Translator", sentences: Sequence[str] | None, file: Path | None, output: Output, *, raw: bool = False
) -> None:
    """Print one line for each line of input, or up to n_best of "its number, score, translation"; below each, its plot.

    A file is read as a corpus that is `raw`, or is not; of standard input each line is a sentence, markup or not.
    Raises UsageError when files are asked for at the prompt, UserError when the input or the model is not fit.
    """
    if (output.alignments or output.picture or output.plot) and not translator.has_attention:
        raise UserError("this model has no attention (model.attention.score: none), so there is no alignment to show")
    page = output.picture and output.picture.suffix.lower() == ".html"
    if page and output.confidence and translator.unit == "pieces":
        raise UsageError("--confidence marks words on a page, and pieces are none: leave alignment.unit as words")
    if sentences:
        lines = list(sentences)
        if wrong := [
            number for number, line in enumerate(lines, 1) if line != os.fsencode(line).decode(errors="replace")
        ]:
            raise UserError(f"sentence {wrong[0]} on the command line is not UTF-8")
    elif file:
        lines = read_sentences(file, raw=raw)
    elif sys.stdin.isatty():
        return _converse(translator, output)
    else:
        lines = decode_sentences(sys.stdin.buffer.read(), "standard input", raw=raw)
    return _write(_translate(translator, lines, output), output, translator.unit)


def _converse(translator: "Translator", output: Output) -> None:
    if output.alignments or output.picture:
        raise UsageError(
            "at the prompt each line would replace the files of the line before: give --alignments and --picture with "
            "sentences, --input or a pipe; --plot draws here"
        )
    print("One sentence a line; Ctrl-D ends.", file=sys.stderr)
    if isinstance(sys.stdin, io.TextIOWrapper):
        sys.stdin.reconfigure(errors="surrogateescape")
    for before in itertools.count():
        print("> ", end="", file=sys.stderr, flush=True)  # standard output is for translations
        try:
            line = input().encode(errors="surrogateescape").decode(errors="replace")
        except EOFError:
            return
        # Blank lines in place of those before it: its number decides its samples, and is what warnings say.
        _write(_translate(translator, [""] * before + [line], output), output, translator.unit, before)


def _translate(translator: "Translator", lines: list[str], output: Output) -> "list[Translation]":
    from mt.inference.outputs import count_outputs

    meter = Meter("translating", "line", len(lines))
    found = translator.translate(
        lines,
        n_best=output.n_best,
        alignments=bool(output.alignments or output.picture or output.plot),
        confidence=output.confidence,
        progress=meter.add,
    )
    meter.close()
    count_outputs(lines, found)
    return found


def _fields(number: int, one: "Translation", output: Output) -> list[str]:
    """Return what stands in the line of a translation, of which the last is its text."""
    from mt.inference.confidence import mark

    fields = [] if output.n_best == 1 else [str(number), f"{one.score:.4f}"]
    if not output.confidence:
        return [*fields, one.text]
    if one.confidence is None:
        return [*fields, "", "", one.text]
    signs = UNDERLINED if sys.stdout.isatty() else BRACKETS
    return [*fields, f"{one.confidence.good:.2f}", f"{one.confidence.ter:.0f}", mark(one.text, one.confidence, signs)]


def _checks(one: "Translation", unit: "Unit") -> dict[int, float]:
    """Return what to check of what an alignment is in, by its number, with the probability that the word is wrong."""
    from mt.text.words import spans_of

    words = [word for word in one.confidence.words if word.check] if one.confidence else []
    return {
        number: word.wrong
        for number, (start, stop) in enumerate(spans_of(one.text, unit) if words else ())
        for word in words
        if start < word.span[1] and stop > word.span[0]
    }


def to_json(number: int, one: "Translation") -> str:
    """Return a translation as a line of JSON: the number of its line, its text, its score, and confidence in it."""
    told: dict[str, Any] = {"line": number, "text": one.text, "score": one.score}
    if one.confidence:
        words = [asdict(word) | {"check": word.check} for word in one.confidence.words]
        told["confidence"] = asdict(one.confidence) | {"words": words}
    return json.dumps(told, ensure_ascii=False)


def _write(found: "list[Translation]", output: Output, unit: "Unit", done: int = 0) -> None:
    """Print and draw, but for the first `done`."""
    from mt.alignment.files import write_all
    from mt.alignment.matrices import EMPTY
    from mt.views.heat_map import heat_map
    from mt.views.page import write_page
    from mt.views.terminal import blocks

    width = shutil.get_terminal_size().columns
    printed = [(number, one) for number, translation in enumerate(found[done:], done + 1) for one in translation.n_best]
    for number, one in printed:
        print(to_json(number, one) if output.as_json else "\t".join(_fields(number, one, output)))
        if output.plot and one.alignment and one.alignment.words.size:
            print(blocks(one.alignment.words, one.alignment.source_words, one.alignment.target_words, width))
    alignments = [one.alignment or EMPTY for _, one in printed]
    if output.alignments:
        write_all(output.alignments, alignments)
    if output.picture and output.picture.suffix.lower() == ".html":
        write_page(output.picture, alignments, checks=[_checks(one, unit) for _, one in printed])
    elif output.picture:
        drawn = next((one for one in alignments if one.words.size), None)
        if drawn is None:
            raise UserError(f"no translation has words, so nothing is drawn in {output.picture}")
        heat_map(output.picture, drawn)
