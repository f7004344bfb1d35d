"""The service: what can be asked of the runs that are served, as JSON over HTTP."""

import asyncio
import logging
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from functools import partial
from typing import Any

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from starlette.exceptions import HTTPException

from mt.core.errors import UserError
from mt.runs.confidence import read_fitted
from mt.web import browse, forced, pages
from mt.web.messages import Answer, Continue, Described, Failed, Translate
from mt.web.metrics import add_metrics
from mt.web.queue import ClosedError, FullError
from mt.web.served import Sentence, Served
from mt.web.service import Limits, Service, replacement
from mt.web.watch import Watch

log = logging.getLogger("mt")
STATUS: dict[type[Exception], int] = {FullError: 429, ClosedError: 503, UserError: 422}
"""By the mistake; the first that fits."""
DESCRIPTION = "Translations of trained runs, with what their attention looked at."
Responses = dict[int | str, dict[str, Any]]
FAILURES: Responses = {code: {"model": Failed} for code in (400, 401, 403, 404, 413, 422, 429, 503, 504)}


def create_app(runs: Sequence[Served], limits: Limits | None = None, watch: Watch | None = None) -> FastAPI:
    """Return the service of some runs, of which the first answers where none is named."""
    service = Service(runs, limits or Limits(), watch or Watch(runs))

    @asynccontextmanager
    async def life(app: FastAPI) -> AsyncIterator[None]:
        yield
        await asyncio.to_thread(service.queue.close)

    app = FastAPI(title="mt", description=DESCRIPTION, docs_url=None, redoc_url=None, lifespan=life, responses=FAILURES)
    _add_failures(app)
    add_metrics(app, service.metrics)
    forced.add(app, service)
    browse.add(app, service)
    pages.add(app)

    @app.get("/api/runs")
    def list_runs() -> list[Described]:
        """Return the runs that are served, but for those that have been deleted meanwhile."""
        return _describe_all(list(service.runs.values()))

    @app.post("/api/translate")
    async def translate(asked: Translate) -> Answer:
        """Translate sentences."""
        return await service.translate(asked, [Sentence(text) for text in asked.texts])

    @app.post("/api/continue")
    async def go_on(asked: Continue) -> Answer:
        """Translate a sentence, where the beginning of its translation is given."""
        prefix = asked.prefix if isinstance(asked.prefix, str) else tuple(asked.prefix)
        sentence = Sentence(asked.text, prefix)
        return await service.translate(asked, [sentence], partial(replacement, asked.uniform, asked.weights))

    @app.get("/healthz")
    def is_healthy() -> dict[str, Any]:
        """Tell that the service runs, how many sentences wait, and which runs answer with the weights of before.

        The latter where new ones cannot be read; the log says why.
        """
        behind = [run.name for run in service.runs.values() if run.is_behind]
        return {"status": "ok", "waiting": len(service.queue)} | ({"behind": behind} if behind else {})

    return app


def explain(error: Exception) -> str:
    """Return what is wrong with a request; of what may be a text or a list, as that which it is."""
    if not isinstance(error, RequestValidationError):
        return str(error)
    errors = error.errors()
    same = [one for one in errors if one["loc"][:2] == errors[0]["loc"][:2]]
    wrong = max(same, key=lambda one: (not one["type"].endswith("_type"), len(one["loc"])))
    if wrong["type"] == "json_invalid":
        return f"the body is not JSON: {wrong['ctx']['error']}"
    where = ".".join(str(part) for part in wrong["loc"][1:])
    return f"{where}: {wrong['msg']}" if where else str(wrong["msg"])


def _describe_all(runs: Sequence[Served]) -> list[Described]:
    """Return the runs that can be described. Raises UserError where none can."""
    described, wrong = list[Described](), list[UserError]()
    for run in runs:
        try:
            described.append(_describe(run))
        except UserError as error:
            log.warning("%s", error)
            wrong.append(error)
    if not described:
        raise wrong[0]
    return described


def _describe(run: Served) -> Described:
    loaded, translator = run.load()
    layers, heads = translator.model.sites
    return Described(
        name=run.name,
        source=translator.languages[0],
        target=translator.languages[1],
        summary=translator.model.summary,
        layers=layers,
        heads=heads,
        unit=translator.unit,
        beam=translator.settings.beam,
        confident=read_fitted(loaded) is not None,
    )


def _add_failures(app: FastAPI) -> None:
    """Let each mistake be told as `Failed`; of what nobody foresaw the log has the trace, and not the client."""

    async def fail(request: Request, error: Exception) -> JSONResponse:
        code = next(code for kind, code in STATUS.items() if isinstance(error, kind))
        return JSONResponse({"error": str(error)}, code)

    async def fail_http(request: Request, error: Exception) -> JSONResponse:
        code = error.status_code if isinstance(error, HTTPException) else 500
        return JSONResponse({"error": getattr(error, "detail", str(error))}, code)

    async def fail_validation(request: Request, error: Exception) -> JSONResponse:
        return JSONResponse({"error": explain(error)}, 422)

    async def fail_late(request: Request, error: Exception) -> JSONResponse:
        return JSONResponse({"error": "this took too long, and was given up: ask for less, or again later"}, 504)

    async def fail_unforeseen(request: Request, error: Exception) -> JSONResponse:
        log.error("%s %s failed", request.method, request.url.path, exc_info=error)
        return JSONResponse({"error": "this failed for a reason that the log of the service tells"}, 500)

    app.add_exception_handler(RequestValidationError, fail_validation)
    app.add_exception_handler(HTTPException, fail_http)
    app.add_exception_handler(TimeoutError, fail_late)
    app.add_exception_handler(Exception, fail_unforeseen)
    for kind in STATUS:
        app.add_exception_handler(kind, fail)
