"""The demo as a person starts it: every scenario ends as promised, and whatever ends it leaves nothing behind."""

from __future__ import annotations

import json
import os
import select
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from multicluster.cli.demo.scenarios import SCENARIOS

COMMAND = str(Path(sys.executable).parent / "multicluster")
LIMIT = 170
"""Seconds; a run takes twelve on an idle machine with two cores."""


@pytest.fixture
def temporary(tmp_path) -> Path:
    """Where the demo puts its temporary folders, so that what it leaves can be seen."""
    folder = tmp_path / "tmp"
    folder.mkdir()
    return folder


def environment(temporary: Path) -> dict[str, str]:
    return {**os.environ, "TMPDIR": str(temporary), "AIRFLOW__CORE__DAGS_FOLDER": "/nowhere", "KUBECONFIG": "/nowhere"}


class Performance(NamedTuple):
    """One run of a scenario: what it printed, and what it left in the folder for temporary files."""

    code: int
    document: dict[str, Any]
    timeline: list[str]
    left: list[str]


@pytest.fixture(scope="module")
def perform(tmp_path_factory) -> Callable[[str], Performance]:
    """Run a scenario as a person does, once for all tests that look at it."""

    @cache
    def run(name: str) -> Performance:
        temporary = tmp_path_factory.mktemp("demo")
        command = [COMMAND, "demo", "--scenario", name, "--output", "json"]
        result = subprocess.run(
            command, env=environment(temporary), capture_output=True, text=True, timeout=LIMIT, check=False
        )
        assert result.stdout, result.stderr
        left = [path.name for path in temporary.iterdir()]
        return Performance(result.returncode, json.loads(result.stdout), result.stderr.splitlines(), left)

    return run


@pytest.mark.slow
@pytest.mark.timeout(LIMIT + 20)
@pytest.mark.parametrize("name", SCENARIOS)
def test_the_scenario_ends_as_promised(perform, name):
    code, document, _, left = perform(name)
    scenario = SCENARIOS[name]

    assert document["differences"] == []
    assert code == 0
    assert document["scenario"] == name
    assert document["dag_run"]["state"] == scenario.run_state
    assert document["tasks"] == dict(scenario.tasks)
    assert (document["pools_left"], document["instances_left"]) == ([], [])
    assert (document["auth_subprocesses"], document["auth_files"]) == (0, 0)
    assert document["tokens_minted"] >= 2 + scenario.tokens_refused
    assert document["seconds"] > 0
    assert left == []


@pytest.mark.slow
@pytest.mark.timeout(LIMIT + 20)
def test_the_timeline_shows_clouds_tasks_and_the_pods_own_output(perform):
    lines = perform("ok").timeline

    def first(*words: str) -> int:
        return next(at for at, line in enumerate(lines) if all(word in line for word in words))

    assert first("scenario ok promises: ") == first("demo") == 0
    assert first("gpu-use1", "launched") < first("gpu-use1", "advertises 1 GPU") < first("gpu-use1", "│ epoch 1/3")
    assert first("gpu-use1", "│ epoch 3/3") < first("gpu-use1", "│ accuracy 0.93") < first("gpu-euw4", "│ epoch 1/3")
    assert first("gpu-use1", "terminated") < first("gpu-euw4", "terminated") < first("Airflow's own log: ")
    assert not [line for line in lines if "airflow.sdk" in line or "loc=" in line or "\x1b" in line]


@pytest.mark.slow
@pytest.mark.timeout(LIMIT + 20)
def test_a_cloud_without_capacity_is_quoted(perform):
    lines = perform("no-capacity").timeline

    assert [line for line in lines if "✘ node_pool_ready" in line and "We currently do not have sufficient" in line]


@pytest.fixture
def started(temporary) -> Iterator[subprocess.Popen[bytes]]:
    """A demo whose first pod runs."""
    process = subprocess.Popen([COMMAND, "demo"], env=environment(temporary), stdout=subprocess.PIPE)
    await_line(process, b"epoch")
    yield process
    if process.poll() is None:
        process.kill()
    process.communicate()


def await_line(process: subprocess.Popen[bytes], word: bytes) -> bytes:
    """Read lines until one holds the word, and return it."""
    limit = time.monotonic() + LIMIT
    for line in process.stdout:
        if word in line:
            return line
        assert time.monotonic() < limit
    raise AssertionError(f"it ended before it said {word!r}")


def processes_of(folder: Path) -> list[str]:
    """Return the command lines of the processes that know the folder: ours, Airflow's, the containers'."""
    found = []
    for entry in Path("/proc").glob("[0-9]*"):
        try:
            knows = str(folder).encode() in (entry / "environ").read_bytes()
            command = (entry / "cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace")
        except OSError:
            continue  # gone meanwhile
        if knows and command:  # a zombie has no command line
            found.append(command)
    return found


def left_of(folder: Path, seconds: float = 30) -> list[str]:
    """Return the processes that are left once time is up, or none as soon as there are none."""
    limit = time.monotonic() + seconds
    while (left := processes_of(folder)) and time.monotonic() < limit:
        select.select([], [], [], 0.1)
    return left


needs_proc = pytest.mark.skipif(
    not Path("/proc/self/environ").exists(), reason="processes are found by their environment in /proc"
)


@pytest.mark.slow
@needs_proc
@pytest.mark.timeout(LIMIT + 60)
@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGKILL, -signal.SIGKILL)])
def test_ended_half_way_it_leaves_no_process_and_no_folder_behind(started, temporary, number, code):
    before = processes_of(temporary)
    started.send_signal(number)
    started.communicate(timeout=30)

    assert len(before) > 2, before
    assert started.returncode == code
    assert left_of(temporary) == []
    assert list(temporary.iterdir()) == []


@pytest.mark.slow
@needs_proc
@pytest.mark.timeout(400)
@pytest.mark.parametrize(
    ("number", "said"),
    [
        (signal.SIGINT, b"airflow standalone"),
        (signal.SIGTERM, b"airflow standalone"),
        (signal.SIGKILL, b"the run ended: "),
    ],
)
def test_the_real_airflow_of_the_ui_leaves_no_process_and_no_folder_behind(temporary, number, said):
    process = subprocess.Popen([COMMAND, "demo", "--ui"], env=environment(temporary), stdout=subprocess.PIPE)
    try:
        line = await_line(process, said)
        before = processes_of(temporary)
        process.send_signal(number)
        process.communicate(timeout=60)
    finally:
        if process.poll() is None:
            process.kill()

    assert b"failed" not in line
    assert len(before) > 1, before
    assert left_of(temporary) == []
    assert list(temporary.iterdir()) == []
