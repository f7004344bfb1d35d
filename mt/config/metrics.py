"""Keys of `metrics`: how translations are scored. They can change after training."""

from typing import Annotated, Literal

from pydantic import Field

from mt.config.tree import Tree

Tokenize = Literal["auto", "13a", "intl", "zh", "ja-mecab", "ko-mecab", "char", "none"]


class Metrics(Tree):
    """Scores."""

    tokenize: Tokenize = "auto"
    """What BLEU counts as words: a tokenizer of sacreBLEU, which stands in the signature. auto: zh for Chinese;
    ja-mecab and ko-mecab for Japanese and Korean where `mt[ja]` and `mt[ko]` are installed, else char; char for every
    other language written without spaces; otherwise 13a. The language is that of corpus.target, or of the script that
    most of the training targets are in."""
    good_enough: Annotated[float, Field(ge=0, le=1000)] = 50.0
    """A translation is good enough whose TER is at most this, in percent, for `mt eval --confidence`."""
