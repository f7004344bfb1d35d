import logging
from pathlib import Path

import pytest
from corpus_files import elsewhere as elsewhere
from corpus_files import hub_folder, numbered, pairs, write

from mt.config.corpora import Multi30kCorpus
from mt.core.errors import UserError
from mt.corpora import multi30k

SHARED = Path(__file__).parents[3] / "shared" / "data"


def multi30k_files(folder: str, languages: str = "de en", tests: str = "test_2016_flickr", suffix: str = "") -> str:
    for language in languages.split():
        for split, count in ({"train": 5, "val": 3} | dict.fromkeys(tests.split(), 2)).items():
            write(f"{folder}/{split}.{language}{suffix}", numbered(count, f"{split} {language}"))
    return folder


def multi30k_config(**keys: str) -> Multi30kCorpus:
    return Multi30kCorpus.model_validate({"name": "multi30k"} | keys)


@pytest.mark.parametrize("suffix", ["", ".gz"])
def test_raw_files_in_any_direction(suffix: str, caplog: pytest.LogCaptureFixture) -> None:
    multi30k_files("data/multi30k", "fr cs", suffix=suffix)
    config = multi30k_config(source="cs", target="fr")
    splits = multi30k.load(config)
    assert {name: len(split.sources) for name, split in splits.items()} == {
        "train": 5,
        "validation": 3,
        "test_2016_flickr": 2,
    }
    assert (splits["validation"].sources[2], splits["validation"].targets[2]) == ("val cs 2", "val fr 2")
    assert multi30k.find(config) == "data/multi30k"
    assert multi30k.find() is None
    assert [record.levelname for record in caplog.records] == ["WARNING"]
    assert "train.cs (5 lines; the release has 29,000)" in caplog.text


def test_other_tests_come_before_the_one_that_is_scored_by_default() -> None:
    folder = multi30k_files("mine", tests="test_2016_flickr test_2017_mscoco test_2018_flickr")
    Path("mine/test_2018_flickr.en").unlink()
    splits = multi30k.load(multi30k_config(path=folder))
    assert list(splits) == ["train", "validation", "test_2017_mscoco", "test_2016_flickr"]


def test_order_of_the_places(monkeypatch: pytest.MonkeyPatch) -> None:
    multi30k_files("data/multi30k")
    assert multi30k.available() == "data/multi30k"
    monkeypatch.setenv("MT_DATA", "elsewhere")
    assert multi30k.available() == "data/multi30k"
    for folder in ("elsewhere", "elsewhere/multi30k-hub", "elsewhere/multi30k"):
        if folder.endswith("hub"):
            hub_folder(folder, {"train": pairs(5), "val": pairs(3), "test": pairs(2)})
        else:
            multi30k_files(folder)
        assert multi30k.available() == folder
    multi30k_files("named")
    assert multi30k.find(multi30k_config(path="named")) == "named"
    assert multi30k.find(multi30k_config(path="nowhere")) is None


def test_the_hubs_layout(monkeypatch: pytest.MonkeyPatch) -> None:
    hub_folder("elsewhere/multi30k-hub", {"train": pairs(5), "val": pairs(3), "test": pairs(2)})
    monkeypatch.setenv("MT_DATA", "elsewhere")
    splits = multi30k.load(multi30k_config())
    assert {name: len(split.sources) for name, split in splits.items()} == {
        "train": 5,
        "validation": 3,
        "test_2016_flickr": 2,
    }
    assert splits["train"].sources[0] == "de 0"
    with pytest.raises(UserError, match=r"Multi30k fr-en: put the raw files train\.fr, .* multi30k/dataset"):
        multi30k.load(multi30k_config(source="fr"))


def test_multi30k_that_is_nowhere() -> None:
    with pytest.raises(UserError, match=r"Hub cannot be reached.*Or: put the raw files train\.de.*into data/multi30k"):
        multi30k.load(multi30k_config())
    with pytest.raises(UserError, match=r"corpus\.path nowhere: put the raw files .* into nowhere"):
        multi30k.load(multi30k_config(path="nowhere"))


def test_multi30k_that_is_not_whole() -> None:
    folder = multi30k_files("mine")
    write("mine/val.en", "one\n")
    with pytest.raises(UserError, match=r"mine/val\.de has 3 lines but mine/val\.en has 1"):
        multi30k.load(multi30k_config(path=folder))
    Path("mine/val.en").unlink()
    with pytest.raises(UserError, match=r"mine/val\.en \(or \.gz\) is missing"):
        multi30k.load(multi30k_config(path=folder))
    bare = hub_folder("bare", {"train": pairs(2)})
    with pytest.raises(UserError, match=r"bare has no split validation and no split test"):
        multi30k.load(multi30k_config(path=bare))


@pytest.mark.skipif(not (SHARED / "multi30k").is_dir(), reason="needs the real Multi30k beside the checkout")
@pytest.mark.parametrize("pair", ["de en", "cs fr"])
def test_the_real_multi30k(pair: str, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO, "mt")
    source, target = pair.split()
    splits = multi30k.load(multi30k_config(path=str(SHARED / "multi30k"), source=source, target=target))
    assert [(len(split.sources), len(split.targets), split.dropped) for split in splits.values()] == [
        (29000, 29000, 0),
        (1014, 1014, 0),
        (1000, 1000, 0),
    ]
    assert list(splits) == ["train", "validation", "test_2016_flickr"]
    assert caplog.text.count("all 6 files have the known checksums") == 1


@pytest.mark.skipif(not (SHARED / "multi30k-hub").is_dir(), reason="needs the real Multi30k beside the checkout")
def test_the_real_multi30k_is_the_same_in_the_hubs_layout(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO, "mt")
    from_raw = multi30k.load(multi30k_config(path=str(SHARED / "multi30k")))
    assert multi30k.load(multi30k_config(path=str(SHARED / "multi30k-hub"))) == from_raw
    assert caplog.text.count("all 6 files have the known checksums") == 2
