"""The page that a browser shows: plain files of the package, each known by name."""

from importlib import resources

from fastapi import FastAPI
from fastapi.responses import Response
from starlette.exceptions import HTTPException

KINDS = {"html": "text/html", "css": "text/css", "js": "text/javascript"}
FOLDERS = ("mt.web.static", "mt.views.page")
"""The second has what the page of `mt eval --plot` shares with this one."""
SHARED = ("attention.js", "attention.css")
INDEX = "index.html"


def files() -> dict[str, Response]:
    """Return the files by name, as they are sent."""
    own = {file.name: file for file in resources.files(FOLDERS[0]).iterdir() if "." in file.name}
    shared = {name: resources.files(FOLDERS[1]).joinpath(name) for name in SHARED}
    return {
        name: Response(file.read_bytes(), media_type=f"{KINDS[name.rpartition('.')[2]]}; charset=utf-8")
        for name, file in (own | shared).items()
        if name.rpartition(".")[2] in KINDS
    }


def add(app: FastAPI) -> None:
    """Let a browser ask for the page."""
    known = files()

    @app.get("/", include_in_schema=False)
    def show() -> Response:
        return known[INDEX]

    @app.get("/static/{name}", include_in_schema=False)
    def fetch(name: str) -> Response:
        if name not in known:
            raise HTTPException(404, f"the page has no file {name!r}")
        return known[name]
