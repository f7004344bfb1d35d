"""Every name in the directory of a run, and where such directories are."""

from pathlib import Path

from mt.core import manifest

RUNS = Path("runs")
"""Where runs are that have no other place."""
ARCHIVES = ".zip", ".tar", ".tar.gz", ".tgz"
"""How files end that hold a packed run."""

CONFIG, TOKENIZERS, WEIGHTS, STATE = "config.yaml", "tokenizer*.model", "model.safetensors", "state.safetensors"
METRICS, FILM, CARD, CHOICE = "metrics.jsonl", "film.jsonl", "README.md", "alignment.json"
UPDATES, CURVES, TENSORBOARD = "updates.jsonl", "curves.svg", "tensorboard"
DIAGNOSIS, CONFIDENCE, PACKED = "diagnosis.json", "confidence.json", "packed.json"
LOCK, OWNER = ".lock", ".lock.json"
DATASTORE, CLUSTERS, LESSONS = "datastore.safetensors", "datastore.faiss", "lessons.safetensors"
SHORTLIST = "shortlist.safetensors"
CACHE, SCORED, ALIGNED = "cache", "eval", "align"
FORMAT = 1
"""The version of all these files; the state says it."""
FILES = {
    CONFIG: "the whole resolved configuration",
    TOKENIZERS: "SentencePiece's model: tokenizer.model, or tokenizer.source.model and tokenizer.target.model where "
    "vocabulary.joint is false",
    WEIGHTS: "the best weights",
    STATE: "what an exact resume needs: weights, averages, optimiser, position, and what the run was made with",
    METRICS: "one line of JSON for each validation",
    UPDATES: "one line of JSON for every so many updates (`log.every`): `update`, the last of them; `epoch`; "
    "`train_loss`, their mean in nats per target piece; `learning_rate` of the last; `gradient_norm`, their mean "
    "before clipping; `tokens_per_second`, target pieces without padding, where validations do not count",
    CURVES: "the curves of both as a picture, drawn at each validation",
    FILM: "the sentences of `train.film`, and then a line for each validation: their attention and translations",
    CARD: "the model card: corpus, licence, scores with their signatures",
    CHOICE: "how attention is read as an alignment, as chosen on validation, and all that was tried",
    DIAGNOSIS: "what `mt diagnose` found",
    CONFIDENCE: "what predicts how much a human will have to mend, fitted on validation, and how well it does",
    DATASTORE: "what the model saw at each target piece of training, where neighbours vote",
    CLUSTERS: "the same in clusters, where `search.nearest.index` is faiss",
    SHORTLIST: "which target pieces each source piece becomes in training, where `search.shortlist` is not 0",
    manifest.NAME: "the length and the checksum (SHA-256) of each other file, by which damage is noticed",
    PACKED: "in a run that `mt pack` made: what its state said of the training",
    LESSONS: "what the teacher said of each target piece of training, where there is one",
}
FOLDERS = {
    SCORED: "a folder for each split that was scored: scores.json, sources, references, hypotheses, alignments",
    ALIGNED: "what `mt align` wrote",
    TENSORBOARD: "the same curves for TensorBoard, where `log.tensorboard` is true",
    CACHE: "the corpus as pieces (Arrow files)",
}
SCORES, ALIGNMENTS = "eval/*/scores.json", ("eval/*/alignments.npz", "eval/*/alignments.pharaoh")
SHARED = (
    *(CONFIG, TOKENIZERS, WEIGHTS, METRICS, CARD, CHOICE, CONFIDENCE, PACKED, DATASTORE, SHORTLIST, manifest.NAME),
    *(SCORES, *ALIGNMENTS),
)
"""What a packed run may hold, and all that is fetched of one from the Hub; its clusters are made from its datastore."""
