"""The service: what can be asked of the runs that are served, as JSON over HTTP."""

import asyncio
import functools
import logging
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from starlette.exceptions import HTTPException

from mt.core.errors import UserError
from mt.inference.translator import Translation
from mt.lab.diagnosis.replaced import uniform
from mt.models.contract import Look, Replace, Site
from mt.web.messages import Answer, Asked, Continue, Described, Failed, Translate, tell
from mt.web.metrics import Metrics, add_metrics
from mt.web.queue import ClosedError, FullError, Queue
from mt.web.served import Kind, Question, Served, answer
from mt.web.watch import Watch
from mt.web.whatif import Clamped

log = logging.getLogger("mt")
STATUS: dict[type[Exception], int] = {FullError: 429, ClosedError: 503, UserError: 422}
"""By the mistake; the first that fits."""
DESCRIPTION = "Translations of trained runs, with what their attention looked at."
Responses = dict[int | str, dict[str, Any]]
FAILURES: Responses = {code: {"model": Failed} for code in (401, 403, 404, 413, 422, 429, 503, 504)}


@dataclass(frozen=True)
class Limits:
    """How much is taken on."""

    waiting: int = 64
    """Sentences that wait, before others are refused."""
    together: int = 32
    """Sentences that are searched at once."""
    seconds: float = 60.0
    """After which a request is given up."""


class Service:
    """Runs, and the queue of questions to them."""

    def __init__(self, runs: Sequence[Served], limits: Limits, watch: Watch):
        self.runs = {run.name: run for run in runs}
        self.limits = limits
        self.metrics = Metrics(lambda: len(self.queue), watch)
        self.queue: Queue[Question, Translation] = Queue(
            answer, waiting=limits.waiting, together=limits.together, after=self.metrics.count
        )

    def run(self, name: str | None) -> Served:
        """Return the run of this name, or the first. Raises HTTPException where there is none."""
        name = next(iter(self.runs)) if name is None else name
        if name not in self.runs:
            raise HTTPException(404, f"no run {name!r} is served; there are {', '.join(self.runs)}")
        return self.runs[name]

    async def translate(
        self,
        asked: Asked,
        texts: Sequence[str],
        prefix: str | tuple[int, ...] = "",
        replace: Callable[[Site | None], Replace | None] = lambda site: None,
    ) -> Answer:
        """Return the translations of sentences. Raises UserError, or TimeoutError after so many seconds.

        `replace`: what is given a site (None: all) and gives the weights that are used there.
        """
        run = self.run(asked.run)
        translator = await asyncio.to_thread(run.translator)
        changes = {} if asked.beam is None else {"beam": asked.beam}
        settings = translator.settings.model_copy(update=changes)
        site = _site(asked, translator.model.sites)
        look = Look(site, replace(site))
        kind = Kind(run, settings, asked.n_best, asked.unit, look, asked.trace, asked.confidence)
        questions = [Question(kind, text, prefix) for text in texts]
        waiting = [asyncio.wrap_future(self.queue.ask(question, kind)) for question in questions]
        async with asyncio.timeout(self.limits.seconds):
            found = await asyncio.gather(*waiting)
        return Answer(run=run.name, translations=[tell(one, translator.tokenizers.target) for one in found])


def _site(asked: Asked, sites: tuple[int, int]) -> Site | None:
    """Return where attention is looked at, if that is asked. Raises UserError where the model has no such site."""
    if asked.layer is None and asked.head is None:
        return None
    layer = asked.layer or 1
    if layer > sites[0] or (asked.head or 1) > sites[1]:
        raise UserError(
            f"there is no layer {layer}, head {asked.head or 1}: the model has {sites[0]} of {sites[1]} heads"
        )
    return Site(layer, asked.head)


def _replace(asked: Continue, site: Site | None) -> Replace | None:
    """Return what is put in place of the model's weights, if anything is."""
    if asked.uniform:
        return uniform
    return Clamped(asked.weights, site) if asked.weights else None


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

    @app.get("/api/runs")
    def list_runs() -> list[Described]:
        """Return the runs that are served."""
        return [_describe(run) for run in service.runs.values()]

    @app.post("/api/translate")
    async def translate(asked: Translate) -> Answer:
        """Translate sentences."""
        return await service.translate(asked, asked.texts)

    @app.post("/api/continue")
    async def go_on(asked: Continue) -> Answer:
        """Translate a sentence, where the beginning of its translation is given."""
        prefix = asked.prefix if isinstance(asked.prefix, str) else tuple(asked.prefix)
        return await service.translate(asked, [asked.text], prefix, functools.partial(_replace, asked))

    @app.get("/healthz")
    def is_healthy() -> dict[str, Any]:
        """Tell that the service runs, and how many sentences wait."""
        return {"status": "ok", "waiting": len(service.queue)}

    return app


def _describe(run: Served) -> Described:
    translator = run.translator()
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
        wrong = error.errors()[0] if isinstance(error, RequestValidationError) else {"loc": (), "msg": str(error)}
        where = ".".join(str(part) for part in wrong["loc"][1:])
        return JSONResponse({"error": f"{where}: {wrong['msg']}" if where else wrong["msg"]}, 422)

    async def fail_late(request: Request, error: Exception) -> JSONResponse:
        return JSONResponse({"error": "this took too long, and was given up: ask for less"}, 504)

    async def fail_unforeseen(request: Request, error: Exception) -> JSONResponse:
        log.error("%s %s failed", request.method, request.url.path, exc_info=error)
        return JSONResponse({"error": "this failed for a reason that the log of the service tells"}, 500)

    app.add_exception_handler(RequestValidationError, fail_validation)
    app.add_exception_handler(HTTPException, fail_http)
    app.add_exception_handler(TimeoutError, fail_late)
    app.add_exception_handler(Exception, fail_unforeseen)
    for kind in STATUS:
        app.add_exception_handler(kind, fail)
