"""Greek New Testament (SBLGNT) and Berean Standard Bible, verse by verse, with manual gold word alignments.

The texts and the gold are data files of one wheel on the Python package index; its code is not used. `pip download`
fetches it from the user's own index, so this corpus works where the Hugging Face Hub does not.
"""

import hashlib
import importlib.util
import json
import logging
import os
import shutil
import subprocess
import sys
import tempfile
import zipfile
from collections import defaultdict
from dataclasses import dataclass, field
from pathlib import Path

from mt.config.corpora import GntCorpus
from mt.core.errors import UserError
from mt.core.files import decode_lines, replacing
from mt.corpora.pairs import Corpus, Gold, Link, Span, Split

REQUIREMENT = "bible-alignments==0.4.2"
WHEEL = "bible_alignments-0.4.2-py3-none-any.whl"
SHA256 = "84f6b15e706657777824aac811567cb5cb2b38ad2b94497209f5f3c3f67b0984"
LICENCE = "SBLGNT: CC BY 4.0; Berean Standard Bible: public domain; alignments: CC BY 4.0 (Biblica)"
CITATION = (
    "The Greek New Testament: SBL Edition (Holmes 2010); Berean Standard Bible (bereanbible.com); "
    "Bible Word Alignments (Clear Bible, now Biblica)"
)

# By whole chapters (2-digit book, 3-digit chapter), so that no test verse has its neighbours in training. Drawn once:
# random.seed(0); random.shuffle(sorted chapters); the first 13 are test, the next 13 validation.
TEST = (
    "52001",
    "52002",
    "48006",
    "47003",
    "59003",
    "66008",
    "43021",
    "46012",
    "41012",
    "51001",
    "41014",
    "46003",
    "44017",
)
VALIDATION = (
    "44007",
    "66002",
    "41013",
    "66005",
    "50003",
    "42015",
    "40002",
    "45003",
    "66001",
    "44011",
    "49001",
    "45012",
    "66009",
)
# Acts 19:40 (Greek) is 19:40-41 in English, 2 Corinthians 13:13 is 13:14: the same number, another text. Both would be
# training verses.
LEFT_OUT = ("44019040", "47013013")

log = logging.getLogger("mt")


@dataclass
class Text:
    """A detokenised verse: the line, the spans of its words, and which word a token of the corpus became."""

    line: str = ""
    spans: list[Span] = field(default_factory=list)
    words: dict[str, int] = field(default_factory=dict)

    def add(self, token: str, text: str, space: bool, word: bool) -> None:
        """Append a token, and a space if one follows."""
        start = len(self.line)
        self.line += text
        if word:
            self.words[token] = len(self.spans)
            self.spans.append((start, len(self.line)))
        if space:
            self.line += " "


def load(config: GntCorpus) -> dict[str, Split]:
    """Return train, validation and test (7,217, 362 and 355 verses), fetching the wheel when it is not here."""
    pairs = verses(wheel())
    if config.source == "en":
        pairs = {verse: (target, source, gold and _transpose(gold)) for verse, (source, target, gold) in pairs.items()}
    by_split: dict[str, list[tuple[str, str, Gold | None]]] = {"train": [], "validation": [], "test": []}
    for verse, pair in pairs.items():
        if verse not in LEFT_OUT:
            chapter = verse[:5]
            by_split["test" if chapter in TEST else "validation" if chapter in VALIDATION else "train"].append(pair)
    if config.all_text:
        by_split["train"] = [pair for chosen in by_split.values() for pair in map(_without_links, chosen)]
    return {
        name: Split([pair[0] for pair in chosen], [pair[1] for pair in chosen], [pair[2] for pair in chosen])
        for name, chosen in by_split.items()
    }


def verses(path: Path) -> dict[str, tuple[str, str, Gold | None]]:
    """Return {verse: (Greek, English, gold)} in order, for the verses whose number both sides have.

    Links that cross verses are dropped; gold is None for the verses that have no link of their own.
    """
    with zipfile.ZipFile(path) as archive:
        greek = _greek(decode_lines(archive.read("data/sources/SBLGNT.tsv"), "SBLGNT.tsv"))
        english = _english(decode_lines(archive.read("data/eng/targets/BSB/nt_BSB.tsv"), "nt_BSB.tsv"))
        records = json.loads(archive.read("data/eng/alignments/BSB/SBLGNT-BSB-manual.json"))["records"]
    links: dict[str, set[Link]] = defaultdict(set)
    for record in records:
        for source in record["source"]:
            verse = source[1:9]
            for target in record["target"]:
                if target[:8] == verse and verse in english:
                    links[verse].add((greek[verse].words[source], english[verse].words[target]))
    pairs = {}
    for verse in sorted(greek.keys() & english.keys()):
        source_text, target_text, sure = greek[verse], english[verse], frozenset(links[verse])
        gold = Gold(tuple(source_text.spans), tuple(target_text.spans), sure, sure) if sure else None
        pairs[verse] = source_text.line.rstrip(" "), target_text.line.rstrip(" "), gold
    return pairs


def _greek(lines: list[str]) -> dict[str, Text]:
    """Greek has no punctuation: every token is a word, and a space follows."""
    texts: dict[str, Text] = defaultdict(Text)
    for line in lines[1:]:
        token, _, text, _ = line.split("\t", 3)
        texts[token[1:9]].add(token, text, space=True, word=True)
    return texts


def _english(lines: list[str]) -> dict[str, Text]:
    """In English exactly the punctuation is marked as excluded from the alignment."""
    texts: dict[str, Text] = defaultdict(Text)
    for line in lines[1:]:
        token, _, text, skip_space_after, exclude, _ = line.split("\t", 5)
        texts[token[:8]].add(token, text, space=skip_space_after != "y", word=exclude != "y")
    return texts


def _without_links(pair: tuple[str, str, Gold | None]) -> tuple[str, str, Gold | None]:
    source, target, gold = pair
    return source, target, gold and Gold(gold.source_spans, gold.target_spans, frozenset(), frozenset())


def _transpose(gold: Gold) -> Gold:
    links = frozenset((target, source) for source, target in gold.sure)
    return Gold(gold.target_spans, gold.source_spans, links, links)


def wheel() -> Path:
    """Return the verified wheel, from MT_DATA/gnt or data/gnt, fetched into the first of them when it is in neither."""
    path = _on_disk()
    if path is None:
        return fetch(_folders()[0])
    if not _genuine(path):
        raise UserError(f"{path} is damaged (its sha256 is not {SHA256}); delete it, and it will be fetched again")
    return path


def fetch(folder: Path) -> Path:
    """Download the wheel into `folder` with pip, from the package index that pip is set up for, and verify it."""
    log.info("gnt: fetching %s (8.8 MB) into %s", REQUIREMENT, folder)
    log.info("gnt: %s", LICENCE)
    log.info("gnt: cite %s", CITATION)
    with tempfile.TemporaryDirectory() as scratch:
        _pip_download(scratch)
        downloaded = Path(scratch, WHEEL)
        if not downloaded.is_file():
            raise UserError(f"pip downloaded {REQUIREMENT}, but not as {WHEEL}: the index has another build of it")
        if not _genuine(downloaded):
            raise UserError(
                f"{WHEEL} from the package index has not the sha256 {SHA256}; it was not kept. Try again, "
                f"or ask who runs the index"
            )
        with replacing(folder / WHEEL) as temporary:
            shutil.copyfile(downloaded, temporary)
    log.info("gnt: sha256 %s verified", SHA256)
    return folder / WHEEL


def pip_command(folder: str) -> list[str]:
    """Return the command: this wheel alone, whatever Python it declares (it says < 3.12; only its data are read)."""
    # -P: `-m` alone would run a pip.py of the current folder. Not -I, which would not see a pip of the user's own site.
    pip = [sys.executable, "-P", "-m", "pip", "download", "--quiet", "--no-input", "--disable-pip-version-check"]
    return [*pip, "--no-deps", "--ignore-requires-python", "--only-binary", ":all:", "--dest", folder, REQUIREMENT]


def _pip_download(folder: str) -> None:
    by_hand = f"or download {WHEEL} elsewhere and put it into {_folders()[0]}"
    if importlib.util.find_spec("pip") is None:
        raise UserError(
            f"gnt is fetched with pip, which {sys.executable} lacks: run `{sys.executable} -m ensurepip`, {by_hand}"
        )
    done = subprocess.run(pip_command(folder), capture_output=True, text=True, check=False)
    if done.returncode:
        lines = [line for line in done.stderr.splitlines() if line.strip()]
        reason = next((line for line in lines if line.startswith("ERROR")), lines[-1] if lines else "no message")
        raise UserError(f"pip cannot download {REQUIREMENT}: {reason}. Check the network and pip's index, {by_hand}")


def _folders() -> list[Path]:
    root = os.environ.get("MT_DATA")
    return [*([Path(root, "gnt")] if root else []), Path("data/gnt")]


def _on_disk() -> Path | None:
    return next((folder / WHEEL for folder in _folders() if (folder / WHEEL).is_file()), None)


def _genuine(path: Path) -> bool:
    with open(path, "rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest() == SHA256


def find(config: GntCorpus | None = None) -> str | None:
    """Return the path of the wheel when it is here."""
    path = _on_disk()
    return None if path is None else str(path)


CORPUS = Corpus(
    title="Greek New Testament (SBLGNT) and Berean Standard Bible, with manual gold word alignments",
    languages="grc-en in both directions",
    size="7,217 training, 362 validation, 355 test verses; 8.8 MB to download",
    licence=LICENCE,
    citation=CITATION,
    origin=f"{REQUIREMENT} on the Python package index (pip fetches the wheel alone, verified by its sha256)",
    find=find,
    load=load,
)
