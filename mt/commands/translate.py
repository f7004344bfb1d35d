"""`mt translate`: arguments, a file, a pipe, or a person at a terminal."""

import logging
import os
import sys
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from mt.commands.options import CHANGES, Others, RunPath, loading, open_run
from mt.commands.printing import PAGE, Output, text_of
from mt.commands.prompt import typed
from mt.commands.sink import Sink
from mt.commands.wishes import Begun, BegunFile, GlossaryFile, Granter, Must, MustNot, Paragraphs, Wishes
from mt.config import Search
from mt.config.overrides import KEYS, change, parse_changes
from mt.core.arriving import count_lines, from_file, from_pipe
from mt.core.errors import UsageError, UserError
from mt.core.files import is_packed_by_name, must_be_writable
from mt.core.growing import journal_of
from mt.core.progress import Meter, Progress
from mt.export.folder import is_export

if TYPE_CHECKING:  # they import torch, which help and wrong options need not wait for
    from mt.export.translator import ExportedTranslator
    from mt.inference.translation import Translation
    from mt.inference.translator import Translator
    from mt.runs.run import Run

log = logging.getLogger("mt")
MEANING = {name: field.description for name, field in Search.model_fields.items()}
NONE = Wishes()
PICTURES = (".png", ".svg", ".pdf", ".html")
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
Drawn = Annotated[
    Path | None,
    typer.Option("--picture", help=f"Draw the first alignment as .png, .svg or .pdf; the first {PAGE} as .html."),
]
Written = Annotated[
    Path | None,
    typer.Option("--output", "-o", help="Write the translations to a file; until all is done they are in FILE.part."),
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
    output: Written = None,
    resume: Annotated[bool, typer.Option("--resume", help="Go on after what FILE.part of --output holds.")] = False,
    alignments: Annotated[Path | None, typer.Option(help="Write FILE.npz, FILE.jsonl and FILE.pharaoh.")] = None,
    picture: Drawn = None,
    plot: Annotated[bool, typer.Option("--plot", help="Draw each alignment in the terminal.")] = False,
    confidence: Confident = False,
    as_json: AsJson = False,
    prefix: Begun = None,
    prefix_file: BegunFile = None,
    must: Must = None,
    must_not: MustNot = None,
    glossary: GlossaryFile = None,
    paragraphs: Paragraphs = False,
) -> None:
    """Translate sentences, a file or standard input: one line out for each line in, as they come."""
    changes = _changes(beam, sample, settings or [])
    _check_sentences(sentences, input_file)
    made = Output(n_best, alignments, picture, plot, confidence, as_json, output, resume)
    wishes = Wishes(prefix, prefix_file, tuple(must or []), tuple(must_not or []), glossary, paragraphs)
    _must_fit(made, wishes, sample=bool(changes.get("search", {}).get("sample")))
    if is_export(run):
        exported = _exported(run, others, changes, made)
        of = [exported.told.run]
        return write_translations(exported, sentences, input_file, made, weights=of, wishes=wishes)
    members = [open_run(run), *map(open_run, others or [])]
    first, *ensemble = members
    config = change(first.config, changes, n_best)
    with loading():
        from mt.inference.load import translator_of

        translator = translator_of(first, ensemble, config)
    if confidence and not ensemble:
        prepare(first)
    raw = getattr(first.config.corpus, "raw", False)
    weights = [one.fingerprint for one in members] if output else []
    return write_translations(translator, sentences, input_file, made, raw=raw, weights=weights, wishes=wishes)


def _check_sentences(sentences: Sequence[str] | None, file: Path | None) -> None:
    """Raise UsageError where it is not clear what is to be translated."""
    if changed := [sentence for sentence in sentences or [] if sentence.partition("=")[0] in KEYS]:
        raise UsageError(f"{changed[0]} is a setting, not a sentence: write --set {changed[0]}")
    if sentences and file:
        raise UsageError("give sentences or --input, not both")


def _exported(
    folder: Path, others: Sequence[Path] | None, changes: dict[str, Any], output: Output
) -> "ExportedTranslator":
    """Return what translates by a model that `mt export` has written, without torch."""
    if others:
        raise UsageError(f"{folder} is an exported model, which joins no ensemble: leave --with out")
    from mt.export.translator import open_export

    return open_export(folder, changes, output.n_best)


def _changes(beam: int | None, sample: bool, settings: Sequence[str]) -> dict[str, Any]:
    """Return the changes that are asked for. Raises UsageError where one is given twice, or is not for translating."""
    short = ([f"search.beam={beam}"] if beam is not None else []) + (["search.sample=true"] if sample else [])
    for option in short:
        key = option.partition("=")[0]
        if any(setting.startswith(f"{key}=") for setting in settings):
            raise UsageError(f"{key} is given twice, by its short option and by --set: give it once")
    changes = parse_changes([*short, *settings])
    if "metrics" in changes:
        raise UsageError("metrics.* says how a split is scored: give it to `mt eval`")
    return changes


def _must_fit(output: Output, wishes: Wishes, *, sample: bool) -> None:
    """Raise UsageError where files or translations that are asked for cannot be, or not together."""
    wishes.check(alone=not sample and output == Output(file=output.file, resume=output.resume))
    if sample and (wishes.must or wishes.glossary):
        raise UsageError("a sample is drawn, and not searched for what it must say: leave out --sample")
    if output.picture and output.picture.suffix.lower() not in PICTURES:
        raise UsageError(f"cannot draw {output.picture}: the name must end in {', '.join(PICTURES)}")
    if output.resume and not output.file:
        raise UsageError("--resume goes on with a file: name it with --output")
    if output.resume and output.picture:
        raise UsageError("--picture shows the first lines, and --resume goes on after them: leave one of them out")
    if output.plot and output.file:
        raise UsageError("--plot draws in the terminal, where --output writes no translations: leave one of them out")


def prepare(run: "Run") -> None:
    """Fit confidence where that has not been done for these weights: by what bound a sentence is good, is kept."""
    from mt.evaluation.confidence import fit_for_run
    from mt.runs.confidence import read_fitted

    if read_fitted(run) is None:
        fit_for_run(run, run.config)


def write_translations(
    translator: "Translator | ExportedTranslator",
    sentences: Sequence[str] | None,
    file: Path | None,
    output: Output,
    *,
    raw: bool = False,
    weights: Sequence[str] = (),
    wishes: Wishes = NONE,
) -> None:
    """Print one line for each line of input, or up to n_best of "its number, score, translation"; below each, its plot.

    Lines are translated in parts as they come, each part is printed at once, and a line has its number among all. A
    file is read as a corpus that is `raw`, or is not; of standard input each line is a sentence, markup or not.
    `weights` are fingerprints of the models: what is resumed must have been begun with the same. Raises UsageError when
    files are asked for at the prompt, UserError when the input or the model is not fit.
    """
    _check(translator, output)
    granter = wishes.granter(translator)
    if not sentences and not file and sys.stdin.isatty():
        return _converse(granter, output)
    if output.resume and output.file and output.file.exists() and not journal_of(output.file).exists():
        log.info("%s is whole already; without --resume it is translated anew", output.file)
        return None
    parts, total = _input(sentences, file, raw=raw)
    granter.must_fit(total)
    asked: dict[str, Any] = {
        "weights": list(weights),
        "settings": translator.settings.model_dump(mode="json"),
        "unit": translator.unit,
        "n_best": output.n_best,
        "confidence": output.confidence,
        "json": output.as_json,
        "alignments": str(output.alignments),
        **wishes.describe(),
    }
    with Sink(output, translator.unit, asked, translator.looks_at) as sink:
        meter = Meter("translating", "line", total, sink.lines)
        try:
            for lines in sink.rest(parts):
                found = _translate(granter, lines, output, sink.lines + 1, meter.add)
                meter.clear()
                sink.add(lines, found)
        finally:
            meter.close()
        sink.close()
    granter.tell_unused(sink.lines)
    if output.file:
        log.info("%d lines translated; written to %s", sink.lines, output.file)
    return None


def _check(translator: "Translator | ExportedTranslator", output: Output) -> None:
    """Raise UserError, before anything is translated, where what is asked for besides cannot be."""
    if (output.alignments or output.picture or output.plot) and not translator.has_attention:
        raise UserError("this model has no attention (model.attention.score: none), so there is no alignment to show")
    if output.is_page and output.confidence and translator.unit == "pieces":
        raise UsageError("--confidence marks words on a page, and pieces are none: leave alignment.unit as words")
    if output.file and is_packed_by_name(output.file):
        raise UsageError(f"--output is not compressed: leave {output.file.suffix} out of its name")
    for path in (output.picture, output.file):
        if path:
            must_be_writable(path)


def _input(sentences: Sequence[str] | None, file: Path | None, *, raw: bool) -> tuple[Iterable[list[str]], int | None]:
    """Return the lines to translate, in parts, and how many there are, where that is known."""
    if file:
        return from_file(file, raw=raw), count_lines(file)
    if not sentences:
        return from_pipe(sys.stdin.buffer, "standard input", raw=raw), None
    lines = list(sentences)
    wrong = [number for number, line in enumerate(lines, 1) if line != os.fsencode(line).decode(errors="replace")]
    if wrong:
        raise UserError(f"sentence {wrong[0]} on the command line is not UTF-8")
    return [lines], len(lines)


def _converse(granter: Granter, output: Output) -> None:
    if granter.wishes.prefix_file:
        raise UsageError("--prefix-file has a line for each that is translated: give sentences, --input or a pipe")
    if output.alignments or output.picture or output.file:
        raise UsageError(
            "at the prompt each line would replace the files of the line before: give --output, --alignments and "
            "--picture with sentences, --input or a pipe; --plot draws here"
        )
    from mt.inference.outputs import count_outputs, warn_of

    print("One sentence a line; Ctrl-D ends.", file=sys.stderr)
    for number, line in enumerate(typed(f"{granter.translator.languages[0]} > "), 1):
        found = _translate(granter, [line], output, number)
        for text in text_of([(number, one) for one in found[0].n_best], output):
            print(text, flush=True)
        warn_of(count_outputs([line], found))


def _translate(
    granter: Granter, lines: list[str], output: Output, first: int, progress: Progress | None = None
) -> "list[Translation]":
    return granter.translate(
        lines,
        first,
        n_best=output.n_best,
        alignments=bool(output.alignments or output.picture or output.plot),
        confidence=output.confidence,
        progress=progress,
    )
