"""A run: the directory that training writes, and that everything else reads. It knows every name in there."""

import hashlib
import logging
import os
import shutil
from collections.abc import Sequence
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mt.config import Config
from mt.config.files import read_config
from mt.config.mistakes import closest
from mt.core import manifest
from mt.core.errors import DamagedError, UserError
from mt.core.files import parse_file, read_json
from mt.core.once import say_once
from mt.corpora import load_splits, places_of
from mt.corpora.pairs import Split
from mt.runs.cache import half_written, is_cache
from mt.runs.config_file import must_be_complete
from mt.runs.film import Film, read_film
from mt.runs.header import UNREADABLE, read_record
from mt.runs.hub import fetch, is_on_hub, name_on_hub
from mt.runs.inside import must_stay_inside
from mt.runs.names import (
    ALIGNED,
    CACHE,
    CONFIG,
    FILES,
    FILM,
    FORMAT,
    LOCK,
    METRICS,
    OWNER,
    PACKED,
    SCORED,
    SHARED,
    STATE,
    TENSORBOARD,
    TOKENIZERS,
    WEIGHTS,
)
from mt.runs.record import check_record, parse_validations
from mt.runs.shown import as_html, resume_command, state_of
from mt.text.tokenizer import Tokenizers, load_tokenizers

if TYPE_CHECKING:  # they import torch, for which a wrong path and a list of runs need not wait
    from torch import Tensor

    from mt.models.contract import Seq2Seq

log = logging.getLogger("mt")


class Run:
    """A run directory. Each of its files is read once, when it is first asked for: a Run is a snapshot.

    So whoever holds one sees one set of weights, even while a training goes on; what training has renewed since is seen
    by a new Run of the same path. One on the Hub, hub:OWNER/NAME or hub:OWNER/NAME@REVISION, is fetched.
    """

    def __init__(self, path: str | Path):
        self.given = Path(path)
        self.path = fetch(self.given, SHARED) if is_on_hub(self.given) else self.given

    def __str__(self) -> str:
        return self.given.as_posix() if is_on_hub(self.given) else str(self.path)

    def __repr__(self) -> str:
        return f"<Run {self}: {state_of(self)}>"

    def _repr_html_(self) -> str:
        return as_html(self)

    @property
    def name(self) -> str:
        """What it is called: its folder, or its name on the Hub."""
        return name_on_hub(self.given) if is_on_hub(self.given) else self.path.resolve().name

    def __truediv__(self, name: str) -> Path:
        """Return the path of a file in it."""
        return self.path / name

    @property
    def exists(self) -> bool:
        """Whether the directory holds a run, finished or not; a config of the user's own is not one."""
        return (self / CONFIG).exists() and any(self.path.glob(TOKENIZERS))

    @property
    def is_finished(self) -> bool:
        """Whether training has come to its end."""
        return bool(self.record.get("finished", False))

    @property
    def is_packed(self) -> bool:
        """Whether `mt pack` made it: it has no state, and cannot be trained."""
        return (self / PACKED).exists()

    @property
    def is_trained(self) -> bool:
        """Whether it is here, with its weights, and training has come to its end."""
        return self.exists and self.is_finished and (self / WEIGHTS).exists()

    @property
    def is_unfinished(self) -> bool:
        """Whether training can go on; a model without its state is not such a run."""
        return self.exists and not self.is_finished and ((self / STATE).exists() or not (self / WEIGHTS).exists())

    @cached_property
    def config(self) -> Config:
        """The configuration it was trained with. Raises UserError when there is no run here."""
        self.must_exist()
        must_be_complete(self / CONFIG)
        return read_config(self / CONFIG, of_run=True)

    def must_exist(self) -> None:
        """Raise UserError where the directory holds no run, or one that leads out of it."""
        if self.exists:
            must_stay_inside(self.path)
            return
        if self.path.is_file():
            raise UserError(f"{self} is not a run directory but a file; if it is an archive of `mt pack`, unpack it")
        if not self.path.exists():
            near = closest(self.path.name, [path.parent.name for path in self.path.parent.glob(f"*/{CONFIG}")])
            near = near or f"`mt runs {self.path.parent}` lists those beside it" * self.path.parent.is_dir()
            raise UserError(f"{self} is not a run directory: there is no such folder{'; ' * bool(near)}{near}")
        raise UserError(f"{self} is not a run directory: it has no {CONFIG} and tokenizer")

    @cached_property
    def tokenizers(self) -> Tokenizers:
        """Its vocabularies. Raises UserError when one is missing."""
        found = load_tokenizers(self.path, self.config.vocabulary)
        if found is None:
            raise UserError(f"{self} has not all of its vocabularies ({TOKENIZERS}): restore them, or train anew")
        return found

    @cached_property
    def _read_weights(self) -> "tuple[dict[str, Tensor], str]":
        from safetensors.torch import load as parse_tensors

        file, remedy = self / WEIGHTS, f"restore it{self._again}"
        try:
            data, listed = manifest.read_whole(file, remedy)
            tensors = parse_tensors(data)
        except UNREADABLE as error:
            raise DamagedError(file, remedy, error) from error
        if listed is None:
            say_once(f"{self}: {WEIGHTS} is not listed in a {manifest.NAME}, so damage to it would not be noticed")
        return tensors, (listed.sha256 if listed else hashlib.sha256(data).hexdigest())[:16]

    @property
    def _again(self) -> str:
        """How training writes its results again, where it can."""
        return f", or `{resume_command(self)}` writes it again" * (self / STATE).exists()

    @property
    def fingerprint(self) -> str:
        """16 characters that change with the weights; none where there are no weights."""
        return self._read_weights[1] if (self / WEIGHTS).exists() else ""

    @property
    def parameters(self) -> int:
        """How many numbers the model has."""
        return sum(tensor.numel() for tensor in self._read_weights[0].values())

    @cached_property
    def model(self) -> "Seq2Seq":
        """The model with the best weights, ready for inference. Raises UserError when there is none yet."""
        config, tokenizers = self.config, self.tokenizers
        if not (self / WEIGHTS).exists():
            raise UserError(
                f"{self} has no trained model yet: let its training reach a validation (`mt train` resumes it)"
            )
        from mt.runs.checkpoint import load_model

        return load_model(config, tokenizers, self._read_weights[0], self / WEIGHTS)

    @cached_property
    def record(self) -> dict[str, Any]:
        """What its state says besides tensors: position, scores, what it was made with; nothing before the first.

        A packed run has kept some of it.
        """
        file, remedy = self / STATE, "restore it, or start anew (--overwrite)"
        if self.is_packed and not file.exists():
            file, remedy = self / PACKED, "restore it, or fetch the run again"
            record = read_json(file, remedy, dict)
        else:
            record = read_record(file, remedy) if file.exists() else {}
        try:
            check_record(record)
        except ValueError as error:
            raise DamagedError(file, remedy, error) from error
        if record.get("format", FORMAT) > FORMAT:
            raise UserError(f"{file} was written by a newer version of mt: use that, or a newer one")
        return record

    @cached_property
    def validations(self) -> list[dict[str, Any]]:
        """What each validation found; none before the first. The state knows, and without it metrics.jsonl."""
        file = self / METRICS
        if "records" in self.record:
            return list(self.record["records"])
        return parse_file(file, "restore it, or delete it", parse_validations) if file.exists() else []

    @cached_property
    def film(self) -> Film:
        """What each validation made of a few sentences (train.film); an empty one where none was kept."""
        return read_film(self / FILM)

    @property
    def best_validation(self) -> dict[str, Any] | None:
        """The line of metrics.jsonl whose weights are kept; None before the first."""
        return best_of(self.validations)

    @cached_property
    def splits(self) -> dict[str, Split]:
        """The splits of its corpus.

        Raises UserError when their text is not what the run was trained on: a split held out of it would be another.
        """
        if places := places_of(self.config.corpus):
            log.info("%s: its corpus is read from %s, as its config says", self, " and ".join(places))
        splits = load_splits(self.config.corpus)
        if "made_with" in self.record:
            from mt.data.pieces import digest

            now = "".join(digest(splits[part], self.tokenizers) for part in ("train", "validation"))
            if not self.record["made_with"].get("data", "").startswith(now):
                raise UserError(
                    f"the data has changed since {self} was trained, which may so have been on what it would be scored "
                    f"on: restore the data, or train anew (--overwrite)"
                )
        return splits

    def split_name(self, name: str | None) -> str:
        """Return the name of the split that is meant; None is the last of the test splits."""
        name = name or [split for split in self.splits if split.startswith("test")][-1]
        if name not in self.splits:
            near = closest(name, [*self.splits]) or f"it has {', '.join(self.splits)}"
            raise UserError(f"{self.config.corpus.name} has no split {name!r}; {near}")
        return name

    def scored(self, split: str, others: Sequence["Run"] = ()) -> Path:
        """Return where the scores of a split are: RUN/eval/SPLIT, of an ensemble RUN/eval/SPLIT+OTHER+...

        OTHER is the way to it from the folder that the run is in: x, or seed2-x for ../seed2/x.
        """
        ways = [os.path.relpath(other.path, self.path.parent).split(os.sep) for other in others]
        names = ["-".join(part for part in way if part != "..") for way in ways]
        return self / SCORED / "+".join([split, *names])

    def leftovers(self) -> list[Path]:
        """Return what a kill left here: temporary files (see core.files.replacing), vocabularies without a config.

        The latter only beside a cache, with which a run begins and ends: others may be the user's own.
        """
        begun = is_cache(self / CACHE) and not (self / CONFIG).exists()
        vocabularies = [*self.path.glob(TOKENIZERS)] if begun else []
        beside = [path for name in FILES for path in self.path.glob(f".{name}.*{Path(name).suffix}")]
        return vocabularies + beside + half_written(self / CACHE)

    def clear(self) -> None:
        """Delete what a kill left here."""
        for path in self.leftovers():
            shutil.rmtree(path) if path.is_dir() and not path.is_symlink() else path.unlink()

    def may_begin(self) -> bool:
        """Tell whether a new run can be begun here: nothing is here that is not a run's."""
        cached = [self / CACHE, self / manifest.NAME] if is_cache(self / CACHE) else []
        ours = {*self.leftovers(), self / LOCK, self / OWNER, *cached}
        return not self.path.exists() or (self.path.is_dir() and not {*self.path.iterdir()} - ours)

    def remove(self) -> None:
        """Delete all that it consists of, and nothing else.

        Config, vocabularies and cache come last, in this order: what a kill in between left is still known as ours.
        """
        last = CONFIG, TOKENIZERS, CACHE
        for name in (SCORED, ALIGNED, TENSORBOARD, *(name for name in FILES if name not in last), *last):
            for path in self.path.glob(name):
                shutil.rmtree(path) if path.is_dir() and not path.is_symlink() else path.unlink()


def best_of(validations: Sequence[dict[str, Any]]) -> dict[str, Any] | None:
    """Return the validation whose weights are kept: the last that was the best so far; None before the first."""
    return next((record for record in reversed(validations) if record.get("best")), None)


def latest(folder: Path) -> Run:
    """Return the run trained last of those in a folder. Raises UserError when there is none."""
    found = [path.parent for path in folder.glob("*/" + WEIGHTS)]
    if not found:
        raise UserError(f"no trained run in {folder}/: `mt train` makes one")
    return Run(max(found, key=lambda run: (run / WEIGHTS).stat().st_mtime))
