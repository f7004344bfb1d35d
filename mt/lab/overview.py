"""What runs there are: how far each is, how it scored, how large it is, and what to do next."""

from pathlib import Path

from mt.core.errors import UserError
from mt.runs.lock import is_written
from mt.runs.names import CONFIG, SCORED
from mt.runs.run import Run
from mt.runs.scores import read_scores
from mt.runs.shown import next_of

HEAD = ["run", "state", "BLEU", "size", "next"]


def overview(folder: Path) -> str:
    """Return a table of the runs in a folder, at any depth, that of the latest file last.

    BLEU is that of each split which was scored by one model, or else of the best validation. A damaged run says so.
    Raises UserError where there is none.
    """
    found = sorted((Run(path.parent) for path in folder.rglob(CONFIG)), key=lambda run: (run / CONFIG).stat().st_mtime)
    rows = [_row(run) for run in found if run.exists]
    if not rows:
        raise UserError(f"no run in {folder}/: `mt train` makes one")
    widths = [max(map(len, column)) for column in zip(HEAD, *rows, strict=True)]
    lines = ("  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)) for row in [HEAD, *rows])
    return "\n".join(line.rstrip() for line in lines)


def _row(run: Run) -> list[str]:
    try:
        return [str(run), _state(run), _bleu(run), _size(run), next_of(run)]
    except UserError as error:
        return [str(run), "damaged", "", _size(run), str(error)]


def _state(run: Run) -> str:
    if is_written(run.path):
        return f"{_progress(run)}, being written"
    return _progress(run)


def _progress(run: Run) -> str:
    if run.is_trained:
        return "trained"
    best = run.best_validation
    return f"update {run.record.get('update', best['update']):,}" if best else "begun"


def _bleu(run: Run) -> str:
    scores = {path.name: read_scores(path) for path in sorted(run.path.glob(f"{SCORED}/*")) if "+" not in path.name}
    told = [f"{name} {one.corpus['BLEU'].score:.1f}" for name, one in scores.items() if one and "BLEU" in one.corpus]
    best = run.best_validation
    return ", ".join(told) or (f"validation {best['validation_bleu']:.1f}" if best else "")


def _size(run: Run) -> str:
    size = sum(path.stat().st_size for path in run.path.rglob("*") if path.is_file())
    return f"{size / 1e6:,.0f} MB"
