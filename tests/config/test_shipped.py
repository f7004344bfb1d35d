"""Configurations by name: listed, found from any folder, extended by the user's own, and told from files."""

from pathlib import Path

import pytest
from config_files import refused, write

from mt.config import shipped
from mt.config.files import read_config

CONFIGS = Path(__file__).parents[2] / "configs"


@pytest.fixture(autouse=True)
def elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def test_every_file_but_studies_is_listed_with_its_first_line() -> None:
    listed = shipped.names()
    files = [file.relative_to(CONFIGS).with_suffix("") for file in CONFIGS.rglob("*.yaml")]
    assert sorted(listed) == sorted(str(file) for file in files if file.parts[0] != "studies")
    assert list(listed).index("toy") < list(listed).index("aligner/all-text")
    assert listed["toy"] == "A synchronous grammar: nothing to download, nearly perfect scores within minutes."
    for name, meaning in listed.items():
        assert meaning.endswith((".", ".md")), name
        assert meaning[0].isupper(), name


def test_a_name_is_found_from_anywhere() -> None:
    assert read_config(Path("toy")) == read_config(CONFIGS / "toy.yaml")
    assert read_config(Path("attention/luong-general"), ["seed=3"]).model.attention.wiring == "luong"


def test_a_file_of_the_user_comes_before_a_name(tmp_path: Path) -> None:
    write(tmp_path / "toy", "corpus: {name: gnt}")
    assert read_config(Path("toy")).corpus.name == "gnt"
    (tmp_path / "attention/none").mkdir(parents=True)  # a folder is no config
    assert read_config(Path("attention/none")).model.attention.score == "none"
    write(tmp_path / "runs/x/config.yaml", "corpus: {name: gnt}")
    assert "it holds a run, with which `mt train --run runs/x` goes on, or the config runs/x/config" in refused(
        Path("runs/x")
    )


def test_a_users_file_extends_a_name_or_its_neighbour(tmp_path: Path) -> None:
    base = read_config(CONFIGS / "base.yaml", ["corpus={name: toy}"])
    child = write(tmp_path / "sub/child.yaml", "extends: base\ncorpus: {name: toy}")
    assert read_config(child) == base
    write(tmp_path / "sub/base.yaml", "seed: 7")
    assert read_config(child) == base  # base is a name, base.yaml a file
    write(child, "extends: base.yaml\ncorpus: {name: toy}")
    assert read_config(child).seed == 7
    assert read_config(write(tmp_path / "y.yaml", "extends: attention/heads")).model.attention.heads == 4


@pytest.mark.parametrize(
    ("name", "advice"),
    [
        ("tyo", "did you mean toy?"),
        ("luong-general", "did you mean attention/luong-general?"),
        ("xxx", "`mt config` lists the names that come with mt"),
    ],
)
def test_a_name_that_is_none_is_told_from_those_that_are(name: str, advice: str) -> None:
    assert refused(Path(name)) == f"cannot read config {name}: No such file or directory; {advice}"


def test_installed_configurations_are_inside_the_package(tmp_path: Path) -> None:
    assert shipped.folder() == CONFIGS
    assert shipped.folder(tmp_path / "mt") == tmp_path / "configs"
    (tmp_path / "mt/configs").mkdir(parents=True)
    assert shipped.folder(tmp_path / "mt") == tmp_path / "mt/configs"
