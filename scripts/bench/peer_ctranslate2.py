"""CTranslate2, which translates with our Transformers, exported as `mt export --to ctranslate2` does."""

from collections.abc import Sequence
from pathlib import Path

from peer_ours import Ours
from peers import Peer, Shape, Text, Translated

EXPORT = """
import sys
from pathlib import Path
packages, run, folder = sys.argv[1:]
sys.path.append(packages)  # at the end: only what is missing comes from there
from mt.export.write import export_run
from mt.runs.run import Run
export_run(Run(run), "ctranslate2", Path(folder))
"""


class CTranslate2(Peer):
    """CTranslate2, in one of its precisions."""

    packages = ("ctranslate2==4.8.5",)
    kinds = ("transformer",)
    trains = False
    unfair = (
        "CTranslate2 has our weights, reads pieces instead of text, and chooses products made for this processor. "
        "int8: its own rounding of the same weights when it loads them (`compute_type`)."
    )

    def __init__(self, home: Path, text: Text, ours: Ours, precision: str = "float32"):
        super().__init__(home, text)
        self.ours, self.precision, self.name = ours, precision, f"CTranslate2 {precision}"

    def translate(self, shape: Shape, threads: int, modes: Sequence[tuple[int, int]]) -> Translated:
        """Export the model that ours has trained, once, and translate."""
        run, folder = self.ours.home / shape.name, self.home / f"{shape.name}-exported"
        if not folder.exists():
            (packages,) = self.home.glob("venv/lib/python*/site-packages")
            self.ours.run([self.ours.python, "-c", EXPORT, packages, run, folder], 1)
        return self.measure(
            "run_ctranslate2.py",
            threads,
            modes,
            lines=list(self.text.pieces),
            model=str(folder),
            precision=self.precision,
        )
