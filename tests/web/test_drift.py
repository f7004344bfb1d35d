"""Drift is noticed where text has shifted, and not where it has not; what is flagged is written, if that is asked."""

import bisect
import json
import shutil
import stat
from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("fastapi")
from conftest import mt
from starlette.testclient import TestClient
from toy_runs import RNN, config, write_run
from watched_runs import HELD_OUT, client_of, drift_after, translate, write_watched

from mt.core.errors import UserError
from mt.inference.scorer import Scored, Scorer
from mt.inference.traffic import traffic_signals, unknown_share, unsupported_share
from mt.lab.diagnosis.case import Case
from mt.lab.diagnosis.distributions import Distribution, Expected, distributions, read_expected, validation_signals
from mt.runs.run import Run
from mt.text.scripts import known_scripts
from mt.web.drift import FALSE_ALARMS, FEWEST, MEANINGS, WINDOW, Window, bound_of, distance, judge
from mt.web.served import Sentence, Served, Translating
from mt.web.watch import Flagged, Watch

GREEK = [f"Ὁ λόγος {number}." for number in range(40)]


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_watched(tmp_path_factory.mktemp("watched") / "run")


@pytest.fixture(scope="module")
def client(run: Path) -> TestClient:
    with client_of(run) as client:
        yield client


def centiles(values: np.ndarray) -> np.ndarray:
    return np.quantile(values, np.linspace(0, 1, 101))


def slow_statistic(one: list[float], other: list[float]) -> float:
    """The largest difference between two empirical distribution functions, point by point."""
    one, other = sorted(one), sorted(other)
    shares = [
        abs(bisect.bisect_right(one, point) / len(one) - bisect.bisect_right(other, point) / len(other))
        for point in one + other
    ]
    return max(shares)


@pytest.mark.parametrize("kind", ["even", "far", "counts", "mostly nothing", "the same everywhere"])
def test_the_statistic_is_that_of_kolmogorov_and_smirnov_to_a_centile(kind: str) -> None:
    generator = np.random.default_rng(3)
    for size in (20, 57, 100):
        reference, values = generator.normal(size=1000), generator.normal(0.3, 1.2, size)
        if kind == "far":
            values = values + 9
        elif kind == "counts":
            reference, values = (np.round(4 * one) for one in (reference, values))
        elif kind == "mostly nothing":
            reference, values = (np.maximum(one - 1.3, 0) for one in (reference, values))
        elif kind == "the same everywhere":
            reference, values = np.zeros(1000), np.zeros(size)
        expected = slow_statistic(values.tolist(), reference.tolist())
        assert distance(values, centiles(reference)) == pytest.approx(expected, abs=0.0125)


def test_chance_alone_raises_no_alarm_and_a_shift_does() -> None:
    """Also where both samples are small, and validation is drawn anew each time."""
    generator, scores = np.random.default_rng(4), []
    for _ in range(1000):
        reference, values = generator.normal(size=200), generator.normal(size=WINDOW)
        scores.append(distance(values, centiles(reference)))
    assert max(scores) < bound_of(WINDOW, 200, 15)
    assert max(scores) > 0.6 * bound_of(WINDOW, 200, 15)  # so the bound is no wall
    reference = Distribution(tuple(centiles(generator.normal(size=1000))), 1000)
    shifted = judge("x", generator.normal(1, 1, WINDOW), reference, 15)
    assert (shifted.alarm, shifted.higher) == (True, True)


def test_the_bound_is_smirnov_s() -> None:
    """With the probability that his limiting law gives to a larger statistic, by its series."""
    count, reference, signals = 100, 1014, 15
    scaled = (bound_of(count, reference, signals) - 0.01) * (count * reference / (count + reference)) ** 0.5
    law = 2 * sum((-1) ** (k - 1) * np.exp(-2 * k * k * scaled**2) for k in range(1, 9))
    assert law == pytest.approx(FALSE_ALARMS / signals, rel=1e-6)
    assert bound_of(20, 50, 15) < 1 < bound_of(20, 5, 15)


def test_a_window_holds_each_source_once_and_the_last_ones() -> None:
    window, expected = Window(30), Expected(frozenset(), {"x": Distribution(tuple(np.linspace(0, 1, 101)), 1000)})
    for _ in range(50):
        window.add("again and again", {"x": 9.0})
    assert (len(window), window.seen, window.drifts(expected)) == (1, 50, [])
    for number in range(FEWEST):
        window.add(f"source {number}", {"x": number / FEWEST})
    (found,) = window.drifts(expected)
    assert found.score < 0.15
    for number in range(29):
        window.add(f"other {number}", {"x": 9.0})
    window.add("source 19", {"x": 9.0})  # which was there: it is the last again
    (found,) = window.drifts(expected)
    assert (found.score, found.alarm, len(window)) == (1.0, True, 30)


def test_validation_itself_raises_no_alarm_and_other_text_does(client: TestClient, run: Path) -> None:
    validation = list(dict.fromkeys(Run(run).splits["validation"].sources))
    before = client.get("/api/drift").json()["seen"]
    translate(client, validation)
    told = drift_after(client, before + len(validation))
    assert (told["run"], told["says"], told["window"]) == ("run", "", WINDOW)
    assert set(told["signals"]) == set(MEANINGS) - {"expected_ter", "words_to_check"}
    assert [name for name, one in told["signals"].items() if one["alarm"]] == []
    translate(client, GREEK)
    told = drift_after(client, before + len(validation) + len(GREEK))
    alarms = {name for name, one in told["signals"].items() if one["alarm"]}
    assert {"unknown_scripts", "byte_share"} <= alarms
    says = told["signals"]["unknown_scripts"]["says"]
    assert says == (
        "How much of the sources is in scripts that training did not have: not like validation, more on average."
    )
    gauges = client.get("/metrics").text
    assert 'mt_drift_alarm{run="run",signal="unknown_scripts"} 1.0' in gauges
    assert 'mt_drift_watched{run="run"} 1.0' in gauges


def test_what_validation_was_not_translated_like_is_left_out(run: Path) -> None:
    with client_of(run) as client:
        translate(client, GREEK[:5], beam=3)
        for prefix in ("The", [9, 10]):
            assert client.post("/api/continue", json={"text": "Der Hund.", "prefix": prefix}).status_code == 200
        uniform = {"text": "Der Hund.", "prefix": "", "uniform": True}
        assert client.post("/api/continue", json=uniform).status_code == 200
        translate(client, ["", " \t", " Der\0 Hund. "])
        assert drift_after(client, 1)["held"] == 1


def test_without_a_diagnosis_of_these_weights_it_says_so_and_raises_no_alarm(run: Path, tmp_path: Path) -> None:
    copy = shutil.copytree(run, tmp_path / "copy")
    diagnosis = copy / "diagnosis.json"
    whole = diagnosis.read_text()
    diagnosis.write_text(whole.replace(Run(copy).fingerprint, "0" * 16))
    with client_of(copy, tmp_path / "flagged") as client:
        translate(client, GREEK)
        assert client.get("/api/drift").json()["says"] == (
            f"{copy} has no diagnosis.json of these weights and this version to hold sentences against, so no drift "
            f"will be noticed: `mt diagnose {copy}` writes it, also while this serves"
        )
        assert 'mt_drift_watched{run="copy"} 0.0' in client.get("/metrics").text
        diagnosis.write_text(whole)
        translate(client, GREEK)
        assert drift_after(client, len(GREEK))["signals"]["byte_share"]["alarm"] is True
    assert len((tmp_path / "flagged").read_text().splitlines()) == len(GREEK)


def test_older_and_damaged_files(run: Path, tmp_path: Path) -> None:
    copy = Run(shutil.copytree(run, tmp_path / "copy"))
    told = json.loads((copy / "diagnosis.json").read_text())
    for one in told["distributions"].values():
        del one["centiles"]
    del told["source_scripts"]
    (copy / "diagnosis.json").write_text(json.dumps(told))
    assert read_expected(copy) == Expected(frozenset(), {})
    (copy / "diagnosis.json").write_text('{"distributions": []}')
    with pytest.raises(UserError, match=r"diagnosis.json is damaged; delete it, and `mt diagnose .*` writes it again"):
        read_expected(copy)
    (copy / "diagnosis.json").unlink()
    assert read_expected(copy) is None


def test_serving_begins_without_a_diagnosis_and_refuses_a_log_that_cannot_be(tmp_path: Path) -> None:
    run = write_watched(tmp_path / "run", diagnosed=False)
    refused = mt("serve", run, "--flagged", tmp_path / "no" / "folder")
    assert (refused.returncode, refused.stderr.count("\n")) == (1, 2)  # the first: the run has no manifest
    assert "cannot append flagged sentences to" in refused.stderr


def test_a_busy_service_leaves_sentences_out_unless_they_are_kept(run: Path, tmp_path: Path) -> None:
    served = Served(run)
    how, sentences = Translating(served, served.load().translator.settings), [Sentence("Der Hund.")]
    translations = how(sentences)
    for flagged, seen in ((None, 1), (Flagged(tmp_path / "flagged"), 2)):
        watch = Watch([served], flagged, share=1e-9)
        for _ in range(2):
            watch.see(how, sentences, translations)
        assert watch.runs[served.name].window.seen == seen


def test_flagged_sentences_are_lines_of_json_whatever_they_say(run: Path, tmp_path: Path) -> None:
    hostile = ['Ein "Hund"\n{"time": 0}\r\x1b[31m\u2028\u0085\0 ψυχή', "Ж" * 30]
    with client_of(run, tmp_path / "flagged.jsonl") as client:
        translate(client, hostile)
        drift_after(client, 2)
    assert stat.S_IMODE((tmp_path / "flagged.jsonl").stat().st_mode) == 0o600
    text = (tmp_path / "flagged.jsonl").read_text(encoding="ascii")
    rows = [json.loads(line) for line in text.splitlines()]
    assert [row["source"] for row in rows] == hostile
    for row in rows:
        assert list(row) == ["time", "run", "source", "translation", "why", "signals"]
        assert any(why.startswith("unknown_scripts is ") for why in row["why"])
        assert row["signals"]["unknown_scripts"] > 0


def test_no_sentence_is_kept_by_default(run: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    copy = shutil.copytree(run, tmp_path / "copy")
    monkeypatch.chdir(tmp_path)
    before = set(tmp_path.rglob("*"))
    with client_of(copy) as client:
        translate(client, GREEK[:3])
        drift_after(client, 3)
    assert set(tmp_path.rglob("*")) == before


def test_signals_are_those_of_slow_counting(run: Path) -> None:
    case = Case(Run(run), "test")
    sources, scripts = [*case.run.splits["test"].sources[:6], *GREEK[:2]], frozenset({"LATIN"})
    hypotheses = [*case.run.splits["test"].targets[:6], "", "word"]
    found = traffic_signals(case.scorer, sources, hypotheses, scripts, None)
    tokenizers = case.run.tokenizers
    for row, (source, hypothesis) in enumerate(zip(sources, hypotheses, strict=True)):
        pieces, target = tokenizers.source.encode(source), tokenizers.target.encode(hypothesis)
        assert found["length_ratio"][row] == pytest.approx((len(target) + 1) / (len(pieces) + 1), abs=1e-6)
        names = [tokenizers.source.name(piece) for piece in pieces]
        assert found["byte_share"][row] == pytest.approx(
            sum(name.startswith("<0x") for name in names) / len(names), abs=1e-6
        )
        assert found["unknown_scripts"][row] == float(row >= 6)
        (read,) = case.scorer.score([source], [hypothesis])
        words = hypothesis.split()
        weak, place = 0, 0
        for word in words:  # pieces follow each other, and each word begins with a blank
            end, text = place, ""
            while len(text.strip()) < len(word):
                text += tokenizers.target.decode([target[end]])
                end += 1
            weak += max(max(row_S[:-1]) for row_S in read.matrix_TS[place:end].tolist()) < 0.3
            place = end
        assert found["unsupported_words"][row] == pytest.approx(weak / max(len(words), 1), abs=1e-6)


def test_a_word_that_looks_at_the_end_alone_is_unsupported() -> None:
    rows, nothing = [[0.05, 0.05, 0.9], [0.1, 0.6, 0.3], [0.2, 0.2, 0.6]], np.zeros(3, np.float32)
    read = Scored([5, 6, 3], [7, 8, 3], nothing, nothing, np.zeros(3, np.int64), np.array(rows), nothing)
    assert unsupported_share(read, [(0, 3), (4, 7)], "one two") == 0.5


def test_scripts_of_a_text_and_stray_letters() -> None:
    assert known_scripts(["a" * 20001 + "ж", "ﬁ Ａ１"]) == {"LATIN"}
    assert known_scripts(["ab жж 中"]) == {"LATIN", "CYRILLIC", "CJK"}
    assert unknown_share("ab жж 12 .", frozenset({"LATIN"})) == 0.5
    assert unknown_share("12 .", frozenset({"LATIN"})) == 0


def test_a_diagnosis_has_what_the_service_measures(tmp_path: Path) -> None:
    run = Run(write_run(tmp_path / "run", config(RNN, beam=1)))
    case = Case(run, "test")
    told, seen = distributions(case), validation_signals(case)
    for name, values in seen.items():
        assert (told[name]["centiles"][0], told[name]["centiles"][100]) == (min(values), max(values))
        assert told[name]["centiles"][::5] == told[name]["quantiles"]
    assert isinstance(case.scorer, Scorer)
    assert HELD_OUT > FEWEST
