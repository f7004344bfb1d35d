"""Keys of `model`, by its kind."""

from typing import Literal, Self

from pydantic import model_validator

from mt.config.tree import Few, Fraction, Tree, Width


class RNNDropout(Tree):
    """Probability that a value is dropped in training, by place."""

    embedding: Fraction = 0.3
    """On the embeddings of source and target."""
    encoder: Fraction = 0.3
    """On the encoder's output, and between its layers."""
    decoder: Fraction = 0.3
    """Between the decoder's layers."""
    readout: Fraction = 0.3
    """Before the output layer."""


class Report(Tree):
    """Which attention is reported where there are several; the guided loss teaches the same one."""

    layer: Few | None = None
    """Decoder layer, from 1. Unset: the last but one (Garg et al. 2019), or the only one."""
    head: Few | None = None
    """Head, from 1. Unset: the mean over the heads."""


class AttentionConfig(Tree):
    """How the decoder looks at the source.

    A new score or window: its class and entry are in mt/attention (SCORES, WINDOWS), its name in the Literal here, with
    its paper in the key's docstring. Keys of its own go below `width`. A test holds Literal and registry equal.
    """

    score: Literal["additive", "dot", "general", "concat", "location", "scaled_dot", "none"] = "additive"
    """Bahdanau et al. 2015 (additive), Vaswani et al. 2017 (scaled_dot), Luong et al. 2015 (the others). none: the
    fixed-length vector, the control."""
    window: Literal["global", "local-m", "local-p"] = "global"
    """Luong et al. 2015, 3.2: all pieces; those around the current step (local-m); those around a predicted place,
    weighted by a Gaussian (local-p)."""
    half_width: Width = 10
    """D: a local window reaches so many pieces to each side."""
    heads: Few = 1
    """More than one: each asks with its own projection of query and values (after Vaswani et al. 2017, 3.2.2)."""
    coverage: bool = False
    """The score also sees the sum of the weights so far (See et al. 2017, eq. 11)."""
    longest: Width = 200
    """Pieces that the location score can reach; those after it get no weight where another can."""
    wiring: Literal["bahdanau", "luong"] = "bahdanau"
    """bahdanau: attention before the state's update, which reads the context. luong: attention after it."""
    conditional: bool = True
    """bahdanau wiring: the previous word updates the state before it asks (two cells a step, as in Nematus, Sennrich et
    al. 2017). false: the state of the previous step asks (one cell), as Bahdanau et al. 2015 have it."""
    feeding: bool = True
    """luong wiring: input feeding, the attentional vector is part of the next step's input."""
    width: Width = 256
    """Hidden width of the additive and concat scores, of local-p's predictor, and of all heads together."""

    @model_validator(mode="after")
    def _combination_must_exist(self) -> Self:
        if self.coverage and self.score not in {"additive", "concat"}:
            raise ValueError(
                f"coverage is a term inside the tanh of the additive and concat scores, and {self.score} has none",
                *("coverage", "score"),
            )
        if self.coverage and self.heads > 1:
            raise ValueError("coverage sums the weights of one head, so it needs heads: 1", *("coverage", "heads"))
        if self.width % self.heads:
            raise ValueError(f"{self.heads} heads cannot share a width of {self.width} equally", *("heads", "width"))
        if self.score == "none" and (self.window != "global" or self.heads > 1):
            raise ValueError("without attention there are no window and no heads", *("score", "window", "heads"))
        return self


class RNNModel(Tree):
    """Recurrent encoder and decoder."""

    kind: Literal["rnn"] = "rnn"
    """Says that the model is this one."""
    cell: Literal["gru", "lstm"] = "gru"
    """The recurrent unit: gru (Cho et al. 2014) or lstm (Hochreiter and Schmidhuber 1997)."""
    embedding: Width = 256
    """Width of the embeddings of source and target."""
    hidden: Width = 256
    """Width of the decoder's state."""
    encoder_hidden: Width = 256
    """Width of each of the encoder's two directions."""
    layers: Few = 1
    """Depth of the encoder and of the decoder."""
    tied: bool = True
    """Output layer = target embedding; also = source embedding when the vocabulary is joint."""
    dropout: RNNDropout = RNNDropout()
    lexical: bool = False
    """The source words that attention weighs speak for the next piece themselves, too (Nguyen and Chiang 2018, 4)."""
    attention: AttentionConfig = AttentionConfig()
    report: Report = Report()

    @property
    def has_attention(self) -> bool:
        """Whether there will be weights to look at: what other keys need to know before there is a model."""
        return self.attention.score != "none"

    @model_validator(mode="after")
    def _widths_must_agree(self) -> Self:
        attention = self.attention
        if attention.score in {"dot", "scaled_dot"} and attention.heads == 1 and 2 * self.encoder_hidden != self.hidden:
            raise ValueError(
                f"the {attention.score} score multiplies a state by an encoder output, so their widths must be equal, "
                f"but hidden is {self.hidden} and 2 x encoder_hidden is {2 * self.encoder_hidden}; set encoder_hidden "
                f"to half of hidden, or use the general score",
                *("attention.score", "hidden", "encoder_hidden"),
            )
        if self.lexical and (attention.score == "none" or attention.heads > 1):
            raise ValueError(
                "the lexical model asks which source words the one attention weighs, so it needs a score, and heads: 1",
                *("lexical", "attention.score", "attention.heads"),
            )
        if (self.report.layer or 1) > 1:
            raise ValueError("this model has one attention, so one layer to report", "report.layer")
        if (self.report.head or 1) > attention.heads:
            raise ValueError("there are not so many heads", *("report.head", "attention.heads"))
        return self


class TransformerDropout(Tree):
    """Probability that a value is dropped in training, by place."""

    embedding: Fraction = 0.3
    """On the embeddings of source and target, positions included."""
    residual: Fraction = 0.3
    """On the output of each sublayer."""
    attention: Fraction = 0.0
    """On the weights. Not 0: training leaves the fused kernel."""


class TransformerModel(Tree):
    """Transformer, Vaswani et al. 2017: pre-norm, sinusoidal positions."""

    kind: Literal["transformer"]
    """Says that the model is this one."""
    width: Width = 256
    """Width of the embeddings and of every layer's output; the heads share it equally."""
    layers: Few = 3
    """Depth of the encoder and of the decoder."""
    heads: Few = 4
    """Heads of each attention."""
    feedforward: Width = 1024
    """Hidden width of the feed-forward layers."""
    tied: bool = True
    """Output layer = target embedding; also = source embedding when the vocabulary is joint."""
    dropout: TransformerDropout = TransformerDropout()
    report: Report = Report()

    @property
    def has_attention(self) -> bool:
        """Whether there will be weights to look at: what other keys need to know before there is a model."""
        return True

    @model_validator(mode="after")
    def _parts_must_fit(self) -> Self:
        if self.width % (2 * self.heads):
            raise ValueError(
                f"{self.heads} heads need a width that is a multiple of {2 * self.heads}, and {self.width} is not",
                *("width", "heads"),
            )
        if (self.report.layer or 1) > self.layers or (self.report.head or 1) > self.heads:
            raise ValueError(
                "there are not so many layers or heads", *("report.layer", "report.head", "layers", "heads")
            )
        return self


Model = RNNModel | TransformerModel
