"""Keys of `search`: how a trained model translates. They can change after training."""

from typing import Annotated, Literal

from pydantic import Field

from mt.config.tree import Few, Seed, Tree


class Nearest(Tree):
    """Nearest-neighbour translation: the most similar moments of training vote too (Khandelwal et al. 2021)."""

    count: Annotated[int, Field(ge=0, le=1000)] = 0
    """So many target pieces of the training split vote on the next piece. 0: none. They are read from the run's
    datastore, which training writes at its end where this is not 0, and `mt datastore` whenever it is asked to."""
    weight: Annotated[float, Field(gt=0, lt=1)] = 0.6
    """Of their vote, beside the model's own probability."""
    temperature: Annotated[float, Field(gt=0, le=1000)] = 0.08
    """A vote counts exp(-distance^2 / temperature), for vectors of length 1."""
    index: Literal["exact", "faiss"] = "exact"
    """exact: all keys are looked at. faiss: those of the nearest clusters, many times faster, and nearly the same
    neighbours. `mt datastore` and training write the clusters where this says so; pip install 'mt[neighbours]'."""
    probes: Annotated[int, Field(ge=1, le=65_536)] = 32
    """faiss: so many clusters are looked at. More: slower, and more of the exact neighbours."""


class Search(Tree):
    """Decoding; greedy search (beam 1) is used for validation scores."""

    beam: Few = 5
    """Hypotheses that the search keeps of each sentence. 1: greedy search."""
    length_penalty: Annotated[float, Field(ge=0, le=10)] = 1.0
    """Exponent alpha of the length penalty ((5 + length) / 6)^alpha, Wu et al. 2016, eq. 14."""
    coverage_penalty: Annotated[float, Field(ge=0, le=100)] = 0.0
    """Weight beta of the coverage penalty, sum of log min(1, a source piece's attention), Wu et al. 2016, eq. 14."""
    no_repeat: Annotated[int, Field(ge=0, le=1000)] = 0
    """No hypothesis repeats so many pieces in a row (Paulus et al. 2018). 0: it may."""
    distinct: bool = True
    """Of the n best, each text is given once, by its best hypothesis: other pieces can make the same text. Samples are
    all given."""
    sample: bool = False
    """Draw each piece at random instead of searching for the best; the beam is then not used."""
    temperature: Annotated[float, Field(gt=0, le=1000)] = 1.0
    """Sampling: logits are divided by it."""
    top_k: Annotated[int, Field(ge=0, le=1_000_000)] = 0
    """Sampling: only from so many most probable pieces (Fan et al. 2018). 0: from all."""
    top_p: Annotated[float, Field(gt=0, le=1)] = 1.0
    """Sampling: only from the most probable pieces that together reach this probability (Holtzman et al. 2020)."""
    sample_seed: Seed = 1
    """Sampling: another seed draws other translations."""
    max_ratio: Annotated[float, Field(gt=0, le=100)] = 1.5
    """The longest output has max_ratio x source pieces + max_extra pieces."""
    max_extra: Annotated[int, Field(ge=1, le=10_000)] = 5
    """See max_ratio."""
    max_source: Annotated[int, Field(ge=1, le=100_000)] = 1000
    """Longer sources are cut to so many pieces, with a warning."""
    batch: Annotated[int, Field(ge=1, le=10_000)] = 64
    """Sentences translated at once."""
    precision: Literal["float32", "bfloat16", "float16", "int8"] = "float32"
    """Of the model when it translates, its logits included; the softmax over them, the votes of nearest neighbours,
    validation in training, and aligning are float32. bfloat16: all of it, on processors and GPUs with instructions for
    it. float16, int8: only the weights of linear layers, packed for any x86 processor with AVX2.
    With int8, translations depend a little on which lines come together."""
    shortlist: Annotated[int, Field(ge=0, le=500)] = 0
    """Each source piece brings so many target pieces, those that it becomes most often in training (IBM Model 1; Brown
    et al. 1993), and an empty word as many. Only these, and the source pieces themselves, are searched for the lines of
    a batch. Log probabilities are then shares of what the list has, and so higher. 0: all pieces are searched."""
    nearest: Nearest = Nearest()
