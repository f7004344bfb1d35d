"""The first sections of a report: which run is better, whether that is chance, and what it cost."""

from collections.abc import Iterator, Mapping, Sequence

from mt.evaluation.significance import Difference
from mt.lab.report.blocks import Block, Chart, Heading, Table
from mt.lab.report.figures import Bin, Group, thin
from mt.lab.report.told import Told
from mt.views.curves import PANELS, VALIDATION, points_of

Differences = Mapping[str, Mapping[str, Difference]]
NOISE = "≈"
"""Stands before a difference that may be chance."""
METHOD = (
    f"{NOISE} marks a difference that may be chance: p is 0.05 or more by sacreBLEU's approximate randomisation. "
    "The brackets hold the 95 % interval of a centred bootstrap. They speak of these runs as they stand, not of other "
    "seeds. sacreBLEU's paired bootstrap stands beside it for comparison only: it calls equal systems different about "
    "twice too often, because it takes the absolute difference before it centres it. Each difference is judged by "
    "itself: of twenty equal runs, one is called different by chance."
)


def summary(told: Sequence[Told], apart: Differences, split: str) -> Iterator[str]:
    """Say in short sentences which run is better."""
    first, lines = told[0], len(told[0].texts.references)
    if len(told) == 1:
        yield f"{first.name} has {_bleu(first)} on {lines:,} sentences of {split}."
        return
    best = max(told, key=lambda one: one.scores.corpus["BLEU"].score)
    yield f"This page compares {len(told)} runs on {lines:,} sentences of {split}. {best.name} has the best BLEU."
    for name, found in apart.items():
        yield judge(name, first.name, found["BLEU"])


def judge(name: str, baseline: str, one: Difference) -> str:
    """Say whether a run is better than the baseline."""
    if one.inside_noise:
        return f"{name} and {baseline} differ by no more than chance would: {one.delta:+.1f} BLEU, {_p(one.p)}."
    better = "better" if one.delta > 0 else "worse"
    return f"{name} is {better} than {baseline}, by {abs(one.delta):.1f} BLEU. That is more than chance ({_p(one.p)})."


def _bleu(one: Told) -> str:
    score = one.scores.corpus["BLEU"]
    return f"{score.score:.1f} BLEU (95 % interval {score.low:.1f} to {score.high:.1f})"


def scores(told: Sequence[Told], apart: Differences) -> Iterator[Block]:
    """Tabulate the scores, the differences from the first run, and the signatures."""
    yield Heading(
        "Scores", ["BLEU and chrF are better when higher, TER when lower: it counts the edits to mend a text."]
    )
    names = [*dict.fromkeys(name for one in told for name in one.scores.corpus)]
    rows = []
    for one in told:
        found = (one.scores.corpus.get(name) for name in names)
        cells = (f"{score.score:.1f} [{score.low:.1f}, {score.high:.1f}]" if score else "–" for score in found)
        rows.append([one.name, *cells, f"{one.scores.alignment.score:.1f}" if one.scores.alignment else "–"])
    has_gold = any(one.scores.alignment for one in told)
    head = ["run", *names, "AER"]
    yield Table(
        "Scores with their 95 % intervals", *((head, rows) if has_gold else (head[:-1], [r[:-1] for r in rows]))
    )
    if apart:
        yield difference_table(f"Differences from {told[0].name}", apart, METHOD)


def difference_table(title: str, apart: Differences, note: str) -> Table:
    """Tabulate differences; those inside the noise are marked."""
    rows = []
    for name, found in apart.items():
        for metric, one in found.items():
            mark = f"{NOISE} " if one.inside_noise else ""
            beside = "–" if one.paired_bootstrap is None else _p(one.paired_bootstrap)
            interval = f"[{one.low:+.2f}, {one.high:+.2f}]"
            rows.append([name, metric, f"{mark}{one.delta:+.2f} {interval}", _p(one.p), beside])
    return Table(title, ["run", "metric", "difference", "p", "sacreBLEU's paired bootstrap"], rows, note)


def seeds(found: Sequence[Group], apart: Differences) -> Iterator[Block]:
    """Tabulate configs that have several seeds."""
    if not apart:
        return
    baseline = found[0].name
    says = [judge(name, baseline, one["BLEU"]) for name, one in apart.items()]
    yield Heading(
        "Over seeds", ["A seed is luck, too. These figures allow for other seeds and other sentences.", *says]
    )
    yield difference_table(
        f"Differences from {baseline}",
        apart,
        f"{NOISE} marks what may be chance, by a two-level bootstrap (seeds, then sentences).",
    )


def signatures(told: Sequence[Told]) -> Table:
    """Tabulate what makes a score comparable with others."""
    rows = [
        [one.name, name, score.signature, score.note or ""] for one in told for name, score in one.scores.corpus.items()
    ]
    return Table("Signatures: how each score was computed", ["run", "metric", "signature", "note"], rows, folded=True)


def training(told: Sequence[Told]) -> Iterator[Block]:
    """Draw the curves of training, and tabulate what it cost."""
    yield Heading(
        "Training",
        [
            "A healthy curve of BLEU rises and flattens; a loss on validation that rises again is over-fitting.",
            "A norm of the gradient that jumps says that the learning rate is too high.",
        ],
    )
    for panel in PANELS:
        for name, key in panel.curves.items():
            across = "epoch" if key.startswith(VALIDATION) else "update"
            told_of = {one.name: points_of(key, [*map(vars, one.updates)], one.run.validations, across) for one in told}
            if curves := {run: thin(points) for run, points in told_of.items() if points}:
                title = f"{panel.title}: {name}" if len(panel.curves) > 1 else panel.title
                yield Chart(title, across, panel.unit, curves)
    rows = []
    for one in told:
        last = one.run.validations[-1] if one.run.validations else {}
        minutes = f"{last['seconds'] / 60:.0f}" if "seconds" in last else "–"
        rows.append(
            [one.name, f"{one.run.parameters:,}", str(last.get("epoch", "–")), str(last.get("update", "–")), minutes]
        )
    yield Table("What training cost", ["run", "parameters", "epochs", "updates", "minutes"], rows)


def lengths(told: Sequence[Told], bins: Sequence[Bin]) -> Iterator[Block]:
    """Draw BLEU by source length."""
    if not bins:
        return
    yield Heading("Long sentences", ["A model that forgets the beginning of a long sentence falls towards the right."])
    curves = {one.name: [(each.middle, each.scores[number][0]) for each in bins] for number, one in enumerate(told)}
    yield Chart("BLEU by the length of the source", "words of the source", "BLEU", curves)
    head = ["run", *(f"{each.words[0]}–{each.words[1]} words ({each.sentences})" for each in bins)]
    rows = [
        [one.name, *("{:.1f} [{:.1f}, {:.1f}]".format(*each.scores[number]) for each in bins)]
        for number, one in enumerate(told)
    ]
    yield Table(
        "BLEU by the length of the source, with 95 % intervals",
        head,
        rows,
        "Brackets beside words: how many sentences.",
    )


def configs(told: Sequence[Told]) -> Iterator[Block]:
    """Tabulate the keys that differ."""
    flat = [one.config for one in told]
    keys = dict.fromkeys(key for one in flat for key in one)
    rows = [
        [key, *(str(one.get(key, "–")) for one in flat)]
        for key in keys
        if len({str(one.get(key, "–")) for one in flat}) > 1
    ]
    if len(told) == 1:
        return
    says = ["Only the keys that differ are shown."] if rows else ["The configs of these runs do not differ at all."]
    yield Heading("What was set differently", says)
    if rows:
        yield Table("Configs", ["key", *(one.name for one in told)], rows)


def _p(p: float) -> str:
    return "p < 0.001" if p < 0.001 else f"p = {p:.3f}"
