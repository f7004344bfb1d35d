"""The program `mt`, which `python -m mt` starts too."""

import os
import signal
import sys
from types import FrameType

INTERRUPTED = 130


def main() -> None:
    """Run the command line; it ends the process."""
    if signal.getsignal(signal.SIGINT) is signal.default_int_handler:  # else it is ignored, as after nohup
        signal.signal(signal.SIGINT, interrupt)
    os.environ.setdefault("PYDANTIC_DISABLE_PLUGINS", "__all__")  # it would look through all that is installed for some
    from mt.cli import main

    main()


def interrupt(number: int, frame: FrameType | None) -> None:
    """Raise KeyboardInterrupt, or leave at once while a module is loaded: some modules swallow it, and go on broken."""
    while frame is not None:
        if frame.f_code.co_filename.startswith("<frozen importlib"):
            os.write(2, b"Aborted!\n")  # as Typer says it later; the streams may be in use
            os._exit(INTERRUPTED)
        frame = frame.f_back
    raise KeyboardInterrupt


if __name__ == "__main__":
    if not sys.flags.safe_path:
        del sys.path[0]  # the current folder, which `-m` puts before what is installed: a yaml.py in it would be run
    main()
