"""scripts/glossary.py on a tiny run."""

from pathlib import Path

from command_line import run_script
from script_loader import script
from toy_runs import RNN, config, write_run

from mt.corpora.pairs import Split


def test_translations_have_a_word_of_the_reference_where_they_must(tmp_path: Path) -> None:
    run = write_run(tmp_path / "run", config(RNN, max_extra=8))
    done = run_script("glossary", run, "--sentences", 4, "--output", tmp_path / "page.md")
    assert done.returncode == 0, done.stderr
    assert done.stdout == (tmp_path / "page.md").read_text()
    rows = [line.strip("| ").split(" | ") for line in done.stdout.splitlines()[2:5]]
    assert [row[0].strip() for row in rows] == ["as ever", "with a word of the reference", "without that word"]
    assert [row[3].strip() for row in rows[1:]] == ["100.0 %", "0.0 %"]
    assert done.stdout.endswith("\n4 sentences of validation, seed 1.\n")


def test_words_are_looked_for_each_in_its_own_translation() -> None:
    pairs = Split("", ["a", "b"], ["a cat .", "a dog ."])
    assert script("glossary")._figures(["a cat .", "cats ."], pairs, ["cat", "cat"])[2] == "50.0 %"
