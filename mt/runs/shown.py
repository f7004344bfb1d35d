"""A run as one line, and as a notebook shows it: what it is, its scores, the command that comes next."""

import html
import shlex
from pathlib import Path
from typing import Any, Protocol

from mt.config import Config
from mt.core.errors import UserError
from mt.runs.names import CONFIG, SCORED
from mt.runs.scores import read_scores


class Shown(Protocol):
    """A run."""

    path: Path

    @property
    def exists(self) -> bool:
        """Whether there is one."""

    @property
    def is_trained(self) -> bool:
        """Whether its training has come to its end."""

    @property
    def is_unfinished(self) -> bool:
        """Whether its training can go on."""

    @property
    def config(self) -> Config:
        """What it was trained with."""

    @property
    def best_validation(self) -> dict[str, Any] | None:
        """The validation whose weights it keeps."""


def state_of(run: Shown) -> str:
    """Return in a few words what a run is, whatever is wrong with it."""
    try:
        if not run.exists:
            return "nothing is there" if not run.path.exists() else "it holds no run"
        corpus = run.config.corpus
        state = "trained" if run.is_trained else "not finished" if run.is_unfinished else "it has weights, and no state"
    except UserError as error:
        return str(error)
    return f"{corpus.source} to {corpus.target}, {state}"


def next_of(run: Shown) -> str:
    """Return the command that comes next."""
    if run.is_unfinished:
        return resume_command(run)
    return f"mt {'translate' if any(run.path.glob(f'{SCORED}/*')) else 'eval'} {shlex.quote(str(run))}"


def resume_command(run: Shown) -> str:
    """Return the command that goes on with a run."""
    return f"mt train {shlex.quote(str(run.path / CONFIG))} --run {shlex.quote(str(run))} --resume"


def as_html(run: Shown) -> str:
    """Return what a notebook shows of a run."""
    lines = [f"<p><b>{html.escape(str(run))}</b>: {html.escape(state_of(run))}</p>"]
    try:
        if run.exists:
            lines += [*_scores(run), f"<p>Next: <code>{html.escape(next_of(run))}</code></p>"]
    except UserError as error:
        lines.append(f"<p>{html.escape(str(error))}</p>")
    return "".join(lines)


def _scores(run: Shown) -> list[str]:
    """Return a table of what the splits scored, or else a line on the best validation."""
    rows = [
        f"<tr><td>{html.escape(folder.name)}</td><td>{html.escape(name)}</td><td>{one.score:.1f}</td>"
        f"<td>{one.low:.1f} to {one.high:.1f}</td></tr>"
        for folder in sorted(run.path.glob(f"{SCORED}/*"))
        if (scores := read_scores(folder))
        for name, one in scores.corpus.items()
    ]
    if rows:
        head = "<tr><th>split</th><th>metric</th><th>score</th><th>95 % interval</th></tr>"
        return [f"<table>{head}{''.join(rows)}</table>"]
    best = run.best_validation
    return [f"<p>Validation BLEU {best['validation_bleu']:.1f}, at update {best['update']:,}</p>"] if best else []
