"""The demo on real Kubernetes: real pods of both kinds, nothing left, whatever ends it."""

from __future__ import annotations

import json
import os
import select
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from multicluster.cli.demo.grounds import cannot_run, launcher
from multicluster.cli.demo.scenarios import SCENARIOS
from multicluster.cli.demo.workshop import cache_folder

COMMAND = str(Path(sys.executable).parent / "multicluster")
LIMIT = 300
"""Seconds; a run takes less than one minute on two idle cores."""
PLAYABLE = [name for name, scenario in SCENARIOS.items() if not scenario.simulator_only]
pytestmark = [pytest.mark.testbed, pytest.mark.slow, pytest.mark.timeout(LIMIT + 60)]


@pytest.fixture(scope="module", autouse=True)
def built() -> None:
    reason = cannot_run(launcher(), platform=sys.platform, root=os.geteuid() == 0)
    if reason:
        pytest.skip(reason)


class Stage(NamedTuple):
    """Where a demo keeps what it makes, so that what it leaves can be seen."""

    cache: Path
    temporary: Path

    @property
    def environment(self) -> dict[str, str]:
        return {**os.environ, "XDG_CACHE_HOME": str(self.cache), "TMPDIR": str(self.temporary)}

    @property
    def homes(self) -> list[Path]:
        """The homes of the testbeds that are there."""
        return sorted((self.cache / "airflow-multicluster" / "testbed" / "worlds").glob("*/*/"))

    def left(self) -> list[str]:
        """The processes that know one of the two folders: ours, Airflow's, and every part of a testbed."""
        needles = [str(folder).encode() for folder in self]
        found = []
        for entry in Path("/proc").glob("[0-9]*"):
            try:
                surroundings = (entry / "environ").read_bytes()
                command = (entry / "cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace")
            except OSError:
                continue  # gone meanwhile
            if command and any(needle in surroundings for needle in needles):
                found.append(command)
        return found

    def left_at_last(self, seconds: float = 60) -> list[str]:
        """The same once time is up, or nothing as soon as nothing is left."""
        limit = time.monotonic() + seconds
        while (left := self.left()) and time.monotonic() < limit:
            select.select([], [], [], 0.2)
        return left


@pytest.fixture
def stage(tmp_path: Path) -> Stage:
    made = Stage(tmp_path / "cache", tmp_path / "tmp")
    for folder in made:
        folder.mkdir()
    kept = made.cache / "airflow-multicluster" / "testbed"
    kept.mkdir(parents=True)
    for pattern in ("bin-*", "verifier-*", "images-*"):
        for one in (cache_folder() / "testbed").glob(pattern):
            (kept / one.name).symlink_to(one)
    return made


def perform(stage: Stage, name: str) -> tuple[int, dict[str, Any], list[str]]:
    command = [COMMAND, "demo", "--ground", "testbed", "--scenario", name, "--output", "json"]
    done = subprocess.run(command, env=stage.environment, capture_output=True, text=True, timeout=LIMIT, check=False)
    assert done.stdout, done.stderr
    return done.returncode, json.loads(done.stdout), done.stderr.splitlines()


@pytest.mark.parametrize("name", PLAYABLE)
def test_the_scenario_ends_as_promised_with_real_pods_and_nothing_left(stage, name):
    code, document, timeline = perform(stage, name)
    scenario = SCENARIOS[name]
    pods = sum(scenario.tasks[f"{group}.{step}"] in {"success", "failed"}
               for group in ("eks", "gke") for step in ("train", "report"))  # fmt: skip

    assert document["differences"] == []
    assert code == 0
    assert document["ground"] == "testbed"
    assert document["tasks"] == dict(scenario.tasks)
    assert (document["pools_left"], document["instances_left"], document["nodes_left"]) == ([], [], [])
    assert len(set(document["containers"])) >= pods
    assert {container.partition("://")[0] for container in document["containers"]} <= {"containerd"}
    assert (document["auth_subprocesses"], document["auth_files"]) == (0, 0)
    assert any("real Kubernetes on 127.0.0.1" in line for line in timeline)
    assert any("tokens are judged by aws-iam-authenticator v0.7.13" in line for line in timeline)
    assert document["tokens_accepted"] >= sum(scenario.tasks[f"{group}.train"] == "success" for group in ("eks", "gke"))
    assert document["tokens_refused"] == 0
    assert (stage.left(), stage.homes, list(stage.temporary.iterdir())) == ([], [], [])


@pytest.fixture
def started(stage) -> Iterator[subprocess.Popen[bytes]]:
    """A demo whose first pod has run on a testbed."""
    command = [COMMAND, "demo", "--ground", "testbed"]
    process = subprocess.Popen(command, env=stage.environment, stdout=subprocess.PIPE, start_new_session=True)
    assert any(b"epoch" in line for line in process.stdout), "it ended before its first pod ran"
    yield process
    process.kill()  # nothing happens when it has ended
    process.wait()
    process.stdout.close()


@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGKILL, -signal.SIGKILL)])
def test_ended_half_way_it_leaves_no_testbed_behind(stage, started, number, code):
    running = [line for line in stage.left() if "kube-apiserver" in line]

    started.send_signal(number)
    started.wait(120)

    assert len(running) == 2
    assert started.returncode == code
    assert stage.left_at_last() == []


def test_asked_to_end_while_it_starts_it_ends_without_a_word_and_leaves_nothing(stage):
    command = [COMMAND, "demo", "--ground", "testbed"]
    process = subprocess.Popen(
        command, env=stage.environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, start_new_session=True
    )
    assert any(b"starting a Kubernetes" in line for line in process.stdout), "it ended before it began"

    process.send_signal(signal.SIGTERM)
    _, said = process.communicate(timeout=LIMIT)

    assert process.returncode == 143
    assert [line for line in said.decode().splitlines() if not line.startswith("Airflow's own log: ")] == []
    assert stage.left_at_last() == []
    assert (stage.homes, list(stage.temporary.iterdir())) == ([], [])


def test_what_was_killed_with_its_lifeline_is_ended_by_the_next_demo_which_says_so(stage, started):
    for entry in Path("/proc").glob("[0-9]*/cmdline"):
        if b"lifeline\0" in entry.read_bytes() and str(stage.cache).encode() in entry.read_bytes():
            os.kill(int(entry.parent.name), signal.SIGKILL)
    started.kill()
    started.wait()
    left = [line for line in stage.left() if "kubelet" in line]

    code, _, timeline = perform(stage, "no-capacity")

    said = [line.partition("testbed")[2].strip() for line in timeline if "a demo that was killed" in line]
    assert left
    assert code == 0
    assert said == [
        "ended gpu-euw4, which a demo that was killed had left",
        "ended gpu-use1, which a demo that was killed had left",
    ]
    assert (stage.left(), stage.homes) == ([], [])
