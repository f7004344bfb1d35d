"""Lines in, translations out, in order, with what the attention looked at."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any

import torch

from mt.alignment.matrices import EMPTY
from mt.config import Config, Search
from mt.config.overrides import change_search, describe_briefly
from mt.core.device import side_by_side
from mt.core.errors import UserError
from mt.core.progress import Progress
from mt.core.special import PAD
from mt.corpora.pairs import Gold
from mt.data.batches import group, pad
from mt.inference.confidence import NO_ENSEMBLE, Estimator
from mt.inference.lines import Asked, Line, Prefixes, read_lines
from mt.inference.shortlist import Shortlist
from mt.inference.speller import Speller
from mt.inference.translation import Translation as Translation
from mt.inference.translation import distinct, write
from mt.inference.wording import Wording
from mt.models.contract import Look, Seq2Seq, Site, attention_at, default_site, describe_look
from mt.search import SEARCHES, Found, Hypothesis, Sources, choose
from mt.search import Search as SearchOf
from mt.text.tokenizer import Tokenizers


class Translator:
    """A trained model, its vocabularies and its search settings.

    Of an ensemble `config` is the first member's, whose search settings hold.
    Their keys `nearest`, `precision` and `shortlist` are for whoever makes the model and the list: see `load`.
    """

    def __init__(
        self,
        model: Seq2Seq,
        tokenizers: Tokenizers,
        config: Config,
        estimator: Estimator | None = None,
        shortlist: Shortlist | None = None,
    ):
        self.model, self.tokenizers, self.settings, self.estimator = model, tokenizers, config.search, estimator
        self.shortlist = shortlist
        self.languages = config.corpus.source, config.corpus.target
        self.unit = config.alignment.unit
        """What alignments are in."""
        self.has_attention = model.has_attention
        self.speller = Speller(tokenizers.target)
        # Where there is one site, as in an ensemble, the config may name another: a member's.
        self.site = Site(1) if model.sites == (1, 1) else default_site(model, config.model.report)
        """Where alignments look, unless another site is asked for."""

    @property
    def looks_at(self) -> str:
        """What alignments show, in words: the attention of which model, at which layer and head."""
        return describe_look(self.model, self.site)

    def __repr__(self) -> str:
        return f"<Translator {' to '.join(self.languages)}: {self.model.summary}, {describe_briefly(self.settings)}>"

    def translate(
        self,
        lines: str | Iterable[str],
        settings: Search | None = None,
        *,
        n_best: int = 1,
        alignments: bool = True,
        gold: Sequence[Gold | None] | None = None,
        prefixes: Prefixes = None,
        wording: Wording | Sequence[Wording] | None = None,
        look: Look | None = None,
        trace: bool = False,
        confidence: bool = False,
        first: int = 1,
        progress: Progress | None = None,
        **changes: Any,
    ) -> list[Translation]:
        """Translate each line; an empty line gives an empty translation. A text alone is a list of one.

        Unset settings are the config's; `changes` are keys of `search` for this call, such as beam=10. Beam 1 is greedy
        search, whose score is the log probability, as a sample's is; `n_best` is then the number of samples. A line's
        samples depend on sample_seed and on its number, not on the other lines; `first` is that of the first.
        Alignments have the source words of `gold`. `prefixes`: what each translation begins with, as text or as numbers
        of pieces. `wording`: what it must say and must not. `look`: of which site alignments are (unset, or "all": the
        config's), and what replaces the model's weights. `trace`: whether each tells what was dropped; `confidence`:
        what a human will mend. `progress` gets the number of lines just done. Raises UserError where any cannot be.
        """
        settings = change_search(settings or self.settings, changes, n_best)
        look, estimator = self._look(settings, look, alignments), self._estimator(settings) if confidence else None
        every = read_lines(self.tokenizers, settings.max_source, first, Asked(lines, prefixes, gold, wording))
        found = [Translation(alignment=EMPTY if alignments and self.has_attention else None)] * len(every)
        name, progress = _search_for(every, settings, n_best), progress or (lambda count: None)
        width = max(settings.beam, n_best) if name == "beam" else n_best
        progress(sum(not line.source for line in every))
        batches = list(group([len(line.source) for line in every], settings.batch, width))
        most = n_best if settings.distinct and name == "beam" and n_best > 1 else None
        many = width if most else n_best  # spares, in place of those with a text of another

        def search(rows: list[int]) -> list[tuple[Found, int]]:
            sources = _batch({first - 1 + row: every[row] for row in rows}, settings, self.model.device, self.speller)
            do = self._search(name, [every[row].wording for row in rows])
            answers = do(self.model, sources, settings, n_best=many, look=look, trace=trace)
            return list(zip(answers, sources.limits().tolist(), strict=True))

        with side_by_side(len(batches) if self.model.device.type == "cpu" else 1) as each:
            for rows, answers in zip(batches, each(search, batches), strict=True):
                for row, (answer, limit) in zip(rows, answers, strict=True):
                    found[row] = self._translation(every[row], answer, limit, alignments, most)
                progress(len(rows))
        return _add_confidence(estimator, every, found) if estimator else found

    def _search(self, name: str, wordings: Sequence[Wording]) -> SearchOf:
        """Return the search of that name, on the shortlist where there is one, which has what must be said."""
        if self.shortlist is None:
            return SEARCHES[name]
        phrases = dict.fromkeys(phrase for one in wordings for phrase in one.must)
        must = {piece for phrase in phrases for piece in self.tokenizers.target.encode(phrase.strip())}
        return self.shortlist.within(SEARCHES[name], must)

    def _estimator(self, settings: Search) -> Estimator:
        """Return what tells how much a human will have to mend. Raises UserError where nothing can."""
        if self.estimator is None:
            raise UserError(NO_ENSEMBLE)
        self.estimator.check(settings)
        return self.estimator

    def _look(self, settings: Search, look: Look | None, alignments: bool) -> Look:
        """Return where the model is looked at: at the config's site, if nothing else is asked for and that is needed.

        Raises UserError when a coverage penalty has no attention to go by.
        """
        look = look or Look()
        if not look.sites and (alignments or settings.coverage_penalty):
            look = replace(look, sites=self.site)
        if settings.coverage_penalty and not self.has_attention:
            raise UserError("search.coverage_penalty needs attention, and this model has none: set it to 0")
        if settings.coverage_penalty and look.sites == "all":
            raise UserError("search.coverage_penalty goes by one site, and all are asked for: set it to 0")
        return look

    def _translation(self, line: Line, found: Found, limit: int, alignments: bool, most: int | None) -> Translation:
        """Return the best of what was found, none of it longer than the limit, with the others.

        Of these each text once and so many at most, or all as they are.
        """
        if not found.hypotheses:
            asked = f"its prefix {line.prefix}" if line.prefix else f"{line.wording}"
            raise UserError(f"no translation of {line.text!r} has any probability, with {asked}")
        made = [self._one(line, one, limit, alignments) for one in found.hypotheses]
        best, *others = distinct(made)[:most] if most else made
        return replace(best, others=tuple(others), trace=found.trace)

    def _one(self, line: Line, found: Hypothesis, limit: int, alignments: bool) -> Translation:
        every, attention = None, found.attention
        if attention is not None and attention.dim() == 4:  # every site
            every = attention.numpy()
            layers = {number: layer[None] for number, layer in enumerate(attention, 1)}
            attention = attention_at(self.site or Site(1), layers)[0]
        weights = attention.numpy() if attention is not None and alignments else None
        return replace(write(self.tokenizers, self.unit, line, found, limit, weights), attention=every)


def _search_for(lines: Sequence[Line], settings: Search, n_best: int) -> str:
    """Return the name of the search. Raises UserError where samples must say something: only a beam finds that."""
    name = choose(settings, n_best)
    if not any(line.wording.must for line in lines):
        return name
    if name == "sample":
        raise UserError("a sample is drawn, and not searched for what it must say: leave out search.sample")
    return "beam"


def _add_confidence(estimator: Estimator, lines: Sequence[Line], found: list[Translation]) -> list[Translation]:
    """Return the translations, and their others, with the confidence in each."""
    pairs = [(line, one) for line, first in zip(lines, found, strict=True) for one in first.n_best]
    sources = [line.text if line.source else "" for line, _ in pairs]
    told = iter(estimator.estimate(sources, [one.text for _, one in pairs]))
    return [
        replace(first, confidence=next(told), others=tuple(replace(one, confidence=next(told)) for one in first.others))
        for first in found
    ]


def _batch(lines: Mapping[int, Line], settings: Search, device: torch.device, speller: Speller) -> Sources:
    """Return the lines, given by their row among all (from 0), as one batch."""
    source_BS = pad([line.source for line in lines.values()]).to(device)
    mask_BS = source_BS != PAD
    limit_B = (mask_BS.sum(1) * settings.max_ratio + settings.max_extra).long()
    prefixes = [line.prefix for line in lines.values()]
    prefix_BP = pad(prefixes).to(device) if any(prefixes) else None
    rules = speller.rules([line.wording for line in lines.values()], device)
    return Sources(source_BS, mask_BS, limit_B, prefix_BP, [*lines], rules)
