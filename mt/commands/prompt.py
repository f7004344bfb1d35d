"""What a person types at a terminal: lines that can be edited, and that the next time remembers."""

import io
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext, suppress
from pathlib import Path

REMEMBERED = 1000
"""Lines of the history; older ones are forgotten."""


def typed(prompt: str) -> Iterator[str]:
    """Yield the lines that are typed, until Ctrl-D.

    Where standard output is a terminal too, the arrow keys edit a line and bring back earlier ones. Else the prompt
    goes to standard error, because standard output is for translations.
    """
    if isinstance(sys.stdin, io.TextIOWrapper):
        sys.stdin.reconfigure(encoding="utf-8", errors="surrogateescape")
    at_terminal = sys.stdout.isatty()
    with _history() if at_terminal else nullcontext():
        while True:
            print("" if at_terminal else prompt, end="", file=sys.stderr, flush=True)
            try:
                line = input(prompt if at_terminal else "")
            except EOFError:
                return
            yield line.encode(errors="surrogateescape").decode(errors="replace")


def history_file() -> Path:
    """Return where lines are remembered: $XDG_STATE_HOME/mt/history, else ~/.local/state/mt/history."""
    state = os.environ.get("XDG_STATE_HOME", "")
    return (Path(state) if os.path.isabs(state) else Path("~/.local/state").expanduser()) / "mt" / "history"


@contextmanager
def _history() -> Iterator[None]:
    """Let the lines of a block be edited and remembered, where Python has readline; only the user may read them."""
    try:
        import readline
    except ImportError:
        yield
        return
    file = history_file()
    with suppress(OSError):  # none yet, or one that is not ours to read
        readline.read_history_file(file)
    readline.set_history_length(REMEMBERED)
    try:
        yield
    finally:
        with suppress(OSError):  # nothing is remembered where nothing can be written
            file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            os.close(os.open(file, os.O_WRONLY | os.O_CREAT, 0o600))
            file.chmod(0o600)
            readline.write_history_file(file)
