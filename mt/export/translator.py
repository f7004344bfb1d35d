"""Lines in, translations out, by an exported model. No torch."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from mt.alignment.matrices import EMPTY
from mt.config import Search
from mt.config.exported import Exported, positions_of
from mt.config.overrides import change
from mt.core.errors import UserError
from mt.core.progress import Progress
from mt.export.ctranslate_engine import CTranslateModel
from mt.export.folder import read_export, read_vocabularies
from mt.export.onnx_engine import OnnxModel
from mt.export.search import Hypothesis, Sentence
from mt.inference.lines import Asked, Line, Prefixes, read_lines
from mt.inference.translation import Translation, distinct, write
from mt.inference.wording import NOTHING, Wording

ENGINES: dict[str, Callable[[Path, Exported], CTranslateModel | OnnxModel]] = {
    "ctranslate2": CTranslateModel,
    "onnx": OnnxModel,
}


class ExportedTranslator:
    """An exported model, its vocabularies and its search settings: it translates as `mt.inference.Translator` does."""

    def __init__(self, folder: Path, told: Exported):
        self.told, self.settings, self.unit = told, told.search, told.alignment.unit
        self.tokenizers = read_vocabularies(folder, told)
        self.languages = told.source, told.target
        self.has_attention = told.model.has_attention
        self.looks_at = f"Attention of an exported model, by {told.engine}"
        _refuse(told, told.search)
        self.engine = ENGINES[told.engine](folder, told)

    def translate(
        self,
        lines: str | Iterable[str],
        settings: Search | None = None,
        *,
        n_best: int = 1,
        alignments: bool = True,
        prefixes: Prefixes = None,
        wording: Wording | Sequence[Wording] | None = None,
        confidence: bool = False,
        first: int = 1,
        progress: Progress | None = None,
    ) -> list[Translation]:
        """Translate each line; an empty line gives an empty translation. A text alone is a list of one.

        As `mt.inference.Translator.translate`. Raises UserError where a setting is not one of the engine's.
        """
        settings, progress = settings or self.settings, progress or (lambda count: None)
        _refuse(self.told, settings)
        if confidence:
            raise UserError(f"{self.told.engine} tells no confidence: leave --confidence out, or translate by the run")
        every = read_lines(self.tokenizers, settings.max_source, first, Asked(lines, prefixes, wording=wording))
        if any(line.wording != NOTHING for line in every):
            raise UserError(f"{self.told.engine} takes no words that must or must not be said: translate by the run")
        found = [Translation(alignment=EMPTY if alignments and self.has_attention else None)] * len(every)
        rows = sorted((row for row, line in enumerate(every) if line.source), key=lambda row: len(every[row].source))
        progress(len(every) - len(rows))
        spares = settings.distinct and n_best > 1
        for start in range(0, len(rows), settings.batch):
            some = rows[start : start + settings.batch]
            sentences = [_sentence(every[row], settings) for row in some]
            many = max(settings.beam, n_best) if spares else n_best
            answers = self.engine.search(sentences, settings, many, attention=alignments)
            for row, sentence, answer in zip(some, sentences, answers, strict=True):
                if not answer:
                    raise UserError(f"no translation of {every[row].text!r} has any probability")
                made = [self._write(every[row], one, sentence.limit, alignments) for one in answer]
                best, *others = distinct(made)[:n_best] if spares else made
                found[row] = replace(best, others=tuple(others))
            progress(len(some))
        return found

    def _write(self, line: Line, found: Hypothesis, limit: int, alignments: bool) -> Translation:
        return write(self.tokenizers, self.unit, line, found, limit, found.attention if alignments else None)


def _sentence(line: Line, settings: Search) -> Sentence:
    limit = int(len(line.source) * settings.max_ratio + settings.max_extra)
    return Sentence(line.source, line.prefix, max(limit, len(line.prefix) + 1))


def open_export(folder: Path, changes: dict[str, Any], n_best: int = 1) -> ExportedTranslator:
    """Return the translator of an exported model, with changes as `parse_changes` returns them."""
    return ExportedTranslator(folder, change(read_export(folder), changes, n_best))


def _refuse(told: Exported, settings: Search) -> None:
    """Raise UserError that names a setting that the engine has not."""
    positions = positions_of(settings)
    lacking = {
        "search.sample=false": settings.sample,
        "search.coverage_penalty=0": settings.coverage_penalty,
        "search.no_repeat=0": settings.no_repeat,
        "search.precision=float32": settings.precision != "float32",
        "search.nearest.count=0": settings.nearest.count,
        "search.max_source to less": told.model.positions is not None and positions > told.model.positions,
    }
    for remedy, lacks in lacking.items():
        if lacks:
            key = remedy.replace(" ", "=").partition("=")[0]
            raise UserError(f"{told.engine} has no {key} here: set {remedy}, or translate by the run itself")
