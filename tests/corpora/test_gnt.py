import importlib.util
import json
import logging
import random
import shutil
import subprocess
import sys
import time
import zipfile
from pathlib import Path

import pytest

from mt.config.corpora import GntCorpus
from mt.core.errors import UserError
from mt.corpora import gnt
from mt.corpora.pairs import Gold


def newer_python() -> str | None:
    """Return a Python that the wheel says it does not support."""
    if sys.version_info >= (3, 12):
        return sys.executable
    found = [path for name in ("python3.14", "python3.13", "python3.12") if (path := shutil.which(name))]
    found += sorted(str(path) for path in (Path.home() / ".pyenv" / "versions").glob("3.1[2-9]*/bin/python"))
    for path in reversed(found):
        code = "import sys, pip; sys.exit(sys.version_info < (3, 12))"
        if subprocess.run([path, "-c", code], check=False, capture_output=True).returncode == 0:
            return path
    return None


def fetch_or_skip(folder: Path) -> Path:
    """Fetch from the package index; skip where pip can see no index at all."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PIP_RETRIES", "0")
        patch.setenv("PIP_DEFAULT_TIMEOUT", "20")
        try:
            return gnt.fetch(folder)
        except UserError as error:
            if "from versions: none" in str(error) or "lacks" in str(error):
                pytest.skip(f"no package index: {error}")
            raise


@pytest.fixture(scope="session")
def real(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The real wheel: the checkout's own when it is there, else from the package index."""
    own = Path(__file__).parents[2] / "data" / "gnt" / gnt.WHEEL
    return own if own.is_file() else fetch_or_skip(tmp_path_factory.mktemp("gnt"))


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty folder to be in; returns where the wheel belongs."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("MT_DATA", raising=False)
    return tmp_path / "data" / "gnt"


GREEK = """id\taltId\ttext\tstrongs\tgloss\tgloss2\tlemma\tpos\tmorph\r
n40001001001\t.\tὁ\t.\t.\t.\t.\t.\t.\r
n40001001002\t.\tλόγος\t.\t.\t.\t.\t.\t.\r
n40001002001\t.\tφῶς\t.\t.\t.\t.\t.\t.\r
n40001003001\t.\tμόνον\t.\t.\t.\t.\t.\t.\r
"""
ENGLISH = """id\tsource_verse\ttext\tskip_space_after\texclude\tid_range_end\tsource_verse_range_end
40001001001\t40001001\t“\ty\ty\t\t
40001001002\t40001001\tGod’s\t\t\t\t
40001001003\t40001001\tword\ty\t\t\t
40001001004\t40001001\t—\ty\ty\t\t
40001001005\t40001001\tnow\ty\t\t\t
40001001006\t40001001\t.\ty\ty\t\t
40001001007\t40001001\t”\t\ty\t\t
40001002001\t40001002\tLight\ty\t\t\t
40001002002\t40001002\t!\t\ty\t\t
40001004001\t40001004\tElsewhere\t\t\t\t
"""
RECORDS = [
    {"source": ["n40001001001", "n40001001002"], "target": ["40001001002", "40001001003"]},
    {"source": ["n40001002001", "n40001003001"], "target": ["40001001005", "40001004001"]},
]


@pytest.fixture
def tiny(folder: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A wheel of two common verses; its second group crosses verses."""
    folder.mkdir(parents=True)
    path = folder / gnt.WHEEL
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("data/sources/SBLGNT.tsv", GREEK)
        archive.writestr("data/eng/targets/BSB/nt_BSB.tsv", ENGLISH)
        archive.writestr("data/eng/alignments/BSB/SBLGNT-BSB-manual.json", json.dumps({"records": RECORDS}))
    monkeypatch.setattr(gnt, "SHA256", gnt.hashlib.sha256(path.read_bytes()).hexdigest())
    return path


def test_verses_are_detokenised_and_links_stay_in_the_verse(tiny: Path) -> None:
    links = frozenset({(0, 0), (0, 1), (1, 0), (1, 1)})
    gold = Gold(((0, 1), (2, 7)), ((1, 6), (7, 11), (12, 15)), links, links)
    assert gnt.verses(tiny) == {
        "40001001": ("ὁ λόγος", "“God’s word—now.”", gold),
        "40001002": ("φῶς", "Light!", None),
    }


def test_the_other_direction_swaps_text_spans_and_links(tiny: Path) -> None:
    split = gnt.load(GntCorpus(name="gnt", source="en", target="grc"))["train"]
    assert split.sources == ["“God’s word—now.”", "Light!"]
    assert split.targets == ["ὁ λόγος", "φῶς"]
    assert split.gold is not None
    links = frozenset({(0, 0), (1, 0), (0, 1), (1, 1)})
    assert split.gold == [Gold(((1, 6), (7, 11), (12, 15)), ((0, 1), (2, 7)), links, links), None]


def test_links_are_not_symmetric_by_accident() -> None:
    gold = Gold(((0, 1), (2, 3)), ((0, 4),), frozenset({(1, 0)}), frozenset({(1, 0)}))
    assert gnt._transpose(gold) == Gold(((0, 4),), ((0, 1), (2, 3)), frozenset({(0, 1)}), frozenset({(0, 1)}))


# the wheel


def test_a_damaged_wheel_is_refused(tiny: Path) -> None:
    assert gnt.find() == "data/gnt/" + gnt.WHEEL
    tiny.write_bytes(tiny.read_bytes() + b"x")
    with pytest.raises(UserError, match=r"data/gnt/.*\.whl is damaged .* delete it"):
        gnt.wheel()


def test_mt_data_comes_first(tiny: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MT_DATA", "mine")
    assert gnt.wheel() == Path("data/gnt", gnt.WHEEL)
    Path("mine/gnt").mkdir(parents=True)
    tiny.rename(Path("mine/gnt", gnt.WHEEL))
    assert gnt.wheel() == Path("mine/gnt", gnt.WHEEL)


def test_a_download_with_another_checksum_is_not_kept(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(gnt, "_pip_download", lambda scratch: Path(scratch, gnt.WHEEL).write_bytes(b"other"))
    with pytest.raises(UserError, match=r"has not the sha256 84f6b15e"):
        gnt.wheel()
    assert not folder.exists()
    assert gnt.find() is None


def test_a_good_download_is_kept_and_announced(
    folder: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO, "mt")
    monkeypatch.setattr(gnt, "_pip_download", lambda scratch: Path(scratch, gnt.WHEEL).write_bytes(b"good"))
    monkeypatch.setattr(gnt, "SHA256", gnt.hashlib.sha256(b"good").hexdigest())
    assert gnt.wheel() == Path("data/gnt", gnt.WHEEL)
    assert [path.name for path in folder.iterdir()] == [gnt.WHEEL]
    for said in ("CC BY 4.0", "Holmes 2010", gnt.SHA256):
        assert said in caplog.text


def test_without_pip_the_way_out_is_said(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    with pytest.raises(UserError, match=r"lacks: run `.* -m ensurepip`, or download .*\.whl elsewhere"):
        gnt.wheel()


def test_pip_that_fails_gives_its_reason(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(gnt, "REQUIREMENT", "bible-alignments==0.4.2")
    command = [sys.executable, "-c", "import sys; sys.exit('WARNING: x\\nERROR: no index\\nmore')"]
    monkeypatch.setattr(gnt, "pip_command", lambda folder: command)
    with pytest.raises(UserError, match=r"pip cannot download bible-alignments==0\.4\.2: ERROR: no index\. Check"):
        gnt.wheel()


def test_the_pip_command() -> None:
    command = gnt.pip_command("x")
    assert command[:5] == [sys.executable, "-P", "-m", "pip", "download"]
    assert {"--no-deps", "--ignore-requires-python"} <= set(command)
    assert command[command.index("--only-binary") + 1] == ":all:"
    assert command[-1] == "bible-alignments==0.4.2"


def test_code_of_the_current_folder_is_not_run(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """With `python -m pip`, a pip.py that lies where `mt` is started would be what runs."""
    for name in ("pip", "typing", "zipfile"):  # also a module that pip imports
        Path(f"{name}.py").write_text("open('run-by-accident', 'w').close()\n")
    monkeypatch.delenv("PYTHONSAFEPATH", raising=False)
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setattr(gnt, "REQUIREMENT", "there-is-no-such-package==0.0.1")
    with pytest.raises(UserError, match=r"pip cannot download there-is-no-such-package"):
        gnt.fetch(folder)
    assert not Path("run-by-accident").exists()
    unsafe = [word for word in gnt.pip_command("x") if word != "-P"]
    subprocess.run(unsafe, check=False, capture_output=True)
    assert Path("run-by-accident").exists()


def test_fetching_with_a_python_that_the_wheel_does_not_allow(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    python = newer_python()
    if python is None:
        pytest.skip("no Python >= 3.12 with pip on this machine")
    monkeypatch.setattr(sys, "executable", python)
    assert fetch_or_skip(folder).stat().st_size == 8807345


# the real corpus


def test_the_real_corpus(real: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(gnt, "wheel", lambda: real)
    start = time.process_time()
    splits = gnt.load(GntCorpus(name="gnt"))
    assert time.process_time() - start < 20  # 2 seconds in general
    assert {name: len(split.sources) for name, split in splits.items()} == {
        "train": 7219 - 2,
        "validation": 362,
        "test": 355,
    }
    links = 0
    for split in splits.values():
        assert split.gold is not None
        assert len(split.sources) == len(split.targets) == len(split.gold)
        for source, target, gold in zip(split.sources, split.targets, split.gold, strict=True):
            assert source == source.strip() != ""
            assert target == target.strip() != ""
            assert "  " not in source + target
            if gold is not None:
                assert [source[slice(*span)] for span in gold.source_spans] == source.split()
                words = [target[slice(*span)] for span in gold.target_spans]
                assert all(word[0].isalnum() and word[-1].isalnum() for word in words)
                assert gold.sure == gold.possible
                assert max(i for i, _ in gold.sure) < len(gold.source_spans)
                assert max(j for _, j in gold.sure) < len(gold.target_spans)
                links += len(gold.sure)
    assert links == 189473 - 47
    assert [sum(gold is None for gold in split.gold or []) for split in splits.values()] == [14, 1, 1]


def test_the_split_is_the_documented_one(real: Path) -> None:
    pairs = gnt.verses(real)
    assert len(pairs) == 7936
    assert sum(len(gold.sure) for _, _, gold in pairs.values() if gold) == 189473
    assert sum(gold is None for _, _, gold in pairs.values()) == 17
    chapters = sorted({verse[:5] for verse in pairs})
    random.Random(0).shuffle(chapters)
    assert tuple(chapters[:13]) == gnt.TEST
    assert tuple(chapters[13:26]) == gnt.VALIDATION
    sizes = [sum(verse[:5] in part for verse in pairs) for part in (gnt.TEST, gnt.VALIDATION, chapters[26:])]
    assert sizes == [355, 362, 7219]
    assert all(verse[:5] in chapters[26:] for verse in gnt.LEFT_OUT)
    punctuation = set(",.“”?:!;’‘—()")
    for _, english, gold in pairs.values():
        if gold is not None:
            covered = {place for start, end in gold.target_spans for place in range(start, end)}
            rest = {letter for place, letter in enumerate(english) if place not in covered}
            assert rest <= punctuation | {" "}
