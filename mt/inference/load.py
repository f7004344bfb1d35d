"""From runs to what translates: one model or an ensemble, in a precision, with or without neighbours."""

import copy
from collections.abc import Sequence
from pathlib import Path

from mt.config import Config, Search
from mt.config.overrides import change, parse_changes
from mt.core.device import choose_for_run, packs, require, set_threads
from mt.core.errors import UserError
from mt.inference.confidence import Estimator
from mt.inference.shortlist import read_shortlist
from mt.inference.translator import Translator
from mt.models.bfloat16 import Rounded
from mt.models.contract import Seq2Seq, default_site
from mt.models.ensemble import Ensemble
from mt.models.packed import pack
from mt.models.rnn.encoder import lay_together
from mt.neighbours.datastore import with_neighbours
from mt.runs.run import Run


def load(run: str | Path | Run, *others: str | Path | Run, changes: Sequence[str] = ()) -> Translator:
    """Return the translator of a run, runs/x or hub:OWNER/NAME: `mt.load("runs/x").translate(["Ein Hund läuft."])`.

    With `others` an ensemble, which searches as the first run's config says; each member asks its own datastore.
    `changes` are those of `mt translate --set`, such as "search.beam=10": they hold for every call of `translate`,
    whose keywords hold for one. Raises UserError when a run is missing, when
    languages or vocabularies differ, when the processor has no such precision, or when a change cannot be.
    """
    first, *rest = (one if isinstance(one, Run) else Run(one) for one in (run, *others))
    return translator_of(first, rest, change(first.config, parse_changes(changes)))


def translator_of(run: Run, others: Sequence[Run], config: Config) -> Translator:
    """Return the translator of a run, or of an ensemble, by this config, that of the run as it may be changed.

    Raises as `load`.
    """
    settings = config.search
    require(settings.precision, choose_for_run(run.config.device), "give search.precision=float32")
    if settings.shortlist and settings.nearest.count:
        raise UserError(
            "neighbours vote for any piece, and a shortlist has not all: set search.shortlist to 0, or the count"
        )
    models = [_prepare(run, settings)]
    set_threads(run.config.threads)
    ours = run.config.corpus.source, run.config.corpus.target
    for other in others:
        models.append(_prepare(other, settings).to(models[0].device))
        if ours != (other.config.corpus.source, other.config.corpus.target):
            raise UserError(f"{run} and {other} translate between different languages, so they make no ensemble")
        if [one.identity for one in run.tokenizers] != [one.identity for one in other.tokenizers]:
            raise UserError(
                f"{run} and {other} have different vocabularies, so they make no ensemble; train both on the same "
                f"corpus with the same keys of vocabulary"
            )
    looked_at = [default_site(one.model, one.config.model.report) for one in (run, *others)]
    model = Ensemble(models, looked_at).eval() if others else models[0]
    shortlist = read_shortlist(run, settings.shortlist).to(model.device) if settings.shortlist else None
    return Translator(model, run.tokenizers, config, None if others else Estimator(run), shortlist)


def _prepare(run: Run, settings: Search) -> Seq2Seq:
    """Return the model of a run as it is searched: in the precision that is asked for, with its nearest neighbours."""
    model, precision = run.model, settings.precision
    if precision == "bfloat16":
        model = copy.deepcopy(model)  # it is changed, and the run may be asked for it again
        lay_together(model)
        model = Rounded(model).eval()
    elif precision != "float32" or (model.device.type == "cpu" and packs(precision)):
        shared = {id(one): one for one in model.parameters()}
        model = pack(copy.deepcopy(model, shared), precision)
    return with_neighbours(model, run, settings.nearest)
