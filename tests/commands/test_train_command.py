from pathlib import Path

import pytest

from mt.commands import train
from mt.config import shipped
from mt.corpora import multi30k
from mt.runs.run import Run


@pytest.fixture(autouse=True)
def unfinished(monkeypatch: pytest.MonkeyPatch) -> set[Path]:
    """The runs that count as unfinished; none, and no Multi30k, to begin with."""
    runs: set[Path] = set()
    monkeypatch.setattr(Run, "is_unfinished", property(lambda run: run.path in runs))
    monkeypatch.setattr(Run, "exists", property(lambda run: run.path.exists()))
    monkeypatch.setattr(multi30k, "available", lambda: None)
    return runs


def test_an_unfinished_run_goes_on(unfinished: set[Path], tmp_path: Path) -> None:
    unfinished.add(tmp_path / "gnt")
    config, why = train.default_config(tmp_path, None)
    assert config == Path("gnt")
    assert why == f"{tmp_path / 'gnt'} is unfinished: going on with it"
    unfinished.add(tmp_path / "multi30k")
    assert train.default_config(tmp_path, None)[0] == Path("multi30k")


def test_a_run_that_is_named_goes_on_as_its_config_says_and_no_other_does(
    unfinished: set[Path], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    unfinished.add(tmp_path / "multi30k")
    monkeypatch.setattr(multi30k, "available", lambda: "hub")
    here = tmp_path / "here"
    assert train.default_config(tmp_path, here) == (train.MULTI30K, "training on Multi30k, from the Hub")
    here.mkdir()
    own = here / "config.yaml"
    assert train.default_config(tmp_path, here) == (own, f"training as {own} says")


@pytest.mark.parametrize("place", ["data/multi30k", "hub"])
def test_multi30k_where_it_can_be_had(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, place: str) -> None:
    monkeypatch.setattr(multi30k, "available", lambda: place)
    config, why = train.default_config(tmp_path, None)
    assert config == Path("multi30k")
    assert why == f"training on Multi30k, from {'the Hub' if place == 'hub' else place}"


def test_gnt_where_multi30k_cannot_be_had(tmp_path: Path) -> None:
    config, why = train.default_config(tmp_path, None)
    assert config == Path("gnt")
    assert why == "Multi30k is not here (data/multi30k) and the Hub cannot be reached: training on gnt instead"


def test_the_configs_exist() -> None:
    assert {str(train.MULTI30K), str(train.GNT)} <= shipped.names().keys()
