"""A model that ONNX Runtime computes. No torch."""

import os
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np

from mt.config import Search
from mt.config.exported import Exported, Graph
from mt.core.errors import UserError
from mt.export.search import Array, Arrays, Hypothesis, Sentence, beam, greedy

MEMORY, STATE, NEXT = "memory.", "state.", "next."
"""How the names of a graph's tensors begin."""
LOG_PROBABILITIES, ATTENTION = "log_probabilities", "attention"


class OnnxModel:
    """The two graphs of a model."""

    def __init__(self, folder: Path, told: Exported):
        try:
            import onnxruntime
        except ImportError as error:
            raise UserError("this model needs ONNX Runtime: pip install onnxruntime, or 'mt[export]'") from error

        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = options.inter_op_num_threads = 1  # sentences run side by side instead

        def open_graph(graph: Graph | None) -> "onnxruntime.InferenceSession":
            if graph is None:
                raise UserError(f"{folder} does not say which graphs it has: export the run again (`mt export`)")
            return onnxruntime.InferenceSession(folder / graph.file, options, providers=["CPUExecutionProvider"])

        self._encode, self._step = open_graph(told.model.encode), open_graph(told.model.step)
        self._asked = {one.name for one in self._step.get_inputs()}
        self._told = [one.name for one in self._encode.get_outputs()], [one.name for one in self._step.get_outputs()]

    def encode(self, source: list[int]) -> tuple[Arrays, Arrays]:
        """Return what is known of a source, and the state of one hypothesis without pieces."""
        found = dict(zip(self._told[0], self._encode.run(None, {"source": np.array([source])}), strict=True))
        return _those(found, MEMORY, MEMORY), _those(found, STATE, STATE)

    def step(self, previous_K: Array, state: Arrays, memory: Arrays) -> tuple[Array, Array | None, Arrays]:
        """Return log probabilities [K, V] of the next pieces, attention [K, S] where there is any, the next state."""
        given = {"previous": previous_K[None].astype(np.int64), **memory, **state}
        found = self._step.run(None, {name: array for name, array in given.items() if name in self._asked})
        named = dict(zip(self._told[1], found, strict=True))
        attention = named[ATTENTION][0] if ATTENTION in named else None
        return named[LOG_PROBABILITIES][0], attention, _those(named, NEXT, STATE)

    def search(
        self, sentences: Sequence[Sentence], settings: Search, n_best: int, *, attention: bool
    ) -> list[list[Hypothesis]]:
        """Return the hypotheses of each source, best first; sentences are searched side by side.

        They have attention where the model has any, whether or not it is asked for.
        """

        def one(sentence: Sentence) -> list[Hypothesis]:
            if settings.beam == n_best == 1:
                return [greedy(self, sentence)]
            return beam(self, sentence, settings, n_best)

        threads = min(len(sentences), int(os.environ.get("OMP_NUM_THREADS") or len(os.sched_getaffinity(0))))
        if threads <= 1:
            return list(map(one, sentences))
        with ThreadPoolExecutor(threads) as pool:
            return list(pool.map(one, sentences))


def _those(arrays: Arrays, before: str, after: str) -> Arrays:
    """Return the arrays whose names begin so, under names that begin otherwise."""
    return {after + name.removeprefix(before): array for name, array in arrays.items() if name.startswith(before)}
