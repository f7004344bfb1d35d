"""A language without spaces between words is learned, and scored, like any other."""

import random
from pathlib import Path

from command_line import mt

from mt.runs.run import Run
from mt.runs.scores import read_scores

WORDS = {"dog": "狗", "cat": "猫", "tree": "树", "car": "车", "city": "城", "old": "旧", "red": "红", "big": "大"}


def write_corpus(folder: Path) -> Path:
    draw = random.Random(5)
    lines = [draw.choices(list(WORDS), k=draw.randint(3, 5)) for _ in range(1000)]
    rows = [f"{' '.join(words)}\t{''.join(WORDS[word] for word in words)}\n" for words in lines]
    (folder / "pairs.tsv").write_text("".join(rows), encoding="utf-8")
    tree = f"""
corpus: {{name: files, source: en, target: zh, train: {folder}/pairs.tsv, held_out: 60}}
vocabulary: {{size: 330}}
model:
  {{embedding: 32, hidden: 32, encoder_hidden: 32, attention: {{width: 32}},
  dropout: {{embedding: 0, encoder: 0, decoder: 0, readout: 0}}}}
train: {{epochs: 6, batch_tokens: 50, learning_rate: 0.01, warmup: 20}}
threads: 1
"""
    (folder / "zh.yaml").write_text(tree)
    return folder / "zh.yaml"


def test_the_weights_that_are_kept_translate_into_chinese(tmp_path: Path) -> None:
    done = mt("train", write_corpus(tmp_path), "--run", tmp_path / "run")
    assert done.returncode == 0, done.stderr
    run = Run(tmp_path / "run")
    assert run.best_validation is not None
    assert run.best_validation["update"] > run.validations[0]["update"]
    assert mt("eval", run).returncode == 0
    scores = read_scores(run.scored("test"))
    assert scores is not None
    assert scores.corpus["chrF"].score > 90
    assert scores.corpus["BLEU"].score > 90
    assert "|tok:zh|" in scores.corpus["BLEU"].signature
    assert scores.outputs is not None
    assert scores.outputs.empty == 0
    done = mt("eval", run, "metrics.tokenize=13a")
    assert "tok:13a" in done.stdout + done.stderr
