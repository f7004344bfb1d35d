import gzip
import json
import os
import random
import subprocess
import sys
from pathlib import Path

import pytest

from mt.core.errors import UserError
from mt.evaluation.metrics import METRICS, Texts, bleu, chrf, moses, papers
from mt.runs.scores import CorpusScore

WORDS = ["the", "a", "old", "dog", "cat", "house,", "walks", "sleeps", "near", "green!", "'then'", "she's", "ÄPFEL"]


def corpus(sentences: int = 60) -> tuple[list[str], list[str]]:
    """Invented references, and hypotheses with wrong, missing and moved words; some are empty, some end in blanks."""
    rng = random.Random(3)
    references = [" ".join(rng.choices(WORDS, k=rng.randint(3, 14))) + "." for _ in range(sentences)]
    hypotheses = []
    for number, reference in enumerate(references):
        words = [word for word in reference.split() if rng.random() > 0.1]
        words[len(words) // 2 : len(words) // 2 + 1] = [rng.choice(WORDS)]
        hypotheses.append("" if number % 20 == 7 else " ".join(words[2:] + words[:2]) + "  " * (number % 3))
    hypotheses[0] = hypotheses[0].upper()
    return hypotheses, references


def command_line(tmp_path, hypotheses: list[str], *references: list[str]) -> dict[str, dict]:
    files = [f"ref{number}" for number in range(len(references))]
    for name, lines in zip(["hyp", *files], [hypotheses, *references], strict=True):
        (tmp_path / name).write_text("".join(line + "\n" for line in lines), encoding="utf-8")
    command = [sys.executable, "-m", "sacrebleu", *files, "-i", "hyp", "-m", "bleu", "chrf", "ter"]
    options = ["--confidence", "--confidence-n", "1000", "-w", "12", "--format", "json"]
    run = subprocess.run(command + options, cwd=tmp_path, capture_output=True, check=True, encoding="utf-8")
    return {report["name"].split("2")[0]: report for report in json.loads(run.stdout)}


def test_scores_signatures_and_intervals_are_those_of_the_command_line(tmp_path, monkeypatch):
    monkeypatch.delenv("SACREBLEU_SEED", raising=False)
    hypotheses, references = corpus()
    theirs = command_line(tmp_path, hypotheses, references)
    assert list(METRICS) == ["BLEU", "chrF", "TER"]
    assert sorted(theirs) == sorted(METRICS)
    for name, metric in METRICS.items():
        ours = metric(Texts(hypotheses, references))
        assert ours.signature == theirs[name]["signature"]
        assert round(ours.score, 12) == theirs[name]["score"]
        assert ours.low == theirs[name]["confidence_mean"] - theirs[name]["confidence_var"]
        assert ours.high == theirs[name]["confidence_mean"] + theirs[name]["confidence_var"]
        assert ours.low < ours.score < ours.high
        assert ours.signature.startswith("nrefs:1|bs:1000|seed:12345|case:")


def test_scores_with_several_references_are_those_of_the_command_line(tmp_path, monkeypatch):
    monkeypatch.delenv("SACREBLEU_SEED", raising=False)
    hypotheses, references = corpus()
    others = [line.replace("the", "a").upper() if row % 2 else line[3:] for row, line in enumerate(references)]
    theirs = command_line(tmp_path, hypotheses, references, others)
    texts = Texts(hypotheses, references, more=[others])
    for name, metric in METRICS.items():
        ours = metric(texts)
        assert ours.signature == theirs[name]["signature"]
        assert ours.signature.startswith("nrefs:2|")
        assert round(ours.score, 12) == theirs[name]["score"]
        assert ours.low == theirs[name]["confidence_mean"] - theirs[name]["confidence_var"]
        assert ours != metric(Texts(hypotheses, references))
    assert bleu(texts) == METRICS["BLEU"](texts).score
    few = texts.take([2, 5])
    assert few.every == [[references[2], references[5]], [others[2], others[5]]]
    assert Texts(["狗"], ["狗车"], tokenize="zh", more=[["车狗"]]).split().every == [["狗 车"], ["车 狗"]]
    either = papers(Texts(["Ein Hund bellt!"], ["Zwei Hunde!"], more=[["Ein  Hund bellt!"]]), "de")
    assert either.score == pytest.approx(100)
    with pytest.raises(UserError, match="2 hypotheses against 1 references"):
        Texts(["a", "b"], ["a", "b"], more=[["a"]])


@pytest.mark.parametrize("name", METRICS)
def test_an_interval_is_also_that_of_resamples_some_of_which_match_nothing(name):
    score = METRICS[name](Texts(["a small old house", "xyz", "xyz"], ["a small old house", "uvw", "uvw"]))
    assert score.low < score.high
    empty = METRICS[name](Texts(["a small old dog", ""], ["a small old house", ""]))
    assert empty.low < empty.high
    assert METRICS[name](Texts(["xyz"], ["uvw"])).score == {"TER": 100}.get(name, 0)


def test_bleu_of_a_hand_example():
    # Of 6 words 5 match; of 5, 4, 3 n-grams 4, 3, 2 do; the lengths are equal, so there is no brevity penalty.
    expected = 100 * (5 / 6 * 4 / 5 * 3 / 4 * 2 / 3) ** 0.25
    assert bleu(Texts(["a b c d e x"], ["a b c d e f"])) == pytest.approx(expected)
    assert METRICS["BLEU"](Texts(["a b c d e x"], ["a b c d e f"])).score == pytest.approx(expected)


def test_ter_of_a_hand_example_counts_edits_over_reference_words():
    assert METRICS["TER"](Texts(["a b x d"], ["a b c d"])).score == pytest.approx(25)


def test_quick_scores_are_those_of_the_registry():
    texts = Texts(*corpus())
    assert bleu(texts) == METRICS["BLEU"](texts).score
    assert chrf(texts) == METRICS["chrF"](texts).score


def test_perfect_and_worthless_hypotheses():
    _, references = corpus()
    for name, best in (("BLEU", 100), ("chrF", 100), ("TER", 0)):
        score = METRICS[name](Texts(references, references))
        assert [score.score, score.low, score.high] == pytest.approx([best, best, best])
    nothing = METRICS["BLEU"](Texts([""] * len(references), references))
    assert (nothing.score, nothing.low, nothing.high) == (0, 0, 0)


def test_one_sentence_has_an_interval_of_no_width():
    score = METRICS["chrF"](Texts(["the old dog"], ["the old cat"]))
    assert score.low == score.high == pytest.approx(score.score)
    assert 0 < score.score < 100


@pytest.mark.skipif("SACREBLEU_SEED" in os.environ, reason="the signature names another seed")
def test_scores_are_the_same_twice():
    hypotheses, references = corpus(20)
    first, second = (METRICS["BLEU"](Texts(hypotheses, references)) for _ in range(2))
    assert isinstance(first, CorpusScore)
    assert first == second


def test_unequal_or_empty_lists_are_refused():
    with pytest.raises(UserError, match="2 hypotheses against 1 references"):
        Texts(["a", "b"], ["a"])
    with pytest.raises(UserError, match="no sentences"):
        Texts([], [])
    with pytest.raises(UserError, match="letter by letter"):
        Texts("hello", "hallo")


def test_the_papers_score_is_bleu_of_lower_case_moses_words():
    hypothesis, reference = "Der „große“ Hund (8,5 kg) läuft,  schnell!", 'Der "große" Hund (8,5 kg) läuft schnell!'
    words = 'der " große " hund ( 8,5 kg ) läuft , schnell !'
    assert moses([hypothesis], "de") == [words]
    assert moses(["The dog's 3.50 & more..."], "en") == ["the dog 's 3.50 & more ..."]
    # 13 words, 12 of them right; of 12, 11, 10 longer n-grams those without the comma: 10, 8, 7. The reference has 12.
    expected = 100 * (12 / 13 * 10 / 12 * 8 / 11 * 7 / 10) ** 0.25
    found = papers(Texts([hypothesis], [reference]), "de")
    assert found.score == pytest.approx(expected)
    assert "|case:lc|" in found.signature
    assert "|tok:none|" in found.signature


def test_the_references_of_multi30k_have_the_words_that_papers_count():
    file = Path(__file__).parents[3] / "shared/data/multi30k/test_2016_flickr.de.gz"
    if not file.exists():
        pytest.skip(f"no {file.name} here")
    lines = gzip.decompress(file.read_bytes()).decode().splitlines()
    assert sum(len(line.split()) for line in moses(lines, "de")) == 12103
