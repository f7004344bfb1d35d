"""A Translator with a real vocabulary and an untrained model, in float64 where numbers are compared."""

import logging
import random
from collections.abc import Callable
from pathlib import Path

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
from torch import Tensor
from torch.nn import Linear
from toy_runs import read_off

import mt
from mt.config import Vocabulary
from mt.core.errors import UserError
from mt.corpora.pairs import Split
from mt.inference.aligner import Aligner
from mt.inference.translator import Translation
from mt.models.contract import Look, Memory, Output, State
from mt.runs import checkpoint
from mt.text.tokenizer import BLANK, train_tokenizers


@pytest.mark.parametrize("beam", [1, 4])
@pytest.mark.parametrize("score", ["additive", "none"])
def test_any_batch_gives_what_a_line_alone_gives_in_order(score: str, beam: int) -> None:
    made, done = translator(settings(score), is_word), list[int]()
    together = made.translate(LINES, searching(made, beam=beam), progress=done.append)
    assert len(together) == len(LINES)
    assert len({found.text for found in together}) > 12
    assert sum(done) == len(LINES)  # blank lines first, then three batches
    assert len(done) == 4
    shuffled = random.Random(5).sample(LINES, len(LINES))
    for line, found in zip(shuffled, made.translate(shuffled, searching(made, beam=beam)), strict=True):
        assert_same(found, together[LINES.index(line)])
        assert_same(found, made.translate([line], searching(made, beam=beam))[0])


@pytest.mark.parametrize("beam", [1, 4])
@pytest.mark.parametrize(("score", "wiring", "cell"), [("additive", "bahdanau", "gru"), ("general", "luong", "lstm")])
def test_alignments_of_search_are_those_of_forced_decoding(score: str, wiring: str, cell: str, beam: int) -> None:
    config = settings(score, wiring, cell)
    made = translator(config, is_word, ending=0)
    found = list(zip(WITH_TEXT, made.translate(WITH_TEXT, searching(made, beam=beam)), strict=True))
    if beam > 1:
        found += [(line, one) for line in LINES[:4] for one in made.translate([line], n_best=3)[0].n_best]
    pairs = Split([line for line, _ in found], [one.text for _, one in found])
    forced = [one.alignment() for one in read_off(Aligner(made.model, made.tokenizers, config), pairs)]
    assert len({alignment.target for alignment in forced}) > 8
    assert max(len(alignment.target_words) for alignment in forced) > 8
    for (line, one), alignment in zip(found, forced, strict=True):
        assert_same(one, Translation(alignment.target, one.score, alignment=alignment))
        assert alignment.source == line
        assert alignment.source_words == line.split()
        assert alignment.target_words == one.text.split()
        assert alignment.attention.shape == (len(alignment.target_pieces), len(alignment.source_pieces))
        assert alignment.attention.sum(1) == pytest.approx(1)
        assert alignment.words.shape == (len(alignment.target_words), len(alignment.source_words) + 1)
        assert (alignment.words.sum(1) < 1 + 1e-12).all()  # a piece that is a blank belongs to no word


@pytest.mark.parametrize("n_best", [1, 3])
def test_lines_without_text_give_empty_lines(n_best: int) -> None:
    for found in translator(settings()).translate(["", " ", "\t\t", "\u3000", "\r"], n_best=n_best):
        assert (found.text, found.score) == ("", 0.0)
        assert found.alignment is not None
        assert found.alignment.attention.shape == (0, 0)
        assert [one.text for one in found.n_best] == [""]
    assert translator(settings()).translate([]) == []


def test_white_space_around_a_line_changes_nothing() -> None:
    padded, plain = translator(settings()).translate(["  \u3000Ball \t", "Ball"])
    assert_same(padded, plain)


@pytest.mark.parametrize("beam", [1, 4])
def test_odd_lines_do_not_crash_and_give_one_line_each(beam: int) -> None:
    odd = [
        "🐈‍⬛ 😀",
        "\0",
        "Der\0Ofen",
        "\tTee\t\tBall",
        "<pad> </s> <unk> <s>",
        f"{BLANK}{BLANK}",
        "قط 猫 \u2028 x",
        "a" * 400,
    ]
    for found, line in zip(translator(settings(beam=beam)).translate(odd), odd, strict=True):
        assert found.alignment is not None
        assert found.alignment.source_words == line.split()
        assert found.alignment.attention.sum(1) == pytest.approx(1)


@pytest.mark.parametrize("byte", ["<0x0A>", "<0x0D>", "<0x00>"])
def test_an_output_never_breaks_its_line_nor_the_file(byte: str) -> None:
    made = translator(settings(), lambda piece: piece == byte, ending=-50)
    found = made.translate(["Der Ofen ist kalt."])[0]
    assert found.alignment is not None
    assert byte in found.alignment.target_pieces
    assert found.text == " " * len(found.alignment.target_pieces[:-1])


def test_a_line_of_5000_words_is_cut_with_a_warning_that_names_it(caplog: pytest.LogCaptureFixture) -> None:
    made = translator(settings(max_source=200, max_ratio=0.1), is_word)
    long = ["Ball", " ".join(["Der Ofen ist kalt"] * 1250)]
    with caplog.at_level(logging.WARNING, "mt"):
        found = made.translate(long)
    (record,) = caplog.records
    pieces = made.tokenizers.source.encode(long[1])
    assert record.getMessage().startswith(f"line 2 has {len(pieces)} pieces: only the first 200 (search.max_source)")
    assert found[1].alignment is not None
    assert len(found[1].alignment.source_pieces) == 201
    assert found[1].alignment.source_pieces[-1] == "</s>"
    assert len(found[1].alignment.source_words) == 5000
    assert_same(found[0], made.translate(["Ball"])[0])
    kept = made.tokenizers.source.decode(pieces[:200])
    assert made.tokenizers.source.encode(kept) == pieces[:200]
    (short,) = made.translate([kept])
    assert (found[1].text, found[1].score) == (short.text, pytest.approx(short.score, abs=1e-10))


def test_n_best_is_sorted_and_widens_the_beam() -> None:
    made = translator(settings(), is_word)
    for found, wide, five in zip(
        made.translate(WITH_TEXT, searching(made, beam=2), n_best=7),
        made.translate(WITH_TEXT, searching(made, beam=7)),
        made.translate(WITH_TEXT, searching(made, beam=7), n_best=5),
        strict=True,
    ):
        scores = [one.score for one in found.n_best]
        assert len(scores) == len({one.text for one in found.n_best}) == 7
        assert scores == sorted(scores, reverse=True)
        assert_same(found, found.n_best[0])
        assert_same(found, wide)
        assert (wide.others, len(five.others)) == ((), 4)
        for one, other in zip(five.n_best, found.n_best[:5], strict=True):
            assert_same(one, other)


def test_search_settings_come_from_the_run_unless_given() -> None:
    tuned = translator(settings(beam=3, length_penalty=0.5), is_word)
    other = translator(settings(beam=1, length_penalty=0.0), is_word)
    found, same = tuned.translate(LINES), other.translate(LINES, searching(other, beam=3, length_penalty=0.5))
    plain = other.translate(LINES, searching(other, beam=3))
    zero = tuned.translate(LINES, searching(tuned, length_penalty=0.0))
    for one, copy, without, nothing in zip(found, same, plain, zero, strict=True):
        assert_same(one, copy)
        assert_same(without, nothing)
    assert [one.score for one in found] != [one.score for one in plain]
    longest = translator(settings(max_ratio=0.5, max_extra=2), lambda piece: piece.startswith("<0x4"), ending=-50)
    (one,) = longest.translate(["Der Ofen ist kalt."], searching(longest, beam=1))
    pieces = len(longest.tokenizers.source.encode("Der Ofen ist kalt.")) + 1
    assert len(one.text) == int(0.5 * pieces + 2) - 1


def test_alignments_are_none_without_attention_or_unasked() -> None:
    made, without = translator(settings()), translator(settings("none"))
    assert (made.has_attention, without.has_attention) == (True, False)
    for found in (without.translate(["Ball", ""], n_best=2), made.translate(["Ball", ""], n_best=2, alignments=False)):
        assert [one.alignment for one in found[0].n_best] == [None, None]
        assert found[0].alignment is None
    assert [one.alignment is None for one in made.translate(["Ball"], n_best=2)[0].n_best] == [False, False]


def test_attention_is_asked_for_only_where_something_needs_it(monkeypatch: pytest.MonkeyPatch) -> None:
    made, asked = translator(settings()), list[object]()
    step = made.model.step

    def watched(previous: Tensor, state: State, memory: Memory, look: Look) -> tuple[Output, State]:
        asked.append(look.sites)
        return step(previous, state, memory, look)

    monkeypatch.setattr(made.model, "step", watched)
    for needs, given in ((False, {}), (True, {}), (False, {"coverage_penalty": 0.1}), (False, {"look": Look("all")})):
        made.translate(["Ball"], alignments=needs, **given)
    assert list(dict.fromkeys(asked)) == [None, made.site, "all"]


# Run directories ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("joint", "score"), [(True, "additive"), (False, "additive"), (True, "none")])
def test_a_run_translates_as_the_model_that_was_saved(tmp_path: Path, joint: bool, score: str) -> None:
    saved, loaded = write_run(tmp_path / "run", joint, score), mt.load(tmp_path / "run")
    assert loaded.has_attention == saved.has_attention == (score != "none")
    assert not loaded.model.training
    assert {module.weight.stride()[0] for module in loaded.model.modules() if isinstance(module, Linear)} == {1}
    assert checkpoint.weights(loaded.model).keys() == checkpoint.weights(saved.model).keys()  # ties are kept
    for one, other in zip(saved.translate(LINES), mt.load(str(tmp_path / "run")).translate(LINES), strict=True):
        assert_same(one, other, FLOAT32)


DAMAGE: dict[str, tuple[Callable[[Path], object], str]] = {
    "no run": (lambda run: run.rename(run.with_name("elsewhere")), "run is not a run directory"),
    "no config": (lambda run: (run / "config.yaml").unlink(), "run is not a run directory: it has no config.yaml"),
    "bad config": (lambda run: (run / "config.yaml").write_text("model: [1"), "config.yaml, line 1: not YAML"),
    "no vocabulary": (lambda run: (run / "tokenizer.model").unlink(), "it has no config.yaml and tokenizer"),
    "empty vocabulary": (lambda run: (run / "tokenizer.model").write_bytes(b""), "tokenizer.model is not"),
    "cut vocabulary": (lambda run: cut(run / "tokenizer.model"), "tokenizer.model is not a SentencePiece model"),
    "no weights": (lambda run: (run / "model.safetensors").unlink(), "run has no trained model yet"),
    "empty weights": (
        lambda run: (run / "model.safetensors").write_bytes(b""),
        "model.safetensors is damaged; restore it",
    ),
    "cut weights": (lambda run: cut(run / "model.safetensors"), "model.safetensors is damaged; restore it"),
    "other weights": (lambda run: widen(run), "model.safetensors does not fit the config beside it"),
    "other vocabulary": (
        lambda run: train_tokenizers(ENGLISH, GERMAN, Vocabulary(size=330)).save(run),
        "model.safetensors does not fit the config beside it .first difference: output.bias",
    ),
}


def cut(file: Path) -> None:
    file.write_bytes(file.read_bytes()[:-20])


def widen(run: Path) -> None:
    config = (run / "config.yaml").read_text()
    assert "width: 7" in config
    (run / "config.yaml").write_text(config.replace("width: 7", "width: 8"))


@pytest.mark.parametrize(("damage", "complaint"), DAMAGE.values(), ids=DAMAGE.keys())
def test_a_damaged_run_says_what_is_wrong(tmp_path: Path, damage: Callable[[Path], object], complaint: str) -> None:
    write_run(tmp_path / "run")
    damage(tmp_path / "run")
    with pytest.raises(UserError, match=complaint):
        mt.load(tmp_path / "run")
