"""`mt` itself, in the environment that the bench itself runs in."""

import sys
from collections.abc import Sequence
from pathlib import Path

from peers import INSIDE, NO_END, Peer, Shape, Text, Translated, Usage


class Ours(Peer):
    """`mt`, as it is, or with some changes to how it translates."""

    def __init__(self, home: Path, text: Text, changes: str = ""):
        super().__init__(home, text)
        self.changes = changes.split()
        self.name, self.trains = " ".join(["mt", *self.changes]), not changes
        self.python = Path(sys.executable)

    def prepare(self) -> None:
        """Nothing needs to be installed."""
        self.home.mkdir(parents=True, exist_ok=True)

    def environment(self, threads: int) -> dict[str, str]:
        """Return the variables of this process, which lead to this `mt`."""
        paths = [str(Path(__file__).parents[2]), *sys.path[1:]]
        return super().environment(threads) | {"PYTHONPATH": ":".join(filter(None, paths))}

    def train(self, shape: Shape, threads: int, updates: int) -> Usage:
        """Train with the batches of the config."""
        config = shape.config.model_copy(update={"threads": threads}).model_dump(mode="json")
        told = {"model": str(self.home / shape.name), "config": config, "updates": updates, "end": NO_END}
        return Usage(**self.ask([self.python, INSIDE / "run_ours.py", "train"], threads, told))

    def translate(self, shape: Shape, threads: int, modes: Sequence[tuple[int, int]]) -> Translated:
        """Translate text, cutting it into pieces included."""
        limits = ["search.max_ratio=0.001", f"search.max_extra={self.text.length + 1}"]
        return self.measure(
            "run_ours.py",
            threads,
            modes,
            lines=list(self.text.lines),
            model=str(self.home / shape.name),
            changes=limits + self.changes,
        )
