"""The configuration: one frozen, typed tree, and what every key means. mt/config_file.py reads it from YAML."""

from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from mt.config.corpora import CorpusConfig
from mt.config.models import Model, RNNModel
from mt.config.tree import Count, Fraction, Seed, Tree


class Vocabulary(Tree):
    """SentencePiece, trained on the training split only."""

    kind: Literal["bpe", "unigram"] = "bpe"
    """bpe: byte-pair encoding (Sennrich et al. 2016). unigram: a unigram language model (Kudo 2018)."""
    size: Annotated[int, Field(ge=300)] = 5000
    """Pieces, the 4 special symbols and 256 bytes included."""
    joint: bool = True
    """One vocabulary for both languages, or one of this size for each."""


Precision = Literal["float32", "bfloat16"]
"""bfloat16 takes about half the time, and needs a processor with instructions for it (AVX512-BF16, AMX, or ARM's)."""


class Guide(Tree):
    """Guided alignment: the reported attention is taught known word links (Chen et al. 2016; Garg et al. 2019)."""

    links: str | None = None
    """gold: the corpus's own. Else a Pharaoh file: a line of links for each training pair, source-target word numbers
    from 0; words are those of the corpus's gold where it has any, else those between white space. Unset: no guide."""
    weight: Annotated[float, Field(ge=0)] = 0.3
    """Of the guide's cross-entropy beside that of the translation; both are summed and divided by the target pieces."""
    shift: Literal[0, 1] = 0
    """0: the step that predicts a piece is taught its links. 1: the step after it, which has read the piece (Chen et
    al. 2020; with model.attention.conditional: false only the step after that has)."""


class Teacher(Tree):
    """Trained models teach: how likely they find each piece is learned too (Kim and Rush 2016, 3.1)."""

    runs: tuple[str, ...] = ()
    """Run directories of the same corpus and vocabulary, whose mean teaches. Empty: no teacher."""
    weight: Fraction = 0.8
    """Of the cross-entropy to the teacher's probabilities; that to the pieces of the corpus has the rest."""
    candidates: Annotated[int, Field(ge=1, le=300)] = 24
    """So many pieces, the likeliest at each place, are taught, their probabilities scaled to sum to one."""


class Train(Tree):
    """The training loop."""

    epochs: Count = 10
    """Times that training reads all of its pairs."""
    batch_tokens: Count = 1536
    """Target pieces in a batch, padding included. A longer sentence makes a batch of its own."""
    max_pieces: Count = 200
    """Training pairs with a longer side are left out, and counted."""
    learning_rate: Annotated[float, Field(gt=0)] = 1.5e-3
    """The highest rate, which the warm-up ends with."""
    betas: tuple[Fraction, Fraction] = (0.9, 0.98)
    """Of Adam (Kingma and Ba 2015): the decay of its mean gradient, and of its mean squared gradient."""
    schedule: Literal["linear", "inverse_sqrt", "plateau"] = "linear"
    """After the warm-up: linear falls to `final` at the last update; inverse_sqrt falls with 1/sqrt(update); plateau
    multiplies by `factor` when validation BLEU has not risen for `patience` validations."""
    warmup: Annotated[int, Field(ge=0)] = 300
    """Updates in which the learning rate rises linearly from 0."""
    final: Annotated[float, Field(ge=0, le=1)] = 0.02
    """linear: what the learning rate ends at, as a share of the highest."""
    factor: Annotated[float, Field(gt=0, lt=1)] = 0.5
    """plateau: what the learning rate is multiplied by."""
    patience: Count = 1
    """plateau: so many validations without a better BLEU, and the learning rate falls."""
    clip: Annotated[float, Field(gt=0)] = 1.0
    """Largest norm of the gradient."""
    label_smoothing: Fraction = 0.1
    """Share of the target that all pieces of the vocabulary divide equally (Szegedy et al. 2016)."""
    precision: Precision = "float32"
    """Of matrix products and what is made of them, in an update; weights, their optimiser, the loss, validation and all
    else are float32 (Micikevicius et al. 2018; Kalamkar et al. 2019)."""
    average: Fraction = 0.0
    """Decay of the moving average of the weights that is validated and kept (Polyak and Juditsky 1992). 0: the weights
    of the last update."""
    coverage_loss: Annotated[float, Field(ge=0)] = 0.0
    """Weight of the coverage loss, sum of min(weight, sum of earlier weights) (See et al. 2017, eq. 12-13)."""
    guide: Guide = Guide()
    teacher: Teacher = Teacher()
    validate_every: Count | None = None
    """Updates between validations. Unset: one epoch."""
    early_stop: Annotated[int, Field(ge=0)] = 0
    """Stop after so many validations without a better BLEU. 0: never."""
    save_every: Count = 100
    """Updates between saves of the state that an exact resume needs; each validation saves too."""


class Nearest(Tree):
    """Nearest-neighbour translation: the most similar moments of training vote too (Khandelwal et al. 2021)."""

    count: Annotated[int, Field(ge=0)] = 0
    """So many target pieces of the training split vote on the next piece. 0: none. They are read from the run's
    datastore, which training writes at its end where this is not 0, and `mt datastore` whenever it is asked to."""
    weight: Annotated[float, Field(gt=0, lt=1)] = 0.6
    """Of their vote, beside the model's own probability."""
    temperature: Annotated[float, Field(gt=0)] = 0.08
    """A vote counts exp(-distance^2 / temperature), for vectors of length 1."""


class Search(Tree):
    """Decoding; greedy search (beam 1) is used for validation scores."""

    beam: Count = 5
    """Hypotheses that the search keeps of each sentence. 1: greedy search."""
    length_penalty: Annotated[float, Field(ge=0, le=10)] = 1.0
    """Exponent alpha of the length penalty ((5 + length) / 6)^alpha, Wu et al. 2016, eq. 14."""
    coverage_penalty: Annotated[float, Field(ge=0, le=100)] = 0.0
    """Weight beta of the coverage penalty, sum of log min(1, a source piece's attention), Wu et al. 2016, eq. 14."""
    no_repeat: Annotated[int, Field(ge=0)] = 0
    """No hypothesis repeats so many pieces in a row (Paulus et al. 2018). 0: it may."""
    sample: bool = False
    """Draw each piece at random instead of searching for the best; the beam is then not used."""
    temperature: Annotated[float, Field(gt=0)] = 1.0
    """Sampling: logits are divided by it."""
    top_k: Annotated[int, Field(ge=0)] = 0
    """Sampling: only from so many most probable pieces (Fan et al. 2018). 0: from all."""
    top_p: Annotated[float, Field(gt=0, le=1)] = 1.0
    """Sampling: only from the most probable pieces that together reach this probability (Holtzman et al. 2020)."""
    sample_seed: Seed = 1
    """Sampling: another seed draws other translations."""
    max_ratio: Annotated[float, Field(gt=0)] = 1.5
    """The longest output has max_ratio x source pieces + max_extra pieces."""
    max_extra: Count = 5
    """See max_ratio."""
    max_source: Count = 1000
    """Longer sources are cut to so many pieces, with a warning."""
    batch: Count = 64
    """Sentences translated at once."""
    precision: Precision = "float32"
    """Of the model when it translates, its logits included; the softmax over them, the votes of nearest neighbours,
    validation in training, and aligning are float32."""
    nearest: Nearest = Nearest()


class Config(Tree):
    """An experiment."""

    corpus: Annotated[CorpusConfig, Field(discriminator="name")]
    vocabulary: Vocabulary = Vocabulary()
    model: Annotated[Model, Field(discriminator="kind")] = RNNModel()
    train: Train = Train()
    search: Search = Search()
    seed: Seed = 1
    """Of all that is random in training: first weights, order, dropout."""
    threads: Count | None = None
    """Threads for the arithmetic, at most one for each processor this process may use. Unset: OMP_NUM_THREADS, else one
    for each processor, up to 8. No part of the experiment: another number may resume it, though not bit for bit."""

    @model_validator(mode="after")
    def _languages_differ(self) -> Self:
        if self.corpus.source == self.corpus.target:
            raise ValueError(
                f"source and target are both {self.corpus.source!r}; choose two languages",
                *("corpus.source", "corpus.target"),
            )
        return self

    @model_validator(mode="after")
    def _what_needs_attention_has_it(self) -> Self:
        if self.search.coverage_penalty and not self.model.has_attention:
            raise ValueError(
                "a coverage penalty asks where attention looked, and this model has none", "search.coverage_penalty"
            )
        if self.train.guide.links and not self.model.has_attention:
            raise ValueError("a guide teaches attention, and this model has none", "train.guide.links")
        covered = isinstance(self.model, RNNModel) and self.model.attention.coverage
        if self.train.coverage_loss and not covered:
            raise ValueError("the coverage loss needs model.attention.coverage: true", "train.coverage_loss")
        return self
