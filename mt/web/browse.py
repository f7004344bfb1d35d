"""What runs hold already: their scored sentences, the film of their training, diagnosis and report."""

import asyncio
from concurrent.futures import Future
from typing import Annotated

from fastapi import FastAPI, Query
from fastapi.responses import HTMLResponse, Response

from mt.core.errors import UserError
from mt.lab.report.page import to_html
from mt.lab.report.report import report
from mt.lab.report.told import read_diagnosis
from mt.runs.film import Film
from mt.runs.names import SCORED
from mt.runs.run import Run
from mt.runs.scores import FILE
from mt.web.listing import Knowing, Known, Listed, Listing, scored_texts
from mt.web.messages import Message
from mt.web.served import Served
from mt.web.service import Service


class Corpus(Message):
    """The sentences of a scored split."""

    run: str
    splits: list[str]
    """All that were scored."""
    split: str
    of: int
    """How many the split has."""
    sentences: list[Listed]


class Found(Message):
    """What one question of the diagnosis found."""

    name: str
    verdict: str
    says: str


class Diagnosis(Message):
    """What `mt diagnose` found of a run."""

    split: str | None
    """None where it has not looked at these weights."""
    summary: list[str]
    findings: list[Found]


class Listings:
    """The sentences of scored splits. Each split is read off once, as long as its weights and its scores stay.

    Whoever asks again meanwhile, or after having given up, waits for the same answer.
    """

    def __init__(self, service: Service):
        self.service, self._asked = service, dict[tuple[str, str, str, int], "Future[list[Listed]]"]()

    async def corpus(self, served: Served, split: str | None) -> Corpus:
        """Return the sentences of a split; unset, of the last that was scored. Raises UserError where none was."""
        run = (await asyncio.to_thread(served.load)).run
        splits = sorted(path.parent.name for path in (run / SCORED).glob(f"*/{FILE}"))
        if not splits:
            raise UserError(
                f"{served.name} was not scored yet: `mt eval {run}` scores it, and its sentences stand here"
            )
        split = split or next((name for name in reversed(splits) if name.startswith("test")), splits[-1])
        texts = scored_texts(run, split)
        key = served.name, run.fingerprint, split, (run.scored(split) / FILE).stat().st_mtime_ns
        if key not in self._asked or (self._asked[key].done() and self._asked[key].exception()):
            self._asked[key] = self.service.queue.ask(split, Listing(served))
        sentences = await self.service.wait(self._asked[key])
        return Corpus(run=served.name, splits=splits, split=split, of=len(texts.sources), sentences=sentences)


def add(app: FastAPI, service: Service) -> None:
    """Let what runs hold be looked at."""
    listings = Listings(service)

    @app.get("/api/corpus")
    async def browse(run: str | None = None, split: str | None = None) -> Corpus:
        """List the sentences of a split that was scored."""
        return await listings.corpus(service.run(run), split)

    @app.get("/api/sentence")
    async def look_up(split: str, number: Annotated[int, Query(ge=1)], run: str | None = None) -> Known:
        """Tell what training and gold know of a sentence."""
        (known,) = await service.ask([number], Knowing(service.run(run), split))
        return known

    @app.get("/api/film")
    def show_film(run: str | None = None) -> Film:
        """Return what each validation made of some sentences (train.film)."""
        return Run(service.run(run).path).film

    @app.get("/api/diagnosis")
    def tell_diagnosis(run: str | None = None) -> Diagnosis:
        """Tell what `mt diagnose` found."""
        found = read_diagnosis(Run(service.run(run).path))
        if found is None:
            return Diagnosis(split=None, summary=[], findings=[])
        keys = Found.model_fields
        findings = [Found(**{key: str(one.get(key, "")) for key in keys}) for one in found.findings]
        return Diagnosis(split=found.split, summary=found.summary, findings=findings)

    @app.get("/report", response_class=Response, responses={200: {"content": {"text/html": {}}}})
    def show_report(run: Annotated[list[str] | None, Query()] = None) -> HTMLResponse:
        """Show the report of some runs; unset, of all."""
        runs = [Run(service.run(name).path) for name in run or service.runs]
        made = report(runs)
        return HTMLResponse(to_html(made.title, made.summary, made.blocks))
