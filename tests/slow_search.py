"""The slow twin of mt/search: plain Python loops over forced decoding, on a toy model."""

import itertools
import math
from collections.abc import Iterator, Sequence
from typing import Any

import pytest
import torch
from torch import Tensor

from mt import config
from mt.core.special import BOS, EOS, PAD
from mt.models.contract import NOTHING, Look, Memory, Output, Seq2Seq, Site, State
from mt.search import Found, Hypothesis, Search, Sources
from mt.search.rules import Rules

ONE_SITE = Look(Site(1))


class Toy:
    """Random but deterministic: the logits depend on the source and on the whole prefix. float64, nothing trained."""

    def __init__(self, vocabulary: int, seed: int = 0, ending: float = 0.0, attention: bool = True) -> None:
        draw = torch.Generator().manual_seed(seed)
        width = 6
        self.source, self.target = (torch.randn(vocabulary, width, generator=draw).double() for _ in range(2))
        self.turn, self.look = (torch.randn(width, width, generator=draw).double() for _ in range(2))
        self.out = torch.randn(2 * width, vocabulary, generator=draw).double()
        self.bias = torch.zeros(vocabulary).double()
        self.bias[EOS] = ending
        self.attention = attention
        self.rows: list[int] = []

    def encode(self, source_BS: Tensor, mask_BS: Tensor) -> tuple[Memory, State]:
        keys = self.source[source_BS] * (1 + torch.arange(source_BS.shape[1])[:, None]).sqrt()
        start = (keys * mask_BS[:, :, None]).sum(1).tanh()
        return {"keys": keys, "mask": mask_BS}, {"hidden": start[:, None]}

    def step(self, previous_BK: Tensor, state: State, memory: Memory, look: Look = NOTHING) -> tuple[Output, State]:
        self.rows.append(len(previous_BK))
        hidden = (state["hidden"] @ self.turn + self.target[previous_BK]).tanh()
        scores = hidden @ self.look @ memory["keys"].transpose(1, 2)
        weights = scores.masked_fill(~memory["mask"][:, None], -torch.inf).softmax(-1)
        logits = torch.cat([hidden, weights @ memory["keys"]], -1) @ self.out + self.bias
        return Output(logits, weights if self.attention else None), {"hidden": hidden}

    def forward(self, source_BS: Tensor, mask_BS: Tensor, target_in_BT: Tensor, look: Look = NOTHING) -> Output:
        raise AssertionError("search steps")


class Refusing(Toy):
    """Never emits a piece of its own: every live hypothesis dies at once."""

    def step(self, previous_BK: Tensor, state: State, memory: Memory, look: Look = NOTHING) -> tuple[Output, State]:
        output, state = super().step(previous_BK, state, memory, look)
        output.logits[:, :, EOS + 1 :] = -torch.inf
        return output, state


def ask(
    search: Search,
    model: Any,
    sources: list[list[int]],
    limits: list[int],
    n_best: int = 1,
    *,
    prefixes: Sequence[Sequence[int]] = (),
    numbers: Sequence[int] = (),
    rules: Rules | None = None,
    look: Look = ONE_SITE,
    trace: bool = False,
    **settings: Any,
) -> list[Found]:
    """Search for the outputs of the sources, by the given settings of config.Search."""
    longest = max(map(len, prefixes), default=0)
    prefix_BP = torch.tensor([[*prefix, *[PAD] * (longest - len(prefix))] for prefix in prefixes]) if longest else None
    given = Sources(*batch(sources), torch.tensor(limits), prefix_BP, numbers, rules)
    return search(model, given, config.Search(**settings), n_best=n_best, look=look, trace=trace)


def find(search: Search, model: Seq2Seq | Any, *given: Any, **more: Any) -> list[list[Hypothesis]]:
    """Return the hypotheses alone."""
    return [found.hypotheses for found in ask(search, model, *given, **more)]


def batch(sources: list[list[int]]) -> tuple[Tensor, Tensor]:
    longest = max(map(len, sources))
    source = torch.tensor([s + [PAD] * (longest - len(s)) for s in sources])
    return source, torch.tensor([[i < len(s) for i in range(longest)] for s in sources])


def random_sources(vocabulary: int, lengths: list[int], seed: int = 3) -> list[list[int]]:
    draw = torch.Generator().manual_seed(seed)
    return [[*torch.randint(4, vocabulary, (n - 1,), generator=draw).tolist(), EOS] for n in lengths]


def repeats(tokens: list[int], n: int, forced: int = 0) -> bool:
    """Whether n pieces in a row come a second time, which ends after the `forced` first pieces."""
    for first in range(len(tokens) - n + 1 if n else 0):
        for second in range(first + 1, len(tokens) - n + 1):
            if tokens[first : first + n] == tokens[second : second + n] and second + n > forced:
                return True
    return False


class Forced:
    """Forced decoding of one sentence, one step at a time; the step after each prefix is done once and remembered."""

    def __init__(self, model: Toy, source: list[int]) -> None:
        self.model = model
        self.memory, self.start = model.encode(*batch([source]))
        self.steps: dict[tuple[int, ...], tuple[list[float], Tensor | None, State]] = {}

    def after(self, prefix: list[int]) -> tuple[list[float], Tensor | None, State]:
        """The log probability of each next piece, the attention that predicts it, the state."""
        if tuple(prefix) not in self.steps:
            state = self.after(prefix[:-1])[2] if prefix else self.start
            output, state = self.model.step(torch.tensor([[prefix[-1] if prefix else BOS]]), state, self.memory)
            weights = output.logits[0, 0].exp()
            row = None if output.attention is None else output.attention[0, 0]
            self.steps[tuple(prefix)] = (weights / weights.sum()).log().tolist(), row, state
        return self.steps[tuple(prefix)]

    def log_probabilities(self, pieces: list[int]) -> list[float]:
        return [self.after(pieces[:place])[0][piece] for place, piece in enumerate(pieces)]

    def log_probability(self, pieces: list[int]) -> float:
        return sum(self.log_probabilities(pieces))

    def score(self, tokens: list[int], alpha: float, beta: float = 0.0) -> float:
        score = self.log_probability([*tokens, EOS]) / ((5 + len(tokens) + 1) / 6) ** alpha
        if beta:
            rows = self.attention(tokens).tolist()
            for place in range(len(rows[0])):
                covered = 0.0
                for row in rows:
                    covered += row[place]
                score += beta * math.log(max(min(covered, 1.0), 1e-10))
        return score

    def attention(self, tokens: list[int]) -> Tensor:
        rows = [self.after(tokens[:place])[1] for place in range(len(tokens) + 1)]
        return torch.stack([row for row in rows if row is not None])

    def every_output(
        self, limit: int, alpha: float, beta: float = 0.0, no_repeat: int = 0, prefix: Sequence[int] = ()
    ) -> list[tuple[float, list[int]]]:
        """All outputs of at most `limit` pieces, </s> included, best first."""
        pieces = range(EOS + 1, len(self.model.bias))
        outputs = [
            [*prefix, *o] for n in range(max(limit - len(prefix), 1)) for o in itertools.product(pieces, repeat=n)
        ]
        allowed = [o for o in outputs if not repeats(o, no_repeat, len(prefix))]
        return sorted(((self.score(o, alpha, beta), o) for o in allowed), reverse=True)

    def beam(
        self, limit: int, width: int, alpha: float, beta: float = 0.0, no_repeat: int = 0, prefix: Sequence[int] = ()
    ) -> list[tuple[float, list[int]]]:
        """The rule of the beam in lists, without an early stop."""
        *_, last = self.walk(limit, width, alpha, beta, no_repeat, prefix)
        return last["pool"]

    def walk(
        self, limit: int, width: int, alpha: float, beta: float = 0.0, no_repeat: int = 0, prefix: Sequence[int] = ()
    ) -> Iterator[dict[str, list[Any]]]:
        """Each step of it: the pool and who left it, (score, output); continuations, (log probability, parent, output).

        Of the best 2 x width continuations those that stay, and those that do not.
        """
        live: list[list[int]] = [[]]
        pool: list[tuple[float, list[int]]] = []
        for step in range(max(limit, len(prefix) + 1)):
            ended = [(self.score(o, alpha, beta), o) for o in live] if step >= len(prefix) else []
            ranked = sorted([*pool, *ended], reverse=True)
            pool, left = ranked[:width], ranked[width:]
            nexts = range(EOS + 1, len(self.model.bias)) if step >= len(prefix) else [prefix[step]]
            grown = [(parent, [*o, piece]) for parent, o in enumerate(live) for piece in nexts]
            grown = [entry for entry in grown if not repeats(entry[1], no_repeat, len(prefix))]
            best = sorted(((self.log_probability(o), parent, o) for parent, o in grown), reverse=True)
            yield {"pool": pool, "left": left, "kept": best[:width], "dropped": best[width : 2 * width]}
            live = [o for _, _, o in best[:width]]


def assert_same(found: list[Hypothesis], expected: list[tuple[float, list[int]]]) -> None:
    assert [h.tokens for h in found] == [tokens for _, tokens in expected]
    assert [h.score for h in found] == pytest.approx([score for score, _ in expected], abs=1e-12)
    assert [len(h.log_probabilities) for h in found] == [len(h.tokens) + 1 for h in found]
    assert [sum(h.log_probabilities) for h in found] == pytest.approx([h.log_probability for h in found], abs=1e-12)
