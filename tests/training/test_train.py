"""The loop's parts in numbers: schedules, loss, stopping, diverging; and validation that does not disturb training."""

import json
from dataclasses import replace

import pytest
import torch
from conftest import NUMBERS
from tolerances import LOSS32, bound

from mt.config import Config
from mt.core.errors import UserError
from mt.corpora.pairs import Split
from mt.runs import checkpoint
from mt.runs.run import Run
from mt.text.tokenizer import train_tokenizers
from mt.training import trainer as trainer_module
from mt.training import validation
from mt.training.materials import Materials
from mt.training.schedule import learning_rate
from mt.training.trainer import Trainer
from mt.training.validation import Validator, rank


def config(**changes):
    """Return a tiny experiment on number words, with changes to its `train`."""
    tree = {
        "corpus": {"name": "files", "source": "de", "target": "en", "train": "none"},
        "vocabulary": {"size": 320},
        "model": {"kind": "rnn", "embedding": 8, "hidden": 8, "encoder_hidden": 8, "attention": {"width": 8}},
        "train": {"epochs": 2, "batch_tokens": 60, "learning_rate": 0.01, "warmup": 4, "validate_every": 3} | changes,
        "threads": 1,
    }
    return Config.model_validate(tree)


def give_scores(monkeypatch, scores):
    """Let validations have these BLEU, and nothing else to choose by."""
    given = iter(scores)
    told = {"validation_loss": 1.0, "validation_chrf": 0.0}
    monkeypatch.setattr(Validator, "score", lambda self, model: told | {"validation_bleu": next(given)})


@pytest.fixture
def trainer(tmp_path):
    def build(**changes):
        split = Split(sorted(NUMBERS) * 4, [NUMBERS[word] for word in sorted(NUMBERS)] * 4)
        tree = config(**changes)
        tokenizers = train_tokenizers(split.sources, split.targets, tree.vocabulary)
        return Trainer(Run(tmp_path), Materials(tree, {"train": split, "validation": split}, tokenizers))

    return build


@pytest.mark.parametrize(
    ("schedule", "update", "fraction", "scale", "expected"),
    [
        ("linear", 0, 0.0, 1.0, 0.25),
        ("linear", 1, 0.0, 1.0, 0.5),
        ("linear", 3, 0.0, 1.0, 1.0),
        ("linear", 9, 0.5, 1.0, 0.6),
        ("linear", 99, 1.0, 1.0, 0.2),
        ("inverse_sqrt", 0, 0.0, 1.0, 0.25),
        ("inverse_sqrt", 3, 0.1, 1.0, 1.0),
        ("inverse_sqrt", 15, 0.1, 1.0, 0.5),
        ("inverse_sqrt", 63, 0.9, 1.0, 0.25),
        ("plateau", 1, 0.0, 1.0, 0.5),
        ("plateau", 50, 0.9, 1.0, 1.0),
        ("plateau", 50, 0.9, 0.25, 0.25),
    ],
)
def test_schedules_by_numbers(schedule, update, fraction, scale, expected):
    tree = config(schedule=schedule, learning_rate=2.0, warmup=4, final=0.2).train
    assert learning_rate(tree, update, fraction, scale) == pytest.approx(2.0 * expected)


def test_without_warmup_the_first_rate_is_the_peak():
    for schedule in ("linear", "inverse_sqrt", "plateau"):
        tree = config(schedule=schedule, learning_rate=2.0, warmup=0).train
        assert learning_rate(tree, 0, 0.0, 1.0) == 2.0


def test_validation_loss_is_unsmoothed_and_per_piece(trainer):
    job = trainer(label_smoothing=0.3)
    job.model.eval()
    total = pieces = 0.0
    for source, target in zip(job.validator.split.sources, job.validator.split.targets, strict=True):
        source_B1 = torch.tensor([[*job.tokenizers.source.encode(source), 3]])
        rows = [*job.tokenizers.target.encode(target), 3]
        logits = job.model(source_B1, source_B1 != 0, torch.tensor([[2, *rows[:-1]]])).logits[0]
        total -= sum(logits.log_softmax(-1)[place, piece].item() for place, piece in enumerate(rows))
        pieces += len(rows)
    assert job.validator.loss(job.model) == pytest.approx(total / pieces, rel=LOSS32)


def test_validating_more_often_does_not_change_the_weights(trainer):
    ends = []
    for every in (3, 50):
        job = trainer(validate_every=every)
        job.train()
        ends.append(checkpoint.weights(job.model))
    assert all(torch.equal(ends[0][name], ends[1][name]) for name in ends[0])


def test_the_best_weights_are_kept_not_the_last(trainer, monkeypatch):
    give_scores(monkeypatch, [10.0, 30.0, 20.0, 5.0, 4.0, 3.0])
    job = trainer(epochs=3)
    seen = {}
    update = job.update

    def watched(*arguments):
        result = update(*arguments)
        seen[job.position.update + 1] = {name: value.clone() for name, value in checkpoint.weights(job.model).items()}
        return result

    monkeypatch.setattr(job, "update", watched)
    job.train()
    kept, record = checkpoint.read(job.run / "model.safetensors")
    assert (job.position.best["validation_bleu"], job.position.best["update"], record["update"]) == (30.0, 6, 6)
    assert all(torch.equal(kept[name], value) for name, value in seen[6].items())
    assert any(not torch.equal(kept[name], value) for name, value in seen[max(seen)].items())
    lines = [json.loads(line) for line in (job.run / "metrics.jsonl").read_text().splitlines()]
    assert [line["best"] for line in lines[:4]] == [True, True, False, False]


def test_early_stopping_counts_validations_without_a_better_score(trainer, monkeypatch):
    give_scores(monkeypatch, [10.0, 20.0, 20.0, 19.0, 18.0, 50.0])
    job = trainer(epochs=40, early_stop=3)
    job.train()
    assert (len(job.position.records), job.position.update, job.position.finished) == (5, 15, True)


def test_a_complete_tie_keeps_the_later_weights(trainer, monkeypatch):
    give_scores(monkeypatch, [10.0, 20.0, 20.0, 19.0, 18.0])
    job = trainer(epochs=40, early_stop=3)
    job.train()
    assert [record["best"] for record in job.position.records] == [True, True, True, False, False]
    assert job.position.best["update"] == 9


@pytest.mark.parametrize(
    ("choose_by", "order"),
    [("bleu", ["loser", "loss", "chrf", "bleu"]), ("chrf", ["loser", "bleu", "loss", "chrf"])],
)
def test_validations_are_ranked_by_what_is_asked_then_by_the_next(choose_by, order):
    base = {"validation_bleu": 1.0, "validation_chrf": 1.0, "validation_loss": 1.0}
    records = {
        "loser": base,
        "bleu": base | {"validation_bleu": 2.0},
        "chrf": base | {"validation_chrf": 2.0},
        "loss": base | {"validation_loss": 0.5},
    }
    assert sorted(records, key=lambda name: rank(records[name], choose_by)) == order


def test_of_validations_chosen_by_loss_a_tie_falls_to_bleu():
    low, high = ({"validation_loss": 1.0, "validation_bleu": bleu, "validation_chrf": 9.0 - bleu} for bleu in (1, 2))
    assert rank(low, "loss") < rank(high, "loss") < rank(low | {"validation_loss": 0.9}, "loss")


def test_plateau_multiplies_the_rate_after_patience(trainer, monkeypatch):
    give_scores(monkeypatch, [10.0, 9.0, 9.0, 9.0, 9.0, 11.0, 9.0, 9.0])
    job = trainer(epochs=40, schedule="plateau", factor=0.5, patience=2)
    scales = []
    validate = job.validate

    def watched(*given):
        said = validate(*given)
        scales.append(job.position.scale)
        job.interrupted = len(scales) == 8
        return said

    monkeypatch.setattr(job, "validate", watched)
    job.train()
    assert scales == [1.0, 1.0, 0.5, 0.5, 0.25, 0.25, 0.25, 0.125]


@pytest.mark.parametrize(("warmup", "said"), [(20, True), (1, False)])
def test_a_warmup_longer_than_half_of_the_training_is_warned_of(trainer, caplog, warmup, said):
    job = trainer(warmup=warmup)
    job.train()
    updates = job.position.update
    assert (f"during {min(warmup, updates)} of about {updates} updates" in caplog.text) == said


def test_a_gradient_that_is_not_finite_stops_with_advice(trainer):
    job = trainer()
    with torch.no_grad():
        next(job.model.parameters()).fill_(float("nan"))
    with pytest.raises(UserError, match=r"diverged at update 1.*learning_rate"):
        job.train()


def test_the_state_restores_the_trainer_exactly(trainer):
    job = trainer()
    job.train()
    again = trainer()
    again.restore()
    assert replace(again.position, seconds=0) == replace(job.position, seconds=0)
    assert all(
        torch.equal(mine, checkpoint.weights(job.model)[name]) for name, mine in checkpoint.weights(again.model).items()
    )
    for mine, theirs in zip(again.model.parameters(), job.model.parameters(), strict=True):
        for key in ("step", "exp_avg", "exp_avg_sq"):
            assert torch.equal(again.learned.optimizer.state[mine][key], job.learned.optimizer.state[theirs][key])


def test_average_is_the_sum_written_out_and_is_what_is_validated_and_kept(trainer):
    job = trainer(average=0.2, epochs=2, validate_every=100)
    name, weights = "output.bias", [job.model.output.bias.detach().clone()]
    update = job.update

    def watched(*arguments):
        done = update(*arguments)
        weights.append(job.model.output.bias.detach().clone())
        return done

    job.update = watched
    job.train()
    expected = weights[0].double()
    for number, new in enumerate(weights[1:]):
        decay = min(0.2, (1 + number) / (10 + number))
        expected = expected * decay + new.double() * (1 - decay)
    assert len(weights) > 4  # the last ones have the full decay
    within = bound(4 * len(weights), torch.float32, max(one.abs().max().item() for one in weights))
    torch.testing.assert_close(job.learned.best[name].double(), expected, rtol=0, atol=within)
    assert not torch.equal(job.learned.best[name], weights[-1])
    torch.testing.assert_close(job.model.output.bias.detach(), weights[-1], rtol=0, atol=0)
    averaged = job.position.records[-1]["validation_loss"]
    assert job.validator.loss(job.learned.average.module) == averaged
    job.model.eval()
    assert job.validator.loss(job.model) != averaged


def test_without_an_average_none_is_saved_and_a_resumed_run_goes_on(trainer):
    job = trainer(epochs=1)
    job.train()
    tensors, _ = checkpoint.read(job.run / "state.safetensors")
    assert not any(name.startswith("average.") for name in tensors)
    again = trainer(epochs=1)
    again.restore()
    for name, tensor in checkpoint.weights(job.model).items():
        assert torch.equal(checkpoint.weights(again.model)[name], tensor)
        assert torch.equal(checkpoint.weights(again.learned.average.module)[name], tensor)


@pytest.mark.usefixtures("bfloat16")
def test_bfloat16_is_for_updates_alone_and_the_loss_is_float32(trainer, monkeypatch):
    seen = []

    def spy(logits, *rest):
        seen.append((logits.dtype, (logits == logits.bfloat16()).all().item(), torch.is_autocast_enabled("cpu")))
        return cross_entropy(logits, *rest)

    cross_entropy = trainer_module.cross_entropy
    for module in (trainer_module, validation):
        monkeypatch.setattr(module, "cross_entropy", spy)
    job = trainer(precision="bfloat16")
    job.update([[0, 1, 2]], 0.0)
    job.validator.loss(job.model.eval())
    assert seen[0] == (torch.float32, True, False)
    assert {*seen[1:]} == {(torch.float32, False, False)}
    assert {tensor.dtype for tensor in checkpoint.weights(job.model).values()} == {torch.float32}
    moments = [value for state in job.learned.optimizer.state.values() for value in state.values()]
    assert {value.dtype for value in moments} == {torch.float32}


@pytest.mark.usefixtures("bfloat16")
def test_bfloat16_resumes_bit_for_bit(trainer):
    whole, ends = trainer(precision="bfloat16", save_every=1), []
    whole.train()
    ends.append(checkpoint.weights(whole.model))
    for path in whole.run.path.glob("*.safetensors"):
        path.unlink()
    first = trainer(precision="bfloat16", save_every=1)
    update = first.update

    def stopping(*arguments):
        first.interrupted = first.position.update == 1
        return update(*arguments)

    first.update = stopping
    first.train()
    assert (first.position.update, first.position.finished) == (2, False)
    again = trainer(precision="bfloat16", save_every=1)
    again.restore()
    again.train()
    ends.append(checkpoint.weights(again.model))
    assert again.position.update == whole.position.update
    assert all(torch.equal(ends[0][name], ends[1][name]) for name in ends[0])
