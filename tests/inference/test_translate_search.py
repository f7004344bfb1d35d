"""Search settings on whole lines: sampling, penalties, ensembles; all keep alignments."""

from pathlib import Path

import numpy as np
import pytest
from tiny_models import one_thread as one_thread
from tiny_translators import (
    ENGLISH,
    GERMAN,
    LINES,
    WITH_TEXT,
    assert_same,
    is_word,
    searching,
    settings,
    translator,
    write_run,
)
from tolerances import FLOAT32
from toy_runs import read_off

import mt
from mt.config import Config, Vocabulary
from mt.core.errors import UserError
from mt.core.files import write_text
from mt.corpora.pairs import Split
from mt.inference.aligner import Aligner
from mt.inference.translator import Translation, Translator
from mt.models.contract import Seq2Seq, Site
from mt.models.ensemble import Ensemble
from mt.text.tokenizer import train_tokenizers

SAMPLING = {"sample": True, "temperature": 1.3, "top_k": 40, "top_p": 0.9, "no_repeat": 2, "sample_seed": 3}


def assert_forced(found: list[tuple[str, Translation]], made: Translator, config: Config) -> None:
    pairs = Split([line for line, _ in found], [one.text for _, one in found])
    forced = [one.alignment() for one in read_off(Aligner(made.model, made.tokenizers, config), pairs)]
    for (_, one), alignment in zip(found, forced, strict=True):
        assert_same(one, Translation(alignment.target, one.score, alignment=alignment))


def test_samples_do_not_depend_on_the_batch_and_have_the_alignment_of_forced_decoding() -> None:
    config = settings(**SAMPLING)
    made = translator(config, is_word)
    together = made.translate(LINES, n_best=3)
    for row in range(len(LINES)):
        alone = made.translate([""] * row + [LINES[row]], n_best=3)[row]
        for one, other in zip(together[row].n_best, alone.n_best, strict=True):
            assert_same(one, other)
    several = [one for one in together if one.text]
    assert {len(one.n_best) for one in several} == {3}
    assert sum(len({each.text for each in one.n_best}) for one in several) > 2 * len(several)
    found = [(line, each) for line, one in zip(LINES, together, strict=True) for each in one.n_best if line.strip()]
    assert_forced(found, made, config)


def test_another_seed_or_another_line_number_gives_another_sample() -> None:
    made = translator(settings(**SAMPLING), is_word, ending=-3)
    line = WITH_TEXT[0]
    first, second = made.translate([line, line])
    (again,), (other,) = made.translate([line]), made.translate([line], searching(made, sample_seed=5))
    assert_same(first, again)
    assert len({first.text, second.text, other.text}) == 3


def test_a_beam_with_penalties_keeps_the_alignments_of_forced_decoding() -> None:
    config = settings(coverage_penalty=0.6, no_repeat=1)
    made = translator(config, is_word, ending=-1)
    found = list(zip(WITH_TEXT, made.translate(WITH_TEXT, n_best=2), strict=True))
    assert_forced([(line, each) for line, one in found for each in one.n_best], made, config)
    for _, one in found:
        assert one.alignment is not None
        assert len(set(one.alignment.target_pieces)) == len(one.alignment.target_pieces)
    free = made.translate(WITH_TEXT, searching(made, coverage_penalty=0.0, no_repeat=0), n_best=2)
    assert [one.text for one in free] != [one.text for _, one in found]


def test_a_coverage_penalty_without_attention_is_refused() -> None:
    made = translator(settings("none"))
    with pytest.raises(UserError, match=r"search\.coverage_penalty needs attention"):
        made.translate(["Ball"], searching(made, coverage_penalty=0.1))


def test_settings_given_hold_for_cutting_and_batches_too() -> None:
    made, done = translator(settings(), is_word), list[int]()
    made.translate(LINES, searching(made, batch=2), progress=done.append)
    assert len(done) == 1 + (len(WITH_TEXT) + 1) // 2
    (cut,) = made.translate([WITH_TEXT[0]], searching(made, max_source=3))
    assert cut.alignment is not None
    assert len(cut.alignment.source_pieces) == 4


@pytest.mark.parametrize(
    ("wishes", "n_best", "batches"),
    [({"beam": 5}, 1, 1), ({"beam": 20}, 1, 2), ({"beam": 5}, 40, 4), ({"beam": 40, "sample": True}, 1, 1)],
)
def test_the_more_hypotheses_the_smaller_the_batch(wishes: dict[str, object], n_best: int, batches: int) -> None:
    made, done = translator(settings(), is_word), list[int]()
    made.translate([WITH_TEXT[0]] * 8, searching(made, batch=8, **wishes), n_best=n_best, progress=done.append)
    assert done == [0, *[8 // batches] * batches]


# Ensembles ------------------------------------------------------------------------------------------------------------


def test_an_ensemble_translates_with_the_mean_of_its_members(tmp_path: Path) -> None:
    runs = [tmp_path / name for name in ("a", "b")]
    members: list[Seq2Seq] = [
        write_run(run, score=score).model for run, score in zip(runs, ("additive", "none"), strict=True)
    ]
    made, (one, *_) = mt.load(*runs), [mt.load(run) for run in runs]
    assert not made.model.training
    assert made.has_attention
    assert mt.load(*reversed(runs)).has_attention
    expected = Translator(Ensemble(members, [Site(1), None]), one.tokenizers, settings()).translate(LINES)
    found = made.translate(LINES)
    for here, there in zip(found, expected, strict=True):
        assert_same(here, there, FLOAT32)
    assert [here.score for here in found] != [alone.score for alone in one.translate(LINES)]
    for here in made.translate(WITH_TEXT, searching(made, coverage_penalty=0.4), n_best=2):
        assert here.alignment is not None
        np.testing.assert_allclose(here.alignment.attention.sum(1), 1, atol=FLOAT32)


def test_an_ensemble_of_different_vocabularies_or_languages_is_refused(tmp_path: Path) -> None:
    for name in ("a", "b", "c"):
        write_run(tmp_path / name)
    train_tokenizers([*GERMAN, "Zebra Zebra Zebra"], ENGLISH, Vocabulary(size=350)).save(tmp_path / "b")
    config = (tmp_path / "c/config.yaml").read_text()
    turned = config.replace("source: de", "source: xx").replace("target: en", "target: de").replace("xx", "en")
    assert turned != config
    write_text(tmp_path / "c/config.yaml", turned)
    with pytest.raises(UserError, match=r"a and .*c translate between different languages"):
        mt.load(tmp_path / "a", tmp_path / "c")
    with pytest.raises(UserError, match=r"a and .*b have different vocabularies"):
        mt.load(tmp_path / "a", tmp_path / "b")
