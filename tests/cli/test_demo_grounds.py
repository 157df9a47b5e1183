"""What the demo's clusters stand on: chosen by name, refused in one line where it cannot be."""

from __future__ import annotations

import dataclasses
import subprocess
import sys
from pathlib import Path

import pytest

from multicluster.cli import main
from multicluster.cli.demo import grounds
from multicluster.cli.demo.facts import Cloud, Facts, to_document
from multicluster.cli.demo.outcome import differences
from multicluster.cli.demo.proof import rows
from multicluster.cli.demo.scenarios import SCENARIOS
from multicluster.errors import MulticlusterError
from multicluster.grounds.launcher import TestbedError

REAL = Cloud(
    pools_left=(),
    instances_left=(),
    instances_launched=1,
    tokens_seen=1,
    tokens_accepted=1,
    tokens_refused=0,
    containers=("containerd://1", "containerd://2", "containerd://3"),
)
FACTS = Facts(
    ground="testbed",
    judge="aws-iam-authenticator v0.7.13",
    run_state="success",
    tasks=dict(SCENARIOS["ok"].tasks),
    aws=REAL,
    google=REAL,
    tokens_minted={},
    auth_subprocesses=(),
    auth_files=(),
    other_processes=(),
    gpu_idle_seconds=1,
    gpu_busy_seconds=1,
    seconds=1,
)


@pytest.fixture
def launcher(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    file = tmp_path / "run"
    file.write_text("""#!/bin/sh\necho '{"missing": [], "built": true}'\n""")
    file.chmod(0o700)
    monkeypatch.setenv(grounds.LAUNCHER, str(file))
    return file


@pytest.mark.parametrize(
    ("platform", "root", "words"),
    [("darwin", True, "needs Linux"), ("linux", False, "needs root"), ("linux", True, "")],
)
def test_a_testbed_needs_linux_and_root(launcher, platform, root, words):
    said = grounds.cannot_run(launcher, platform=platform, root=root)

    assert bool(said) == bool(words)
    assert words in said


@pytest.mark.parametrize(
    ("preflight", "words"),
    [
        ({"missing": [], "built": True}, []),
        ({"missing": [], "built": False}, ["not built yet", "make testbed"]),
        (
            {"missing": [{"what": "the program runc is missing", "remedy": "Debian's package runc"}], "built": True},
            ["the program runc is missing (Debian's package runc)", "make testbed"],
        ),
    ],
)
def test_what_a_machine_lacks_is_said_with_what_to_do(preflight, words):
    said = grounds.lacks(preflight)

    assert bool(said) == bool(words)
    assert [word for word in words if word not in said] == []


def test_a_launcher_that_does_not_answer_is_said(launcher):
    launcher.write_text("#!/bin/sh\nexit 3\n")

    assert f"{launcher} does not answer" in grounds.cannot_run(launcher, platform="linux", root=True)


def test_a_testbed_that_fails_is_told_in_one_line():
    with pytest.raises(MulticlusterError, match="testbed up: no room"), grounds.told():
        raise TestbedError("testbed up: no room")


def test_where_there_is_no_launcher_the_way_to_one_is_said(tmp_path, monkeypatch, capsys):
    monkeypatch.setenv(grounds.LAUNCHER, str(tmp_path / "none"))

    code = main(["demo", "--ground", "testbed"])

    said = capsys.readouterr().err
    assert code == 2
    assert "make testbed" in said
    assert len(said.splitlines()) == 1


def test_a_scenario_that_only_the_simulator_can_play_says_so(launcher, capsys):
    code = main(["demo", "--ground", "testbed", "--scenario", "token-expires"])

    said = capsys.readouterr().err
    assert code == 2
    assert "token-expires needs the simulator: a real API server remembers a token" in said


def test_the_launcher_is_looked_for_in_the_source_tree(monkeypatch):
    monkeypatch.delenv(grounds.LAUNCHER, raising=False)

    assert grounds.launcher() == Path(__file__).parents[2] / "infra" / "testbed" / "run"


def test_a_demo_on_the_simulator_loads_nothing_of_the_testbed(tmp_path):
    script = """
import pathlib, sys
from multicluster.cli.demo import worlds
world = worlds.make_world("simulator", pathlib.Path(sys.argv[1]))
said = worlds.judge(world), worlds.kubelets(world, "gpu-use1"), worlds.containers(world, "gpu-use1")
world.stop()
print(said, [name for name in sys.modules if name.startswith("multicluster.grounds.testbed")])
"""
    command = [sys.executable, "-c", script, str(tmp_path)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)

    assert done.stdout == "('', (), ()) []\n", done.stderr


def test_a_run_on_testbeds_that_left_nothing_is_as_promised():
    assert differences(SCENARIOS["ok"], FACTS) == []


@pytest.mark.parametrize(
    ("cloud", "difference"),
    [
        (dataclasses.replace(REAL, nodes_left=("gpu-use1/n1",)), "node gpu-use1/n1 is left"),
        (dataclasses.replace(REAL, kubelets_left=("gpu-use1/n1",)), "node gpu-use1/n1 is left"),
        (dataclasses.replace(REAL, containers=()), "2 pods of eks ended, and containerd ran 0 containers"),
        (
            dataclasses.replace(REAL, containers=("simulator://1", *REAL.containers)),
            "container simulator://1 is not containerd's",
        ),
        (
            dataclasses.replace(REAL, tokens_accepted=0),
            "pods of eks ran, and the token verifier has accepted no token",
        ),
    ],
)
def test_what_is_not_real_or_not_gone_is_said(cloud, difference):
    assert differences(SCENARIOS["ok"], dataclasses.replace(FACTS, aws=cloud)) == [difference]


def test_the_proof_counts_nodes_kubelets_and_containers():
    table = {row[0]: row[1:] for row in rows(FACTS)}

    assert table["nodes left"] == ("0", "0", "0")
    assert table["kubelets left"] == ("0", "0", "0")
    assert table["containers that containerd ran"] == ("3", "3", "6")
    assert table["times the verifier said yes"] == ("1", "1", "2")
    simulated = {row[0] for row in rows(dataclasses.replace(FACTS, ground="simulator"))}
    assert {"kubelets left", "times the verifier said yes"} & simulated == set()


def test_the_document_names_the_ground_and_the_containers():
    document = to_document("ok", FACTS, [])

    assert document["ground"] == "testbed"
    assert document["judge"] == "aws-iam-authenticator v0.7.13"
    assert document["tokens_accepted"] == 2
    assert document["nodes_left"] == []
    assert document["containers"] == [*REAL.containers, *REAL.containers]
