"""Any data set of the Hugging Face Hub with a translation column or two text columns, and the Hub's whereabouts."""

import os
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from mt.config.corpora import HubCorpus
from mt.core.errors import UserError
from mt.corpora.pairs import Corpus, Split
from mt.corpora.splits import hold_out, pair_up, refuse_copies
from mt.corpora.stream import Stream

VALIDATION = ("validation", "valid", "val", "dev")
PROBE_SECONDS = 3.0

Columns = tuple[list[str], list[str]]
"""Source sentences and target sentences, as the data set has them."""


def load(config: HubCorpus) -> dict[str, Split]:
    """Return train, validation and test; those that the data set lacks are held out from the training pairs."""
    if config.streaming:
        return _load_streamed(config)
    found = fetch(config.path, config.subset)
    texts = columns(found, config.path, config.source, config.target, config.column)
    splits = {name: _pair_up(pair, f"data set {config.path}, {name}", config) for name, pair in texts.items()}
    names = ["train", "validation", "test"]
    missing = [name for name in names if name not in splits]
    origin = f"data set {config.path}"
    splits |= hold_out(splits["train"], missing, config.held_out, config.seed, origin, by=config.held_out_by)
    return {name: splits[name] for name in names}


def _load_streamed(config: HubCorpus) -> dict[str, Split]:
    import datasets

    found = _fetch_stream(config)
    wanted = {"test": "test"} | dict.fromkeys(VALIDATION, "validation")
    names = {wanted[name]: name for name in found if name in wanted}
    if missing := sorted({"validation", "test"} - names.keys()):
        raise UserError(
            f"data set {config.path!r} has no split for {' and '.join(missing)}, and of a stream nothing can be held "
            f"out: leave out corpus.streaming, or choose a data set that has them"
        )
    splits = {"train": stream(config).head()}
    for name in ("validation", "test"):
        with _told(config.path):
            table = datasets.Dataset.from_list(list(found[names[name]]))
        texts = _two_columns(table, config.path, config.source, config.target, config.column)
        splits[name] = _pair_up(texts, f"data set {config.path}, {name}", config)
    return splits


def stream(config: HubCorpus) -> Stream:
    """Return the training pairs as `datasets` reads them, from a folder or over the network."""
    name, languages = f"data set {config.path}, train", (config.source, config.target)

    def pair(number: int, rows: tuple[Any, ...]) -> tuple[str, str]:
        row = rows[0].get(config.column, rows[0])
        row = row if isinstance(row, dict) else {}
        if number == 1 and (missing := [one for one in languages if one not in row]):
            raise UserError(
                f"no {missing[0]!r} in the first row of {name}, which has {', '.join(row) or 'nothing'}; set "
                f"corpus.source, corpus.target and corpus.column"
            )
        texts = [row.get(language) for language in languages]
        if not all(text is None or isinstance(text, str) for text in texts):
            raise UserError(f"{name}, row {number}: {config.source} or {config.target} is not text")
        return texts[0] or "", texts[1] or ""

    return Stream(
        names=(name, name),
        open=lambda: (_fetch_stream(config)["train"],),
        pair=pair,
        buffer=config.shuffle_buffer,
        most=config.pairs,
        raw=config.raw,
        copies=config.copies == "allow",
    )


def _fetch_stream(config: HubCorpus) -> Any:
    """Return the splits, each a `datasets.IterableDataset`. Raises UserError where none is for training."""
    found = fetch(config.path, config.subset, streaming=True)
    if "train" not in found:
        raise UserError(f"data set {config.path!r} has no split 'train'; its splits: {', '.join(found)}")
    return found


def _pair_up(texts: Columns, name: str, config: HubCorpus) -> Split:
    split = pair_up(*texts, name, name, raw=config.raw)
    if config.copies == "refuse":
        refuse_copies(split, name)
    return split


def fetch(path: str, subset: str | None = None, *, streaming: bool = False) -> Any:
    """Return the `datasets.DatasetDict` called `path`: a folder, a download, or what an earlier download left.

    A stream's splits are each a `datasets.IterableDataset`, of which nothing is downloaded before it is read.

    Raises UserError in plain words, in seconds when there is no network.
    """
    # load_dataset alone retries for half a minute before it says that there is no network
    offline = not Path(path).is_dir() and not reachable()
    if offline and not cached(path):
        raise UserError(
            f"data set {path!r} is neither a folder here nor in the cache, and the Hub cannot be reached; check the "
            f"network (and HF_HUB_OFFLINE, HF_ENDPOINT), or give a folder that holds the data set"
        )
    import datasets

    datasets.logging.set_verbosity_error()
    if not sys.stderr.isatty():
        datasets.disable_progress_bars()
    before = datasets.config.HF_HUB_OFFLINE
    datasets.config.HF_HUB_OFFLINE = before or offline
    try:
        with _told(path):
            return datasets.load_dataset(path, subset, streaming=streaming)
    finally:
        datasets.config.HF_HUB_OFFLINE = before


@contextmanager
def _told(path: str) -> Iterator[None]:
    """Tell by UserError what goes wrong in `datasets`."""
    try:
        yield
    except Exception as error:  # anything: datasets raises a dozen types, its readers and its transport more
        reason = str(error.__cause__ or error).strip().partition("\n")[0]
        raise UserError(f"data set {path!r} cannot be loaded: {reason}") from error


def columns(found: Any, path: str, source: str, target: str, column: str = "translation") -> dict[str, Columns]:
    """Return the two languages of the splits train, validation and test, as far as `found` has them."""
    named = {"train": "train", "test": "test"} | dict.fromkeys(VALIDATION, "validation")
    splits = {named[name]: table for name, table in found.items() if name in named}
    if "train" not in splits:
        raise UserError(f"data set {path!r} has no split 'train'; its splits: {', '.join(found)}")
    return {name: _two_columns(table, path, source, target, column) for name, table in splits.items()}


def _two_columns(table: Any, path: str, source: str, target: str, column: str) -> Columns:
    known = list(table.column_names)
    where = f"data set {path!r}, which has no column {column!r} but {', '.join(known)}"
    if column in known:
        rows = [row if isinstance(row, dict) else {} for row in table[column]]
        known = sorted({key for row in rows for key in row})
        where = f"column {column!r} of data set {path!r}, whose languages are {', '.join(known) or 'not to be seen'}"
        table = {language: [row.get(language) for row in rows] for language in known}
    for language in (source, target):
        if language not in known:
            raise UserError(f"no {language!r} in {where}; set corpus.source, corpus.target and corpus.column")
        if not all(text is None or isinstance(text, str) for text in table[language]):
            raise UserError(f"{language!r} is not text in {where}")
    return [text or "" for text in table[source]], [text or "" for text in table[target]]


def reachable() -> bool:
    """Tell within `PROBE_SECONDS` whether the Hub answers; HF_HUB_OFFLINE says no."""
    import http.client
    import urllib.error
    import urllib.request

    from huggingface_hub import constants

    if constants.HF_HUB_OFFLINE:
        return False
    answers: list[bool] = []

    def probe() -> None:
        try:
            request = urllib.request.Request(constants.ENDPOINT, method="HEAD")
            with urllib.request.urlopen(request, timeout=PROBE_SECONDS):
                answers.append(True)
        except urllib.error.HTTPError as error:
            error.close()
            answers.append(error.code < 500)
        except (OSError, ValueError, http.client.HTTPException):
            answers.append(False)

    # a thread, because the time limit of urlopen does not cover the look-up of a name
    thread = threading.Thread(target=probe, daemon=True)
    thread.start()
    thread.join(PROBE_SECONDS)
    return answers == [True]


def cached(path: str) -> bool:
    """Tell whether `datasets` has the data set from an earlier download."""
    from datasets.naming import camelcase_to_snakecase
    from huggingface_hub import constants

    root = Path(os.environ.get("HF_DATASETS_CACHE") or Path(constants.HF_HOME) / "datasets")
    owner, slash, name = path.rpartition("/")
    return any((root / f"{owner}{slash and '___'}{camelcase_to_snakecase(name)}").glob("*/*/*/dataset_info.json"))


def find(config: HubCorpus | None) -> str | None:
    """Return where a data set is on this machine."""
    if config is None:
        return "where the config says"
    if Path(config.path).is_dir():
        return config.path
    return "the cache of datasets" if cached(config.path) else None


CORPUS = Corpus(
    title="Any data set of the Hugging Face Hub with a translation column or two text columns",
    languages="as the data set has them",
    size="see the data set's card",
    licence="see the data set's card",
    citation="see the data set's card",
    origin="the Hub, or a folder in its layout, through `datasets`: corpus.path, corpus.subset",
    find=find,
    load=load,
)
