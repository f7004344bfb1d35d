"""A study's file: its points, what is wrong with one, and what makes two runs the same."""

from pathlib import Path

import pytest
from config_files import write

from mt.config import shipped
from mt.config.study import fingerprint, folder_name, read_study
from mt.core.errors import UserError

BASE = "config: toy\n"


def points(folder: Path, text: str) -> list[tuple[str, tuple[str, ...]]]:
    return [(point.label, point.changes) for point in read_study(write(folder / "s.yaml", text))[1]]


def test_points_are_the_product_of_values_and_sets(tmp_path: Path) -> None:
    text = "config: toy\ncommon: [train.epochs=1]\naxes:\n  search.beam: [1, 5]\n  who: {a: [], b: [model.hidden=32]}\n"
    assert points(tmp_path, text) == [
        ("beam=1,a", ("train.epochs=1", "search.beam=1")),
        ("beam=1,b", ("train.epochs=1", "search.beam=1", "model.hidden=32")),
        ("beam=5,a", ("train.epochs=1", "search.beam=5")),
        ("beam=5,b", ("train.epochs=1", "search.beam=5", "model.hidden=32")),
    ]


def test_a_study_without_axes_is_one_point_and_a_config_may_be_an_axis(tmp_path: Path) -> None:
    assert points(tmp_path, BASE) == [("s", ())]
    _, found = read_study(write(tmp_path / "s.yaml", "axes: {config: [toy, tutorial/none]}\n"))
    assert [point.label for point in found] == ["toy", "tutorial/none"]
    configs = [point.config(4) for point in found]
    assert [config.model.has_attention for config in configs] == [True, False]
    assert [(config.seed, config.threads) for config in configs] == [(4, 1)] * 2


def test_values_reach_the_config_as_they_stand(tmp_path: Path) -> None:
    text = BASE + "axes: {corpus.longest: [9, null], train.learning_rate: [3.0e-3], train.schedule: [linear]}\n"
    _, found = read_study(write(tmp_path / "s.yaml", text))
    one, two = (point.config(1) for point in found)
    assert [config.corpus.model_dump()["longest"] for config in (one, two)] == [9, None]
    assert one.train.learning_rate == 0.003
    assert found[1].label == "longest=null,learning_rate=0.003,schedule=linear"


WRONG = {
    "seds: [1]": "unknown key seds in {file}: did you mean seeds?",
    "axes: {search.beam: []}": "{file}: axes.search.beam is empty",
    "axes: {search.beam: [1, 1]}": "two points are named beam=1",
    "axes: {search.beam: [1, 5]}\nbaseline: beam=4": "baseline is 'beam=4', which is no point: did you mean beam=",
    "axes: {who: {a: [model.hiden=3]}}": "unknown key model.hiden in a of {file}: did you mean model.hidden?",
    "axes: {who: {a: [search.beam=0]}}": "search.beam in a of {file} is 0",
    "axes: {who: {a: [nonsense]}}": "{file}, a: write key=value, for example model.hidden=128, not 'nonsense'",
    "axes: {who: {a: [seed=3]}}": "write seeds in `seeds`, not in 'seed=3'",
    "axes: {who: {a: [], b: [teacher=c]}}": "the teacher of b is 'c', which is no point",
    "axes: {who: {a: [teacher=b], b: [teacher=a]}}": "a would be taught by itself",
    "axes: 3": "axes in {file} is 3",
    "seeds: []": "seeds in {file} is []",
    "seeds: [1, 1]": "a seed stands twice in seeds",
    "metrics: [BLEUR]": "unknown metric 'BLEUR': did you mean BLEU?",
    "axes: {who: {a: [config=nothing]}}": "cannot read config",
    "axes: {who: {a: ['train.betas=[1']}}": "override 'train.betas=[1' in a of {file}, line 1: not YAML",
    "axes: {train.epochs: [2020-01-01]}": "train.epochs in epochs=\"2020-01-01\" of {file} is '2020-01-01'",
    "axes: {train.epochs: [1, 1.0]}": "epochs=1 and epochs=1.0 are the same experiment",
    "axes: {threads: [1, 2]}": "threads=1 and threads=2 are the same experiment",
    "axes: {train.epochs: [1, 2], who: {a: [train.epochs=3]}}": "epochs=1,a and epochs=2,a are the same experiment",
}


@pytest.mark.parametrize("text", WRONG)
def test_what_is_wrong_is_told(text: str, tmp_path: Path) -> None:
    file = write(tmp_path / "s.yaml", BASE + text + "\n")
    with pytest.raises(UserError) as caught:
        read_study(file)
    assert WRONG[text].format(file=file) in str(caught.value)


def test_a_study_that_is_not_there_is_told(tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r"there is no study atention; did you mean attention\?"):
        read_study(Path("atention"))
    with pytest.raises(UserError, match="holds no `key: value` lines"):
        read_study(write(tmp_path / "s.yaml", "- 1\n"))
    with pytest.raises(UserError, match="say with `config` which configuration it begins with"):
        read_study(write(tmp_path / "s.yaml", "seeds: [1]\n"))


@pytest.mark.parametrize("name", shipped.studies())
def test_a_shipped_study_is_several_experiments(name: str) -> None:
    study, found = read_study(Path(name))
    configs = [point.config(study.seeds[0]) for point in found]
    assert len(configs) >= 2
    taught = [(config, point.teacher) for config, point in zip(configs, found, strict=True)]
    assert all(one not in taught[:place] for place, one in enumerate(taught))


def test_names_of_configs_and_of_studies_are_apart() -> None:
    assert not any(name.startswith("studies/") for name in shipped.names())
    assert shipped.studies()["attention"].startswith("What attention is worth")


def test_a_fingerprint_changes_with_what_is_trained_alone(tmp_path: Path) -> None:
    def mark(*changes: str, seed: int = 1, teachers: tuple[str, ...] = ()) -> str:
        text = f"config: toy\ncommon: {list(changes)}\n"
        return fingerprint(read_study(write(tmp_path / "s.yaml", text))[1][0].config(seed), teachers)

    assert mark("search.beam=9", "alignment.unit=tokens", "metrics.tokenize=char", "threads=2", "device=cpu") == mark()
    others = [
        mark("train.clip=0.5"),
        mark("model.hidden=64"),
        mark("corpus.pairs=9"),
        mark(seed=2),
        mark(teachers=("x",)),
    ]
    guided = [mark("train.guide.links=gold"), mark("train.guide.links=gold", "alignment.unit=tokens")]
    assert len({mark(), *others, *guided}) == 8


def test_a_folder_is_named_in_plain_letters() -> None:
    assert folder_name("tutorial/none,beam=5") == "tutorial-none-beam-5"
    assert folder_name("../ä") == "ä"
    assert len(folder_name("ä" * 300).encode()) <= 120
