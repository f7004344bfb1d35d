"""Which signals of `mt serve` notice other text than a run's own, and how soon, as tables in Markdown.

    python scripts/bench/drift.py RUN --output docs/experiments/bench/drift.md

RUN has a diagnosis.json, and had a confidence.json before, where confidence is to be among the signals. Windows are
full of its test text when other text begins to come: of another corpus, language or script, in capitals, shuffled.
"""

import random
import statistics
import time
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

import numpy as np
import typer

from mt.config import Config
from mt.core.arrays import Floats, Whole
from mt.core.errors import UserError
from mt.core.files import write_text
from mt.corpora import load_splits
from mt.inference.traffic import traffic_signals
from mt.lab.diagnosis.case import Case
from mt.lab.diagnosis.distributions import Expected, read_expected
from mt.runs.confidence import read_fitted
from mt.runs.run import Run
from mt.views.markdown import tabulate
from mt.web.drift import FALSE_ALARMS, WINDOW, Drift, judge
from mt.web.watch import conspicuous

Columns = dict[str, Floats]
SHARES = (0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 1.0)
STREAMS = 20
"""Times that other text is let in, in another order each time."""
HEAD = [
    "text",
    "sentences until the first alarm: median (range)",
    "signals that raise it, and how often",
    "share of such text that raises one in half of the windows",
    "alarms in a window of nothing else",
    "flagged sentences",
]


def drift(
    run: Annotated[Path, typer.Argument(help="A trained run with diagnosis.json.")],
    windows: Annotated[int, typer.Option(help="Windows of the test text that should raise no alarm.")] = 10_000,
    sentences: Annotated[int, typer.Option(help="Of each other text.")] = 200,
    output: Annotated[Path | None, typer.Option(help="Markdown file. Unset: the terminal.")] = None,
) -> None:
    """Measure and tabulate."""
    asked = Run(run)
    expected = read_expected(asked)
    if expected is None or not expected.signals:
        raise UserError(f"{run} has no diagnosis.json of these weights: `mt diagnose {run}` writes it")
    case = Case(asked, asked.split_name(None))
    own, times = measure(case, case.pairs.sources, expected)
    rows = []
    for name, lines in other_texts(case, sentences).items():
        other, _ = measure(case, lines, expected)
        rows.append([name, *_row(own, other, expected)])
        print(*rows[-1], sep=" | ", flush=True)
    page = f"{tabulate(HEAD, rows)}\n\n{_false_alarms(own, expected, windows)}\n\n{_cost(times)}\n"
    page += f"\n`python scripts/bench/drift.py`: {asked.config.corpus.name}, {asked.model.summary}.\n"
    if output:
        write_text(output, page)
    print(page, end="")


def measure(case: Case, sources: Sequence[str], expected: Expected) -> tuple[Columns, tuple[int, float, float]]:
    """Return the signals of the translations of lines; and how many there are, and what they and the signals took."""
    start = time.perf_counter()
    texts = [one.text for one in case.translator.translate(sources, alignments=False)]
    between = time.perf_counter()
    columns = traffic_signals(case.scorer, sources, texts, expected.scripts, read_fitted(case.run))
    seconds = between - start, time.perf_counter() - between
    return {name: columns[name] for name in expected.signals if name in columns}, (len(sources), *seconds)


def other_texts(case: Case, most: int) -> dict[str, list[str]]:
    """Return what is let in, by a name that says what it is: different lines, in the order of their texts."""
    chosen, corpus, own = random.Random(1), case.run.config.corpus, case.pairs
    found = {
        "the test text, its words shuffled": [
            " ".join(chosen.sample(words, len(words))) for words in map(str.split, own.sources)
        ],
        "the test text in capitals": [line.upper() for line in own.sources],
        "the test text in small letters, without signs": [
            "".join(sign for sign in line.lower() if sign.isalnum() or sign == " ") for line in own.sources
        ],
        f"the test text in the target language ({corpus.target})": own.targets,
    }
    wanted = {
        f"sentences of the toy grammar ({corpus.source})": (
            "toy",
            corpus.source,
            "en" if corpus.source == "de" else "de",
        ),
        "captions in French": ("multi30k", "fr", "en"),
        "the Greek New Testament": ("gnt", "grc", "en"),
        "the Bible in English": ("gnt", "en", "grc"),
    }
    for name, (which, source, target) in wanted.items():
        config = Config.model_validate({"corpus": {"name": which, "source": source, "target": target}})
        splits = load_splits(config.corpus)
        found[name] = splits[[split for split in splits if split.startswith("test")][-1]].sources
    return {name: list(dict.fromkeys(line for line in lines if line.strip()))[:most] for name, lines in found.items()}


def _judge(columns: Columns, rows: Whole, expected: Expected) -> list[Drift]:
    """Return what a window of these rows raises."""
    return [judge(name, values_N[rows], expected.signals[name], len(columns)) for name, values_N in columns.items()]


def _row(own: Columns, other: Columns, expected: Expected) -> list[str]:
    """Let other text into windows that are full of the run's own, and tell what happens."""
    generator = np.random.default_rng(1)
    count, more = (len(next(iter(columns.values()))) for columns in (own, other))
    both = {name: np.concatenate([own[name], other[name]]) for name in own}
    waits, first = list[int](), Counter[str]()
    for _ in range(STREAMS):
        window = list(generator.choice(count, WINDOW, replace=False))
        stream = count + generator.permutation(more)[:WINDOW]
        for number, row in enumerate(stream, 1):
            window = [*window[1:], row]
            if alarms := [one.signal for one in _judge(both, np.array(window), expected) if one.alarm]:
                waits.append(number)
                first.update(alarms)
                break
    pure = _judge(other, generator.choice(more, min(WINDOW, more), replace=False), expected)
    flagged = [conspicuous({name: float(v[row]) for name, v in other.items()}, expected) for row in range(more)]
    return [
        _median(waits) if len(waits) == STREAMS else f"no alarm in {STREAMS - len(waits)} of {STREAMS}",
        ", ".join(f"{name} {times}" for name, times in first.most_common(3)),
        _least_share(both, count, more, expected, generator),
        f"{sum(one.alarm for one in pure)} of {len(pure)}",
        f"{sum(map(bool, flagged)) / more:.0%}",
    ]


def _least_share(both: Columns, count: int, more: int, expected: Expected, generator: np.random.Generator) -> str:
    for share in SHARES:
        size = round(share * WINDOW)
        alarms = 0
        for _ in range(STREAMS):
            ours = generator.choice(count, WINDOW - size, replace=False)
            rows = np.concatenate([ours, count + generator.choice(more, size, replace=False)])
            alarms += any(one.alarm for one in _judge(both, rows, expected))
        if 2 * alarms >= STREAMS:
            return f"{share:.0%}"
    return "none"


def _median(waits: Sequence[int]) -> str:
    return f"{statistics.median(waits):.0f} ({min(waits)}–{max(waits)})"


def _false_alarms(own: Columns, expected: Expected, windows: int) -> str:
    """Return a table of what windows of the run's own test text raise."""
    generator, count = np.random.default_rng(2), len(next(iter(own.values())))
    largest, alarmed, raised = dict.fromkeys(own, 0.0), 0, Counter[str]()
    for _ in range(windows):
        found = _judge(own, generator.choice(count, WINDOW, replace=False), expected)
        for one in found:
            largest[one.signal] = max(largest[one.signal], one.score)
        alarms = [one.signal for one in found if one.alarm]
        alarmed += bool(alarms)
        raised.update(alarms)
    bound = {one.signal: one.bound for one in found}
    rows = [[f"`{name}`", f"{largest[name]:.3f}", f"{bound[name]:.3f}", str(raised[name])] for name in own]
    flagged = [conspicuous({name: float(v[row]) for name, v in own.items()}, expected) for row in range(count)]
    return (
        f"Of {windows:,} windows of {WINDOW} of the {count:,} test sentences, {alarmed:,} raise an alarm; at most "
        f"{windows * FALSE_ALARMS:g} are expected. {sum(map(bool, flagged)) / count:.1%} of the sentences are flagged."
        "\n\n" + tabulate(["signal", "largest score", "bound", "windows with an alarm"], rows)
    )


def _cost(times: tuple[int, float, float]) -> str:
    count, search, watch = times
    return (
        f"Translating takes {1000 * search / count:.1f} ms a sentence, and its signals {1000 * watch / count:.1f} ms "
        f"after the answer, many sentences at once."
    )


if __name__ == "__main__":
    typer.run(drift)
