"""Lines in, translations out, in order, with what the attention looked at."""

from collections.abc import Iterable, Sequence
from dataclasses import replace

import torch

from mt.alignment.matrices import EMPTY
from mt.config import Config, Search
from mt.core.device import side_by_side
from mt.core.errors import UserError
from mt.core.progress import Progress
from mt.core.special import PAD
from mt.corpora.pairs import Gold
from mt.data.batches import group, pad
from mt.inference.confidence import NO_ENSEMBLE, Estimator
from mt.inference.translation import Line, Prefixes, Texts, distinct, texts_of
from mt.inference.translation import Translation as Translation
from mt.models.contract import Look, Seq2Seq, Site, attention_at, default_site
from mt.search import SEARCHES, Found, Hypothesis, Sources, choose
from mt.text.tokenizer import Tokenizers


class Translator(Texts):
    """A trained model, its vocabularies and its search settings.

    Of an ensemble `config` is the first member's, whose search settings hold.
    Their keys `nearest` and `precision` are for whoever makes the model: see `load`.
    """

    def __init__(self, model: Seq2Seq, tokenizers: Tokenizers, config: Config, estimator: Estimator | None = None):
        languages = config.corpus.source, config.corpus.target
        super().__init__(tokenizers, config.search, config.alignment.unit, languages, model.has_attention)
        self.model, self.estimator = model, estimator
        # Where there is one site, as in an ensemble, the config may name another: a member's.
        self.site = Site(1) if model.sites == (1, 1) else default_site(model, config.model.report)
        """Where alignments look, unless another site is asked for."""

    def translate(
        self,
        lines: str | Iterable[str],
        settings: Search | None = None,
        *,
        n_best: int = 1,
        alignments: bool = True,
        gold: Sequence[Gold | None] | None = None,
        prefixes: Prefixes = None,
        look: Look | None = None,
        trace: bool = False,
        confidence: bool = False,
        first: int = 1,
        progress: Progress | None = None,
    ) -> list[Translation]:
        """Translate each line; an empty line gives an empty translation. A text alone is a list of one.

        Unset settings are those of the run's config. Beam 1 is greedy search, whose score is the log probability, as is
        that of a sample; `n_best` is then the number of samples. A line's samples depend on sample_seed and on its
        number, not on the other lines; `first` is that of the first of these. Alignments have the source words of
        `gold` where it is known. `prefixes`: of each line what its translation must begin with, as text, which is cut
        into the vocabulary's pieces, or as numbers of pieces. `look`: of which site alignments are (unset, or "all":
        that of the config), and what replaces the model's weights. `trace`: whether each translation tells what was
        dropped. `confidence`: whether it tells what a human will have to mend. `progress` is called with the number of
        lines just done. Raises UserError when a coverage penalty is asked without attention, or beside all sites; when
        a prefix cannot be; when confidence is asked of an ensemble, or was not fitted.
        """
        settings, look = settings or self.settings, self._look(look)
        self._check(settings, look)
        estimator = self._estimator(settings) if confidence else None
        every = self._lines(settings.max_source, first, *texts_of(lines, prefixes, first), gold)
        found = [Translation(alignment=EMPTY if alignments and self.has_attention else None)] * len(every)
        name, progress = choose(settings, n_best), progress or (lambda count: None)
        width = max(settings.beam, n_best) if name == "beam" else n_best
        progress(sum(not line.source for line in every))
        batches = list(group([len(line.source) for line in every], settings.batch, width))
        most = n_best if settings.distinct and name == "beam" and n_best > 1 else None
        many = width if most else n_best  # spares, in place of those with a text of another

        def search(rows: list[int]) -> list[tuple[Found, int]]:
            sources = _batch({first - 1 + row: every[row] for row in rows}, settings, self.model.device)
            answers = SEARCHES[name](self.model, sources, settings, n_best=many, look=look, trace=trace)
            return list(zip(answers, sources.limits().tolist(), strict=True))

        with side_by_side(len(batches) if self.model.device.type == "cpu" else 1) as each:
            for rows, answers in zip(batches, each(search, batches), strict=True):
                for row, (answer, limit) in zip(rows, answers, strict=True):
                    found[row] = self._translation(every[row], answer, limit, alignments, most)
                progress(len(rows))
        return _add_confidence(estimator, every, found) if estimator else found

    def _estimator(self, settings: Search) -> Estimator:
        """Return what tells how much a human will have to mend. Raises UserError where nothing can."""
        if self.estimator is None:
            raise UserError(NO_ENSEMBLE)
        self.estimator.check(settings)
        return self.estimator

    def _look(self, look: Look | None) -> Look:
        """Return where the model is looked at: at the config's site, if nothing else is asked for."""
        look = look or Look()
        return look if look.sites else replace(look, sites=self.site)

    def _check(self, settings: Search, look: Look) -> None:
        """Raise UserError when a coverage penalty has no attention to go by."""
        if settings.coverage_penalty and not self.has_attention:
            raise UserError("search.coverage_penalty needs attention, and this model has none: set it to 0")
        if settings.coverage_penalty and look.sites == "all":
            raise UserError("search.coverage_penalty goes by one site, and all are asked for: set it to 0")

    def _translation(self, line: Line, found: Found, limit: int, alignments: bool, most: int | None) -> Translation:
        """Return the best of what was found, none of it longer than the limit, with the others.

        Of these each text once and so many at most, or all as they are.
        """
        if not found.hypotheses:
            raise UserError(f"no translation of {line.text!r} has any probability, with its prefix {line.prefix}")
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
        return replace(self._written(line, found, limit, weights), attention=every)


def _add_confidence(estimator: Estimator, lines: Sequence[Line], found: list[Translation]) -> list[Translation]:
    """Return the translations, and their others, with the confidence in each."""
    pairs = [(line, one) for line, first in zip(lines, found, strict=True) for one in first.n_best]
    sources = [line.text if line.source else "" for line, _ in pairs]
    told = iter(estimator.estimate(sources, [one.text for _, one in pairs]))
    return [
        replace(first, confidence=next(told), others=tuple(replace(one, confidence=next(told)) for one in first.others))
        for first in found
    ]


def _batch(lines: dict[int, Line], settings: Search, device: torch.device) -> Sources:
    """Return the lines, given by their row among all (from 0), as one batch."""
    source_BS = pad([line.source for line in lines.values()]).to(device)
    mask_BS = source_BS != PAD
    limit_B = (mask_BS.sum(1) * settings.max_ratio + settings.max_extra).long()
    prefixes = [line.prefix for line in lines.values()]
    return Sources(source_BS, mask_BS, limit_B, pad(prefixes).to(device) if any(prefixes) else None, [*lines])
