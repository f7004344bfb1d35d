"""The picture of a training: where its points are, what names them, and that it is well-formed."""

import re
import xml.etree.ElementTree as ET
from pathlib import Path

from mt.views.curves import MARKED, draw, svg

UPDATES = [
    {"update": n, "train_loss": 8.0 / n, "learning_rate": 0.1, "gradient_norm": 2.0, "tokens_per_second": 5000.0}
    for n in range(1, 101)
]
VALIDATIONS = [
    {"update": n, "train_loss": 1.0, "validation_loss": loss, "validation_bleu": 30.0, "validation_chrf": 50.0}
    for n, loss in ((50, 4.0), (100, 2.0))
]
NAMESPACE = "{http://www.w3.org/2000/svg}"


def texts(picture: str) -> list[str]:
    return ["".join(one.itertext()) for one in ET.fromstring(picture).iter(f"{NAMESPACE}text")]


def test_every_curve_has_a_title_axes_and_a_mark_of_its_own(tmp_path: Path) -> None:
    draw(tmp_path / "curves.svg", UPDATES, VALIDATIONS)
    picture = (tmp_path / "curves.svg").read_text()
    said = texts(picture)
    for wanted in ("Loss", "nats per target piece", "training", "validation", "BLEU", "chrF", "Learning rate"):
        assert wanted in said
    assert said.count("updates") == 5
    charts = ET.fromstring(picture).findall(f"{NAMESPACE}g")
    loss = charts[0].findall(f"{NAMESPACE}polyline")
    assert [len(line.get("points", "").split()) for line in loss] == [100, 2]
    marks = [one.get("d") for one in charts[0].iter(f"{NAMESPACE}path") if one.get("fill")]
    assert len(marks) == 4, "two validations and the legend; a hundred points have none"
    assert len(set(marks)) == 2
    assert len({line.get("stroke") for line in loss}) == 2


def test_points_stand_where_the_axes_say() -> None:
    chart = ET.fromstring(svg(UPDATES, VALIDATIONS)).findall(f"{NAMESPACE}g")[0]
    numbers = {
        (one.text, one.get("text-anchor")): float(one.get("y" if one.get("text-anchor") == "end" else "x", "nan"))
        for one in chart.findall(f"{NAMESPACE}text")
    }
    last = chart.findall(f"{NAMESPACE}polyline")[1].get("points", "").split()[-1]
    x, y = map(float, last.split(","))
    assert x == numbers["100", "middle"]
    assert y == numbers["2", "end"] - 4
    assert numbers["4", "end"] < numbers["2", "end"], "the larger stands higher"
    first = float(chart.findall(f"{NAMESPACE}polyline")[1].get("points", "").split(",")[0])
    assert first == (numbers["0", "middle"] + numbers["100", "middle"]) / 2


def test_what_an_old_run_does_not_have_is_left_out() -> None:
    said = texts(svg([], [{"update": 5, "validation_bleu": 20.0}]))
    assert "Scores on validation, greedy search" in said
    assert {"Loss", "chrF", "Learning rate"}.isdisjoint(said)
    assert texts(svg([], [])) == []
    assert len(re.findall("translate", svg(UPDATES[:MARKED], []))) > MARKED
