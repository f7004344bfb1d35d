"""What is read off a model by force: your own translation, its probability, and what would come next."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated

import torch
from fastapi import FastAPI
from pydantic import Field

from mt.core.errors import UserError
from mt.core.special import BOS, EOS
from mt.corpora.pairs import Split
from mt.data.batches import pad
from mt.inference.aligner import Aligner, View
from mt.inference.scorer import Scored, Scorer, encode_side
from mt.inference.translator import Translator
from mt.models.contract import Look, Replace, Site
from mt.text.words import Unit
from mt.web.messages import MOST_TEXTS, Matrix, Message, Number, Steps, Text, tell_alignment
from mt.web.served import Served, site_of
from mt.web.service import Service, replacement


class Pair(Message):
    """A sentence and a translation of it."""

    source: Text
    target: Text


class Align(Pair):
    """A pair whose attention is to be shown while the model reads the translation off."""

    run: str | None = None
    """Name of a run that is served. Unset: the first."""
    unit: Unit | None = None
    """What the alignment is in. Unset: what the run's config says."""
    layer: Number | None = None
    """Decoder layer, from 1. Unset: what the run's config says, or the last for the posterior, which no other has."""
    head: Number | None = None
    """Its head, from 1. Unset: the mean over the heads."""
    posterior: bool = False
    """Whether not the weights that predicted a piece are shown, but which source piece explains it."""


class Aligned(Message):
    """The attention of a pair."""

    run: str
    alignment: Matrix


class Score(Message):
    """Pairs whose probability is asked for."""

    run: str | None = None
    """Name of a run that is served. Unset: the first."""
    pairs: Annotated[list[Pair], Field(min_length=1, max_length=MOST_TEXTS)]


class PairScore(Message):
    """How likely the model finds a translation; in nats."""

    log_probability: float
    """Of all its pieces."""
    pieces: list[str]
    log_probabilities: list[float]
    entropies: list[float]
    """Of the distribution over the vocabulary that predicted each piece."""


class Scores(Message):
    """The scores of pairs, in their order."""

    run: str
    scores: list[PairScore]


class Next(Message):
    """A beginning of a translation of which the next piece is asked for."""

    run: str | None = None
    """Name of a run that is served. Unset: the first."""
    text: Text
    prefix: list[int] = Field(default=[], max_length=1000)
    """Numbers of pieces, which an earlier answer gave."""
    layer: Number | None = None
    """Decoder layer whose weights are replaced, from 1. Unset: that of the config, and all are replaced."""
    head: Number | None = None
    """Its head, from 1. Unset: all of them."""
    uniform: bool = False
    """Whether attention is equal for all source pieces, in every step."""
    weights: Steps = Field(default={})
    """By step, from 0: the attention in place of the model's own."""
    most: Annotated[int, Field(ge=1, le=100)] = 10
    """So many of the likeliest pieces are told."""


class Likely(Message):
    """A piece that may come next."""

    piece: str
    number: int
    probability: float


class Distribution(Message):
    """What may come next, the likeliest first."""

    run: str
    likely: list[Likely]


@dataclass(frozen=True)
class Aligning:
    """Reads pairs off, at one site."""

    served: Served
    site: Site | None
    unit: Unit | None
    posterior: bool

    def __call__(self, pairs: Sequence[Pair]) -> list[Matrix]:
        """Return the attention of each pair. Raises UserError where there is none."""
        run, translator = self.served.load()
        aligner = Aligner(translator.model, translator.tokenizers, run.config)
        view = View(self.site or aligner.site, self.posterior)
        split = Split([one.source for one in pairs], [one.target for one in pairs])
        found = aligner.forced(split, [view])[view]
        return [tell_alignment(one.alignment(unit=self.unit or translator.unit)) for one in found]


@dataclass(frozen=True)
class Scoring:
    """Says how likely pairs are."""

    served: Served

    def __call__(self, pairs: Sequence[Pair]) -> list[PairScore]:
        """Return the score of each pair."""
        run, translator = self.served.load()
        scorer = Scorer(translator.model, translator.tokenizers, run.config)
        read = scorer.score([one.source for one in pairs], [one.target for one in pairs])
        return [self._tell(one) for one in read]

    def _tell(self, one: Scored) -> PairScore:
        name = self.served.load().translator.tokenizers.target.name
        own = one.log_probabilities_T.tolist()
        names = [name(piece) for piece in one.target]
        return PairScore(
            log_probability=sum(own), pieces=names, log_probabilities=own, entropies=one.entropies_T.tolist()
        )


@dataclass(frozen=True)
class Foreseeing:
    """Says what comes next, step by step as a search does, so that weights can be replaced."""

    served: Served
    replace: Replace | None

    @torch.inference_mode()
    def __call__(self, beginnings: Sequence[Next]) -> list[list[Likely]]:
        """Return the likeliest pieces after each beginning. Raises UserError where a piece is none."""
        return [self._foresee(asked) for asked in beginnings]

    def _foresee(self, asked: Next) -> list[Likely]:
        translator = self.served.load().translator
        source, target = translator.tokenizers
        if wrong := [piece for piece in asked.prefix if not EOS < piece < len(target)]:
            raise UserError(f"the prefix has piece {wrong[0]}; pieces are from {EOS + 1} to {len(target) - 1}")
        encoded = encode_side(source, [asked.text], translator.settings.max_source, "source")
        source_BS = pad(encoded).to(translator.model.device)
        memory, state = translator.model.encode(source_BS, torch.ones_like(source_BS, dtype=torch.bool))
        for piece in [BOS, *asked.prefix]:
            previous_BK = source_BS.new_full((1, 1), piece)
            output, state = translator.model.step(previous_BK, state, memory, Look(replace=self.replace))
        chances_V = output.float().logits[0, 0].softmax(-1)
        best = chances_V.topk(min(asked.most, len(chances_V)))
        found = zip(best.indices.tolist(), best.values.tolist(), strict=True)
        return [Likely(piece=target.name(piece), number=piece, probability=chance) for piece, chance in found]


def _layer(asked: Align, translator: Translator) -> int | None:
    """Return the layer that is asked for, if any is. Raises UserError where it has no posterior."""
    last = translator.model.sites[0]
    if not asked.posterior or not last:
        return asked.layer
    if asked.layer not in {None, last}:
        raise UserError("the posterior is that of the last layer alone: ask for no other")
    return last


def add(app: FastAPI, service: Service) -> None:
    """Let the service be asked for alignments, scores, and what comes next."""

    @app.post("/api/align")
    async def align(asked: Align) -> Aligned:
        """Show the attention of a given translation."""
        run = service.run(asked.run)
        translator = (await asyncio.to_thread(run.load)).translator
        site = site_of(translator, _layer(asked, translator), asked.head)
        how = Aligning(run, site, asked.unit, asked.posterior)
        (found,) = await service.ask([asked], how)
        return Aligned(run=run.name, alignment=found)

    @app.post("/api/score")
    async def score(asked: Score) -> Scores:
        """Say how likely given translations are."""
        run = service.run(asked.run)
        return Scores(run=run.name, scores=await service.ask(asked.pairs, Scoring(run)))

    @app.post("/api/next")
    async def foresee(asked: Next) -> Distribution:
        """Say what comes next in a translation that begins as given."""
        run = service.run(asked.run)
        if beyond := [step for step in asked.weights if step > len(asked.prefix)]:
            raise UserError(f"step {beyond[0]} has weights, and what comes next is step {len(asked.prefix)}")
        translator = (await asyncio.to_thread(run.load)).translator
        site = site_of(translator, asked.layer, asked.head)
        how = Foreseeing(run, replacement(asked.uniform, asked.weights, site, translator))
        (likely,) = await service.ask([asked], how)
        return Distribution(run=run.name, likely=likely)
