"""Runs on the Hub: what is pushed comes back, and of what a stranger has put there only a run's files are fetched.

The Hub is a server of this machine (hub_server.py), which `huggingface_hub` itself asks.
"""

from collections.abc import Iterator
from pathlib import Path

import pytest
from command_line import mt
from config_files import write
from hub_server import TOKEN, Hub, Repository, serving
from huggingface_hub import constants
from toy_runs import RNN, config, write_run

import mt as library
from mt.core import manifest
from mt.core.errors import UserError
from mt.corpora import hub as corpora_hub
from mt.runs import hub as runs_hub
from mt.runs.run import Run

LINES = ["Ein Hund läuft.", "Die Katze schläft."]


@pytest.fixture
def hub(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Hub]:
    """Serve a hub, whose cache is empty and to which this machine is logged in."""
    with serving() as served:
        monkeypatch.setattr(constants, "ENDPOINT", served.endpoint)
        address = served.endpoint + "/{repo_id}/resolve/{revision}/{filename}"
        monkeypatch.setattr(constants, "HUGGINGFACE_CO_URL_TEMPLATE", address)
        monkeypatch.setattr(constants, "HF_HUB_OFFLINE", False)
        monkeypatch.setattr(constants, "HF_HUB_CACHE", str(tmp_path / "cache"))
        monkeypatch.setenv("HF_TOKEN", TOKEN)
        yield served


@pytest.fixture
def run(tmp_path: Path) -> Path:
    (tmp_path / "mine").mkdir()
    manifest.begin(tmp_path / "mine")
    return write_run(tmp_path / "mine", config(RNN))


def put(hub: Hub, run: Path, name: str = "ann/theirs", **others: bytes) -> Repository:
    """Put the files of a run into a repository, with others beside them."""
    files = {path.relative_to(run).as_posix(): path.read_bytes() for path in run.rglob("*") if path.is_file()}
    hub.repositories[name] = repository = Repository()
    repository.commit(files | others)
    return repository


def texts(run: str | Path) -> list[tuple[str, float]]:
    """Return translations with their scores, which tell weights apart where texts do not."""
    return [(one.text, one.score) for one in library.load(run).translate(LINES)]


def test_what_is_pushed_comes_back(hub: Hub, run: Path) -> None:
    done = mt("push", run, "ann/toy")
    assert (done.returncode, done.stdout) == (0, f"{run} is hub:ann/toy now, private\n"), done.stderr
    repository = hub.repositories["ann/toy"]
    assert repository.private
    assert {"config.yaml", "model.safetensors", "tokenizer.model", "README.md", "manifest.json"} <= {*repository.files}
    assert not [name for name in repository.files if "state" in name or "cache" in name]
    card = repository.files["README.md"].decode()
    assert "# toy: de to en" in card
    assert "mt translate hub:ann/toy 'A sentence.'" in card
    assert str(run.parent) not in card
    assert texts("hub:ann/toy") == texts(run)
    assert mt("translate", "hub:ann/toy", *LINES).stdout == mt("translate", run, *LINES).stdout
    assert Run("hub:ann/toy").fingerprint == Run(run).fingerprint
    assert (Run("hub:ann/toy").name, str(Run("hub:ann/toy"))) == ("toy", "hub:ann/toy")


def test_a_second_push_replaces_what_the_first_had_and_nothing_else(hub: Hub, run: Path) -> None:
    mt("push", run, "ann/toy")
    repository = hub.repositories["ann/toy"]
    repository.commit(repository.files | {"eval/old/scores.json": b"{}", "notes.txt": b"mine"})
    first = [*repository.revisions][1]
    write_run(run, config(RNN), seed=4)
    assert mt("push", run, "ann/toy").returncode == 0
    assert "eval/old/scores.json" not in repository.files
    assert repository.files["notes.txt"] == b"mine"
    assert texts("hub:ann/toy") == texts(run) != texts(f"hub:ann/toy@{first}")
    with pytest.raises(UserError, match="hub:ann/toy@none cannot be fetched: it has no such revision"):
        library.load("hub:ann/toy@none")


def test_nothing_is_written_into_the_cache(
    hub: Hub, run: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    mt("push", run, "ann/toy")
    cached = Run("hub:ann/toy").path
    before = sorted(cached.rglob("*"))
    write(tmp_path / "a.txt", "Ein Hund.\nEine Katze.\n")
    given = ("--source", "a.txt", "--target", "a.txt")
    for named in ("hub:ann/toy", cached):
        for command in (
            ["eval", named],
            ["eval", named, *given, "--hypotheses", "a.txt"],
            ["align", named],
            ["diagnose", named],
            ["datastore", named],
            ["train", "toy", "--run", named, "--resume"],
            ["translate", named, "--confidence", "x"],
            ["translate", named, "--set", "search.shortlist=5", "x"],
        ):
            done = mt(*command)
            assert (done.returncode, done.stdout) == (1, ""), (command, done.stderr)
            assert (
                f"{named} is in the Hub's cache, where nothing is changed: `mt pack {named} --to runs/" in done.stderr
            )
    assert mt("score", "hub:ann/toy", *given).returncode == 0
    assert mt("align", "hub:ann/toy", "--output", "links").returncode == 0
    assert sorted(cached.rglob("*")) == before
    assert not list(tmp_path.glob("hub*"))
    assert mt("pack", "hub:ann/toy", "--to", "runs/toy").returncode == 0
    assert mt("eval", "runs/toy").returncode == 0
    assert texts("runs/toy") == texts(run)


def test_only_the_files_of_a_run_are_fetched(hub: Hub, run: Path) -> None:
    others = "pytorch_model.bin", "x.py", "eval/test/evil.pkl", "state.safetensors"
    put(hub, run, **dict.fromkeys(others, b"cos\nsystem\n"))
    assert texts("hub:ann/theirs") == texts(run)
    assert {"config.yaml", "model.safetensors", "tokenizer.model"} <= {*hub.fetched}
    assert not {*others} & {*hub.fetched}
    assert {path.name for path in Run("hub:ann/theirs").path.iterdir()} <= {Path(name).name for name in hub.fetched}


def test_a_damaged_file_is_named(hub: Hub, run: Path) -> None:
    write_run(run, config(RNN))
    repository = put(hub, run)
    assert "manifest.json" in repository.files
    weights = bytearray(repository.files["model.safetensors"])
    weights[-1] ^= 1
    repository.commit(repository.files | {"model.safetensors": bytes(weights)})
    with pytest.raises(UserError, match=r"model\.safetensors is damaged"):
        library.load("hub:ann/theirs")


def test_a_link_in_the_cache_that_leads_elsewhere_is_refused(hub: Hub, run: Path) -> None:
    put(hub, run)
    path = Run("hub:ann/theirs").path
    (path / "metrics.jsonl").unlink()
    (path / "metrics.jsonl").symlink_to("../../../../mine/metrics.jsonl")
    with pytest.raises(UserError, match="leads out of the run"):
        library.load(path)


def test_without_a_network_it_is_what_was_fetched_before(hub: Hub, run: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    put(hub, run)
    found = texts("hub:ann/theirs")
    monkeypatch.setattr(runs_hub, "reachable", lambda: False)
    hub.fetched.clear()
    assert texts("hub:ann/theirs") == found
    assert hub.fetched == []
    with pytest.raises(UserError, match="hub:ann/other cannot be fetched: it is not in the cache, and the Hub cannot"):
        library.load("hub:ann/other")
    assert runs_hub.reachable is not corpora_hub.reachable


@pytest.mark.parametrize("name", ["hub:toy", "hub:a/b/c", "hub:", "hub:a/b@", "hub:../b", "hub:a/.."])
def test_a_name_that_is_none_is_told(name: str) -> None:
    with pytest.raises(UserError, match="is no run on the Hub: write hub:OWNER/NAME, or hub:OWNER/NAME@REVISION"):
        Run(name)


def test_what_goes_wrong_is_told_in_a_sentence(hub: Hub, run: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def told(*arguments: object) -> str:
        done = mt(*arguments)
        assert (done.returncode, done.stdout, done.stderr.count("\n")) == (1, "", 1), done.stderr
        return done.stderr

    assert "there is no such repository, or it is private" in told("translate", "hub:ann/none", "x")
    assert "is no name on the Hub: write OWNER/NAME" in told("push", run, "toy")
    hub.repositories["ann/open"] = Repository()
    assert "ann/open is public, so that all would see the run: add --public" in told("push", run, "ann/open")
    assert mt("push", run, "ann/open", "--public").returncode == 0
    hub.repositories["ann/closed"] = Repository(private=True)
    assert "ann/closed is private" in told("push", run, "ann/closed", "--public")
    monkeypatch.setenv("HF_TOKEN", "hf_another")
    assert "you may not do that: log in with `hf auth login`" in told("push", run, "ann/open", "--public")
    monkeypatch.delenv("HF_TOKEN")
    monkeypatch.setattr("huggingface_hub.get_token", lambda: None)
    assert "the Hub wants to know who you are" in told("push", run, "ann/toy")
    monkeypatch.setattr("huggingface_hub.get_token", lambda: TOKEN)
    monkeypatch.setattr(constants, "ENDPOINT", "http://127.0.0.1:9")
    assert "ann/toy cannot be written: " in told("push", run, "ann/toy")
