"""Marian, from the wheel `pymarian`: its command trains and converts, its `Translator` translates."""

import re
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from peers import NO_END, Peer, Shape, Text, Translated, Usage
from watched import watch

from mt.config import Config
from mt.config.models import RNNModel, TransformerModel
from mt.core.errors import UserError
from mt.core.files import replacing, write_lines

LINE = re.compile(r"Up\. \d+ : .* @ [\d,]+ after ([\d,]+) :")
LOGGED = 2
"""Updates between lines of its log."""


class Marian(Peer):
    """Marian, in float32, or with weights of eight bits."""

    packages = ("pymarian==1.12.42",)
    unfair = (
        "Marian's wheel is built for AVX alone, without AVX2 (a build for one's own processor is faster); it reads "
        "pieces instead of text; its vocabulary has the same pieces, without <pad> and <s>; its dropout is set to ours "
        "at the nearest of its places; its batch size is ours, whatever its best is; its GRU has two cells a step. "
        "int8: `pymarian convert --gemm-type intgemm8`, which rounds the weights once; biases stay float32 (its "
        "intgemm8avx2 and packed8avx2 end a GRU with a segmentation fault)."
    )

    def __init__(self, home: Path, text: Text, gemm: str = ""):
        super().__init__(home, text)
        self.gemm, self.trains = gemm, not gemm
        self.name = "Marian int8" if gemm else "Marian"
        self.command = self.home / "venv/bin/pymarian"
        self.vocabulary = self.home / "vocabulary.yml"

    def prepare(self) -> None:
        """Make the environment, and write the vocabulary as Marian reads it."""
        super().prepare()
        ours = [piece for piece in self.text.vocabulary if piece not in {"<pad>", "<unk>", "<s>", "</s>"}]
        quoted = ['"{}"'.format(piece.replace("\\", "\\\\").replace('"', '\\"')) for piece in ["</s>", "<unk>", *ours]]
        write_lines(self.vocabulary, [f"{piece}: {number}" for number, piece in enumerate(quoted)])

    def train(self, shape: Shape, threads: int, updates: int) -> Usage:
        """Train for so many updates of our batches, each thread on its part of a batch."""
        model, train, corpus = self._model(shape), shape.config.train, shape.config.corpus
        for old in self.home.glob(f"{shape.name}.*"):
            old.unlink()
        files = [self.text.folder / f"pieces.{language}" for language in (corpus.source, corpus.target)]
        options: list[object] = ["--model", model, "--train-sets", *files]
        options += ["--vocabs", self.vocabulary, self.vocabulary, "--cpu-threads", threads, "--sync-sgd", "--overwrite"]
        options += ["--mini-batch-words", train.batch_tokens, "--max-length", 100, "--workspace", 1024]
        options += ["--label-smoothing", train.label_smoothing, "--clip-norm", 1, "--learn-rate", train.learning_rate]
        options += ["--after", f"{updates}u", "--disp-freq", f"{LOGGED}u", *arguments(shape.config)]
        seen = 0

        def count(match: re.Match[str], _: float) -> int:
            nonlocal seen
            before, seen = seen, int(match[1].replace(",", ""))
            return seen - before

        command = [self.command, "train", *options]
        usage = watch(command, self.home, self.environment(1), LINE, count)
        _without_end(model)
        return usage

    def translate(self, shape: Shape, threads: int, modes: Sequence[tuple[int, int]]) -> Translated:
        """Translate pieces; with weights of eight bits the model is converted before."""
        model = self._model(shape)
        if self.gemm:
            model = model.with_suffix(f".{self.gemm}.bin")
            self.run(
                [self.command, "convert", "--from", self._model(shape), "--to", model, "--gemm-type", self.gemm], 1
            )
        told = {"model": str(model), "vocabulary": str(self.vocabulary)}
        return self.measure("run_marian.py", threads, modes, lines=list(self.text.pieces), **told)

    def environment(self, threads: int) -> dict[str, str]:
        """Return the variables of a process; Marian's threads are its own, and OpenMP has one in each."""
        return super().environment(1)

    def _model(self, shape: Shape) -> Path:
        return self.home / f"{shape.name}.npz"


def arguments(config: Config) -> list[object]:
    """Return Marian's options for a model of our widths. Raises UserError for an unknown kind."""
    model = config.model
    tied = ["--tied-embeddings-all"] if model.tied else []
    if isinstance(model, RNNModel):
        widths = {"dim-emb": model.embedding, "dim-rnn": model.hidden, "dropout-rnn": model.dropout.decoder}
        cells = {"enc-cell": model.cell, "dec-cell": model.cell, "enc-depth": model.layers, "dec-depth": model.layers}
        return ["--type", "s2s", *_options(widths | cells), *tied]
    if isinstance(model, TransformerModel):
        widths = {"dim-emb": model.width, "enc-depth": model.layers, "dec-depth": model.layers}
        heads = {"transformer-heads": model.heads, "transformer-dim-ffn": model.feedforward}
        normed = {"transformer-preprocess": "n", "transformer-postprocess": "da", "transformer-postprocess-top": "n"}
        rest = {"transformer-ffn-activation": "relu", "transformer-dropout": model.dropout.residual}
        return ["--type", "transformer", *_options(widths | heads | normed | rest), *tied]
    raise UserError(f"Marian has no model of kind {model.kind} here")


def _options(values: dict[str, object]) -> list[object]:
    return [part for name, value in values.items() for part in (f"--{name}", value)]


def _without_end(model: Path) -> None:
    """Let no translation of a model end before the limit: </s> is its piece 0."""
    with np.load(model) as read:
        tensors = dict(read)
    (bias,) = [name for name in tensors if name in {"decoder_ff_logit_out_b", "decoder_ff_logit_l2_b"}]
    tensors[bias][0, 0] = NO_END
    with replacing(model) as temporary, open(temporary, "wb") as out:
        np.savez(out, **tensors)
