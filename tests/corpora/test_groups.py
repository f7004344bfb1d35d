"""Pairs that share a sentence are held out together; slow twins look at every pair of pairs."""

import logging
import random
import re
import time
import unicodedata
from collections.abc import Sequence
from pathlib import Path

import pytest
from corpus_files import elsewhere as elsewhere
from corpus_files import write
from test_gnt import real as real

from mt.config.corpora import FilesCorpus, GntCorpus, HeldOutBy
from mt.config.files import read_config
from mt.core.errors import UserError
from mt.corpora import files, gnt
from mt.corpora.groups import MOST, find_groups, fold, overlap
from mt.corpora.pairs import Split
from mt.corpora.splits import hold_out, pair_up

Pairs = list[tuple[str, str]]


def split_of(pairs: Sequence[tuple[str, str]]) -> Split:
    return Split([source for source, _ in pairs], [target for _, target in pairs])


def pairs_of(split: Split) -> Pairs:
    return list(zip(split.sources, split.targets, strict=True))


def tiny_corpus(seed: int) -> Pairs:
    """Thirty pairs of few sentences, in the spellings that count as one."""
    chooser = random.Random(seed)
    sentences = chooser.randrange(4, 60)

    def sentence(side: str) -> str:
        text = f"{side}é {chooser.randrange(sentences)}"
        return chooser.choice(
            [text, text.upper(), unicodedata.normalize("NFD", text), text.replace(" ", "\u00a0\u200b ")]
        )

    return [(sentence("de"), sentence("en")) for _ in range(30)]


def alike(one: str, other: str) -> bool:
    """Tell whether two sentences of `tiny_corpus` are one, without `fold`."""
    seen = [unicodedata.normalize("NFD", text).lower().replace("\u200b", "").split() for text in (one, other)]
    return "".join(seen[0]) == "".join(seen[1])


def shared(train: Pairs, other: Pairs) -> int:
    """Return what `overlap` says, by comparing each pair with each."""
    return sum(any(alike(pair[0], seen[0]) or alike(pair[1], seen[1]) for seen in train) for pair in other)


def components(pairs: Sequence[tuple[object, object]]) -> set[frozenset[int]]:
    """Return the groups by joining those that touch, until none do."""
    groups = [frozenset({place}) for place in range(len(pairs))]
    while True:
        touching = next(
            (
                (one, other)
                for one in groups
                for other in groups
                if one is not other
                and any(pairs[a][0] == pairs[b][0] or pairs[a][1] == pairs[b][1] for a in one for b in other)
            ),
            None,
        )
        if touching is None:
            return set(groups)
        groups = [group for group in groups if group not in touching] + [touching[0] | touching[1]]


@pytest.mark.parametrize("seed", range(8))
def test_groups_are_the_connected_components(seed: int) -> None:
    chooser = random.Random(seed)
    most = chooser.randrange(2, 40)
    pairs = [(chooser.randrange(most), chooser.randrange(most)) for _ in range(25)]
    found = find_groups(pairs)
    assert {frozenset(group) for group in found} == components(pairs)
    assert [group[0] for group in found] == sorted(group[0] for group in found)
    assert all(group == sorted(group) for group in found)


@pytest.mark.parametrize("seed", range(40))
def test_no_sentence_is_held_out_and_trained_on_unless_that_is_said(
    seed: int, caplog: pytest.LogCaptureFixture
) -> None:
    pairs = tiny_corpus(seed)
    splits = hold_out(split_of(pairs), ["validation", "test"], 3, seed, "mine")
    train = pairs_of(splits["train"])
    held = [pairs_of(splits[name]) for name in ("validation", "test")]
    broken = re.search(r"a sentence of (\d+) of those held out", caplog.text)
    assert train
    assert sum(shared(train, part) for part in held) <= (int(broken[1]) if broken else 0)
    for part in held:
        assert 3 <= len(part) <= 6
        assert overlap(splits["train"], split_of(part)) == [shared(train, part)]
        places = [pairs.index(pair) for pair in part]
        assert places == sorted(places)
    assert not {*held[0]} & {*held[1]}
    kept = [pair for pair in pairs if pair in train]
    assert kept == train  # in order, with their copies
    assert all(
        any(alike(a, c) and alike(b, d) for c, d in [*train, *held[0], *held[1]]) for a, b in pairs
    )  # nothing is lost but copies


def test_both_happen_whole_groups_and_broken_ones(caplog: pytest.LogCaptureFixture) -> None:
    said = []
    for seed in range(40):
        caplog.clear()
        hold_out(split_of(tiny_corpus(seed)), ["validation", "test"], 3, seed, "mine")
        said.append("share sentences with one another" in caplog.text)
    assert 5 < sum(said) < 35


@pytest.mark.parametrize("size", [None, 4, 10, 12])
def test_several_translations_of_a_source_stay_together(size: int | None, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO, "mt")
    pairs = [(f"Satz {number}", f"sentence {number}{' !' * times}") for number in range(30) for times in range(4)]
    splits = hold_out(split_of(pairs), ["validation", "test"], size, 1, "mine")
    assert overlap(splits["train"], splits["validation"], splits["test"]) == [0, 0]
    sizes = {name: len(split.sources) for name, split in splits.items()}
    wanted = {None: 12, 4: 4, 10: 12, 12: 12}[size]
    assert sizes == {"train": 120 - 2 * wanted, "validation": wanted, "test": wanted}
    assert caplog.text.count(", not 10, because pairs that share") == (2 if size == 10 else 0)
    one_by_one = hold_out(split_of(pairs), ["validation", "test"], size, 1, "mine", by="pairs")
    assert overlap(one_by_one["train"], one_by_one["test"]) == [len(one_by_one["test"].sources)] > [0]


def test_a_large_group_goes_to_training_where_small_ones_suffice(caplog: pytest.LogCaptureFixture) -> None:
    large: Pairs = [(f"Ja {number}", "Yes.") for number in range(80)]
    small: Pairs = [(f"Satz {number}", f"sentence {number}") for number in range(20)]
    splits = hold_out(split_of(large + small), ["validation", "test"], 10, 1, "mine")
    assert pairs_of(splits["train"]) == large
    assert not caplog.text


def test_a_group_is_broken_where_it_must_and_its_loosest_pairs_go_first(caplog: pytest.LogCaptureFixture) -> None:
    loose: Pairs = [(f"Ja {number}", "Yes.") for number in range(4)]
    tight: Pairs = [("Gut", f"good {number}") for number in range(40)] + [("Gut", "Yes.")]
    splits = hold_out(split_of(tight + loose), ["test"], 4, 1, "mine")
    assert pairs_of(splits["test"]) == loose
    assert "training may have seen a sentence of 4 of those held out" in caplog.text


def test_the_seed_chooses_and_pairs_are_as_they_were() -> None:
    lines = [f"s{number % 70}" for number in range(100)]
    train = pair_up(lines, lines, "x", "y")
    bys: tuple[HeldOutBy, ...] = ("groups", "pairs")
    for by in bys:
        first = hold_out(train, ["validation", "test"], None, 1, "x", by=by)
        assert first == hold_out(train, ["validation", "test"], None, 1, "x", by=by)
        assert first != hold_out(train, ["validation", "test"], None, 2, "x", by=by)
        assert len(first["test"].sources) == 7
    distinct = list(dict.fromkeys(lines))
    chosen = random.Random(1).sample(range(70), 14)  # as runs without the key were split
    assert hold_out(train, ["validation", "test"], None, 1, "x", by="pairs")["test"].sources == [
        distinct[place] for place in sorted(chosen[7:])
    ]


def test_a_run_without_the_record_is_split_as_before() -> None:
    write("mine.yaml", "corpus: {name: files, source: de, target: en, train: a.tsv}")
    assert getattr(read_config(Path("mine.yaml")).corpus, "held_out_by", None) == "groups"
    assert getattr(read_config(Path("mine.yaml"), of_run=True).corpus, "held_out_by", None) == "pairs"
    for corpus in ("{name: toy}", "{name: gnt}", "{name: multi30k}"):
        write("other.yaml", f"corpus: {corpus}")
        assert read_config(Path("other.yaml"), of_run=True).corpus == read_config(Path("other.yaml")).corpus
    for corpus, problem in {"{source: de}": "missing key corpus.name", "toy": "corpus", "{name: tyo}": "toy"}.items():
        write("wrong.yaml", f"corpus: {corpus}")
        with pytest.raises(UserError, match=problem):
            read_config(Path("wrong.yaml"), of_run=True)


def test_what_sentences_are_compared_by() -> None:
    assert fold("  Straße\t IN\u00a0Ko\u0308ln ") == "strasse in köln"
    assert fold("A  b") == "a b"
    assert fold("Ja.") != fold("Ja")


def test_overlap_counts_pairs_with_a_sentence_of_the_same_side() -> None:
    train = Split(["Ein Hund.", "Eine Katze."], ["A dog.", "A cat."])
    other = Split(["EIN  HUND.", "Kater.", "A dog.", "Neu."], ["One dog.", "a cat.", "Ein Hund.", "New."])
    assert overlap(train, other) == [2]
    assert overlap(train, Split([], [])) == [0]


def test_the_greek_new_testament_has_five_of_355(real: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(gnt, "wheel", lambda: real)
    splits = gnt.load(GntCorpus(name="gnt"))
    assert overlap(splits["train"], splits["validation"], splits["test"]) == [9, 5]
    assert MOST * 355 > 5


def test_many_pairs_take_seconds() -> None:
    """Two thousand groups and a chain through half of the pairs: what compares each with each takes hours."""
    count = 100_000
    sources = [f"s{number // 2 if number % 2 else number % 4000}" for number in range(count)]
    targets = [f"t{(number + 1) // 2 if number % 2 else number % 2000}" for number in range(count)]
    start = time.process_time()
    hold_out(Split(sources, targets), ["validation", "test"], None, 1, "mine")
    assert time.process_time() - start < 20  # one second in general


def test_files_hold_out_by_groups() -> None:
    write("a.tsv", "".join(f"de {number // 2}\ten {number}\n" for number in range(40)))
    splits = files.load(FilesCorpus(name="files", source="de", target="en", train="a.tsv", held_out=4))
    assert [len(split.sources) for split in splits.values()] == [32, 4, 4]
    assert overlap(splits["train"], splits["test"]) == [0]
