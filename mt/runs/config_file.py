"""RUN/config.yaml: written with an end, so that one that was cut short is known; its owner may edit it."""

from pathlib import Path

from mt.config import Config
from mt.config.files import to_yaml
from mt.core.errors import DamagedError, UserError
from mt.core.files import write_text
from mt.core.manifest import must_be_whole
from mt.core.once import say_once

END = "...\n"
"""The line that ends a YAML document."""


def write_config(file: Path, config: Config) -> None:
    """Write the whole resolved config of a run."""
    write_text(file, to_yaml(config) + END)


def must_be_complete(file: Path) -> None:
    """Raise DamagedError where the config of a run has been cut short; say so where it is not as it was written."""
    try:
        must_be_whole(file)
    except OSError as error:
        raise UserError(f"cannot read {file}: {error.strerror or error}") from error
    except DamagedError as error:
        if error.path != file:
            raise  # the manifest itself
        if not file.read_bytes().rstrip().endswith(END.strip().encode()):
            remedy = f"restore it; where you have edited it and it is whole, end it with the line {END.strip()}"
            raise DamagedError(file, remedy, "it is cut short: it lacks its last line") from error
        say_once(f"{file} is not as it was written: it was edited, or is damaged; what it says now counts")
