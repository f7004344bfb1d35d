"""`mt config`: which configurations there are, and what one of them says in full."""

import json
from pathlib import Path
from typing import Annotated

import typer

from mt.commands.completion import complete_config
from mt.commands.options import Overrides
from mt.config import shipped
from mt.config.files import json_schema, read_config, to_yaml
from mt.core.errors import UsageError


def config(
    name: Annotated[
        Path | None,
        typer.Argument(
            metavar="CONFIG", help="A name, or a YAML file. Unset: list the names.", autocompletion=complete_config
        ),
    ] = None,
    overrides: Overrides = None,
    schema: Annotated[bool, typer.Option("--schema", help="Print a JSON Schema of config files instead.")] = False,
) -> None:
    """List the configurations that come with mt, or print the whole of one, resolved."""
    if schema and name is not None:
        raise UsageError("--schema is that of all configs: give no name with it")
    if schema:
        print(json.dumps(json_schema(), indent=2))
    elif name is None:
        names = shipped.names()
        width = max(map(len, names))
        print("\n".join(f"{one:{width}}  {meaning}" for one, meaning in names.items()))
    else:
        print(to_yaml(read_config(name, overrides or [])), end="")
