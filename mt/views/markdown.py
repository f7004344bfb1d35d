"""Tables as Markdown."""

from collections.abc import Iterable, Sequence


def tabulate(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """Return a table; a line break or a bar in a cell would end it, so they become a space and an escaped bar."""
    lines = [head, ["---"] * len(head), *rows]
    cells = [[" ".join(cell.split()).replace("|", "\\|") for cell in line] for line in lines]
    return "\n".join(f"| {' | '.join(line)} |" for line in cells)
