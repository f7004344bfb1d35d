"""Did training go well: did it learn, and not too much; do all parts take part."""

import math

from mt.evaluation.metrics import ORDER, count_short
from mt.inference.scorer import mean_loss
from mt.lab.diagnosis import parts
from mt.lab.diagnosis.case import Case, DoesNotApplyError
from mt.lab.diagnosis.data import sample
from mt.lab.diagnosis.finding import Bounds, Diagnosis, Measured, Question
from mt.lab.diagnosis.learned import BROKEN, FINE, share_learned
from mt.runs.names import WEIGHTS
from mt.training.divergence import Watch


def _learned(case: Case) -> Measured:
    seen, read = case.once(sample), case.references_read
    share, loss, guess = share_learned(seen.read, read, len(case.run.tokenizers.target))
    says = (
        f"Its loss on {case.split} is {loss:.2f} nats a piece, and that of guessing pieces by how often they occur is "
        f"{guess:.2f}: it has learned away {max(share, 0):.0f} % of it."
    )
    return Measured(share, says)


def _moving(case: Case) -> Measured:
    records = case.run.validations
    losses = [float(one["validation_loss"]) for one in records if "validation_loss" in one]
    if not losses:
        raise DoesNotApplyError("The run has no metrics.jsonl, which tells how its losses went.")
    guess = math.log(len(case.run.tokenizers.target))
    fell = 100 * (1 - min(losses) / guess)
    rows = [
        (
            str(one["update"]),
            f"{one['train_loss']:.3f}",
            f"{one['validation_loss']:.3f}",
            f"{one.get('validation_bleu', 0):.1f}",
        )
        for one in records
    ]
    says = (
        f"The validation loss fell from {guess:.2f} nats a piece, that of guessing uniformly, to {min(losses):.2f} at "
        f"its lowest, by {fell:.0f} %."
    )
    return Measured(fell, says, table=(("update", "training loss", "validation loss", "validation BLEU"), *rows))


def _gap(case: Case) -> Measured:
    seen, read = case.once(sample).read, case.references_read
    training, other = mean_loss(seen), mean_loss(read)
    says = (
        f"Without dropout its loss is {training:.2f} nats a piece on {len(seen):,} training pairs and {other:.2f} on "
        f"{case.split}: {other - training:.2f} more."
    )
    return Measured(other - training, says)


def _divergence(case: Case) -> Measured:
    records = [one for one in case.run.validations if "train_loss" in one]
    if not (case.run / WEIGHTS).exists():
        says = "Training has left no model: it ended before its first validation, as it does when it diverges."
        return Measured(100.0, says)
    if not records:
        raise DoesNotApplyError("The run has no metrics.jsonl, which tells how its losses went.")
    watch = Watch(len(case.run.tokenizers.target), float(case.run.record.get("first_loss", 0.0)))
    last = float(records[-1]["train_loss"])
    least = min(float(one["train_loss"]) for one in records)
    wrong = watch.judge_training(last) or watch.judge_validation(float(records[-1]["validation_loss"]), last)
    rise = 100 * (last - least) / watch.guess if math.isfinite(last) else math.inf
    value = max(rise, 100.0) if wrong else rise
    told = f"Training has diverged: {wrong}." if wrong else f"Its training loss ended at {last:.2f} nats a piece"
    told += "" if wrong else f", {last - least:.2f} above the lowest it had."
    return Measured(value, told)


def _metric(case: Case) -> Measured:
    texts = case.texts_of(case.pairs.targets)
    share = 100 * count_short(texts) / len(texts.references)
    says = (
        f"{share:.0f} % of the references have fewer than {ORDER} words, of which BLEU tells little: go by chrF there."
    )
    return Measured(share, says)


DIAGNOSES: dict[str, Diagnosis] = {
    "moving": Diagnosis(
        Question("Did the loss fall?", "%"),
        Bounds(fine=(40, None), broken=(20, None), attempt="train.learning_rate"),
        _moving,
    ),
    "learned": Diagnosis(
        Question("Does it know more than how often pieces occur?", "%"),
        Bounds(fine=(FINE, None), broken=(BROKEN, None), attempt="train.epochs"),
        _learned,
    ),
    "divergence": Diagnosis(
        Question("Did the training loss rise again?", "% of guessing"),
        Bounds(fine=(None, 5), broken=(None, 20), attempt="train.learning_rate"),
        _divergence,
    ),
    "gap": Diagnosis(
        Question("Has it learned training by heart?", "nats a piece"),
        Bounds(fine=(None, 0.8), broken=(None, 2), attempt="model.dropout"),
        _gap,
    ),
    "metric": Diagnosis(
        Question("Does the metric tell anything?", "%", "Papineni et al. 2002"),
        Bounds(fine=(None, 25), broken=(None, 75), attempt="train.choose_by"),
        _metric,
    ),
    **parts.DIAGNOSES,
}
