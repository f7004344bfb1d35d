"""Every command of the README and of docs/ is one that works.

How each kind is checked:

* `mt` (but for train, study, diagnose, serve and push) runs for real, in an empty folder that has tiny runs under every
  name that the command uses.
* `mt train` would take minutes: its configuration and overrides are resolved as `mt config` does it, and its options
  are looked up in its help. So would `mt study`, whose points are resolved, and `mt diagnose`. `mt serve` would
  not end.
* `make` runs with --dry-run; what it prints is then checked as the commands above, but nothing runs.
* `python scripts/...`: its options are looked up in its help, and the configurations it names must exist.
* Code within a line of prose is checked as what `make` prints.
* Blocks of YAML are read as configurations, those in Python run.
* `pip` and `source` are what installs mt, which test_packaging.py and the recipe of `make install` stand for.
"""

import functools
import re
import shutil
import subprocess
from pathlib import Path

import pytest
import yaml
from command_line import mt, run_script
from doc_blocks import PAGES, ROOT, Block, blocks, commands, parts_of, spans
from safetensors import safe_open
from safetensors.torch import load_file, save_file
from toy_runs import RNN, config, write_run

from mt.config import Config
from mt.config.files import read_config
from mt.config.study import read_study
from mt.core.errors import UserError
from mt.core.special import EOS

GERMAN, ENGLISH = "Die Katze schläft .\nDer Hund isst .\n", "The cat sleeps .\nThe dog eats .\n"
FILES = {
    "a.de": GERMAN,
    "a.en": ENGLISH,
    "b.en": ENGLISH.replace("The", "A"),
    "a.tsv": "Katze\tcat\n",
    "a.links": "1-1 2-2\n1-1\n",
    "new.de": GERMAN,
    "new.fi": GERMAN,
    "gold.links": "1-1 2-2\n1-1\n",
}
"""What the pages take for granted that a reader has."""
ADDED = {"model.attention.score=cosine": "model.attention.score=general"}
"""What a reader of docs/howto has added before; test_adding.py does it, and trains with it."""
REVERSE = {"--reverse"}


def run(arguments: list[str], stdin: str = "") -> str:
    """Run `mt` in this process and return what it printed. Fails when it does."""
    done = mt(*arguments, stdin=stdin)
    assert done.returncode == 0, f"mt {' '.join(arguments)}: {done.stderr}"
    return done.stdout


@functools.cache
def help_of(script: str) -> str:
    """Return what a program of scripts/ says with --help."""
    return run_script(script.removeprefix("scripts/").removesuffix(".py"), "--help").stdout


def must_offer(text: str, words: list[str]) -> None:
    """Fail unless a help text names every option among these words."""
    offered = set(re.findall(r"(?<![\w-])--?[a-zA-Z][\w-]*", text))
    asked = {word.partition("=")[0] for word in words if re.fullmatch(r"--?[a-zA-Z]\S*", word)}
    assert asked <= offered, f"no option {', '.join(sorted(asked - offered))}"


def check_dry(words: list[str]) -> None:
    """Check `mt` without running it; words in capitals stand for what a reader puts there."""
    if len(words) == 1:
        return
    must_offer(run([words[1], "--help"]), words[2:])
    if words[1] == "study":
        given = [word for word in words[2:] if not word.startswith("-") and not word.isupper()]
        try:
            read_study(Path(given[0])) if given else run(["study"])
        except UserError as error:
            raise AssertionError from error
    elif words[1] in {"train", "config"}:
        given = [ADDED.get(word, word) for word in until_option(words[2:]) if not word.isupper()]
        if given and "=" not in given[0]:
            run(["config", *given])


def until_option(words: list[str]) -> list[str]:
    """Return the words that are neither options nor, as far as `mt train` has options, their values."""
    kept, skip = [], False
    for word in words:
        if word.startswith("-"):
            skip = word in {"--run"}
        elif skip:
            skip = False
        else:
            kept.append(word)
    return kept


def check_make(words: list[str]) -> None:
    """Check what make would run."""
    if shutil.which("make") is None:
        pytest.skip("make is not installed")
    done = subprocess.run(["make", "--dry-run", *words[1:]], cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    for line in done.stdout.replace("\\\n", " ").splitlines():
        for part in parts_of(line):
            if Path(part[0]).name == "mt":
                check_dry(part)
            elif len(part) > 1 and part[1].startswith("scripts/"):
                check_script(part)


def check_script(words: list[str]) -> None:
    """Check a program of scripts/ without running it."""
    assert (ROOT / words[1]).exists(), f"no {words[1]}"
    must_offer(help_of(words[1]), words[2:])
    for word in words[2:]:
        if word.endswith(".yaml"):
            assert (ROOT / word).is_file(), f"no {word}"


def check_mt(words: list[str], stdin: str, tiny: Path) -> None:
    """Run `mt` for real, with tiny runs where the command says runs are."""
    before = ""
    for word in words[2:] if words[1] != "runs" else ["runs/one"]:
        if re.fullmatch(r"RUN\d?|runs/[\w./-]+", word) and not Path(word).exists():
            shutil.copytree(tiny / ("backward" if before in REVERSE else "forward"), word)
        before = word
    run(words[1:], stdin)


def check(parts: list[list[str]], tiny: Path) -> None:
    """Check one command line, in the current folder."""
    stdin = "Die Katze schläft.\n"
    for part in parts:
        words = [word for word in part if word != "|"]
        program = Path(words[0]).name
        if program == "cat":
            stdin = "".join(Path(word).read_text() for word in words[1:])
        elif program == "mt" and words[1] in {"train", "study", "diagnose", "serve", "push"}:
            check_dry(words)
        elif program == "mt":
            check_mt(words, stdin, tiny)
        elif program == "make":
            check_make(words)
        elif program == "python" and words[1].startswith("scripts/"):
            check_script(words)
        elif program == "python":
            assert words[1:3] == ["-m", "mt"], f"what is {' '.join(words)}?"
            check_mt(words[2:], stdin, tiny)
        else:
            assert program in {">", "pip", "source"}, f"what is {' '.join(words)}?"


def is_config(text: str) -> bool:
    """Tell whether a block is a configuration, or a part of one."""
    try:
        tree = yaml.safe_load(text)
    except yaml.YAMLError:
        return False
    return isinstance(tree, dict) and tree.keys() <= {"extends", *Config.model_fields}


TYPED = [page for page in PAGES if page.parent.name != "reference"]
"""Pages with commands to type. Those of the reference are written by a program, and have a test of their own."""
EVERY = [block for page in TYPED for block in blocks(page)]
COMMANDS = [(block, parts) for block in EVERY for parts in commands(block)]
CONFIGS = [block for block in EVERY if is_config(block.text)]
PYTHON = [block for block in EVERY if block.text.startswith("import mt\n")]
INLINE = sorted({
    (str(page.relative_to(ROOT)), span)
    for page in TYPED
    for span in spans(page)
    if re.match(r"(mt [a-z]|make\b|python scripts/)", span)
})  # fmt: skip


def make_talkative(weights: Path) -> None:
    """Make </s> unlikely: a translation without words could not be drawn."""
    with safe_open(weights, "pt") as file:
        metadata = file.metadata()
    tensors = load_file(weights)
    tensors["output.bias"][EOS] = -50
    save_file(tensors, weights, metadata)


@pytest.fixture(scope="module")
def tiny(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder with two untrained runs, one for each direction, the first with all that is asked of it."""
    folder = tmp_path_factory.mktemp("tiny")
    for name, source in {"forward": "de", "backward": "en"}.items():
        write_run(folder / name, config(RNN, source))
        make_talkative(folder / name / "model.safetensors")
    run(["datastore", str(folder / "forward"), "--index", "faiss"])
    run(["translate", str(folder / "forward"), "--confidence", "Die Katze schläft."])
    for split in ("validation", "test"):
        run(["eval", str(folder / "forward"), "--split", split])
    return folder


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, bfloat16: None) -> Path:
    """Go to a folder with what the pages take for granted, on a processor that has bfloat16."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("MT_DATA", raising=False)
    (tmp_path / "configs").symlink_to(ROOT / "configs")
    for name, text in FILES.items():
        (tmp_path / name).write_text(text, encoding="utf-8")
    return tmp_path


def write_configs(page: Path, folder: Path) -> None:
    """Write the configurations and studies of a page that say in a comment how their file is called."""
    for block in EVERY:
        if block.page == page and (named := re.match(r"# (\w+\.yaml)\n", block.text)):
            (folder / named[1]).write_text(block.text, encoding="utf-8")


@pytest.mark.parametrize(("block", "parts"), COMMANDS, ids=lambda value: getattr(value, "name", ""))
def test_a_command_works(block: Block, parts: list[list[str]], here: Path, tiny: Path) -> None:
    write_configs(block.page, here)
    check(parts, tiny)


@pytest.mark.parametrize(("page", "span"), INLINE)
def test_a_command_within_a_line_could_work(page: str, span: str, here: Path) -> None:
    write_configs(ROOT / page, here)
    for words in parts_of(span):
        {"mt": check_dry, "make": check_make, "python": check_script}[words[0]](words)


@pytest.mark.parametrize("block", CONFIGS, ids=lambda block: block.name)
def test_a_configuration_can_be_read(block: Block, here: Path) -> None:
    tree = yaml.safe_load(block.text)
    corpus = "" if {"corpus", "extends"} & tree.keys() else "corpus: {name: toy}\n"
    (here / "own.yaml").write_text(corpus + block.text, encoding="utf-8")
    assert read_config(here / "own.yaml").corpus


@pytest.mark.parametrize("block", PYTHON, ids=lambda block: block.name)
def test_python_runs(block: Block, here: Path, tiny: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for name in re.findall(r'load\("([^"]+)"\)', block.text):
        shutil.copytree(tiny / "forward", here / name)
    exec(compile(block.text, block.name, "exec"), {})
    assert capsys.readouterr().out


RIGHT_AND_WRONG = (
    ("mt translate RUN --plot 'A sentence.'", "mt translate RUN --plt 'A sentence.'"),
    ("mt translate RUN --set search.beam=3 'A sentence.'", "mt translate RUN --set search.baem=3 'A sentence.'"),
    ("mt translate RUN --input new.de", "mt translate RUN --input missing.de"),
    ("mt eval RUN search.beam=3", "mt eval RUN search.beam=none"),
    ("mt eval RUN search.beam=3", "mt eval RUN train.epochs=3"),
    ("mt align RUN --split test", "mt align RUN --split nothing"),
    ("mt train toy", "mt train nothing"),
    ("mt train toy train.epochs=3", "mt train toy train.epoch=3"),
    ("mt train toy --resume", "mt train toy --resum"),
    ("mt corpora", "mt corpra"),
    ("make train", "make trian"),
    ("make train CONFIG=toy", "make train CONFIG=nothing"),
    ("make train ARGS=--resume", "make train ARGS=--resum"),
    ("mt study beam --dry-run", "mt study bean --dry-run"),
    ("mt study beam --dry-run", "mt study beam --dry"),
    ("make study CONFIG=beam", "make study CONFIG=bean"),
    ("python scripts/aligners.py configs/gnt.yaml", "python scripts/aligners.py configs/nothing.yaml"),
    ("python scripts/aligners.py configs/gnt.yaml", "python scripts/nothing.py configs/gnt.yaml"),
    ("python scripts/aligners.py configs/gnt.yaml --rounds 1", "python scripts/aligners.py configs/gnt.yaml --round 1"),
    ("python -m mt corpora", "python -m nothing corpora"),
)


@pytest.mark.parametrize(("right", "wrong"), RIGHT_AND_WRONG)
def test_a_wrong_command_is_noticed(right: str, wrong: str, here: Path, tiny: Path) -> None:
    check(parts_of(right), tiny)
    with pytest.raises(AssertionError):
        check(parts_of(wrong), tiny)


def test_the_pages_have_commands_of_every_kind() -> None:
    programs = {Path(part[0]).name for _, parts in COMMANDS for part in parts}
    assert {"mt", "make", "python", "cat"} <= programs
    assert min(len(CONFIGS), len(PYTHON), len(INLINE)) >= 1
