"""Pairs that are added to training alone, each with a tag that is one piece and that nobody can type."""

import json
from pathlib import Path
from typing import Any

import pytest
from config_files import refused
from corpus_files import elsewhere as elsewhere
from corpus_files import hub_folder, numbered, pairs, write
from pydantic import TypeAdapter, ValidationError

from mt.config import Config, Vocabulary
from mt.config.corpora import Added, CorpusConfig, FilesCorpus, HubCorpus
from mt.core.errors import UserError
from mt.core.special import EOS
from mt.corpora import load_splits, places_of
from mt.corpora.pairs import Gold, Split
from mt.data.pieces import Pieces, digest
from mt.runs.run import Run
from mt.text.tokenizer import Tokenizers, load_tokenizers, train_tokenizers
from mt.training.experiment import gather

ADAPTER: TypeAdapter[CorpusConfig] = TypeAdapter(CorpusConfig)
BACK = [(f"zurück {number}", f"back {number}") for number in range(4)]


def corpus(**keys: Any) -> FilesCorpus:
    write("a.de", numbered(30, "Satz"))
    write("a.en", numbered(30, "sentence"))
    write("back.tsv", "".join(f"{source}\t{target}\n" for source, target in BACK))
    given = {"name": "files", "source": "de", "target": "en", "train": ["a.de", "a.en"], "added": {"files": "back.tsv"}}
    return FilesCorpus.model_validate(given | keys)


def vocabularies(config: FilesCorpus, *, joint: bool = True) -> Tokenizers:
    train = load_splits(config)["train"]
    return train_tokenizers(train.sources, train.targets, Vocabulary(size=300, joint=joint), [config.added.tag])


def test_added_pairs_are_at_the_end_of_training_and_nowhere_else() -> None:
    for keys, own in (({}, 24), ({"pairs": 5}, 5)):
        with_them, without = load_splits(corpus(**keys)), load_splits(corpus(**keys, added={}))
        train = with_them.pop("train")
        assert list(zip(train.sources, train.targets, strict=True))[own:] == BACK
        assert train.tags == [""] * own + ["<BT>"] * 4
        assert (train.sources[:own], train.targets[:own]) == (without["train"].sources, without["train"].targets)
        assert with_them == {name: split for name, split in without.items() if name != "train"}
        assert train.take([0, own]).tags == ["", "<BT>"]
    assert places_of(corpus()) == ["a.de", "a.en", "back.tsv"]


@pytest.mark.parametrize("joint", [True, False])
def test_the_tag_is_one_piece_before_each_source_that_no_text_has(joint: bool, tmp_path: Path) -> None:
    config = corpus()
    made = vocabularies(config, joint=joint)
    made.save(tmp_path)
    kept = load_tokenizers(tmp_path, Vocabulary(size=300, joint=joint))
    assert kept is not None
    train = load_splits(config)["train"]
    for tokenizers in (made, kept):
        (tag,) = tokenizers.source.tag("<BT>")
        assert (tokenizers.source.name(tag), tokenizers.source.tag("")) == ("<BT>", [])
        typed = tokenizers.source.encode("<BT> zurück<BT>")
        assert tag not in typed
        assert tokenizers.source.decode(typed) == "<BT> zurück<BT>"
        assert tokenizers.source.decode([tag, *typed]) == "<BT> zurück<BT>"
        pieces = Pieces(train, tokenizers, tmp_path)
        for row, source in enumerate(train.sources):
            expected = ([tag] if row >= 24 else []) + tokenizers.source.encode(source) + [EOS]
            assert pieces.rows[row]["source"] == expected
            assert pieces.rows[row]["target"] == [*tokenizers.target.encode(train.targets[row]), EOS]
            assert pieces.source_lengths[row] == len(expected)
        with pytest.raises(KeyError, match="<s> is no tag"):
            tokenizers.source.tag("<s>")
    if not joint:
        with pytest.raises(KeyError, match="<BT> is no tag"):
            made.target.tag("<BT>")


def test_other_tags_are_other_data() -> None:
    config = corpus()
    train = load_splits(config)["train"]
    tokenizers = vocabularies(config)
    assert len({digest(one, tokenizers) for one in (train, train.take(range(24)), load_splits(corpus())["train"])}) == 2


def test_training_makes_a_vocabulary_with_the_tag(tmp_path: Path) -> None:
    config = corpus(added={"files": "back.tsv", "tag": "<noisy>"})
    tree = Config.model_validate({"corpus": config.model_dump(), "vocabulary": {"size": 300}, "threads": 1})
    given = gather(tree, Run(tmp_path / "run"))
    assert len(given.tokenizers.source.tag("<noisy>")) == 1
    assert tree.corpus == config


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ("corpus.added.tag=BT", "corpus.added.tag in the command line is 'BT': string should match pattern"),
        ("corpus.added.tag=<s>", "<s> is a piece of every vocabulary"),
        ("train.guide.links=links", "a guide has links of all training pairs, and those that are added have none"),
        ("corpus={streaming: true, validation: a.tsv, test: a.tsv}", "to a stream nothing is added"),
    ],
)
def test_what_cannot_be_added(change: str, said: str) -> None:
    write("a.yaml", json.dumps({"corpus": corpus().model_dump(mode="json")}))
    assert said in refused(Path("a.yaml"), change)


def test_a_file_that_is_not_there_is_named() -> None:
    with pytest.raises(UserError, match=r"cannot read gone\.tsv"):
        load_splits(corpus(added={"files": "gone.tsv"}))


def test_any_corpus_but_the_toy_takes_added_files(monkeypatch: pytest.MonkeyPatch) -> None:
    write("back.tsv", "en\tde\n" + "".join(f"{target}\t{source}\n" for source, target in BACK))
    hub_folder("set", {"train": pairs(30)})
    for split, name in (("train", "train"), ("val", "val"), ("test_2016_flickr", "test")):
        for language in ("de", "en"):
            write(f"multi30k/{split}.{language}", numbered(9, f"{name} {language}"))
    monkeypatch.setenv("MT_DATA", ".")
    for keys in ({"name": "hub", "path": "set", "source": "de", "target": "en"}, {"name": "multi30k"}):
        for most in ({}, {"pairs": 5}):
            config = ADAPTER.validate_python(keys | most | {"added": {"files": "back.tsv", "tag": "<X>"}})
            with_them, without = load_splits(config), load_splits(ADAPTER.validate_python(keys | most))
            assert with_them["train"] == without["train"].with_added(Split(*map(list, zip(*BACK, strict=True))), "<X>")
            assert with_them | {"train": without["train"]} == without
            assert "back.tsv" in places_of(config)
    with pytest.raises(ValidationError, match="to a stream nothing is added"):
        HubCorpus(name="hub", path="set", source="de", target="en", streaming=True, added=Added(files="back.tsv"))


def test_added_pairs_have_no_gold_links() -> None:
    gold = Gold(((0, 1),), ((0, 1),), frozenset({(0, 0)}), frozenset({(0, 0)}))
    assert Split(["a"], ["b"], [gold]).with_added(Split(["c"], ["d"]), "<X>").gold == [gold, None]
