"""A translation draws and saves itself, by what the commands write with."""

import json
from pathlib import Path

import numpy as np
import pytest
from matplotlib.figure import Figure
from tiny_translators import settings, translator

from mt.alignment.files import read_npz, to_json
from mt.core.errors import UserError
from mt.inference.translation import Translation
from mt.views.heat_map import heat_map
from mt.views.page import page_of


@pytest.fixture(scope="module")
def found() -> Translation:
    return translator(settings()).translate("Der Ball ist kalt.")[0]


@pytest.mark.parametrize("suffix", [".png", ".svg", ".pdf", ".SVG"])
def test_a_picture_is_the_one_of_the_command(found: Translation, tmp_path: Path, suffix: str) -> None:
    assert found.alignment
    found.save(tmp_path / f"a{suffix}")
    heat_map(tmp_path / f"b{suffix}", found.alignment)
    assert (tmp_path / f"a{suffix}").read_bytes() == (tmp_path / f"b{suffix}").read_bytes() != b""


def test_matrices_and_a_page(found: Translation, tmp_path: Path) -> None:
    assert found.alignment
    for suffix in ("json", "npz", "html"):
        found.save(str(tmp_path / f"a.{suffix}"))
    assert json.loads((tmp_path / "a.json").read_text()) == json.loads(to_json(0, found.alignment))
    assert np.abs(read_npz(tmp_path / "a.npz")[0] - found.alignment.attention).max() < 1e-3
    assert (tmp_path / "a.html").read_text() == page_of([found.alignment], title=found.text)


def test_a_figure_that_is_saved_has_its_labels(found: Translation, tmp_path: Path) -> None:
    figure = found.plot(title="A title")
    assert isinstance(figure, Figure)
    axes, _ = figure.axes  # the other is the colour scale
    assert found.alignment
    drawn = axes.images[0].get_array()
    assert drawn is not None
    assert (np.asarray(drawn) == found.alignment.words).all()
    assert [one.get_text() for one in axes.get_yticklabels()] == found.alignment.target_words
    figure.savefig(tmp_path / "a.png")
    assert figure._repr_png_() == (tmp_path / "a.png").read_bytes()
    assert figure._repr_png_().startswith(b"\x89PNG")
    found.save(tmp_path / "b.png")
    assert (tmp_path / "a.png").read_bytes() != (tmp_path / "b.png").read_bytes()  # the title


def test_what_cannot_be_saved_is_told(found: Translation, tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r"a\.gif: the name must end in \.png, \.svg, \.pdf, \.html, \.json, \.npz"):
        found.save(tmp_path / "a.gif")
    with pytest.raises(UserError, match="has no alignment: its model has no attention"):
        Translation("x").plot()
    (empty,) = translator(settings()).translate("")
    with pytest.raises(UserError, match="has no words"):
        empty.save(tmp_path / "a.npz")
