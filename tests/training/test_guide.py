"""Word links become piece links; a guide that does not fit is refused; a guided model looks where it is told."""

import re

import pytest
import torch
from conftest import NUMBERS

from mt.config import Config, Vocabulary
from mt.config.train import GuideConfig
from mt.core.errors import UserError
from mt.corpora.pairs import Gold, Split
from mt.runs.run import Run
from mt.text.tokenizer import train_tokenizers
from mt.training import experiment
from mt.training.guide import Guide, load_guide
from mt.training.losses import coverage_loss
from mt.training.trainer import Materials, Trainer

WORDS = list(NUMBERS)
SOURCES = [f"{one} {other}" for one in WORDS for other in WORDS]
TARGETS = [f"{NUMBERS[other]}, {NUMBERS[one]}" for one in WORDS for other in WORDS]


@pytest.fixture(scope="module")
def tokenizers():
    return train_tokenizers(SOURCES, TARGETS, Vocabulary(size=300))


def guide(tokenizers, links, gold=None, rows=1, shift=0):
    split = Split(SOURCES[:rows], TARGETS[:rows], gold)
    return Guide(GuideConfig(links=str(links), shift=shift), split, tokenizers)


def linked(tokenizers, row, words):
    """The slow twin, by characters: which pairs of pieces have a character each in linked words."""
    sides = []
    for tokenizer, line in zip(tokenizers, (SOURCES[row], TARGETS[row]), strict=True):
        numbers = [line[: place + 1].count(" ") if character != " " else None for place, character in enumerate(line)]
        spans = [span for _, span in tokenizer.spans(tokenizer.encode(line))]
        sides.append([set(numbers[start:end]) - {None} for start, end in spans])
    return {
        (t, s)
        for t, target in enumerate(sides[1])
        for s, source in enumerate(sides[0])
        for one, other in words
        if one in source and other in target
    }


def test_linked_words_share_their_pieces(tokenizers, tmp_path):
    file = tmp_path / "links.pharaoh"
    file.write_text("0-1 1-0\n\n0-0\n")
    found = guide(tokenizers, file, rows=3)
    lengths = [
        max(len(t.encode(line[row])) + 1 for row in range(3))
        for t, line in ((tokenizers.target, TARGETS), (tokenizers.source, SOURCES))
    ]
    matrix = found.batch([0, 1, 2], *lengths)
    for row, words in enumerate([{(0, 1), (1, 0)}, set(), {(0, 0)}]):
        expected = linked(tokenizers, row, words)
        assert {tuple(place) for place in matrix[row].nonzero().tolist()} == expected
        for target, weights in enumerate(matrix[row]):
            share = sum(one == target for one, _ in expected)
            assert weights[weights > 0].tolist() == pytest.approx([1 / max(share, 1)] * share)
    later = guide(tokenizers, file, rows=3, shift=1).batch([0, 1, 2], *lengths)
    assert torch.equal(later[:, 1:], matrix[:, :-1])
    assert not later[:, 0].any()


def test_gold_has_words_of_its_own(tokenizers):
    comma = TARGETS[0].index(",")
    gold = [Gold(((0, len(SOURCES[0])),), ((comma, comma + 1),), frozenset({(0, 0)}), frozenset({(0, 0)}))]
    spans = [span for _, span in tokenizers.target.spans(tokenizers.target.encode(TARGETS[0]))]
    (piece,) = [number for number, (start, end) in enumerate(spans) if start <= comma < end]
    pieces = len(tokenizers.source.encode(SOURCES[0]))
    assert guide(tokenizers, "gold", gold).links == [[(piece, source) for source in range(pieces)]]


def test_a_guide_that_does_not_fit_is_refused(tokenizers, tmp_path):
    file = tmp_path / "links"
    file.write_text("0-0\n0-2\n")
    problem = f"{file}, line 2: no link 0-2: the training pair has 2 source and 2 target words"
    with pytest.raises(UserError, match=re.escape(problem)):
        guide(tokenizers, file, rows=2)
    with pytest.raises(UserError, match="has 2 lines for 3 training pairs"):
        guide(tokenizers, file, rows=3)
    with pytest.raises(UserError, match="has no gold links"):
        guide(tokenizers, "gold")


def test_links_that_do_not_fit_leave_no_run_behind(tmp_path):
    tree = {
        "corpus": {"name": "toy", "pairs": 80, "held_out": 12},
        "vocabulary": {"size": 400},
        "model": {"kind": "rnn"},
    }
    wrong = Config.model_validate(tree | {"train": {"guide": {"links": str(tmp_path / "none.pharaoh")}}})
    with pytest.raises(UserError, match=r"none\.pharaoh"):
        experiment.train(wrong, tmp_path / "run")
    assert not (tmp_path / "run").exists()


def test_the_coverage_loss_is_lowered_when_it_has_weight(tokenizers, tmp_path):
    """Thirty updates on one batch, with the loss and without."""
    found = []
    for weight in (0.0, 5.0):
        split = Split(SOURCES[:24], TARGETS[:24])
        attention = {"width": 16, "coverage": True}
        tree = Config.model_validate(
            {
                "corpus": {"name": "toy"},
                "model": {"kind": "rnn", "embedding": 16, "hidden": 16, "encoder_hidden": 16, "attention": attention},
                "train": {"learning_rate": 0.01, "warmup": 0, "coverage_loss": weight},
            }
        )
        given = Materials(tree, {"train": split, "validation": split}, tokenizers)
        job = Trainer(Run(tmp_path / str(weight)), given)
        batch = job.part.pieces.batch(range(24))
        for _ in range(30):
            job.update([range(24)], 0.0)
        job.model.eval()
        output = job.model(batch.source_BS, batch.mask_BS, batch.target_in_BT, job.look)
        found.append(coverage_loss(output.attention, batch.target_out_BT).item() / 24)
    assert found[1] < 0.9 * found[0], found


def test_a_guided_model_looks_where_it_is_told(tokenizers, tmp_path):
    """Sixty updates on one batch, guided to the wrong word of two and not guided."""
    file = tmp_path / "wrong.pharaoh"
    file.write_text("0-0 1-1\n" * 24)
    on_guided = []
    for weight in (0.0, 2.0):
        split = Split(SOURCES[:24], TARGETS[:24])
        tree = Config.model_validate(
            {
                "corpus": {"name": "toy"},
                "model": {
                    "kind": "rnn",
                    "embedding": 16,
                    "hidden": 16,
                    "encoder_hidden": 16,
                    "attention": {"width": 16},
                },
                "train": {"learning_rate": 0.01, "warmup": 0, "guide": {"links": str(file), "weight": weight}},
            }
        )
        guide = load_guide(tree.train.guide, split, tokenizers)
        given = Materials(tree, {"train": split, "validation": split}, tokenizers, guide)
        job = Trainer(Run(tmp_path / str(weight)), given)
        batch = job.part.pieces.batch(range(24))
        known = job.guide.batch(range(24), batch.target_out_BT.shape[1], batch.source_BS.shape[1])
        for _ in range(60):
            job.update([range(24)], 0.0)
        job.model.eval()
        attention = job.model(batch.source_BS, batch.mask_BS, batch.target_in_BT, job.look).attention
        on_guided.append((attention * (known > 0)).sum().item() / (known.sum(2) > 0).sum().item())
    assert on_guided[0] < 0.7 < 0.9 < on_guided[1], on_guided
