"""The configuration: one frozen, typed tree, and what every key means. mt/config_file.py reads it from YAML."""

from typing import Annotated, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

Fraction = Annotated[float, Field(ge=0, lt=1)]
Count = Annotated[int, Field(ge=1)]
Seed = Annotated[int, Field(ge=0, lt=2**32)]
Multi30kLanguage = Literal["en", "de", "fr", "cs"]


class Tree(BaseModel):
    """A node of the configuration: immutable, and closed to keys it does not know.

    A validator that finds keys in conflict raises ValueError(reason, key, ...), the keys relative to its node.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", use_attribute_docstrings=True, allow_inf_nan=False)


class ToyCorpus(Tree):
    """A synchronous English-German grammar; nothing to download, gold alignments by construction."""

    name: Literal["toy"]
    source: Literal["en", "de"] = "de"
    target: Literal["en", "de"] = "en"
    pairs: Count = 20000
    """Training pairs to generate."""
    held_out: Count = 500
    """Pairs in each of validation and test."""
    seed: Seed = 1


class GntCorpus(Tree):
    """Greek New Testament (SBLGNT) and Berean Standard Bible, with manual gold word alignments."""

    name: Literal["gnt"]
    source: Literal["grc", "en"] = "grc"
    target: Literal["grc", "en"] = "en"


class Multi30kCorpus(Tree):
    """Multi30k task 1: image captions; test split test_2016_flickr."""

    name: Literal["multi30k"]
    source: Multi30kLanguage = "de"
    target: Multi30kLanguage = "en"
    path: str | None = None
    """Folder of raw files (train.de, val.de, test_2016_flickr.de, ..., plain or .gz). Unset: MT_DATA/multi30k or
    MT_DATA itself, data/multi30k, else the Hub (en and de only)."""


class FilesCorpus(Tree):
    """Your own parallel text: two plain files, a TSV or a JSONL file for each split."""

    name: Literal["files"]
    source: str
    """Name of the source language: the JSONL key, and what the model card says."""
    target: str
    train: str | tuple[str, str]
    """[source file, target file], or one file ending in .tsv (source, tab, target) or .jsonl (each also as .gz).
    Relative to the current folder."""
    validation: str | tuple[str, str] | None = None
    """As train. Unset: held out from the training pairs."""
    test: str | tuple[str, str] | None = None
    """As train. Unset: held out from the training pairs."""
    held_out: Count | None = None
    """Pairs to hold out for each split that is not given. Unset: a tenth of the pairs, at most 1,000."""
    seed: Seed = 1
    """Chooses the pairs that are held out."""


class HubCorpus(Tree):
    """A data set of the Hugging Face Hub, or a folder in its layout: a translation column or two text columns."""

    name: Literal["hub"]
    path: str
    """Name on the Hub, or a local folder."""
    subset: str | None = None
    """The data set's configuration, e.g. de-en."""
    source: str
    target: str
    column: str = "translation"
    """Column holding {language: text}. Where it is missing, columns named like the languages are used."""
    held_out: Count | None = None
    """Pairs to hold out for validation or test where the data set has no such split. Unset: as for files."""
    seed: Seed = 1


CorpusConfig = ToyCorpus | GntCorpus | Multi30kCorpus | FilesCorpus | HubCorpus


class Vocabulary(Tree):
    """SentencePiece, trained on the training split only."""

    kind: Literal["bpe", "unigram"] = "bpe"
    size: Annotated[int, Field(ge=300)] = 5000
    """Pieces, the 4 special symbols and 256 bytes included."""
    joint: bool = True
    """One vocabulary for both languages, or one of this size for each."""


class Dropout(Tree):
    """Probability that a value is dropped in training, by place."""

    embedding: Fraction = 0.3
    encoder: Fraction = 0.3
    """On the encoder's output, and between its layers."""
    decoder: Fraction = 0.3
    """Between the decoder's layers."""
    readout: Fraction = 0.3


class Attention(Tree):
    """How the decoder looks at the source."""

    score: Literal["additive", "dot", "general", "concat", "none"] = "additive"
    """Bahdanau et al. 2015 (additive), Luong et al. 2015 (the others). none: the fixed-length vector, the control."""
    wiring: Literal["bahdanau", "luong"] = "bahdanau"
    """bahdanau: attention before the state's update, which reads the context. luong: attention after it."""
    conditional: bool = True
    """bahdanau wiring: the previous word updates the state before it asks (two cells a step, as in Nematus, Sennrich et
    al. 2017). false: the state of the previous step asks (one cell), as Bahdanau et al. 2015 have it."""
    feeding: bool = True
    """luong wiring: input feeding, the attentional vector is part of the next step's input."""
    width: Count = 256
    """Hidden width of the additive and concat scores."""


class Model(Tree):
    """Encoder and decoder."""

    kind: Literal["rnn"] = "rnn"
    cell: Literal["gru", "lstm"] = "gru"
    embedding: Count = 256
    hidden: Count = 256
    """Width of the decoder's state."""
    encoder_hidden: Count = 256
    """Width of each of the encoder's two directions."""
    layers: Count = 1
    """Depth of the encoder and of the decoder."""
    tied: bool = True
    """Output layer = target embedding; also = source embedding when the vocabulary is joint."""
    dropout: Dropout = Dropout()
    attention: Attention = Attention()

    @model_validator(mode="after")
    def _widths_must_agree(self) -> Self:
        if self.attention.score == "dot" and 2 * self.encoder_hidden != self.hidden:
            raise ValueError(
                f"the dot score multiplies a state by an encoder output, so their widths must be equal, but hidden is "
                f"{self.hidden} and 2 x encoder_hidden is {2 * self.encoder_hidden}; set encoder_hidden to half of "
                f"hidden, or use the general score",
                *("attention.score", "hidden", "encoder_hidden"),
            )
        return self


class Train(Tree):
    """The training loop."""

    epochs: Count = 10
    batch_tokens: Count = 1536
    """Target pieces in a batch, padding included. A longer sentence makes a batch of its own."""
    max_pieces: Count = 200
    """Training pairs with a longer side are left out, and counted."""
    learning_rate: Annotated[float, Field(gt=0)] = 1.5e-3
    betas: tuple[Fraction, Fraction] = (0.9, 0.98)
    schedule: Literal["linear", "inverse_sqrt", "plateau"] = "linear"
    """After the warm-up: linear falls to `final` at the last update; inverse_sqrt falls with 1/sqrt(update); plateau
    multiplies by `factor` when validation BLEU has not risen for `patience` validations."""
    warmup: Annotated[int, Field(ge=0)] = 300
    """Updates in which the learning rate rises linearly from 0."""
    final: Annotated[float, Field(ge=0, le=1)] = 0.02
    factor: Annotated[float, Field(gt=0, lt=1)] = 0.5
    patience: Count = 1
    clip: Annotated[float, Field(gt=0)] = 1.0
    """Largest norm of the gradient."""
    label_smoothing: Fraction = 0.1
    validate_every: Count | None = None
    """Updates between validations. Unset: one epoch."""
    early_stop: Annotated[int, Field(ge=0)] = 0
    """Stop after so many validations without a better BLEU. 0: never."""
    save_every: Count = 100
    """Updates between saves of the state that an exact resume needs; each validation saves too."""


class Search(Tree):
    """Decoding; greedy search (beam 1) is used for validation scores."""

    beam: Count = 5
    length_penalty: Annotated[float, Field(ge=0)] = 1.0
    """Exponent alpha of the length penalty ((5 + length) / 6)^alpha, Wu et al. 2016, eq. 14."""
    max_ratio: Annotated[float, Field(gt=0)] = 2.0
    """The longest output has max_ratio x source pieces + max_extra pieces."""
    max_extra: Count = 10
    max_source: Count = 1000
    """Longer sources are cut to so many pieces, with a warning."""
    batch: Count = 64
    """Sentences translated at once."""


class Config(Tree):
    """An experiment."""

    corpus: Annotated[CorpusConfig, Field(discriminator="name")]
    vocabulary: Vocabulary = Vocabulary()
    model: Model = Model()
    train: Train = Train()
    search: Search = Search()
    seed: Seed = 1
    threads: Count | None = None
    """Threads for the arithmetic. Unset: one for each processor this process may use."""

    @model_validator(mode="after")
    def _languages_differ(self) -> Self:
        if self.corpus.source == self.corpus.target:
            raise ValueError(
                f"source and target are both {self.corpus.source!r}; choose two languages",
                *("corpus.source", "corpus.target"),
            )
        return self
