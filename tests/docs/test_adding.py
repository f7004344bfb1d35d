"""What docs/howto/adding.md says must change to add something is enough: it is done in a copy of the package, and used.

The code comes from the pages, so that they cannot fall behind. Each row's files are those that were changed or written.
"""

import json
import os
import re
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from textwrap import indent

import pytest
from doc_blocks import ROOT, blocks

HOWTO = ROOT / "docs/howto"


def code(page: str, start: str) -> str:
    """Return the block of a page that has this line."""
    found = [
        block.text for block in blocks(HOWTO / page) if re.search(f"^{re.escape(start)}", block.text, re.MULTILINE)
    ]
    assert len(found) == 1, f"{len(found)} blocks with {start!r} in {page}"
    return found[0]


@dataclass(frozen=True)
class Edit:
    """What goes into a file before the first line that starts with `mark`, or after it; a new file without a mark."""

    file: str
    text: str
    mark: str = ""
    after: bool = False

    def make(self, folder: Path) -> None:
        path = folder / self.file
        if not self.mark:
            assert not path.exists()
            path.write_text(self.text, encoding="utf-8")
            return
        lines = path.read_text(encoding="utf-8").splitlines(keepends=True)
        places = [number for number, line in enumerate(lines) if line.startswith(self.mark)]
        assert places, f"no line {self.mark!r} in {self.file}"
        lines.insert(places[0] + self.after, self.text if self.text.endswith("\n") else self.text + "\n")
        path.write_text("".join(lines), encoding="utf-8")


@dataclass(frozen=True)
class Swap(Edit):
    """`mark` becomes `text`, once."""

    def make(self, folder: Path) -> None:
        path = folder / self.file
        before = path.read_text(encoding="utf-8")
        assert before.count(self.mark) == 1, f"{before.count(self.mark)} times {self.mark!r} in {self.file}"
        path.write_text(before.replace(self.mark, self.text), encoding="utf-8")


SCORES, WINDOWS = "mt/attention/scores.py", "mt/attention/windows.py"
KEYS, CONFIG = "mt/config/models.py", "mt/config/search.py"
ADDED: dict[str, list[Edit]] = {
    "a score": [
        Edit(SCORES, code("own-score.md", "class Cosine"), "SCORES: dict"),
        Edit(SCORES, code("own-score.md", '"cosine"'), "SCORES: dict", after=True),
        Swap(KEYS, '"scaled_dot", "cosine", "none"]', '"scaled_dot", "none"]'),
    ],
    "a window": [
        Edit(WINDOWS, code("adding.md", "class Start"), "WINDOWS: dict"),
        Swap(WINDOWS, 'dict[str, type[Window]] = {"start": Start, ', "dict[str, type[Window]] = {"),
        Swap(KEYS, '"local-p", "start"]', '"local-p"]'),
    ],
    "a corpus": [
        Edit("mt/config/corpora.py", code("own-corpus-loader.md", "class SubtitlesCorpus"), "CorpusConfig ="),
        Swap("mt/config/corpora.py", "CorpusConfig = SubtitlesCorpus | ", "CorpusConfig = "),
        Edit("mt/corpora/subtitles.py", code("own-corpus-loader.md", "def load")),
        Swap("mt/corpora/__init__.py", "multi30k, subtitles, toy", "multi30k, toy"),
        Edit("mt/corpora/__init__.py", code("own-corpus-loader.md", '"subtitles"'), "CORPORA: dict", after=True),
    ],
    "a metric": [
        Edit("mt/evaluation/metrics.py", code("own-metric.md", "def exact"), "METRICS: dict"),
        Edit("mt/evaluation/metrics.py", code("own-metric.md", '"exact"'), "METRICS: dict", after=True),
        Edit("mt/evaluation/metrics.py", code("own-metric.md", '"BLEU, lower case"'), "METRICS: dict", after=True),
    ],
    "a model": [
        Edit(KEYS, code("adding.md", "class BagModel"), "Model = "),
        Swap(KEYS, "Model = BagModel | ", "Model = "),
        Edit("mt/models/bag.py", code("adding.md", "class Bag(Seq2Seq)")),
        Edit("mt/models/__init__.py", "from mt.models.bag import Bag", "from mt.models.contract"),
        Swap("mt/models/__init__.py", '{"bag": Bag, "rnn": RNN', '{"rnn": RNN'),
    ],
    "a search": [
        Edit(CONFIG, indent(code("adding.md", "worst: bool"), "    "), "    max_source:"),
        Edit("mt/search/worst.py", code("adding.md", "def worst")),
        Edit("mt/search/__init__.py", "from mt.search.worst import worst", "from mt.search.sampling"),
        Swap("mt/search/__init__.py", '{"worst": worst, "greedy": greedy', '{"greedy": greedy'),
        Edit("mt/search/__init__.py", indent(code("adding.md", "if settings.worst"), "    "), "    if settings.sample"),
    ],
    "a command": [
        Edit("mt/commands/count.py", code("adding.md", "def count")),
        Edit("mt/cli.py", "from mt.commands.count import count", "from mt.commands.datastore"),
        Edit("mt/cli.py", '    "count": count,', '    "corpora": corpora,'),
    ],
    "a configuration key": [Edit(CONFIG, indent(code("adding.md", "shout: bool"), "    "), "    max_source:")],
}
SENTENCES = [
    f"{a} {b} {c} ." for a in ("ein", "kein") for b in ("alter", "neuer", "roter") for c in ("Hut", "Ball")
] * 5
SETTINGS = """
vocabulary: {size: 300}
train: {epochs: 1, batch_tokens: 200}
search: {beam: 2}
threads: 1
"""
SMALL = (
    "{embedding: 8, hidden: 8, encoder_hidden: 4, attention: {width: 8, score: cosine, window: start, half_width: 3}}"
)
CONFIGS = {
    "subtitles.yaml": f"corpus: {{name: subtitles, source: de, target: en, film: .}}\nmodel: {SMALL}\n{SETTINGS}",
    "bag.yaml": f"corpus: {{name: subtitles, source: de, target: en, film: .}}\nmodel: {{kind: bag}}\n{SETTINGS}",
}
STEPS = {
    "train": ["train", "subtitles.yaml"],
    "eval": ["eval", "runs/subtitles"],
    "bag": ["train", "bag.yaml"],
    "translate": ["translate", "runs/bag", "ein roter Hut ."],
    "corpora": ["corpora"],
    "beam": ["translate", "runs/bag", "-n", "2", "ein roter Hut ."],
    "worst": ["translate", "runs/bag", "--set", "search.worst=true", "-n", "2", "ein roter Hut ."],
    "count": ["count", "bag.yaml"],
    "key": ["config", "bag.yaml", "search.shout=true"],
    "schema": ["config", "--schema"],
}
DRIVER = """
import contextlib, io, json, sys
from mt.cli import main
done = {}
for name, arguments in json.loads(sys.argv[1]).items():
    sys.argv, printed = ["mt", *arguments], io.StringIO()
    with contextlib.redirect_stdout(printed):
        try:
            main()
        except SystemExit as end:
            assert not end.code, (name, end.code)
    done[name] = printed.getvalue()
print(json.dumps(done))
"""


@pytest.fixture(scope="module")
def extended(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder with a copy of the package to which everything was added, and a corpus."""
    folder = tmp_path_factory.mktemp("extended")
    shutil.copytree(ROOT / "mt", folder / "mt", ignore=shutil.ignore_patterns("__pycache__"))
    for edits in ADDED.values():
        for edit in edits:
            edit.make(folder)
    words = {"ein": "a", "kein": "no", "alter": "old", "neuer": "new", "roter": "red", "Hut": "hat", "Ball": "ball"}
    english = [" ".join(words.get(word, word) for word in line.split()) for line in SENTENCES]
    numbered = [[f"{line} {number}" for number, line in enumerate(lines)] for lines in (SENTENCES, english)]
    for name, lines in zip(("de", "en"), numbered, strict=True):
        (folder / f"{name}.txt").write_text("\n".join(lines) + "\n", encoding="utf-8")
    for name, text in CONFIGS.items():
        (folder / name).write_text(text, encoding="utf-8")
    return folder


@pytest.fixture(scope="module")
def printed(extended: Path) -> dict[str, str]:
    """Return what each step printed, all of them in one process."""
    environment = os.environ | {"PYTHONPATH": str(extended), "OMP_NUM_THREADS": "1", "PYTHONWARNINGS": "ignore"}
    command = [sys.executable, "-c", DRIVER, json.dumps(STEPS)]
    done = subprocess.run(command, cwd=extended, env=environment, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def rows() -> dict[str, tuple[int, str]]:
    """Return the rows of the page's table: what is added, how many files, which."""
    found = re.findall(
        r"^\| (.+?) \| (\d+) \| (.+) \|$", (HOWTO / "adding.md").read_text(encoding="utf-8"), re.MULTILINE
    )
    return {re.sub(r"\[(.+)\]\(.+\)", r"\1", what): (int(files), which) for what, files, which in found}


@pytest.mark.parametrize("what", ADDED)
def test_the_table_counts_and_names_the_files(what: str) -> None:
    count, which = rows()[what]
    files = {edit.file for edit in ADDED[what]}
    assert len(files) == count
    for file in files:
        assert f"`{file}`" in which or f"`{Path(file).parent}/`" in which, f"{file} is not named"


def test_every_row_is_followed() -> None:
    assert ADDED.keys() == rows().keys()


def test_a_score_a_window_and_a_corpus_are_trained(extended: Path, printed: dict[str, str]) -> None:
    written = (extended / "runs/subtitles/config.yaml").read_text()
    assert all(text in written for text in ("score: cosine", "window: start", "name: subtitles"))
    assert len((extended / "runs/subtitles/metrics.jsonl").read_text().splitlines()) == 1
    assert "subtitles: one film in two languages" in printed["corpora"]


def test_a_metric_is_computed(extended: Path) -> None:
    text = (extended / "runs/subtitles/eval/test/scores.json").read_text()
    assert '"exact|lines:6"' in text
    assert '"BLEU, lower case"' in text


def test_a_model_is_trained_and_searched(extended: Path, printed: dict[str, str]) -> None:
    assert "kind: bag" in (extended / "runs/bag/config.yaml").read_text()
    assert printed["translate"].count("\n") == 1


def test_a_search_is_used(printed: dict[str, str]) -> None:
    best, worst = (re.findall(r"^1\t(-\S+)\t", printed[name], re.MULTILINE) for name in ("beam", "worst"))
    assert best != worst
    assert best == worst[::-1]


def test_a_command_runs(printed: dict[str, str]) -> None:
    assert printed["count"].splitlines() == ["train\t48", "validation\t6", "test\t6"]


def test_a_key_is_read_and_documented(printed: dict[str, str]) -> None:
    assert "  shout: true" in printed["key"].splitlines()
    field = json.loads(printed["schema"])["$defs"]["Search"]["properties"]["shout"]
    assert field["description"] == "Write translations in capitals."
