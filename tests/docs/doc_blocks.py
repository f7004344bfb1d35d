"""What the pages for readers hold besides prose: blocks of code, the commands in them, and code within a line."""

import re
import shlex
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from textwrap import dedent

ROOT = Path(__file__).parents[2]
PAGES = sorted([ROOT / "README.md", ROOT / "CHANGELOG.md", ROOT / "data/README.md", *(ROOT / "docs").rglob("*.md")])
PROGRAMS = {"mt", "make", "python", "pip", "source", "cat"}
SEPARATORS = {"&&", ";", "|", ">"}


@dataclass(frozen=True)
class Block:
    """Lines of code, without their indentation. `line` is the number of the first, from 1."""

    page: Path
    line: int
    text: str

    @property
    def name(self) -> str:
        return f"{self.page.relative_to(ROOT)}:{self.line}"


def blocks(page: Path) -> list[Block]:
    """Return the blocks of a page: between fences, or indented by four spaces after an empty line."""
    found: list[tuple[int, list[str]]] = []
    fenced = inside = False
    before = ""
    for number, line in enumerate(page.read_text(encoding="utf-8").splitlines(), 1):
        if line.startswith("```"):
            fenced = not fenced
            if fenced:
                found.append((number + 1, []))
        elif fenced:
            found[-1][1].append(line)
        elif line.startswith("    ") and (inside or not before.strip()):
            if not inside:
                found.append((number, []))
            inside = True
            found[-1][1].append(line)
        elif inside and not line.strip():
            found[-1][1].append("")
        else:
            inside = False
        before = line
    return [Block(page, number, dedent("\n".join(lines)).strip("\n") + "\n") for number, lines in found]


def commands(block: Block) -> list[list[list[str]]]:
    """Return the commands of a block, each as its parts between |, && and >, each part as its words.

    A line is a command where its first word, assignments and "$" apart, is a program that readers are told to type.
    """
    found = []
    for line in block.text.replace("\\\n", " ").splitlines():
        if parts := parts_of(line):
            found.append(parts)
    return found


def parts_of(line: str) -> list[list[str]]:
    """Return the parts of one command line, or nothing where it is none."""
    first = next((word for word in line.removeprefix("$ ").split() if "=" not in word), "")
    if Path(first).name not in PROGRAMS:
        return []
    lexer = shlex.shlex(line.removeprefix("$ "), posix=True, punctuation_chars="&|;>")
    lexer.whitespace_split, lexer.commenters = True, "#"
    parts: list[list[str]] = [[]]
    for word in lexer:
        if word in SEPARATORS:
            parts.append([word] if word in "|>" else [])
        elif parts[-1] or "=" not in word or word.startswith("-"):
            parts[-1].append(word)
    return parts


def spans(page: Path) -> Iterator[str]:
    """Yield the code within the lines of prose."""
    text = page.read_text(encoding="utf-8")
    for block in blocks(page):
        for line in block.text.splitlines():
            text = text.replace(f"    {line}\n", "\n")
    yield from (re.sub(r"\s+", " ", span) for span in re.findall(r"(?<!`)`([^`]+)`(?!`)", text))
