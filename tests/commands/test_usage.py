"""How commands end that are written wrongly, or that only tell something: without torch, and with which exit code."""

import contextlib
import gc
import json
import subprocess
import sys
from pathlib import Path

import pytest
from conftest import ENVIRONMENT
from tiny_translators import write_run

from mt.commands.options import loading

# One process for all: each command would spend nearly all of its time on being started.
PROGRAM = """
import contextlib, io, json, sys
from mt import cli
ended = []
for arguments in json.load(sys.stdin):
    sys.argv[1:], code, out, err = arguments, 0, io.StringIO(), io.StringIO()
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
        try:
            cli.main()
        except SystemExit as end:
            code = end.code or 0
    slow = sorted({"torch", "matplotlib", "datasets", "sacrebleu", "fastapi"} & sys.modules.keys())
    ended.append([code, out.getvalue(), " ".join(err.getvalue().split()), slow])
print(json.dumps(ended))
"""
ALIGN = ["align", "nowhere"]
WRONG: list[tuple[list[str], str]] = [
    (["train", "--no-such-option"], "no-such-option"),
    (["train", "toy", "nonsense"], "write key=value"),
    (["train", "toy", "model.hiden=3"], "unknown key model.hiden in the command line: did you mean model.hidden?"),
    (["train", "toy", "hidden=64"], "unknown key hidden in the command line: did you mean model.hidden?"),
    (["train", "toy", "model.epochs=3"], "did you mean train.epochs?"),
    (["train", "toy", "columns={source: 2, target: 1}"], "did you mean corpus.columns?"),
    (
        ["train", "toy", "train.epochs=1e6"],
        "train.epochs in the command line is '1e6': input should be a valid integer",
    ),
    (["train", "toy", "train.epochs=1e6"], "; write 1000000"),
    (["translat", "x"], "Did you mean 'translate'"),
    (["config", "toy", "--schema"], "give no name with it"),
    (["translate", "nowhere", "x", "-b", "3", "--set", "search.beam=4"], "search.beam is given twice"),
    (
        ["translate", "nowhere", "search.beam=1"],
        "search.beam=1 is a setting, not a sentence: write --set search.beam=1",
    ),
    (["translate", "nowhere", "x", "--set", "metrics.tokenize=char"], "give it to `mt eval`"),
    (["eval", "nowhere", "metrics.tokenize=chra"], "did you mean char?"),
    (["eval", "nowhere", "search.baem=1"], "did you mean search.beam?"),
    (["eval", "search.beam=0"], "search.beam in the command line is 0"),
    (["eval", "train.epochs=3"], "train.epochs is fixed once a run is trained"),
    (["eval", "nowhere", "search.sample=true"], "search.sample: a split is scored by the best translations"),
    (["eval", "nowhere", "search.beam"], "override 'search.beam' on the command line: write key=value"),
    (["eval", "nowhere", "--beam", "3"], "No such option"),
    (["translate", "nowhere", "x", "--beam", "0"], "search.beam in the command line is 0"),
    (["translate", "nowhere", "x", "-b", "0"], "search.beam in the command line is 0"),
    (["translate", "nowhere", "x", "--set", "model.hidden=3"], "model.hidden is fixed once a run is trained"),
    (["translate", "nowhere", "x", "--top-k", "3"], "No such option"),
    (["translate", "nowhere", "x", "--input", "file"], "give sentences or --input, not both"),
    (["translate", "nowhere", "x", "--picture", "a.bmp"], "a.bmp: the name must end in .png, .svg, .pdf, .html"),
    (["translate", "nowhere", "x", "-n", "0"], "--n-best"),
    ([*ALIGN, "--symmetrise", "union"], "--reverse RUN"),
    ([*ALIGN, "--gold", "g"], "--gold and --gold-format together"),
    ([*ALIGN, "--source", "a"], "both --source and --target"),
    ([*ALIGN, "--split", "test", "--source", "a", "--target", "b", "--output", "o"], "not both"),
    ([*ALIGN, "--source", "a", "--target", "b"], "say with --output"),
    (["nonsense"], "nonsense"),
]
FAILED: list[tuple[list[str], str]] = [
    (["train", "tyo"], "cannot read config tyo: No such file or directory; did you mean toy?"),
    (["config", "none.yaml"], "cannot read config none.yaml"),
    *(
        (arguments, "nowhere is not a run directory: there is no such folder; `mt runs .` lists those beside it")
        for arguments in (
            ["translate", "nowhere", "x"],
            ["eval", "nowhere"],
            ["align", "nowhere"],
            ["score", "nowhere"],
            ["diagnose", "nowhere"],
            ["report", "nowhere"],
            ["serve", "nowhere"],
            ["datastore", "nowhere"],
        )
    ),
    (["runs", "."], "no run in ./: `mt train` makes one"),
]
TOLD: list[tuple[list[str], str]] = [
    (["--help"], "translate"),
    (["translate", "--help"], "search.nearest.temperature=0.08"),
    (["eval", "--help"], "search.length_penalty=1.0"),
    (["config"], "attention/luong-general  "),
    (["config", "attention/luong-general"], "wiring: luong"),
    (["config", "--schema"], '"properties"'),
    (["--version"], "mt "),
]
UNUSED = {"torch._dynamo", "matplotlib", "datasets", "pandas", "pyarrow", "sacrebleu", "fastapi"}
"""What takes long to import, and translating a sentence does not need."""


@pytest.fixture(scope="module")
def ended(tmp_path_factory: pytest.TempPathFactory) -> dict[str, tuple[int, str, str, list[str]]]:
    """How each command ended, by its arguments: code, output, complaint, and slow libraries loaded by then."""
    given = [arguments for arguments, _ in (*WRONG, *FAILED, *TOLD)]
    environment = ENVIRONMENT | {"PYTHONPATH": str(Path(__file__).parents[2]), "COLUMNS": "200"}
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM],
        input=json.dumps(given),
        cwd=tmp_path_factory.mktemp("usage"),
        env=environment,
        capture_output=True,
        text=True,
        check=True,
    )
    return dict(zip(map(str, given), json.loads(done.stdout), strict=True))


@pytest.mark.parametrize(("arguments", "message"), WRONG, ids=str)
def test_what_is_written_wrongly_ends_with_two(
    ended: dict[str, tuple[int, str, str, list[str]]], arguments: list[str], message: str
) -> None:
    code, out, err, slow = ended[str(arguments)]
    assert (code, out, slow) == (2, "", [])
    assert message in err


@pytest.mark.parametrize(("arguments", "message"), FAILED, ids=str)
def test_what_fails_ends_with_one(
    ended: dict[str, tuple[int, str, str, list[str]]], arguments: list[str], message: str
) -> None:
    code, out, err, slow = ended[str(arguments)]
    assert (code, out, slow) == (1, "", [])
    assert err.startswith(f"mt: {message}")


@pytest.mark.parametrize(("arguments", "said"), TOLD, ids=str)
def test_what_only_tells_something_is_quick(
    ended: dict[str, tuple[int, str, str, list[str]]], arguments: list[str], said: str
) -> None:
    code, out, err, slow = ended[str(arguments)]
    assert (code, err, slow) == (0, "", [])
    assert said in out


def test_the_shell_is_offered_runs_and_configs(tmp_path: Path) -> None:
    (tmp_path / "runs/a run").mkdir(parents=True)
    (tmp_path / "runs/more").mkdir()
    (tmp_path / "runs/a run/config.yaml").touch()
    (tmp_path / "toys.yaml").touch()
    code = "import sys; sys.argv = ['mt']; from mt import cli; cli.main()"
    for words, offered in {
        "mt translate ru": ["runs/"],
        "mt eval runs/": ["runs/a run", "runs/more/"],
        "mt train toy": ["toy", "toys.yaml"],
        "mt dia": ["diagnose"],
    }.items():
        asked = {"_MT_COMPLETE": "complete_bash", "COMP_WORDS": words, "COMP_CWORD": str(len(words.split()) - 1)}
        environment = ENVIRONMENT | asked | {"PYTHONPATH": str(Path(__file__).parents[2])}
        command = [sys.executable, "-c", code]
        done = subprocess.run(command, env=environment, cwd=tmp_path, capture_output=True, text=True, check=False)
        assert done.stdout.splitlines() == offered, done


def test_a_translation_loads_only_what_it_needs(tmp_path: Path) -> None:
    write_run(tmp_path / "run")
    code = f"import sys\nfrom mt import cli\ntry: cli.main()\nfinally: print(sorted({UNUSED} & sys.modules.keys()))"
    command = [sys.executable, "-c", code, "translate", str(tmp_path / "run"), "Der Ofen ist kalt."]
    done = subprocess.run(command, env=ENVIRONMENT, capture_output=True, text=True, check=True)
    assert done.stdout.splitlines()[1:] == ["[]"], done.stdout


def test_garbage_is_looked_for_again_after_loading_even_where_that_failed() -> None:
    with contextlib.suppress(ValueError), loading():
        assert not gc.isenabled()
        raise ValueError
    assert gc.isenabled()
