"""Sentences of two and three words: BLEU is 0 for what is right, and rewards what is too long; chrF chooses."""

import random
from pathlib import Path

from command_line import mt

from mt.runs.run import Run

WORDS = {"Hund": "dog", "Katze": "cat", "Baum": "tree", "Haus": "house", "alt": "old", "rot": "red", "neu": "new"}


def test_weights_of_short_sentences_are_chosen_by_chrf(tmp_path: Path) -> None:
    draw = random.Random(2)
    lines = [draw.choices(list(WORDS), k=draw.randint(2, 3)) for _ in range(300)]
    rows = [f"{' '.join(words)}\t{' '.join(WORDS[word] for word in words)}\n" for words in lines]
    (tmp_path / "pairs.tsv").write_text("".join(rows), encoding="utf-8")
    (tmp_path / "short.yaml").write_text(f"""
corpus: {{name: files, source: de, target: en, train: {tmp_path}/pairs.tsv, held_out: 30}}
vocabulary: {{size: 300}}
model: {{embedding: 24, hidden: 24, encoder_hidden: 24, attention: {{width: 24}}}}
train: {{epochs: 10, batch_tokens: 150, learning_rate: 0.01, warmup: 10}}
threads: 1
""")
    done = mt("train", tmp_path / "short.yaml", "--run", tmp_path / "run")
    assert done.returncode == 0, done.stderr
    assert "references have fewer than 4 words: BLEU tells little here, and chrF more" in done.stderr
    run = Run(tmp_path / "run")
    best = run.best_validation
    assert best is not None
    assert best["chosen_by"] == "chrf"
    assert best["validation_chrf"] == max(record["validation_chrf"] for record in run.validations)
    assert "the best by chrF" in (tmp_path / "run/README.md").read_text()
