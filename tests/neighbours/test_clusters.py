"""Neighbours found in clusters, against plain sums over all keys of the clusters that were looked at."""

import shutil
import sys
from pathlib import Path

import pytest
import torch
from command_line import mt
from tiny_models import one_thread as one_thread
from torch import Tensor

from mt.config import Nearest, Search
from mt.core import manifest
from mt.core.errors import UserError
from mt.core.files import replacing
from mt.core.once import say_once
from mt.inference.load import load
from mt.neighbours import clusters
from mt.neighbours.clusters import Clusters
from mt.neighbours.datastore import has_current_datastore, write_clusters, write_datastore
from mt.runs.run import Run
from mt.runs.scores import describe_search

OLD = Path(__file__).parents[1] / "old_runs/nearest"


def keys(size: int, width: int = 6) -> Tensor:
    """Random keys of length 1, in float16."""
    drawn = torch.randn(size, width, generator=torch.Generator().manual_seed(size))
    return torch.nn.functional.normalize(drawn, dim=-1).half()


@pytest.fixture
def run(tmp_path: Path) -> Path:
    """An old run with a datastore, and without clusters."""
    return shutil.copytree(OLD, tmp_path / "run")


def test_without_faiss_it_says_what_to_install(run: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "faiss", None)
    before = (run / "datastore.safetensors").read_bytes()
    with pytest.raises(UserError, match=r"needs faiss-cpu: pip install 'mt\[neighbours\]'"):
        write_datastore(Run(run), "faiss")
    assert (run / "datastore.safetensors").read_bytes() == before
    with pytest.raises(UserError, match=r"datastore\.faiss is missing: `mt datastore .* --index faiss` writes it"):
        load(run, changes=["search.nearest.index=faiss"])
    assert load(run).translate("die Katze")


def test_scores_name_the_index_unless_all_keys_are_looked_at() -> None:
    exact = describe_search(Search(nearest=Nearest(count=4)))["nearest"]
    assert exact == {"count": 4, "weight": 0.6, "temperature": 0.08}  # as before there was a choice
    fast = describe_search(Search(nearest=Nearest(count=4, index="faiss", probes=9)))["nearest"]
    assert fast == exact | {"index": "faiss", "probes": 9}


@pytest.mark.parametrize(("size", "probes", "count"), [(500, 99, 7), (500, 3, 20), (30, 5, 40), (900, 1, 300)])
def test_neighbours_are_those_of_plain_loops_over_the_nearest_clusters(
    tmp_path: Path, size: int, probes: int, count: int
) -> None:
    faiss = pytest.importorskip("faiss")
    keys_NE, query_XE = keys(size), keys(11).float()
    clusters.write(tmp_path / "x.faiss", keys_NE, "some weights")
    index = Clusters(clusters.read(tmp_path / "x.faiss"), probes)
    assert len(index) == size
    product_XC, place_XC = index.find(query_XE, count)
    assert product_XC.shape == place_XC.shape == (11, min(count, size))
    whole = faiss.read_index(str(tmp_path / "x.faiss"))
    centres = torch.from_numpy(whole.quantizer.reconstruct_n(0, whole.nlist))
    members = [
        faiss.rev_swig_ptr(whole.invlists.get_ids(one), whole.invlists.list_size(one)).tolist()
        for one in range(whole.nlist)
    ]
    assert sorted(key for member in members for key in member) == list(range(size))
    assert whole.nlist == size // 40 or whole.nlist == size // 40 + 1 == 1
    for query_E, product_C, place_C in zip(query_XE, product_XC, place_XC, strict=True):
        ranked = sorted(range(whole.nlist), key=lambda one: -float(centres[one] @ query_E))
        looked_at = [key for one in ranked[:probes] for key in members[one]]
        expected = sorted((float(keys_NE[key].float() @ query_E) for key in looked_at), reverse=True)[:count]
        real = product_C != clusters.NOWHERE
        torch.testing.assert_close(product_C[real], torch.tensor(expected), rtol=0, atol=1e-5)
        found = place_C[real].tolist()
        assert len({*found}) == len(found)
        torch.testing.assert_close((keys_NE[found].float() @ query_E), product_C[real], rtol=0, atol=1e-5)
        assert real.all() or len(looked_at) < min(count, size)
    if (size, probes) == (900, 1):
        assert (product_XC == clusters.NOWHERE).any()


def test_the_same_keys_make_the_same_clusters_with_their_mark_behind(tmp_path: Path) -> None:
    pytest.importorskip("faiss")
    for name in ("one", "other"):
        clusters.write(tmp_path / name, keys(400), "0123456789abcdef")
    assert (tmp_path / "one").read_bytes() == (tmp_path / "other").read_bytes()
    assert clusters.mark_of(tmp_path / "one") == "0123456789abcdef"


def write(file: Path, data: bytes) -> None:
    """Write a file as the program does, so that the manifest lists it."""
    with replacing(file) as temporary:
        temporary.write_bytes(data)


@pytest.mark.parametrize("origin", ["no manifest", "not listed", "packed", "damaged"])
def test_faiss_reads_no_file_that_the_run_does_not_vouch_for(
    origin: str, run: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    pytest.importorskip("faiss")
    real = clusters.read
    read: list[Path] = []
    monkeypatch.setattr(clusters, "read", lambda path: (read.append(path), real(path))[1])
    monkeypatch.setattr(manifest, "PAUSE", 0)
    say_once.cache_clear()
    changes = ["search.nearest.index=faiss", "search.nearest.probes=1000"]
    lines = (OLD / "eval/test/sources.txt").read_text().splitlines()
    exact = [one.text for one in load(run).translate(lines)]
    file = run / "datastore.faiss"
    if origin != "no manifest":
        manifest.begin(run)
    if origin in {"packed", "damaged"}:
        write_clusters(Run(run))
        assert [one.text for one in load(run, changes=changes).translate(lines)] == exact
        assert read == [file]
        read.clear()
    if origin == "packed":
        (run / "packed.json").write_text("{}")
    if origin == "damaged":
        whole = file.read_bytes()
        file.write_bytes(whole[:99] + b"evil" + whole[103:])
    else:
        file.write_bytes(b"evil" * 99 + Run(run).fingerprint.encode())
    assert [one.text for one in load(run, changes=changes).translate(lines)] == exact
    if origin == "damaged":
        assert (file.read_bytes(), read) == (whole, [file]), "it was written again first"
        assert "datastore.faiss is damaged; it is written again from datastore.safetensors" in caplog.text
    else:
        assert read == []
        assert caplog.text.count("the clusters of its keys are made anew") == 1


def test_a_run_translates_by_clusters_of_its_own_keys_alone(run: Path) -> None:
    pytest.importorskip("faiss")
    manifest.begin(run)
    lines = (OLD / "eval/test/sources.txt").read_text().splitlines()
    assert not has_current_datastore(Run(run), "faiss")
    write_clusters(Run(run))
    assert has_current_datastore(Run(run), "faiss")
    exact = [one.text for one in load(run).translate(lines)]
    changes = ["search.nearest.index=faiss", "search.nearest.probes=1000"]
    assert [one.text for one in load(run, changes=changes).translate(lines)] == exact
    done = mt("translate", run, lines[0], *(part for change in changes for part in ("--set", change)))
    assert done.stdout == exact[0] + "\n"
    file = run / "datastore.faiss"
    whole = file.read_bytes()
    clusters.write(file, keys(100, 16), Run(run).fingerprint)  # which the manifest lists
    with pytest.raises(UserError, match="is not of the keys in "):
        load(run, changes=changes)
    write(file, whole[:200] + whole[-clusters.MARK :])
    with pytest.raises(UserError, match=r"cannot read .*datastore\.faiss"):
        load(run, changes=changes)
    write(file, whole[: -clusters.MARK] + b"other weights...")
    with pytest.raises(UserError, match=r"datastore\.faiss was written for other weights"):
        load(run, changes=changes)
    Run(run).remove()
    assert not file.exists()
