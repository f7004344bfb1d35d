"""Keys that cannot go together: each pair is refused with the reason, the keys, and where they were set."""

from pathlib import Path

import pytest
from config_files import refused, write

from mt.config.files import read_config

A = "model.attention."


@pytest.mark.parametrize(
    ("overrides", "reason", "keys"),
    [
        (
            f"{A}coverage=true {A}score=dot",
            "coverage is a term inside the tanh of the additive and concat scores, and dot has none",
            f"{A}coverage {A}score",
        ),
        (
            f"{A}coverage=true {A}score=none",
            "coverage is a term inside the tanh of the additive and concat scores, and none has none",
            f"{A}coverage {A}score",
        ),
        (
            f"{A}coverage=true {A}heads=2",
            "coverage sums the weights of one head, so it needs heads: 1",
            f"{A}coverage {A}heads",
        ),
        (f"{A}heads=3 {A}width=64", "3 heads cannot share a width of 64 equally", f"{A}heads {A}width"),
        (
            f"{A}score=none {A}window=local-m",
            "without attention there are no window and no heads",
            f"{A}score {A}window {A}heads",
        ),
        (
            f"{A}score=none {A}heads=2",
            "without attention there are no window and no heads",
            f"{A}score {A}window {A}heads",
        ),
        *(
            (
                f"model.lexical=true {A}{other}",
                "the lexical model asks which source words the one attention weighs, so it needs a score, and heads: 1",
                f"model.lexical {A}score {A}heads",
            )
            for other in ("score=none", "heads=2")
        ),
        ("model.report.layer=2", "this model has one attention, so one layer to report", "model.report.layer"),
        ("model.report.head=2", "there are not so many heads", f"model.report.head {A}heads"),
        (f"{A}heads=2 model.report.head=3", "there are not so many heads", f"model.report.head {A}heads"),
        (
            "model.kind=transformer model.width=6 model.heads=2",
            "2 heads need a width that is a multiple of 4, and 6 is not",
            "model.width model.heads",
        ),
        (
            "model.kind=transformer model.layers=2 model.report.layer=3",
            "there are not so many layers or heads",
            "model.report.layer model.report.head model.layers model.heads",
        ),
        (
            "model.kind=transformer model.heads=2 model.report.head=3",
            "there are not so many layers or heads",
            "model.report.layer model.report.head model.layers model.heads",
        ),
        (
            f"{A}score=none train.guide.links=gold",
            "a guide teaches attention, and this model has none",
            "train.guide.links",
        ),
        (
            f"{A}score=none search.coverage_penalty=0.2",
            "a coverage penalty asks where attention looked, and this model has none",
            "search.coverage_penalty",
        ),
        ("train.coverage_loss=1", "the coverage loss needs model.attention.coverage: true", "train.coverage_loss"),
        (
            "model.kind=transformer train.coverage_loss=1",
            "the coverage loss needs model.attention.coverage: true",
            "train.coverage_loss",
        ),
    ],
)
def test_what_cannot_go_together_is_refused(toy: Path, overrides: str, reason: str, keys: str) -> None:
    given = overrides.split()
    set_here = {override.partition("=")[0] for override in given}
    places = [f"{key} from {'the command line' if key in set_here else 'the defaults'}" for key in keys.split()]
    assert refused(toy, *given) == f"{toy}: {reason} ({', '.join(places)})"


@pytest.mark.parametrize(
    "overrides",
    [
        f"{A}coverage=true {A}score=concat {A}window=local-p train.coverage_loss=1",
        f"{A}heads=4 {A}width=64 model.report.head=4 model.report.layer=1 train.guide.links=gold",
        f"{A}score=none model.report.head=1",
        "model.kind=transformer model.width=8 model.heads=4 model.report.layer=3 model.report.head=4",
        "model.kind=transformer train.guide.links=gold",
    ],
)
def test_what_can_go_together_is_taken(toy: Path, overrides: str) -> None:
    read_config(toy, overrides.split())


@pytest.mark.parametrize("score", ["dot", "scaled_dot"])
def test_widths_that_dot_cannot_multiply(toy: Path, tmp_path: Path, score: str) -> None:
    child = write(tmp_path / "child.yaml", "extends: toy.yaml\nmodel: {hidden: 128}")
    error = refused(child, f"{A}score={score}")
    assert error.startswith(f"{child}: the {score} score multiplies a state by an encoder output")
    assert "hidden is 128 and 2 x encoder_hidden is 512; set encoder_hidden to half of hidden" in error
    places = ["score from the command line", f"hidden from {child}", "encoder_hidden from the defaults"]
    assert error.endswith(f"({A}{places[0]}, model.{places[1]}, model.{places[2]})")
    for repair in ("model.encoder_hidden=64", f"{A}heads=2"):  # heads project both to one width
        assert read_config(child, [f"{A}score={score}", repair]).model.kind == "rnn"


def test_a_key_of_the_model_before_is_not_blamed(tmp_path: Path) -> None:
    """layers was set for the RNN; the Transformer that replaced it has its own default."""
    write(tmp_path / "base.yaml", "corpus: {name: toy}\nmodel: {layers: 2}")
    child = write(tmp_path / "child.yaml", "extends: base.yaml\nmodel: {kind: transformer, report: {layer: 4}}")
    assert refused(child) == (
        f"{child}: there are not so many layers or heads (model.report.layer from {child}, "
        f"model.report.head from the defaults, model.layers from the defaults, model.heads from the defaults)"
    )


def test_an_unknown_key_of_another_kind_of_model(tmp_path: Path) -> None:
    write(tmp_path / "base.yaml", "corpus: {name: toy}\nmodel: {kind: transformer, heads: 2}")
    child = write(tmp_path / "child.yaml", "extends: base.yaml\nmodel: {hidden: 2}")
    assert refused(child).startswith(f"unknown key model.hidden in {child}: known here: kind, width, layers, heads, ")
