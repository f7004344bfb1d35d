"""What `mt translate` does with its input: arguments, a file, a pipe, or a person at a terminal."""

import io
import itertools
import os
import shutil
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from mt.alignment.files import write_all
from mt.alignment.matrices import EMPTY
from mt.config import Search
from mt.core.errors import UserError
from mt.core.files import decode_lines, read_lines
from mt.core.progress import Meter
from mt.inference.translator import Translation, Translator
from mt.views.heat_map import heat_map
from mt.views.page import write_page
from mt.views.terminal import blocks

PICTURES = (".png", ".svg", ".pdf", ".html")
PENALTIES = ("length_penalty", "coverage_penalty")
SEARCHING = ("beam", *PENALTIES)
SAMPLING = ("temperature", "top_k", "top_p", "sample_seed")


class UsageError(UserError):
    """Options that cannot be, or not together. The command line exits with 2."""


@dataclass(frozen=True)
class Options:
    """How to search and what to make besides the translations."""

    search: dict[str, Any]
    """What is to differ from the run's search settings, as `changes` returns it."""
    n_best: int = 1
    alignments: Path | None = None
    picture: Path | None = None
    plot: bool = False


def changes(wishes: dict[str, Any], settings: Search) -> dict[str, Any]:
    """Return the wishes that are not None. Raises UsageError when one is impossible, or has no effect."""
    asked = {name: value for name, value in wishes.items() if value is not None}
    sample = asked.get("sample", settings.sample)
    for name in asked:
        if name in SAMPLING and not sample:
            raise UsageError(f"{_flag(name)} needs --sample")
        if name in SEARCHING and sample:
            raise UsageError(f"{_flag(name)} has no effect with --sample")
    try:
        Search.model_validate(asked)
    except ValidationError as error:
        first = error.errors()[0]
        reason = first["msg"][0].lower() + first["msg"][1:]
        raise UsageError(f"{_flag(str(first['loc'][0]))} is {first['input']}: {reason}") from None
    return asked


def _flag(name: str) -> str:
    return "--" + name.removeprefix("sample_").replace("_", "-")


def run(translator: Translator, sentences: Sequence[str] | None, file: Path | None, options: Options) -> None:
    """Print one line for each line of input, or up to n_best of "its number, score, translation"; below each, its plot.

    Raises UsageError when the options cannot be followed together, UserError when the input or the model is not fit.
    """
    if sentences and file:
        raise UsageError("give sentences or --input, not both")
    if options.picture and options.picture.suffix.lower() not in PICTURES:
        raise UsageError(f"cannot draw {options.picture}: the name must end in {', '.join(PICTURES)}")
    if (options.alignments or options.picture or options.plot) and not translator.has_attention:
        raise UserError("this model has no attention (model.attention.score: none), so there is no alignment to show")
    settings = translator.settings.model_copy(update=options.search)
    if settings.beam == options.n_best == 1 and not settings.sample and (idle := {*PENALTIES} & {*options.search}):
        raise UsageError(f"{_flag(min(idle))} has no effect with --beam 1")
    if sentences:
        lines = list(sentences)
        if wrong := [
            number for number, line in enumerate(lines, 1) if line != os.fsencode(line).decode(errors="replace")
        ]:
            raise UserError(f"sentence {wrong[0]} on the command line is not UTF-8")
    elif file:
        lines = read_lines(file)
    elif sys.stdin.isatty():
        return _converse(translator, options)
    else:
        lines = decode_lines(sys.stdin.buffer.read(), "standard input")
    return _write(_translate(translator, lines, options), options)


def _converse(translator: Translator, options: Options) -> None:
    if options.alignments or options.picture:
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
        _write(_translate(translator, [""] * before + [line], options), options, before)


def _translate(translator: Translator, lines: list[str], options: Options) -> list[Translation]:
    meter = Meter("translating", "line", len(lines))
    found = translator.translate(
        lines,
        translator.settings.model_copy(update=options.search),
        n_best=options.n_best,
        alignments=bool(options.alignments or options.picture or options.plot),
        progress=meter.add,
    )
    meter.close()
    return found


def _write(found: list[Translation], options: Options, done: int = 0) -> None:
    """Print and draw, but for the first `done`."""
    width = shutil.get_terminal_size().columns
    printed = [(number, one) for number, translation in enumerate(found[done:], done + 1) for one in translation.n_best]
    for number, one in printed:
        print(one.text if options.n_best == 1 else f"{number}\t{one.score:.4f}\t{one.text}")
        if options.plot and one.alignment and one.alignment.words.size:
            print(blocks(one.alignment.words, one.alignment.source_words, one.alignment.target_words, width))
    alignments = [one.alignment or EMPTY for _, one in printed]
    if options.alignments:
        write_all(options.alignments, alignments)
    if options.picture and options.picture.suffix.lower() == ".html":
        write_page(options.picture, alignments)
    elif options.picture:
        drawn = next((one for one in alignments if one.words.size), None)
        if drawn is None:
            raise UserError(f"no translation has words, so nothing is drawn in {options.picture}")
        heat_map(options.picture, drawn.words, drawn.source_words, drawn.target_words)
