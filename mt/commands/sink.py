"""Where the translations of a stream of lines go, part by part, and how far they have come."""

import hashlib
import logging
import sys
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import asdict
from types import TracebackType
from typing import TYPE_CHECKING, Any

from mt.commands.printing import Output, Picture, text_of
from mt.core.errors import UserError
from mt.core.growing import Growing, part_of

if TYPE_CHECKING:
    from mt.inference.translator import Translation
    from mt.text.words import Unit

log = logging.getLogger("mt")


class Sink:
    """Takes the translations of one part of the lines after another: prints them, or writes them to files.

    `asked` is what the translations of a file depend on: who goes on with it must ask the same. `looks_at` says in a
    picture what it shows.
    """

    def __init__(self, output: Output, unit: "Unit", asked: dict[str, Any], looks_at: str = ""):
        from mt.alignment.growing import GrowingAlignments, files_of

        self.output, self.hash = output, hashlib.sha256()
        aligned = files_of(output.alignments) if output.alignments else []
        paths = [*([output.file] if output.file else []), *aligned]
        self.growing = Growing(paths, asked if output.file else None, resume=output.resume) if paths else None
        self.picture = Picture(output.picture, unit, looks_at, is_page=output.is_page) if output.picture else None
        state = self.growing.state if self.growing else {}
        self.lines, self.before = state.get("lines", 0), state.get("hash", "")
        """How many lines are translated, and the fingerprint of those that were so at the start."""
        self.outputs: dict[str, int] | None = state.get("outputs")
        self.alignments = None
        if self.growing and aligned:
            self.alignments = GrowingAlignments(self.growing.files[-len(aligned) :], state.get("alignments", 0))

    def __enter__(self) -> "Sink":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self.growing:
            self.growing.__exit__(kind, error, trace)
        if kind is not None and self.output.file and self.lines:
            log.info(
                "%s holds the translations of the first %d lines: the same command with --resume goes on after them",
                part_of(self.output.file),
                self.lines,
            )

    def rest(self, parts: Iterable[list[str]]) -> Iterator[list[str]]:
        """Yield the lines that are not translated yet. Raises UserError where those before have changed."""
        left = self.lines
        for part in parts:
            done, new = part[:left], part[left:]
            left -= len(done)
            self._know(done)
            if done and not left and self.hash.hexdigest() != self.before:
                raise UserError(f"the first {self.lines} lines are not those that {self._begun} was made of")
            if new:
                yield new
        if left:
            raise UserError(f"there are fewer lines than the {self.lines} that {self._begun} was made of")

    def add(self, lines: Sequence[str], found: "Sequence[Translation]") -> None:
        """Print and draw the translations of the next lines."""
        from mt.alignment.matrices import EMPTY

        printed = [(number, one) for number, best in enumerate(found, self.lines + 1) for one in best.n_best]
        if not self.output.file:
            for text in text_of(printed, self.output):
                print(text)
        if self.growing:
            with self.growing.writing():
                if self.output.file:
                    self.growing.files[0].writelines(f"{text}\n".encode() for text in text_of(printed, self.output))
                if self.alignments:
                    self.alignments.add([one.alignment or EMPTY for _, one in printed])
        if self.picture:
            self.picture.add(printed)
        self._know(lines)
        self._count(lines, found)
        self.lines += len(lines)
        self._keep()

    def close(self) -> None:
        """Give the files their names, and warn of what is not whole. Raises UserError where nothing can be drawn."""
        from mt.inference.outputs import warn_of
        from mt.runs.scores import Outputs

        if self.growing and self.alignments:
            with self.growing.writing():
                self.alignments.close()
        if self.growing:
            self.growing.finish(self.growing.paths[-1:] if self.alignments else ())
        if self.outputs:
            warn_of(Outputs(**self.outputs))
        if self.picture:
            self.picture.close()

    @property
    def _begun(self) -> str:
        return str(part_of(self.output.file)) if self.output.file else ""

    def _know(self, lines: Sequence[str]) -> None:
        for line in lines:
            self.hash.update(f"{line}\n".encode(errors="surrogatepass"))

    def _count(self, lines: Sequence[str], found: "Sequence[Translation]") -> None:
        from mt.inference.outputs import count_outputs
        from mt.runs.scores import Outputs

        before = Outputs(**self.outputs) if self.outputs else None
        self.outputs = asdict(count_outputs(lines, found, before))

    def _keep(self) -> None:
        """Let what is finished be seen, and outlive what may end this process."""
        if self.output.file and self.growing:
            count = self.alignments.count if self.alignments else 0
            state = {"lines": self.lines, "hash": self.hash.hexdigest(), "outputs": self.outputs, "alignments": count}
            self.growing.keep(state)
        else:
            sys.stdout.flush()
