"""Keys of `corpus`, by its name."""

import codecs
from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from mt.config.tree import Count, Few, Seed, Tree
from mt.core.files import kind_of
from mt.core.text import unknown_encoding

HeldOutBy = Literal["groups", "pairs"]
Multi30kLanguage = Literal["en", "de", "fr", "cs"]
Column = Annotated[int, Field(strict=True, le=1_000_000)]
WITH_COLUMNS = (".tsv", ".csv", ".jsonl", ".json", ".parquet")
"""How a file ends that has a column, or a key, for each language."""
ONE_FILE = (*WITH_COLUMNS, ".tmx")
"""How a file ends that holds both languages."""


class Added(Tree):
    """Pairs for training alone, such as back-translations (Sennrich et al. 2016), which a tag tells from the others.

    None is held out of them, and none is counted by `corpus.pairs`.
    """

    files: str | tuple[str, str] | None = None
    """[source file, target file], or one file of both languages, as train of files. Unset: none is added."""
    tag: Annotated[str, Field(pattern="^<[A-Za-z][A-Za-z0-9_-]{0,30}>$")] = "<BT>"
    """A piece of the vocabulary that training reads before each of their sources (Caswell et al. 2019). No text has it,
    also where somebody types its name."""

    @model_validator(mode="after")
    def _tag_is_free(self) -> Self:
        if self.tag in {"<s>", "<unk>", "<pad>"}:
            raise ValueError(f"{self.tag} is a piece of every vocabulary", "tag")
        return self


class ToyCorpus(Tree):
    """A synchronous English-German grammar; nothing to download, gold alignments by construction."""

    name: Literal["toy"]
    """Says that the corpus is this one."""
    source: Literal["en", "de"] = "de"
    """Language to translate from."""
    target: Literal["en", "de"] = "en"
    """Language to translate into."""
    pairs: Annotated[int, Field(ge=1, le=10_000_000)] = 20000
    """Training pairs to generate."""
    held_out: Annotated[int, Field(ge=1, le=1_000_000)] = 500
    """Pairs in each of validation and test."""
    longest: Few | None = None
    """Words of the longest source in training, between white space; validation and test have sentences of any length.
    Unset: any length in training, too."""
    seed: Seed = 1
    """Chooses the sentences that are generated."""


class GntCorpus(Tree):
    """Greek New Testament (SBLGNT) and Berean Standard Bible, with manual gold word alignments."""

    name: Literal["gnt"]
    """Says that the corpus is this one."""
    source: Literal["grc", "en"] = "grc"
    """Language to translate from."""
    target: Literal["grc", "en"] = "en"
    """Language to translate into."""
    all_text: bool = False
    """Train on the validation and test verses too, and without gold links, as unsupervised aligners do. BLEU then tells
    nothing."""
    added: Added = Added()
    pairs: Count | None = None
    """So many training pairs, the first of them. Unset: all."""


class Multi30kCorpus(Tree):
    """Multi30k task 1: image captions; test split test_2016_flickr."""

    name: Literal["multi30k"]
    """Says that the corpus is this one."""
    source: Multi30kLanguage = "de"
    """Language to translate from."""
    target: Multi30kLanguage = "en"
    """Language to translate into."""
    path: str | None = None
    """Folder of raw files (train.de, val.de, test_2016_flickr.de, ..., plain or .gz). Unset: MT_DATA/multi30k or
    MT_DATA itself, data/multi30k, else the Hub (en and de only)."""
    added: Added = Added()
    pairs: Count | None = None
    """So many training pairs, the first of them. Unset: all."""


class Columns(Tree):
    """Where source and target stand in a row, for each split that is a file with columns.

    Unset: what the first row says, else the first column and the second; of JSON and Parquet the keys that are called
    like the languages.
    """

    source: Column | str | None = None
    """Number of the source column, counted from 1, or its name in the first row; of JSON and Parquet its name."""
    target: Column | str | None = None
    """As source."""

    @model_validator(mode="after")
    def _both_are_there(self) -> Self:
        both = (self.source, self.target)
        if (self.source is None) != (self.target is None):
            raise ValueError("say both columns, or neither", "source", "target")
        if any(isinstance(one, int) and one < 1 for one in both):
            raise ValueError("columns are counted from 1", "source", "target")
        if self.source is not None and self.source == self.target:
            raise ValueError("source and target are the same column", "source", "target")
        return self


class FilesCorpus(Tree):
    """Your own parallel text: two plain files, or one file of a kind that holds both languages, for each split."""

    name: Literal["files"]
    """Says that the corpus is this one."""
    source: str
    """Name of the source language: the key in JSON, the column in Parquet, the language in TMX (en is also en-US), and
    what the model card says."""
    target: str
    """Language to translate into."""
    train: str | tuple[str, str]
    """[source file, target file], or one file ending in .tsv (source, tab, target), .csv, .jsonl, .json (a list of
    objects), .tmx or .parquet; each also as .gz, .bz2, .xz or .zst. Relative to the current folder."""
    validation: str | tuple[str, str] | None = None
    """As train. Unset: held out from the training pairs."""
    test: str | tuple[str, str] | None = None
    """As train. Unset: held out from the training pairs."""
    added: Added = Added()
    columns: Columns = Columns()
    encoding: str = "utf-8"
    """What the files are written in, as Python calls it: windows-1252, utf-16-le, gb18030. A file that begins with a
    byte-order mark is read as that says, and so is TMX, which says itself what it is in."""
    copies: Literal["refuse", "allow"] = "refuse"
    """What to do where source and target are the same in over half of the pairs of a split."""
    raw: bool = False
    """Take text as it stands: a first row that names the languages is a pair, quotes around fields stay, XML
    and JSON are sentences, and control characters of U+0080 to U+009F are no mistake."""
    held_out: Count | None = None
    """Pairs to hold out for each split that is not given. Unset: a tenth of the pairs, at most 1,000."""
    held_out_by: HeldOutBy = "groups"
    """groups: pairs that share a source or a target sentence (case and white space aside) are held out together, so
    that training has seen no sentence of the test. pairs: each pair by itself."""
    pairs: Count | None = None
    """So many training pairs, the first of those that are not held out. Unset: all."""
    streaming: bool = False
    """Read the training pairs anew in every epoch, so that they need not fit into memory. Then they are in UTF-8,
    in no .json, and validation and test have files of their own."""
    shuffle_buffer: Count = 100_000
    """streaming: lines that are in memory at once, and shuffled. Shuffle the files first where neighbours are alike."""
    seed: Seed = 1
    """Chooses the pairs that are held out."""

    @model_validator(mode="after")
    def _encoding_is_known(self) -> Self:
        if reason := unknown_encoding(self.encoding):
            raise ValueError(reason, "encoding")
        return self

    @model_validator(mode="after")
    def _columns_are_there(self) -> Self:
        tables = [one for one in (self.train, self.validation, self.test) if isinstance(one, str)]
        if self.columns.source is not None and not any(kind_of(one) in WITH_COLUMNS for one in tables):
            raise ValueError(f"of these files none has columns, as {', '.join(WITH_COLUMNS)} have", "columns")
        return self

    @model_validator(mode="after")
    def _can_be_streamed(self) -> Self:
        if not self.streaming:
            return self
        if missing := [name for name in ("validation", "test") if getattr(self, name) is None]:
            raise ValueError(f"of a stream nothing can be held out: give a file for {missing[0]}", missing[0])
        _must_not_be_added(self)
        if isinstance(self.train, str) and kind_of(self.train) not in {*ONE_FILE} - {".json"}:
            raise ValueError(
                "a stream is read from two plain files, or from one in .tsv, .csv, .jsonl, .tmx or .parquet", "train"
            )
        if codecs.lookup(self.encoding).name != "utf-8":
            raise ValueError("a stream is read from files in UTF-8: convert them with `iconv`", "encoding")
        return self


class HubCorpus(Tree):
    """A data set of the Hugging Face Hub, or a folder in its layout: a translation column or two text columns."""

    name: Literal["hub"]
    """Says that the corpus is this one."""
    path: str
    """Name on the Hub, or a local folder."""
    subset: str | None = None
    """The data set's configuration, e.g. de-en."""
    source: str
    """Language to translate from."""
    target: str
    """Language to translate into."""
    column: str = "translation"
    """Column holding {language: text}. Where it is missing, columns named like the languages are used."""
    added: Added = Added()
    copies: Literal["refuse", "allow"] = "refuse"
    """What to do where source and target are the same in over half of the pairs of a split."""
    raw: bool = False
    """Take text as it stands: control characters of U+0080 to U+009F are no mistake."""
    held_out: Count | None = None
    """Pairs to hold out for validation or test where the data set has no such split. Unset: as for files."""
    held_out_by: HeldOutBy = "groups"
    """groups: pairs that share a source or a target sentence (case and white space aside) are held out together, so
    that training has seen no sentence of the test. pairs: each pair by itself."""
    pairs: Count | None = None
    """So many training pairs, the first of those that are not held out. Unset: all."""
    streaming: bool = False
    """Read the training pairs anew in every epoch, so that they need not fit into memory. Then the data set
    has splits for validation and test."""
    shuffle_buffer: Count = 100_000
    """streaming: lines that are in memory at once, and shuffled. Shuffle the data set first where neighbours are
    alike."""
    seed: Seed = 1
    """Chooses the pairs that are held out."""

    @model_validator(mode="after")
    def _can_be_streamed(self) -> Self:
        if self.streaming:
            _must_not_be_added(self)
        return self


def _must_not_be_added(config: FilesCorpus | HubCorpus) -> None:
    """Raise ValueError where pairs are to be added to a stream."""
    if config.added.files is not None:
        raise ValueError("to a stream nothing is added: leave out one of the two", "streaming", "added.files")


def added_to(config: Tree) -> Added:
    """Return what is added to a corpus, any that has this key."""
    added: Added = getattr(config, "added", Added())
    return added


CorpusConfig = ToyCorpus | GntCorpus | Multi30kCorpus | FilesCorpus | HubCorpus
