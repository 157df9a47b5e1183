"""Running pods leaves no file behind, open or not, however many there were."""

from __future__ import annotations

import contextlib
import itertools
import os
import sys
import tempfile
from pathlib import Path

import pytest
from airflow.providers.cncf.kubernetes.secret import Secret
from pod_drive.drive import QUICK, Drive

CLUSTERS = ("gpu-use1", "gpu-euw4", "here")
RUNS = 100


class Writings:
    """Notes files that this process opens for writing, while ``on``."""

    def __init__(self) -> None:
        self.on = False
        self.files: set[str] = set()
        sys.addaudithook(self._see)

    def _see(self, event, args):
        if not self.on:
            return
        if event == "open" and isinstance(args[0], str | bytes) and args[2] & (os.O_WRONLY | os.O_RDWR | os.O_CREAT):
            self.files.add(os.fsdecode(args[0]))
        if event in ("os.mkdir", "os.link", "os.symlink", "tempfile.mkstemp", "tempfile.mkdtemp"):
            self.files.update(str(one) for one in args[:2] if isinstance(one, str))


@contextlib.contextmanager
def noting():
    writings = Writings()
    writings.on = True
    try:
        yield writings.files
    finally:
        writings.on = False


@pytest.fixture
def drives(canary_world, tmp_path, monkeypatch):
    from multicluster.testing.world import enter

    enter(canary_world, tmp_path / "clusters.json", monkeypatch)
    for name in ("home", "tmp"):
        (tmp_path / name).mkdir()
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    monkeypatch.setenv("TMPDIR", str(tmp_path / "tmp"))
    monkeypatch.setattr(tempfile, "tempdir", None)
    drives = [Drive(canary_world, cluster) for cluster in CLUSTERS]
    yield drives
    for drive in drives:
        drive.sweep()


def one_run(drive, number):
    from airflow_multicluster import ClusterPodOperator

    ran = drive.run(
        ClusterPodOperator(
            task_id="fit",
            image="busybox:1.37",
            cluster=drive.cluster,
            cmds=["sh", "-c", "echo 7 > /airflow/xcom/return.json" if number % 5 == 0 else "exit $CODE"],
            env_vars={"CODE": str(int(number % 7 == 1))},
            do_xcom_push=number % 5 == 0,
            deferrable=number % 2 == 0,
            secrets=[Secret("env", None, "settings")] if number % 3 == 0 else [],
            **{**QUICK, "on_finish_action": "delete_pod"},
        )
    )
    assert (ran.error is None) is (number % 5 == 0 or number % 7 != 1), ran.text
    return ran


def open_files():
    return len(list(Path("/proc/self/fd").iterdir()))


def below(folder):
    return sorted(str(path) for name in ("home", "tmp") for path in (folder / name).rglob("*"))


@pytest.mark.timeout(300)
def test_pain_35_a_hundred_runs_leave_no_file(canary_world, drives, tmp_path):
    for drive in drives:
        drive.kubernetes.create("secrets", {"metadata": {"name": "settings"}, "stringData": {"a": "b"}})
        for number in (2, 3, 10):
            one_run(drive, number)  # what is made once for all is made now
    opened = open_files()

    with noting() as written:
        for number, drive in zip(range(RUNS), itertools.cycle(drives)):
            one_run(drive, number)

    of_the_world = str(canary_world.root)
    assert below(tmp_path) == []
    assert [file for file in sorted(written) if not file.startswith((of_the_world, "/dev/"))] == []
    assert open_files() <= opened + 10


def test_a_file_that_is_left_would_be_seen(tmp_path):
    with noting() as written, tempfile.NamedTemporaryFile(dir=tmp_path) as file:
        file.write(b"x")

    assert file.name in written
    (tmp_path / "home").mkdir()
    (tmp_path / "home" / "left").touch()
    assert below(tmp_path) == [str(tmp_path / "home" / "left")]
