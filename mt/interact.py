"""What `mt translate` does with its input: arguments, a file, a pipe, or a person at a terminal."""

import os
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from mt import alignments as words
from mt import plots
from mt.disk import decode_lines, read_lines
from mt.errors import UserError
from mt.progress import Meter
from mt.translate import Translation, Translator


@dataclass(frozen=True)
class Options:
    """How to search and what to write besides the translations."""

    beam: int | None = None
    length_penalty: float | None = None
    n_best: int = 1
    alignments: Path | None = None
    plot: Path | None = None


def run(translator: Translator, sentences: Sequence[str] | None, file: Path | None, options: Options) -> None:
    """Print one line for each line of input, or n_best lines of "score, tab, translation"."""
    if (options.alignments or options.plot) and not translator.has_attention:
        raise UserError("this model has no attention (model.attention.score: none), so there is no alignment to write")
    if sentences and file:
        raise UserError("give sentences or --input, not both")
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
    _write(_translate(translator, lines, options), options)
    return None


def _converse(translator: Translator, options: Options) -> None:
    print("One sentence a line; Ctrl-D ends.", file=sys.stderr)
    while True:
        try:
            line = input("> ").encode(errors="surrogateescape").decode(errors="replace")
        except EOFError:
            return
        _write(_translate(translator, [line], options), options)


def _translate(translator: Translator, lines: list[str], options: Options) -> list[Translation]:
    meter = Meter("translating", "line", len(lines))
    found = translator.translate(
        lines,
        beam=options.beam,
        length_penalty=options.length_penalty,
        n_best=options.n_best,
        alignments=bool(options.alignments or options.plot),
        progress=meter.add,
    )
    meter.close()
    return found


def _write(found: list[Translation], options: Options) -> None:
    for translation in found:
        if options.n_best == 1:
            print(translation.text)
        for one in translation.n_best:
            print(f"{one.score:.4f}\t{one.text}")
    if options.alignments:
        words.write_all(options.alignments, [translation.alignment or words.EMPTY for translation in found])
    drawn = next((translation.alignment for translation in found if translation.alignment and translation.text), None)
    if options.plot and drawn:
        plots.heat_map(options.plot, drawn.words, drawn.source_words, drawn.target_words)
