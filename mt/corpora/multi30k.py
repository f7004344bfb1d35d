"""Multi30k task 1: 29,000 image captions in English, German, French and Czech (Elliott et al. 2016, 2017)."""

import hashlib
import logging
import os
from pathlib import Path

from mt.config.corpora import Multi30kCorpus
from mt.core.errors import UserError
from mt.core.files import read_lines
from mt.corpora import hub
from mt.corpora.pairs import Corpus, Split
from mt.corpora.splits import pair_up

HUB_NAME = "bentrevett/multi30k"
HUB_LANGUAGES = {"en", "de"}
HUB_FILES = {"train": "train", "validation": "val", "test": "test_2016_flickr"}
# test_2016_flickr is last, because the last test split is the one scored by default and the one that papers report
TESTS = ("test_2017_flickr", "test_2017_mscoco", "test_2018_flickr", "test_2016_flickr")
SIZES = {"train": 29000, "val": 1014, "test_2016_flickr": 1000}
SHA256 = {  # of the decompressed files
    "train.en": "460a15fbd157e34a7a9957ee388c1ca247fe47af3ef25fb50442af6c274e0fc6",
    "train.de": "2c2b73fd2b548fbcde3a875e0a78d6ee94d498bfdee6bd3eae3945779e9ddf72",
    "train.fr": "5925a3c18f1587b6b54b87743106e6e8ab93618edb6f65d19eac0621f853a10d",
    "train.cs": "2be68b38c8d586ff4f54eb13cc6e1baaaa053695b3f070d3038303a47f2268da",
    "val.en": "1f2a23d992769b5b3d209b0a10dd0b77c08cceb1f20dfb97ed0aafa49d107227",
    "val.de": "660e09eb7e1da2f856ea13ee5ad3cf6d36b3d5b0b733c857e94c5747a3dfc660",
    "val.fr": "5304e444d842e962b2dda4d816b70b22a1765b15401642b7ca37a67477e708dc",
    "val.cs": "d53827e469b0a1ca8d57e9e26b2b64c4bc4b33f5479c7b03ae87ae5c882c3e33",
    "test_2016_flickr.en": "399a4382932c1aadd3ceb9bef1008d388a64c76d4ae4e9d4728c6f4301cac182",
    "test_2016_flickr.de": "4be6b5b3236b79c25475c6bb829800a7ce559e9ba7a1f6c2394fe4d40be46d16",
    "test_2016_flickr.fr": "cb3160d69b002bb638e66cc7612fcd56cb0af82eadc9c142dedc438afb885ef6",
    "test_2016_flickr.cs": "45adb85f688de8407fddcbe1b36dca15d12aab868149b337e2576f2d6d2ff8d8",
}

log = logging.getLogger("mt")

Texts = dict[str, hub.Columns]
"""By the name of the raw file (train, val, test_2016_flickr, ...)."""


def load(config: Multi30kCorpus) -> dict[str, Split]:
    """Return train, validation and the test splits that are there, test_2016_flickr last."""
    folder = locate(config)
    if folder is None and config.path is not None:
        raise UserError(f"corpus.path {config.path}: {_not_here(config)}")
    if folder is not None and _file(folder, "train", config.source):
        texts, names = _read_raw(folder, config.source, config.target), str(folder) + "/{split}.{language}"
    elif {config.source, config.target} <= HUB_LANGUAGES:
        texts, names = _read_hub(folder, config), f"{folder or HUB_NAME}, {{split}}, {{language}}"
    else:
        raise UserError(f"Multi30k {config.source}-{config.target}: {_not_here(config)}")
    _compare_with_release(texts, config.source, config.target)
    return {
        "validation" if split == "val" else split: pair_up(
            *pair, *(names.format(split=split, language=language) for language in (config.source, config.target))
        )
        for split, pair in texts.items()
    }


def locate(config: Multi30kCorpus) -> Path | None:
    """Return the first folder that has the training text of both languages, raw or in the Hub's layout."""
    languages = (config.source, config.target)
    for folder in _folders(config):
        if all(_file(folder, "train", language) for language in languages):
            return folder
        if set(languages) <= HUB_LANGUAGES and any(folder.glob("train*.jsonl*")):
            return folder
    return None


def find(config: Multi30kCorpus | None = None) -> str | None:
    """Return the folder, or that `datasets` has the data set from an earlier download. No network."""
    config = config or Multi30kCorpus(name="multi30k")
    folder = locate(config)
    if folder is not None:
        return str(folder)
    on_hub = config.path is None and {config.source, config.target} <= HUB_LANGUAGES
    return "the cache of datasets" if on_hub and hub.cached(HUB_NAME) else None


def available() -> str | None:
    """Return where German-English can come from: a place on this machine, "hub" if that answers, or None. 3 seconds."""
    return find() or ("hub" if hub.reachable() else None)


def _folders(config: Multi30kCorpus) -> list[Path]:
    if config.path is not None:
        return [Path(config.path)]
    root = os.environ.get("MT_DATA")
    given = [Path(root, "multi30k"), Path(root, "multi30k-hub"), Path(root)] if root else []
    return [*given, Path("data/multi30k")]


def _file(folder: Path, split: str, language: str) -> Path | None:
    names = (f"{split}.{language}", f"{split}.{language}.gz")
    return next((folder / name for name in names if (folder / name).is_file()), None)


def _read_raw(folder: Path, source: str, target: str) -> Texts:
    texts = {}
    for split in ("train", "val", *TESTS):
        paths = [_file(folder, split, language) for language in (source, target)]
        if paths[0] and paths[1]:
            texts[split] = read_lines(paths[0]), read_lines(paths[1])
        elif split in SIZES:
            language = target if paths[0] else source
            raise UserError(
                f"Multi30k: {folder / split}.{language} (or .gz) is missing; get it from the public "
                f"repository multi30k/dataset"
            )
    return texts


def _read_hub(folder: Path | None, config: Multi30kCorpus) -> Texts:
    name = str(folder) if folder else HUB_NAME
    try:
        found = hub.columns(hub.fetch(name), name, config.source, config.target)
    except UserError as error:
        raise error if folder else UserError(f"{error}. Or: {_not_here(config)}") from error
    missing = [split for split in HUB_FILES if split not in found]
    if missing:
        raise UserError(f"Multi30k: {name} has no split {' and no split '.join(missing)}")
    return {raw: found[split] for split, raw in HUB_FILES.items()}


def _not_here(config: Multi30kCorpus) -> str:
    wanted = ", ".join(f"{split}.{language}" for split in SIZES for language in (config.source, config.target))
    places = ", ".join(str(folder) for folder in _folders(config))
    place = f"looked in {places}" if config.path is None else "that folder lacks them"
    return (
        f"put the raw files {wanted} (each may end in .gz) from the public repository multi30k/dataset into "
        f"{config.path or 'data/multi30k'}, or into a folder that MT_DATA names; {place}"
    )


def _compare_with_release(texts: Texts, source: str, target: str) -> None:
    """Say once whether these are the files that published scores were computed on."""
    different = []
    for split, lines in SIZES.items():
        for language, text in zip((source, target), texts[split], strict=True):
            data = "".join(line + "\n" for line in text).encode("utf-8", "surrogatepass")
            if hashlib.sha256(data).hexdigest() != SHA256[f"{split}.{language}"]:
                different.append(f"{split}.{language} ({len(text):,} lines; the release has {lines:,})")
    if different:
        log.warning("Multi30k: not the known release, so scores may not compare: %s", ", ".join(different))
    else:
        log.info("Multi30k: all %d files have the known checksums", 2 * len(SIZES))


CORPUS = Corpus(
    title="Multi30k task 1: captions of images",
    languages="en, de, fr, cs in any direction",
    size="29,000 training, 1,014 validation, 1,000 test pairs (test_2016_flickr); about 1 MB a language",
    licence="for research; captions partly from Flickr30k, whose terms hold (see data/README.md)",
    citation="Elliott et al. 2016 (en, de), Elliott et al. 2017 (fr), Barrault et al. 2018 (cs)",
    origin=f"raw files of the public repository multi30k/dataset, or the Hub's {HUB_NAME} (en, de)",
    find=find,
    load=load,
)
