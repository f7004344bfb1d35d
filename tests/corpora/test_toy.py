"""The toy corpus: splits, spans, links, difficulty, lexicon."""

import re
from collections import Counter
from functools import cache
from random import Random

import numpy as np
import pytest
import sacrebleu

from mt.config.corpora import ToyCorpus
from mt.corpora import toy
from mt.corpora.pairs import Gold, Split
from mt.corpora.toy import grammar, lexicon, phrases, verbs
from mt.corpora.toy.grammar import Grammar


@cache
def splits() -> dict[str, Split]:
    return toy.load(ToyCorpus(name="toy"))


def words(line: str) -> list[str]:
    return re.findall(r"\w+", line)


# --- splits


def test_sizes_and_order_of_splits():
    assert {name: len(split.sources) for name, split in splits().items()} == {
        "train": 20000,
        "validation": 500,
        "test": 500,
    }
    assert list(splits()) == ["train", "validation", "test"]
    assert toy.CORPUS.find(None) == "generated"


def test_same_seed_same_pairs_and_held_out_splits_do_not_depend_on_the_size():
    small, again, other = (toy.load(ToyCorpus(name="toy", pairs=50, seed=seed)) for seed in (1, 1, 2))
    assert small == again
    assert small["test"] == splits()["test"]
    assert small["validation"] == splits()["validation"]
    assert small["train"].sources == splits()["train"].sources[:50]
    assert not set(other["test"].sources) & set(small["test"].sources)


def test_long_sources_can_be_left_out_of_training_alone():
    short, all_of_them = (toy.load(ToyCorpus(name="toy", pairs=50, held_out=30, longest=most)) for most in (7, None))
    assert max(len(line.split()) for line in short["train"].sources) == 7
    assert len(short["train"].sources) == len(short["train"].gold or []) == 50
    assert [short[name] for name in ("validation", "test")] == [all_of_them[name] for name in ("validation", "test")]
    kept = [line for line in all_of_them["train"].sources if len(line.split()) <= 7]
    assert short["train"].sources[: len(kept)] == kept


def test_no_sentence_of_either_language_occurs_twice_in_all_splits():
    for side in ("sources", "targets"):
        lines = [line for split in splits().values() for line in getattr(split, side)]
        assert len(set(lines)) == len(lines) == 21000


def test_direction_swaps_sides_and_links():
    swapped = toy.load(ToyCorpus(name="toy", pairs=20, source="en", target="de"))["test"]
    for n, gold in enumerate(swapped.gold[:50]):
        there = splits()["test"].gold[n]
        assert (swapped.sources[n], swapped.targets[n]) == (splits()["test"].targets[n], splits()["test"].sources[n])
        assert (gold.source_spans, gold.target_spans) == (there.target_spans, there.source_spans)
        assert gold.sure == gold.possible == {(j, i) for i, j in there.sure}


# --- lines and gold


def test_lines_spans_and_links():
    for split in splits().values():
        for source, target, gold in zip(split.sources, split.targets, split.gold, strict=True):
            for line, spans in ((source, gold.source_spans), (target, gold.target_spans)):
                assert [line[start:end] for start, end in spans] == words(line)
                assert 4 <= len(spans) <= 25
                assert re.fullmatch(r"[A-ZÄÖÜ]\w*(,? \w+)*[.?]", line)
            # Every word is linked: nothing in either language is without a counterpart.
            assert {i for i, _ in gold.sure} == set(range(len(gold.source_spans)))
            assert {j for _, j in gold.sure} == set(range(len(gold.target_spans)))


def test_a_name_is_linked_to_itself():
    seen = 0
    for source, target, gold in zip(
        splits()["test"].sources, splits()["test"].targets, splits()["test"].gold, strict=True
    ):
        german, english = words(source), words(target)
        for name in lexicon.NAMES:
            if german.count(name) == english.count(name) == 1:
                i = german.index(name)
                assert [j for left, j in gold.sure if left == i] == [english.index(name)]
                seen += 1
    assert seen > 50


# --- difficulty


def aer(gold: list[Gold], predicted: list[set[tuple[int, int]]]) -> float:
    hits = sum(len(links & g.sure) for links, g in zip(predicted, gold, strict=True))
    return 1 - 2 * hits / sum(len(links) + len(g.sure) for links, g in zip(predicted, gold, strict=True))


def test_scaled_diagonal_aligner_has_over_40_percent_aer():
    gold = splits()["test"].gold
    diagonal = []
    for g in gold:
        size, length = len(g.source_spans), len(g.target_spans)
        diagonal.append({(round(j * (size - 1) / (length - 1)), j) for j in range(length)})
    assert aer(gold, diagonal) > 0.40


def test_one_link_for_each_target_word_can_reach_low_aer():
    """A soft aligner's argmax gives one source word for each target word: the gold must not ask for much more."""
    gold = splits()["test"].gold
    best = [{(next(i for i, k in sorted(g.sure) if k == j), j) for j in range(len(g.target_spans))} for g in gold]
    assert aer(gold, best) < 0.05


def test_translation_of_most_similar_training_sentence_scores_under_50_bleu():
    train, test = splits()["train"], splits()["test"]
    postings: dict[tuple[str, int], list[int]] = {}
    for n, line in enumerate(train.sources):
        for occurrence in occurrences(line):
            postings.setdefault(occurrence, []).append(n)
    arrays = {occurrence: np.array(rows) for occurrence, rows in postings.items()}
    sizes = np.array([len(words(line)) for line in train.sources])
    copies = []
    for line in test.sources:
        shared = np.zeros(len(sizes))
        for occurrence in occurrences(line):
            shared[arrays.get(occurrence, [])] += 1
        f1 = 2 * shared / (sizes + len(words(line)))
        copies.append(train.targets[int(f1.argmax())])
    assert sacrebleu.corpus_bleu(copies, [test.targets]).score < 50
    assert sacrebleu.corpus_bleu(test.targets, [test.targets]).score == pytest.approx(100)


def occurrences(line: str) -> list[tuple[str, int]]:
    """Multiset of words as a set: (word, 0), (word, 1), ..."""
    return [(word, n) for word, times in Counter(words(line.lower())).items() for n in range(times)]


def test_translation_is_a_function_in_both_directions(monkeypatch):
    """With few words to choose from, sentences recur; each must have one translation."""

    class Small(Grammar):
        def pick(self, choices):
            return super().pick(choices[:: max(1, len(choices) // 2)])

    monkeypatch.setattr(grammar, "Grammar", Small)
    random = Random(1)
    drawn = [grammar.derive(random) for _ in range(6000)]
    distinct = {(pair.german, pair.english) for pair in drawn}
    assert len(distinct) < 5900
    assert len({german for german, _ in distinct}) == len({english for _, english in distinct}) == len(distinct)


# --- lexicon


def lexemes() -> dict[str, set[str]]:
    """German forms by lexeme; of a separable verb only those in one word."""
    forms: dict[str, set[str]] = {}
    for noun in lexicon.NOUNS:
        cases = ("nominative", "accusative", "dative", "genitive")
        forms[noun.german] = {noun.decline(case, plural) for case in cases for plural in (False, noun.kind != "mass")}
    for verb in (*verbs.VERBS, verbs.BEING):
        forms[verb.prefix + verb.infinitive] = {verb.participle, verb.prefix + verb.infinitive} | {
            verb.prefix + form for form in (*verb.present, *verb.preterite)
        }
    for group in lexicon.ADJECTIVES.values():
        for stem, _ in group:
            forms[stem] = {stem.removesuffix("e") + ending for ending in ("e", "er", "es", "en", "em")} | {stem}
    for table in (
        lexicon.MANNERS,
        lexicon.FREQUENCIES,
        lexicon.DEGREES,
        lexicon.ATTITUDES,
        lexicon.COORDINATORS,
        lexicon.NUMBERS,
        lexicon.CITIES,
        *lexicon.CONJUNCTIONS.values(),
    ):
        forms |= {german: {german} for german, _ in table}
    forms |= {name: {name} for name in lexicon.NAMES}
    forms |= {preposition.german: {preposition.german} for preposition in (*lexicon.STATIC, *lexicon.DIRECTIONS)}
    for determiner in (d for d in (*phrases.ANY, lexicon.NO) if d is not lexicon.BARE):
        forms["det " + determiner.german] = {determiner.german + ending for ending in determiner.endings.values()}
    for modal in verbs.MODALS:
        forms["modal " + modal.english] = {*modal.present, *modal.preterite}
    return forms


def test_lexicon_has_300_to_600_lexemes_each_frequent_in_training():
    counts = Counter(word for line in splits()["train"].sources for word in words(line[0].lower() + line[1:]))
    counts += Counter(words(line)[0] for line in splits()["train"].sources)
    frequency = {name: sum(counts[form] for form in forms) for name, forms in lexemes().items()}
    assert 300 <= len(frequency) <= 600
    assert [name for name, times in frequency.items() if times < 30] == []


def test_each_content_word_has_one_translation_and_is_one():
    nouns = [(noun.german, noun.english) for noun in lexicon.NOUNS]
    tables = [nouns, {pair for group in lexicon.ADJECTIVES.values() for pair in group}]
    tables.append([(verb.prefix + verb.infinitive, f"{verb.english}_{verb.particle}") for verb in verbs.VERBS])
    for table in tables:
        assert len(table) == len({german for german, _ in table}) == len({english for _, english in table})
