"""What is asked of the translations of `mt translate`: how they begin, what they say, and what is a sentence."""

import hashlib
import logging
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from mt.core.errors import UsageError, UserError
from mt.core.text import read_sentences

if TYPE_CHECKING:  # they import torch, which help and wrong options need not wait for
    from mt.export.translator import ExportedTranslator
    from mt.inference.translator import Translation, Translator

log = logging.getLogger("mt")
Begun = Annotated[str | None, typer.Option("--prefix", metavar="TEXT", help="How each translation begins.")]
BegunFile = Annotated[
    Path | None, typer.Option("--prefix-file", help="How each begins, line by line; an empty line leaves it open.")
]
Must = Annotated[
    list[str] | None, typer.Option("--must", metavar="WORD", help="A word, or words, that each translation has.")
]
MustNot = Annotated[list[str] | None, typer.Option("--must-not", metavar="WORD", help="One that no translation has.")]
GlossaryFile = Annotated[
    Path | None,
    typer.Option("--glossary", help="A file of lines source<TAB>target: where a line has the one, it has the other."),
]
Paragraphs = Annotated[
    bool, typer.Option("--paragraphs", help="Each line is a paragraph, whose sentences are translated one by one.")
]


@dataclass(frozen=True)
class Wishes:
    """What is asked, as it is written."""

    prefix: str | None = None
    prefix_file: Path | None = None
    must: tuple[str, ...] = ()
    must_not: tuple[str, ...] = ()
    glossary: Path | None = None
    paragraphs: bool = False

    def check(self, *, alone: bool) -> None:
        """Raise UsageError where wishes exclude each other; `alone`: whether texts are all that is to be made."""
        if self.prefix and self.prefix_file:
            raise UsageError("give --prefix for all lines, or --prefix-file for each, not both")
        if self.paragraphs and self.must:
            raise UsageError(
                "--paragraphs translates sentence by sentence, and each would have --must: give a --glossary"
            )
        if self.paragraphs and (self.prefix or self.prefix_file or not alone):
            raise UsageError(
                "--paragraphs gives one text for each paragraph, which is put together: leave out --prefix, --n-best, "
                "--sample, --alignments, --picture, --plot, --confidence and --json"
            )

    def describe(self) -> dict[str, Any]:
        """Return what changes with all that is asked, files included; nothing where nothing is."""
        told = {name: value for name, value in vars(self).items() if value}
        for name in {"prefix_file", "glossary"} & told.keys():
            told[name] = hashlib.sha256("\n".join(read_sentences(told[name])).encode()).hexdigest()
        plain = {name: list(one) if isinstance(one, tuple) else one for name, one in told.items()}
        return {"wishes": plain} if plain else {}

    def granter(self, translator: "Translator | ExportedTranslator") -> "Granter":
        """Return what translates by them. Raises UserError where a file cannot be read, or a library is missing."""
        return Granter(self, translator)


class Granter:
    """Translates lines as it is wished."""

    def __init__(self, wishes: Wishes, translator: "Translator | ExportedTranslator"):
        from mt.inference.glossary import Glossary, read_glossary
        from mt.inference.paragraphs import splitter
        from mt.inference.wording import Wording

        self.wishes, self.translator = wishes, translator
        pairs = read_glossary(wishes.glossary) if wishes.glossary else ()
        self.glossary = Glossary(pairs, Wording(wishes.must, wishes.must_not))
        self.prefixes = read_sentences(wishes.prefix_file) if wishes.prefix_file else None
        self.split = splitter(translator.languages[0]) if wishes.paragraphs else None

    def translate(self, lines: list[str], first: int, **options: Any) -> "list[Translation]":
        """Return the translations of lines, of which the first has that number among all."""
        from mt.inference.paragraphs import translate_paragraphs

        if self.split is None:
            wording = self.glossary.wordings(lines)
            prefixes = self._prefixes(first, len(lines))
            return self.translator.translate(lines, prefixes=prefixes, wording=wording, first=first, **options)
        progress = options.pop("progress", None)
        found = translate_paragraphs(
            lines,
            self.split,
            lambda some: self.translator.translate(some, wording=self.glossary.wordings(some), **options),
        )
        if progress:
            progress(len(lines))
        return found

    def must_fit(self, count: int | None) -> None:
        """Raise UserError where the file of prefixes has not as many lines as are to be translated; None: unknown."""
        if self.prefixes is not None and count is not None and len(self.prefixes) != count:
            raise self._misfit(f"{count:,} are to be translated")

    def tell_unused(self, count: int) -> None:
        """Say in the log where the file of prefixes has more lines than were translated."""
        if self.prefixes is not None and len(self.prefixes) > count:
            log.warning("%s", self._misfit(f"{count:,} were translated"))

    def _misfit(self, what: str) -> UserError:
        count = len(self.prefixes or ())
        return UserError(
            f"{self.wishes.prefix_file} has {count:,} line{'s' * (count != 1)}, and {what}: give one for each, "
            f"an empty one where nothing is given"
        )

    def _prefixes(self, first: int, count: int) -> Sequence[str] | None:
        """Return how these lines begin. Raises UserError where the file of prefixes has too few lines."""
        if self.prefixes is None:
            return [self.wishes.prefix] * count if self.wishes.prefix else None
        if len(self.prefixes) < first + count - 1:
            raise self._misfit("there are more to translate")
        return self.prefixes[first - 1 : first - 1 + count]
