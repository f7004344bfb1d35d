"""`mt serve`: translations, and what the attention looked at, over HTTP."""

import ipaddress
import logging
import os
import socket
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from mt.commands.completion import complete_run
from mt.commands.options import must_be_runs
from mt.core.errors import UsageError, UserError

if TYPE_CHECKING:
    from mt.web.served import Served

log = logging.getLogger("mt")
TOKEN = "MT_TOKEN"
"""The environment variable that holds the token; an option would stand in the list of processes."""


Runs = Annotated[
    list[Path],
    typer.Argument(
        metavar="RUN...", help="Run directories; the first answers by default.", autocompletion=complete_run
    ),
]


def serve(
    runs: Runs,
    host: Annotated[
        str, typer.Option(help=f"Address to bind to. Any but loopback needs a token in {TOKEN}.")
    ] = "127.0.0.1",
    port: Annotated[int, typer.Option(min=0, max=65535, help="Port to bind to; 0: a free one.")] = 8000,
    name: Annotated[
        list[str] | None, typer.Option("--name", help="Another name by which the host may be asked, as behind a proxy.")
    ] = None,
    flagged: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE", help="Append sentences unlike those of validation, as JSON lines. Unset: keep no sentence."
        ),
    ] = None,
) -> None:
    """Answer requests until Ctrl-C, which lets those under way end.

    POST /api/translate takes {"texts": ["A sentence."]}, GET /metrics is for Prometheus, GET /api/drift says whether
    sentences are like those of validation, and GET /openapi.json says what else there is.
    """
    token = _token(host)
    must_be_runs(runs)
    try:
        import uvicorn

        from mt.web.app import create_app
        from mt.web.guard import LOOPBACK, Guard
        from mt.web.metrics import counted
    except ModuleNotFoundError as error:
        raise UserError(f"`mt serve` needs the extra web: pip install 'mt[web]' ({error.name} is missing)") from error
    from mt.web.watch import Flagged, Watch

    served = _open(runs)
    watch = Watch(served, Flagged(flagged) if flagged else None)
    unwatched = [reason for run in watch.runs.values() if (reason := run.why_not())]
    bound = _bind(host, port)
    hosts = LOOPBACK | {host, *(name or [])}
    service = create_app(served, watch=watch)
    app = counted(Guard(service, frozenset(hosts), token), service)
    config = uvicorn.Config(app, log_level="warning", server_header=False, timeout_graceful_shutdown=30)
    print(
        f"serving {', '.join(run.name for run in served)} at {_address(host, bound.getsockname()[1])}; Ctrl-C ends",
        flush=True,
    )
    for reason in unwatched:
        log.warning("%s", reason)
    uvicorn.Server(config).run(sockets=[bound])


def _token(host: str) -> str | None:
    """Return the token that requests must bear, if any. Raises UsageError where the address needs one."""
    token = os.environ.get(TOKEN)
    if not _is_loopback(host) and not token:
        raise UsageError(
            f"{host} can be reached from other machines: set {TOKEN} to a secret that each request must bear"
        )
    return token


def _open(runs: list[Path]) -> "list[Served]":
    """Return what is served. Raises UserError, before anybody asks, when a run cannot be."""
    from mt.web.served import Served

    served = [Served(run) for run in runs]
    if twice := [run.name for run in served if [one.name for one in served].count(run.name) > 1]:
        raise UsageError(f"two runs are called {twice[0]}: serve one of them, or rename its directory")
    for run in served:
        run.load()  # which says what is wrong
    return served


def _is_loopback(host: str) -> bool:
    try:
        return host == "localhost" or ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def _bind(host: str, port: int) -> socket.socket:
    """Return a socket that listens there. Raises UserError where another program does, or where that cannot be."""
    try:
        family, _, _, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
        return socket.create_server(address[:2], family=family)
    except OSError as error:
        reason = os.strerror(error.errno) if error.errno and error.errno > 0 else error.strerror
        raise UserError(f"cannot serve at {_address(host, port)}: {reason}; choose another one by --port") from error


def _address(host: str, port: int) -> str:
    return f"http://{f'[{host}]' if ':' in host else host}:{port}"
