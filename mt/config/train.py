"""Keys of `train`: the loop, and what teaches beside the translations."""

from typing import Annotated, Literal

from pydantic import Field

from mt.config.tree import Count, Fraction, Precision, Tree


class GuideConfig(Tree):
    """Guided alignment: the reported attention is taught known word links (Chen et al. 2016; Garg et al. 2019)."""

    links: str | None = None
    """gold: the corpus's own. Else a Pharaoh file: a line of links for each training pair, source-target word numbers
    from 0; words are those of the corpus's gold where it has any, else those between white space. Unset: no guide."""
    weight: Annotated[float, Field(ge=0, le=1000)] = 0.3
    """Of the guide's cross-entropy beside that of the translation; both are summed and divided by the target pieces."""
    shift: Literal[0, 1] = 0
    """0: the step that predicts a piece is taught its links. 1: the step after it, which has read the piece (Chen et
    al. 2020; with model.attention.conditional: false only the step after that has)."""


class TeacherConfig(Tree):
    """Trained models teach: how likely they find each piece is learned too (Kim and Rush 2016, 3.1)."""

    runs: tuple[str, ...] = ()
    """Run directories of the same corpus and vocabulary, whose mean teaches. Empty: no teacher."""
    weight: Fraction = 0.8
    """Of the cross-entropy to the teacher's probabilities; that to the pieces of the corpus has the rest."""
    candidates: Annotated[int, Field(ge=1, le=300)] = 24
    """So many pieces, the likeliest at each place, are taught, their probabilities scaled to sum to one."""


class Train(Tree):
    """The training loop."""

    epochs: Annotated[int, Field(ge=1, le=1_000_000)] = 10
    """Times that training reads all of its pairs."""
    batch_tokens: Annotated[int, Field(ge=1, le=10_000_000)] = 1536
    """Target pieces in a batch, padding included. A longer sentence makes a batch of its own."""
    accumulate: Annotated[int, Field(ge=1, le=1_000_000)] = 1
    """Batches of one update, whose gradients are summed. Where torchrun starts more processes than this, one for each,
    which the config of the run then says; a run keeps its number, whoever goes on with it."""
    max_pieces: Annotated[int, Field(ge=1, le=100_000)] = 200
    """Training pairs with a longer side are left out, and counted."""
    learning_rate: Annotated[float, Field(gt=0, le=1e30)] = 1.5e-3
    """The highest rate, which the warm-up ends with."""
    betas: tuple[Fraction, Fraction] = (0.9, 0.98)
    """Of Adam (Kingma and Ba 2015): the decay of its mean gradient, and of its mean squared gradient."""
    schedule: Literal["linear", "inverse_sqrt", "plateau"] = "linear"
    """After the warm-up: linear falls to `final` at the last update; inverse_sqrt falls with 1/sqrt(update); plateau
    multiplies by `factor` when `patience` validations were no better than the best."""
    warmup: Annotated[int, Field(ge=0, le=1_000_000_000)] = 300
    """Updates in which the learning rate rises linearly from 0."""
    final: Annotated[float, Field(ge=0, le=1)] = 0.02
    """linear: what the learning rate ends at, as a share of the highest."""
    factor: Annotated[float, Field(gt=0, lt=1)] = 0.5
    """plateau: what the learning rate is multiplied by."""
    patience: Count = 1
    """plateau: so many validations that are no better, and the learning rate falls."""
    clip: Annotated[float, Field(gt=0, le=1_000_000_000)] = 1.0
    """Largest norm of the gradient."""
    label_smoothing: Fraction = 0.1
    """Share of the target that all pieces of the vocabulary divide equally (Szegedy et al. 2016)."""
    precision: Precision = "float32"
    """Of matrix products and what is made of them, in an update; weights, their optimiser, the loss, validation and all
    else are float32 (Micikevicius et al. 2018; Kalamkar et al. 2019)."""
    average: Fraction = 0.0
    """Decay of the moving average of the weights that is validated and kept (Polyak and Juditsky 1992). 0: the weights
    of the last update."""
    coverage_loss: Annotated[float, Field(ge=0, le=1000)] = 0.0
    """Weight of the coverage loss, sum of min(weight, sum of earlier weights) (See et al. 2017, eq. 12-13)."""
    guide: GuideConfig = GuideConfig()
    teacher: TeacherConfig = TeacherConfig()
    start: str | None = None
    """A trained run, whose kept weights training begins with, and whose model and vocabularies it takes; of those keys,
    only model.dropout and model.report may say otherwise. Its folder is needed until training has begun. Optimiser,
    schedule and epochs begin anew. Unset: weights are drawn by `seed`."""
    validate_every: Count | None = None
    """Updates between validations. Unset: one epoch, and 5,000 updates where an epoch has more."""
    choose_by: Literal["bleu", "chrf", "loss"] = "bleu"
    """What makes a validation the best, whose weights are kept. A tie falls to the next of the three (after loss comes
    bleu), and then to the later weights. Where most references have fewer than four words, bleu means chrf."""
    early_stop: Annotated[int, Field(ge=0, le=1_000_000_000)] = 0
    """Stop after so many validations that are no better than the best. 0: never."""
    save_every: Count = 100
    """Updates between saves of the state that an exact resume needs; each validation saves too."""
    film: Annotated[int, Field(ge=0, le=1000)] = 0
    """So many validation sentences, the first of 4 to 20 words, whose attention and translation each validation adds to
    film.jsonl. 0: none. It changes no weights."""
