"""What a translation says of its own quality."""

import math
import shutil
from pathlib import Path

import numpy as np
import pytest
from tiny_models import one_thread as one_thread

import mt
from mt.core.errors import UserError
from mt.corpora.pairs import Span
from mt.evaluation.confidence import fit_for_run
from mt.inference.confidence import Confidence, Word, mark
from mt.inference.scorer import Scored, Scorer
from mt.inference.signals import signals
from mt.runs.confidence import read_fitted
from mt.runs.run import Run

OLD = Path(__file__).parent.parent / "old_runs" / "rnn"
LINES = ["Die Katze schläft.", "", "Der Hund ist alt."]


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    made = shutil.copytree(OLD, tmp_path_factory.mktemp("sure") / "run")
    fit_for_run(Run(made), Run(made).config)
    return made


def test_marks_stand_around_the_words_to_check() -> None:
    words = Word("a", (0, 1), 0.4999), Word("b", (2, 3), 0.5), Word("cd", (4, 6), 0.9)
    assert mark("a b cd", Confidence(20, 0.8, 50, words), ("[", "]")) == "a [b] [cd]"


def of_word(run: Run, read: Scored, text: str, span: Span) -> float:
    """Return the log probability of a word, that of all its pieces."""
    spans = [inside for _, inside in run.tokenizers.target.spans(read.target[:-1], text)]
    rows = [row for row, (start, stop) in enumerate(spans) if start < span[1] and stop > span[0]]
    return sum(float(read.log_probabilities_T[row]) for row in rows)


def test_each_translation_has_the_confidence_in_its_own_text(run: Path) -> None:
    translator = mt.load(run)
    found = translator.translate(LINES, n_best=2, confidence=True)
    plain = translator.translate(LINES, n_best=2)
    assert [one.text for one in found] == [one.text for one in plain]
    assert [one.confidence for one in plain] == [None] * 3
    assert found[1].confidence is None
    fitted, known = read_fitted(Run(run)), Run(run)
    assert fitted is not None
    scorer = Scorer(known.model, known.tokenizers, known.config)
    for line, first in zip(LINES, found, strict=True):
        for one in first.n_best if line else []:
            assert one.confidence is not None
            assert [word.word for word in one.confidence.words] == one.text.split()
            assert all(one.text[slice(*word.span)] == word.word for word in one.confidence.words)
            assert all(0 < word.wrong < 1 for word in one.confidence.words)
            (read,) = scorer.score([line], [one.text])
            chances = [math.exp(of_word(known, read, one.text, word.span)) for word in one.confidence.words]
            told = signals(read) | {"word_probability": sum(chances) / len(chances)}
            terms = fitted.predictors.ter.signals
            sums = sum(w.weight * (told[name] - w.mean) / w.scale for name, w in terms.items())
            assert one.confidence.ter == pytest.approx(max(fitted.predictors.ter.intercept + sums, 0), abs=1e-3)
            assert one.confidence.bound == 50
    texts = {one.text: one.confidence for first in found for one in first.n_best if one.confidence}
    assert len({one.ter for one in texts.values()}) == len(texts) > 2


def test_it_is_asked_for_in_vain_where_nothing_is_fitted_or_several_runs_vote(run: Path, tmp_path: Path) -> None:
    bare = shutil.copytree(run, tmp_path / "bare")
    (bare / "confidence.json").unlink()
    with pytest.raises(
        UserError, match=r"has no confidence\.json of these weights: `mt eval .*bare --confidence` fits"
    ):
        mt.load(bare).translate(LINES, confidence=True)
    with pytest.raises(UserError, match="an ensemble has no confidence"):
        mt.load(run, run).translate(LINES, confidence=True)
    assert mt.load(bare).translate(LINES)[0].text


def test_other_settings_of_the_search_are_warned_of(run: Path, caplog: pytest.LogCaptureFixture) -> None:
    mt.load(run).translate(LINES, confidence=True)
    assert caplog.text == ""
    mt.load(run, changes=["search.beam=1"]).translate(LINES, confidence=True)
    assert "fitted on translations by other settings of search: trust it less" in caplog.text


def test_no_lines_and_lines_without_text_have_none(run: Path) -> None:
    translator = mt.load(run)
    assert translator.translate([], confidence=True) == []
    assert [one.confidence for one in translator.translate(["", "  "], confidence=True)] == [None, None]


def test_samples_and_the_n_best_have_each_their_own(run: Path, caplog: pytest.LogCaptureFixture) -> None:
    found = mt.load(run, changes=["search.sample=true"]).translate(LINES, n_best=3, confidence=True)
    assert "trust it less" in caplog.text
    samples = [one for first in found for one in first.n_best]
    texts = {one.text: one.confidence.ter for one in samples if one.confidence and one.text}
    assert len(set(texts.values())) > 3
    assert [one.confidence is None for one in samples] == [*[False] * 3, True, *[False] * 3]


def test_with_neighbours_the_text_is_theirs_and_the_doubt_is_the_models(tmp_path: Path) -> None:
    """Its signals are those of the model without neighbours, as it reads the text off."""
    made = shutil.copytree(OLD.parent / "nearest", tmp_path / "run")
    known = Run(made)
    assert known.config.search.nearest.count
    fitted = fit_for_run(known, known.config)
    assert fitted.search["nearest"]["count"] == known.config.search.nearest.count
    voted = mt.load(made).translate(LINES, confidence=True)
    alone = mt.load(made, changes=["search.nearest.count=0"]).translate(LINES, confidence=True)
    assert [one.text for one in voted] != [one.text for one in alone]
    (line, *_), (one, *_) = LINES, voted
    assert one.confidence is not None
    (read,) = Scorer(known.model, known.tokenizers, known.config).score([line], [one.text])
    chances = [math.exp(of_word(known, read, one.text, word.span)) for word in one.confidence.words]
    told = signals(read) | {"word_probability": sum(chances) / len(chances)}
    assert one.confidence.ter == pytest.approx(
        float(fitted.predictors.ter.predict({name: np.array([value]) for name, value in told.items()})[0]), abs=1e-3
    )


def test_a_signal_that_is_not_known_is_named(run: Path, tmp_path: Path) -> None:
    other = shutil.copytree(run, tmp_path / "run")
    file = other / "confidence.json"
    file.write_text(file.read_text().replace('"output_entropy"', '"moon"'))
    with pytest.raises(UserError, match=r"confidence\.json needs moon, which this version does not measure: delete it"):
        mt.load(other).translate(LINES, confidence=True)
