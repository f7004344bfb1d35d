"""The runs that are served, and what waits to be asked of them."""

import asyncio
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from dataclasses import dataclass
from typing import TypeVar

from starlette.exceptions import HTTPException

from mt.core.errors import UserError
from mt.inference.translator import Translator
from mt.lab.diagnosis.replaced import uniform
from mt.models.contract import Look, Replace, Site
from mt.web.messages import Answer, Asked, tell
from mt.web.metrics import Metrics
from mt.web.queue import Answerer, Queue
from mt.web.served import Sentence, Served, Translating, site_of
from mt.web.watch import Watch
from mt.web.whatif import Clamped

Q = TypeVar("Q")
A = TypeVar("A")


@dataclass(frozen=True)
class Limits:
    """How much is taken on."""

    waiting: int = 64
    """Sentences that wait, before others are refused."""
    together: int = 64
    """Sentences that are searched at once."""
    seconds: float = 60.0
    """After which a request is given up."""


class Service:
    """Runs, and the queue of questions to them."""

    def __init__(self, runs: Sequence[Served], limits: Limits, watch: Watch):
        self.runs = {run.name: run for run in runs}
        self.limits = limits
        self.metrics = Metrics(lambda: len(self.queue), watch)
        self.metrics.add_behind(runs)
        self.queue = Queue(waiting=limits.waiting, together=limits.together, after=self.metrics.count)

    def run(self, name: str | None) -> Served:
        """Return the run of this name, or the first. Raises HTTPException where there is none."""
        name = next(iter(self.runs)) if name is None else name
        if name not in self.runs:
            raise HTTPException(404, f"no run {name!r} is served; there are {', '.join(self.runs)}")
        return self.runs[name]

    async def ask(self, questions: Sequence[Q], answerer: Answerer[Q, A]) -> list[A]:
        """Return the answers, in order. Raises what finding them raises, or TimeoutError after so many seconds."""
        asked = list[Future[A]]()
        try:
            for question in questions:
                asked.append(self.queue.ask(question, answerer))
        except UserError:  # nobody would wait for those before it
            for one in asked:
                one.cancel()
            raise
        waiting = [asyncio.wrap_future(one) for one in asked]
        async with asyncio.timeout(self.limits.seconds):
            return list(await asyncio.gather(*waiting))

    async def wait(self, answer: "Future[A]") -> A:
        """Return an answer for which others may wait, too: that this one gives up does not end it. Raises as `ask`."""
        async with asyncio.timeout(self.limits.seconds):
            return await asyncio.shield(asyncio.wrap_future(answer))

    async def translate(
        self,
        asked: Asked,
        sentences: Sequence[Sentence],
        replace: Callable[[Site | None, Translator], Replace | None] = lambda site, translator: None,
    ) -> Answer:
        """Return the translations of sentences. Raises as `ask`.

        `replace`: what is given a site (None: all) and who translates, and gives the weights that are used there.
        """
        run = self.run(asked.run)
        translator = (await asyncio.to_thread(run.load)).translator
        settings = translator.settings.model_copy(update={} if asked.beam is None else {"beam": asked.beam})
        site = site_of(translator, asked.layer, asked.head)
        look = Look(site, replace(site, translator))
        told = {"alignments": asked.alignments, "trace": asked.trace, "confidence": asked.confidence}
        how = Translating(run, settings, asked.n_best, asked.unit, look, **told)
        found = await self.ask(sentences, how)
        return Answer(run=run.name, translations=[tell(one, translator.tokenizers.target) for one in found])


def replacement(
    even: bool, weights: dict[int, list[float]], site: Site | None, translator: Translator
) -> Replace | None:
    """Return what is put in place of the model's weights, if anything is. Raises UserError where that cannot be."""
    if (even or weights) and translator.site is None:
        raise UserError("this model has no attention (model.attention.score: none), so there is none to replace")
    if even and weights:
        raise UserError("uniform and weights both replace the attention: ask for one of them")
    if even:
        return uniform
    return Clamped(weights, site) if weights else None
