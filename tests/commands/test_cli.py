"""The real command line: a small task is learned, scored and used; wrong inputs get a sentence, not a traceback."""

import json
import os
import pty
import re
import subprocess
import sys

import numpy as np
import pytest
from conftest import ENVIRONMENT, NUMBERS, mt, mt_process, write_numbers

from mt.alignment.files import read_npz


@pytest.fixture(scope="module")
def scores(numbers):
    result = mt("eval", numbers, "--plot")
    assert result.returncode == 0, result.stderr
    return json.loads((numbers / "eval/test/scores.json").read_text())


def test_a_small_task_is_learned_to_a_high_score(scores):
    assert scores["BLEU"]["score"] > 95
    assert scores["BLEU"]["low"] - 1e-9 <= scores["BLEU"]["score"] <= scores["BLEU"]["high"] + 1e-9


def test_everything_is_written_to_the_run(numbers, scores):
    inside = {path.name for path in numbers.iterdir()}
    files = {"config.yaml", "tokenizer.model", "model.safetensors", "metrics.jsonl", "README.md", "state.safetensors"}
    files |= {"manifest.json", "updates.jsonl", "curves.svg"}
    assert inside == files | {"cache", "eval", ".lock"}
    folder = numbers / "eval/test"
    texts = ("sources", "references", "hypotheses")
    lines = {name: (folder / f"{name}.txt").read_text().splitlines() for name in texts}
    assert [len(lines[name]) for name in texts] == [60, 60, 60]
    records = [json.loads(line) for line in (folder / "alignments.jsonl").read_text().splitlines()]
    matrices = read_npz(folder / "alignments.npz")
    pharaoh = (folder / "alignments.pharaoh").read_text().splitlines()
    assert len(records) == len(matrices) == len(pharaoh) == 60
    for record, matrix, links, hypothesis in zip(records, matrices, pharaoh, lines["hypotheses"], strict=True):
        assert matrix.shape == (len(record["target"]), len(record["source"]))
        np.testing.assert_allclose(matrix.sum(1), 1, atol=0.01)
        assert record["links"] == links
        assert record["target_words"] == hypothesis.split()
    assert (folder / "alignment.png").read_bytes().startswith(b"\x89PNG")
    assert {"BLEU", "chrF", "TER"} <= scores.keys()
    assert scores["BLEU"]["signature"].replace("|", "\\|") in (numbers / "README.md").read_text()


def test_sacrebleu_itself_agrees(numbers, scores):
    folder = numbers / "eval/test"
    command = [sys.executable, "-m", "sacrebleu", str(folder / "references.txt"), "-i", str(folder / "hypotheses.txt")]
    options = ["--confidence", "--confidence-n", "1000", "-w", "4", "-m", "bleu", "chrf", "ter", "--format", "json"]
    printed = subprocess.run([*command, *options], capture_output=True, text=True, env=ENVIRONMENT, check=True).stdout
    for ours, theirs in zip((scores["BLEU"], scores["chrF"], scores["TER"]), json.loads(printed), strict=True):
        assert theirs["score"] == pytest.approx(ours["score"], abs=5e-5)
        low = theirs.get("confidence_mean", 0) - theirs.get("confidence_var", 0)  # not there where TER is 0
        assert low == pytest.approx(ours["low"], abs=2e-4)
        assert theirs["signature"] == ours["signature"]


def test_metrics_have_a_line_for_each_validation(numbers):
    records = [json.loads(line) for line in (numbers / "metrics.jsonl").read_text().splitlines()]
    assert [record["epoch"] for record in records] == [1, 2, 3, 4, 5, 6, 7, 8]
    assert records[-1]["validation_loss"] < records[0]["validation_loss"] / 2
    assert max(record["validation_bleu"] for record in records) > 90


def test_translate_arguments_a_file_and_a_pipe_line_by_line(numbers, tmp_path):
    sentences = ["drei vier", "", "acht", "  ", "elf zwölf null"]
    expected = [" ".join(NUMBERS[word] for word in sentence.split()) for sentence in sentences]
    (tmp_path / "in.txt").write_bytes("\r\n".join(sentences).encode())
    for result in (
        mt("translate", numbers, *sentences),
        mt("translate", numbers, "--input", tmp_path / "in.txt"),
        mt_process("translate", numbers, stdin="\n".join(sentences) + "\n"),
        mt("translate", numbers, "--beam", 1, stdin="\n".join(sentences)),
    ):
        assert result.returncode == 0, result.stderr
        assert result.stdout.split("\n") == [*expected, ""]


def test_translate_prompts_on_a_terminal(numbers):
    main, terminal = pty.openpty()
    os.write(main, b"drei vier\n\x04")
    command = [sys.executable, "-m", "mt", "translate", str(numbers)]
    done = subprocess.run(command, stdin=terminal, capture_output=True, text=True, env=ENVIRONMENT, check=True)
    os.close(main)
    os.close(terminal)
    assert "three four" in done.stdout


def test_a_terminal_remembers_what_was_typed(numbers, tmp_path):
    environment = ENVIRONMENT | {"XDG_STATE_HOME": str(tmp_path), "TERM": "xterm"}
    for keys in (b"drei vier\n", b"\x1b[A\n"):  # the arrow brings the line back
        main, terminal = pty.openpty()
        command = [sys.executable, "-m", "mt", "translate", str(numbers)]
        with subprocess.Popen(command, stdin=terminal, stdout=terminal, stderr=subprocess.DEVNULL, env=environment):
            os.close(terminal)
            shown = b""
            for wanted, typed in ((b"de > ", keys), (b"three four", b""), (b"de > ", b"\x04")):
                while wanted not in shown:
                    shown += os.read(main, 1000)
                shown = shown.partition(wanted)[2]
                os.write(main, typed)
        os.close(main)
    history = tmp_path / "mt/history"
    assert history.read_text().splitlines().count("drei vier") >= 1
    assert history.stat().st_mode & 0o077 == 0


def test_n_best_gives_scores_in_falling_order(numbers):
    lines = mt("translate", numbers, "--n-best", 3, "drei vier").stdout.splitlines()
    ranked = [line.split("\t") for line in lines]
    assert len(ranked) == 3
    assert ranked[0][::2] == ["1", "three four"]
    scores = [float(score) for _, score, _ in ranked]
    assert scores == sorted(scores, reverse=True)


def test_samples_and_ensembles_from_the_command_line(numbers):
    settings = ("temperature=0.1", "top_k=5", "top_p=0.9", "sample_seed=3")
    options = ("--sample", *(word for one in settings for word in ("--set", f"search.{one}")), "-n", 2)
    drawn = [line.split("\t")[2] for line in mt("translate", numbers, "drei vier", *options).stdout.splitlines()]
    assert drawn == ["three four"] * 2
    settings = ("coverage_penalty=0.2", "no_repeat=3", "length_penalty=1")
    penalties = [word for one in settings for word in ("--set", f"search.{one}")]
    together = mt("translate", numbers, "drei vier", "acht", "--with", numbers, "--with", numbers, *penalties)
    assert together.returncode == 0, together.stderr
    assert together.stdout.splitlines() == ["three four", "eight"]


def test_alignments_of_translate_are_words_to_words(numbers, tmp_path):
    options = ("--alignments", tmp_path / "a", "--picture", tmp_path / "a.png", "--plot")
    result = mt("translate", numbers, "drei vier fünf", "", *options)
    assert result.returncode == 0, result.stderr
    assert (tmp_path / "a.pharaoh").read_text().splitlines()[1] == ""
    first, second = (json.loads(line) for line in (tmp_path / "a.jsonl").read_text().splitlines())
    assert (first["source_words"], first["target_words"]) == (["drei", "vier", "fünf"], ["three", "four", "five"])
    assert second["target"] == []
    assert (tmp_path / "a.png").exists()
    drawn = result.stdout.splitlines()
    assert [drawn[row].split()[-1] for row in (0, 1, 2, 3, 4)] == ["five", "drei", "vier", "fünf", "</s>"]
    assert [line.split()[-1] for line in drawn[5:8]] == ["three", "four", "five"]


@pytest.mark.parametrize("line", ["drei\tvier", "drei 🙂 vier", "drei\x00vier", "Ελληνικά", "drei " * 5000], ids=repr)
def test_odd_lines_give_one_line_each(numbers, line):
    result = mt("translate", numbers, "--beam", 1, stdin=f"eins\n{line[:40000]}\nzwei\n")
    assert result.returncode == 0, result.stderr
    lines = result.stdout.split("\n")
    assert (len(lines), lines[0], lines[2], lines[3]) == (4, "one", "two", "")
    assert ("line 2 has" in result.stderr) == (len(line) > 10000)


def test_python_interface_gives_what_the_command_gives(numbers):
    import mt as package

    assert [one.text for one in package.load(numbers).translate(["drei vier", ""])] == ["three four", ""]


def test_training_again_says_so_and_an_existing_run_is_refused(numbers):
    config = numbers.parent / "numbers.yaml"
    before = (numbers / "model.safetensors").read_bytes()
    again = mt("train", config, "--run", numbers, "--resume")
    assert (again.returncode, "already trained" in again.stderr) == (0, True)
    refused = mt("train", config, "--run", numbers)
    assert refused.returncode == 1
    assert "--resume" in refused.stderr
    assert "--overwrite" in refused.stderr
    other = mt("train", config, "model.hidden=40", "--run", numbers, "--resume")
    assert other.returncode == 1
    assert "model.hidden is 40 here and 48 there" in other.stderr
    assert (numbers / "model.safetensors").read_bytes() == before


def wrong(folder):
    """Yield what a user might get wrong: arguments of `mt`, exit code, and what the message must say."""
    config, run = folder / "numbers.yaml", folder / "new"
    (folder / "short.en").write_text("one\n")
    (folder / "empty.txt").write_text("")
    (folder / "latin1.txt").write_bytes(b"eins\nf\xfcnf\n")
    (folder / "not.yaml").write_text("corpus: [unclosed\nname: 3\n")
    (folder / "plain").mkdir()
    (folder / "plain/file").write_text("")
    (folder / "mine").mkdir()
    (folder / "mine/config.yaml").write_text(config.read_text())
    train = ("train", config, "--run", run)
    yield (*train, f"corpus.train=[{folder}/numbers.de, {folder}/none.en]"), 1, "none.en"
    yield (*train, f"corpus.train=[{folder}/numbers.de, {folder}/short.en]"), 1, r"1,?200\D.*\b1\b"
    yield (*train, f"corpus.train=[{folder}/empty.txt, {folder}/empty.txt]"), 1, "empty|no pair"
    yield (*train, f"corpus.train=[{folder}/latin1.txt, {folder}/latin1.txt]"), 1, r"latin1.txt, line 2: not UTF-8"
    yield (*train, "vocabulary.size=9000"), 1, r"vocabulary.size is 9000.*largest possible is \d+"
    yield (*train, "model.hiden=3"), 2, r"unknown key model.hiden.*did you mean model\.hidden"
    yield ("train", "configs/multi30k.yaml", "corpus.source=xx"), 2, "corpus.source.*'xx'.*'cs'"
    yield ("train", folder / "not.yaml"), 1, "not.yaml, line 2: not YAML"
    yield ("train", folder / "numbres.yaml"), 1, "did you mean .*numbers.yaml"
    yield ("train", config, "--run", folder / "plain"), 1, "not a run directory"
    yield ("train", config, "--run", folder / "mine", "--overwrite"), 1, "not a run directory"
    yield ("train", config, "--run", folder / "mine", "--resume"), 1, "not a run directory"
    yield ("translate", folder / "nowhere", "x"), 1, "nowhere is not a run directory"
    yield ("translate", folder / ("x" * 300), "x"), 1, "xxx.*(: File name too long|is not a run directory)"
    yield ("translate", folder / "run", "--input", folder / "latin1.txt"), 1, "line 2: not UTF-8"
    yield ("translate", folder / "run", "eins", "--set", "search.top_k=3"), 2, "search.top_k has no effect without"
    yield ("translate", folder / "run", "eins", "-b", "1", "--set", "search.length_penalty=2"), 2, "no effect with"
    yield ("eval", folder / "run", "search.nearest.weight=0.5"), 2, "no effect without search.nearest.count"
    yield ("translate", folder / "run", "eins", "--with", folder / "nowhere"), 1, "nowhere is not a run directory"
    yield ("translate", folder / "run", "eins", b"\xff"), 1, "sentence 2 on the command line is not UTF-8"
    yield ("eval", folder / "run", "--split", "dev"), 1, "no split 'dev'.*validation"
    yield ("eval", folder / "nowhere"), 1, "nowhere is not a run directory"


def test_wrong_inputs_get_a_sentence_and_change_nothing(numbers):
    for number, (arguments, code, message) in enumerate(wrong(numbers.parent)):
        result = (mt if number else mt_process)(*arguments)
        assert result.returncode == code, (arguments, result.stderr)
        assert re.search(message, " ".join(result.stderr.split())), (arguments, result.stderr)
        assert "Traceback" not in result.stderr
    assert not (numbers.parent / "new").exists()


def test_config_prints_the_resolved_tree_and_a_schema(numbers, tmp_path):
    printed = mt("config", numbers.parent / "numbers.yaml", "model.hidden=40")
    assert printed.returncode == 0
    (tmp_path / "again.yaml").write_text(printed.stdout)
    assert mt("config", tmp_path / "again.yaml").stdout == printed.stdout
    assert "hidden: 40" in printed.stdout
    assert "scored" not in printed.stdout
    assert json.loads(mt("config", "--schema").stdout)["properties"]["model"]


def test_corpora_lists_all_of_them():
    printed = mt("corpora").stdout
    for word in ("multi30k", "gnt", "toy", "files", "hub", "licence", "citation"):
        assert word in printed


def test_empty_sides_are_dropped_and_counted(tmp_path):
    config = write_numbers(tmp_path, 200)
    with (tmp_path / "numbers.de").open("a") as source, (tmp_path / "numbers.en").open("a") as target:
        source.write("\neins\n")
        target.write("one\n  \n")
    result = mt("train", config, "train.epochs=1", "--run", tmp_path / "run")
    assert result.returncode == 0, result.stderr
    assert "2 with an empty side" in result.stderr


def test_a_model_without_attention_translates_and_says_that_it_has_no_alignment(tmp_path):
    config = write_numbers(tmp_path, 200)
    result = mt("train", config, "model.attention.score=none", "train.epochs=1", "--run", tmp_path / "run")
    assert result.returncode == 0, result.stderr
    assert mt("eval", tmp_path / "run").returncode == 0
    assert not (tmp_path / "run/eval/test/alignments.npz").exists()
    asked = mt("translate", tmp_path / "run", "eins", "--alignments", tmp_path / "a")
    assert asked.returncode == 1
    assert "no attention" in asked.stderr
