"""How many threads compute: what this process may use, what the environment says, what is wished; on a resume."""

import os
import re
import shutil
from collections.abc import Iterator
from math import inf
from pathlib import Path

import pytest
import torch
from config_files import write
from conftest import write_numbers

from mt.config.files import read_config
from mt.core import device
from mt.core.errors import UserError
from mt.runs.run import Run
from mt.training import experiment
from mt.training.resolve import resolve


@pytest.fixture(autouse=True)
def threads_as_before(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """No word of the environment, and torch's threads as they were at the end."""
    monkeypatch.delenv("OMP_NUM_THREADS", raising=False)
    before = torch.get_num_threads()
    yield
    torch.set_num_threads(before)


@pytest.mark.parametrize(
    ("said", "usable", "wish", "threads"),
    [
        (None, 2, None, 2),
        (None, 2, 1, 1),
        (None, 2, 64, 2),  # a run of 64 threads, on two processors
        (None, 64, None, device.MOST),
        (None, 64, 32, 32),
        ("1", 64, None, 1),
        ("32", 4, None, 32),  # whoever says so is obeyed
        ("3", 64, 8, 3),
        ("3", 64, 2, 2),
        ("5,2", 64, None, 5),
        ("none", 4, None, 4),
        ("0", 4, None, 4),
        ("", 4, None, 4),
    ],
)
def test_threads_are_what_is_wished_and_may_be_had(
    monkeypatch: pytest.MonkeyPatch, said: str | None, usable: int, wish: int | None, threads: int
) -> None:
    monkeypatch.setattr(os, "sched_getaffinity", lambda _: set(range(usable)), raising=False)
    monkeypatch.setattr(device, "quota", lambda: inf)
    if said is not None:
        monkeypatch.setenv("OMP_NUM_THREADS", said)
    device.set_threads(wish)
    assert torch.get_num_threads() == threads


@pytest.mark.parametrize(("affinity", "quota", "usable"), [(4, inf, 4), (4, 2, 2), (1, 6, 1)])
def test_processors_are_those_of_affinity_and_of_the_quota(
    monkeypatch: pytest.MonkeyPatch, affinity: int, quota: float, usable: int
) -> None:
    monkeypatch.setattr(os, "sched_getaffinity", lambda _: set(range(affinity)), raising=False)
    monkeypatch.setattr(device, "quota", lambda: quota)
    assert device.processors() == usable


@pytest.mark.parametrize(
    ("groups", "files", "quota"),
    [
        ("0::/", {"cpu.max": "200000 100000\n"}, 2),
        ("0::/", {"cpu.max": "max 100000\n"}, inf),
        ("0::/", {"cpu.max": "250000 100000\n"}, 2),  # half a processor would make three threads wait
        ("0::/", {"cpu.max": "50000 100000\n"}, 1),
        ("0::/a/b", {"cpu.max": "max 100000", "a/cpu.max": "300000 100000", "a/b/cpu.max": "400000 100000"}, 3),
        ("0::/of/the/host", {"cpu.max": "100000 100000"}, 1),
        ("0::/", {}, inf),
        (
            "5:memory:/x\n1:cpu:/\n0::/",
            {"cpu/cpu.cfs_quota_us": "400000", "cpu/cpu.cfs_period_us": "100000", "memory/x/cpu.max": "1 1"},
            4,
        ),
        ("1:cpu:/\n", {"cpu/cpu.cfs_quota_us": "-1\n", "cpu/cpu.cfs_period_us": "100000\n"}, inf),
        (
            "4:cpu,cpuacct:/docker/a:b\n",
            {
                "cpu,cpuacct/docker/a:b/cpu.cfs_quota_us": "150000",
                "cpu,cpuacct/docker/a:b/cpu.cfs_period_us": "50000",
            },
            3,
        ),
    ],
)
def test_the_quota_of_the_control_group(tmp_path: Path, groups: str, files: dict[str, str], quota: float) -> None:
    write(tmp_path / "proc/self/cgroup", groups)
    for name, text in files.items():
        write(tmp_path / "sys/fs/cgroup" / name, text)
    assert device.quota(tmp_path) == quota


def test_no_quota_where_there_are_no_control_groups(tmp_path: Path) -> None:
    assert device.quota(tmp_path) == inf


def test_another_number_of_threads_goes_on_with_a_run(numbers: Path, tmp_path: Path) -> None:
    """The wish counts; else that of the run; and neither is compared. What was used is in the state and in the card."""
    run = shutil.copytree(numbers, tmp_path / "run")
    own = read_config(run / "config.yaml")
    for wish, threads in (("threads=2", 2), ("threads=", 1)):
        asked = read_config(run / "config.yaml", [wish])
        assert resolve(asked, Run(run), resume=True, overwrite=False).threads == threads
    other = own.model_copy(update={"seed": 7, "threads": 2})
    with pytest.raises(UserError, match=r"another experiment \(seed is 7 here and 1 there\)"):
        resolve(other, Run(run), resume=True, overwrite=False)
    assert re.search(r"updates, \d+ (s|min), 1 thread$", (run / "README.md").read_text(), re.MULTILINE)


def test_a_config_says_no_number_where_none_is_wished_and_the_state_says_what_was_used(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    config = read_config(write_numbers(tmp_path, 200), ["threads="])
    monkeypatch.setenv("OMP_NUM_THREADS", "2")
    run = Run(tmp_path / "run")
    config = resolve(config, run, resume=False, overwrite=False)
    experiment.begin(run, experiment.gather(config, run)).save()
    assert read_config(tmp_path / "run/config.yaml").threads is None
    assert Run(run.path).record["made_with"]["threads"] == 2
