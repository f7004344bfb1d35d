"""Corpora by name. A new one is a file here that exposes `CORPUS`, and a line in CORPORA."""

from collections.abc import Callable
from typing import Any

from mt.config.corpora import CorpusConfig, FilesCorpus, added_to
from mt.corpora import files, gnt, hub, multi30k, toy
from mt.corpora.pairs import Corpus, Split
from mt.corpora.stream import Stream

CORPORA: dict[str, Corpus] = {
    "toy": toy.CORPUS,
    "gnt": gnt.CORPUS,
    "multi30k": multi30k.CORPUS,
    "files": files.CORPUS,
    "hub": hub.CORPUS,
}
STREAMS: dict[str, Callable[[Any], Stream]] = {"files": files.stream, "hub": hub.stream}
"""Of the corpora that can be read as a stream, by name: what opens one, given its config."""


def load_splits(config: CorpusConfig) -> dict[str, Split]:
    """Return the splits "train", "validation" and the test splits, by name, in that order.

    Of the training pairs those that `corpus.pairs` asks for, where it does: the first; and then those of
    `corpus.added`, with their tag. Of those that are streamed, only a beginning.
    """
    splits = CORPORA[config.name].load(config)
    most, train = getattr(config, "pairs", None), splits["train"]
    if most is not None and most < len(train.sources):
        splits["train"] = train.take(range(most))
    added = added_to(config)
    if added.files is not None:
        pairs = files.read(added.files, _as_files(config, added.files))
        splits["train"] = splits["train"].with_added(pairs, added.tag)
    return splits


def _as_files(config: CorpusConfig, place: files.Place) -> FilesCorpus:
    """Return by what the files are read that are added to a corpus, which need not be one of files itself."""
    if isinstance(config, FilesCorpus):
        return config
    told = {key: getattr(config, key) for key in ("source", "target", "raw", "copies") if hasattr(config, key)}
    return FilesCorpus(name="files", train=place, **told)


def places_of(config: CorpusConfig) -> list[str]:
    """Return the files and folders that a config names, which may be anywhere."""
    named = [getattr(config, key, None) for key in ("path", "train", "validation", "test")]
    named.append(added_to(config).files)
    found = [name for one in named if one is not None for name in ((one,) if isinstance(one, str) else one)]
    return list(dict.fromkeys(found))


def open_stream(config: CorpusConfig) -> Stream | None:
    """Return the training pairs as a stream, where `corpus.streaming` asks for one."""
    return STREAMS[config.name](config) if getattr(config, "streaming", False) else None


def describe_corpora() -> str:
    """Return what `mt corpora` prints: size, languages, licence, citation, origin of each, and whether it is here."""
    return "\n\n".join(_describe(name, corpus) for name, corpus in CORPORA.items())


def _describe(name: str, corpus: Corpus) -> str:
    facts = {
        "languages": corpus.languages,
        "size": corpus.size,
        "licence": corpus.licence,
        "citation": corpus.citation,
        "from": corpus.origin,
        "here": corpus.find(None) or "not yet",
    }
    return "\n".join([f"{name}: {corpus.title}", *(f"  {label:<9}  {fact}" for label, fact in facts.items())])
