"""``multicluster simulator`` serves a world to any shell, and leaves nothing behind."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from multicluster.cli import main
from multicluster.simulator.catalogue import FAULTS

COMMAND = str(Path(sys.executable).parent / "multicluster")


@pytest.fixture
def served(tmp_path) -> Iterator[tuple[subprocess.Popen[str], dict[str, str], Path]]:
    """A world in a process of its own, what a shell that evaluated its output knows, and its folder."""
    root = tmp_path / "world"
    process = subprocess.Popen(
        [COMMAND, "simulator", "--eks", "one", "--eks", "two", "--root", str(root)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    lines = []
    for line in process.stdout:
        lines.append(line)
        if "MULTICLUSTER_REGISTRY=" in line:
            break
    shell = subprocess.run(
        ["sh", "-c", "".join(lines) + "\nenv -0"],
        capture_output=True,
        text=True,
        check=True,
        env={"PATH": "/bin:/usr/bin"},
    )
    variables = dict(entry.split("=", 1) for entry in shell.stdout.split("\0") if entry)
    yield process, variables, root
    if process.poll() is None:
        process.kill()
    process.communicate()


def ask(variables: dict[str, str], *words: str) -> subprocess.CompletedProcess[str]:
    environment = {**os.environ, **variables, "PATH": os.environ["PATH"]}
    return subprocess.run([COMMAND, *words], env=environment, capture_output=True, text=True, timeout=60, check=False)


def test_a_shell_that_evaluates_its_output_reaches_the_clusters(served):
    _, variables, _ = served
    result = ask(variables, "token", "two")

    assert result.returncode == 0, result.stderr
    assert json.loads(result.stdout)["status"]["token"].startswith("k8s-aws-v1.")


def test_a_running_world_takes_faults_and_gives_its_report(served):
    _, variables, _ = served
    injected = ask(variables, "simulator", "inject", "no-capacity", "--target", "one/.*")
    refused = ask(variables, "simulator", "inject", "nonsense")
    report = ask(variables, "simulator", "report")

    assert [injected.returncode, refused.returncode, report.returncode] == [0, 2, 0], refused.stderr
    assert json.loads(report.stdout)["gpu_idle_seconds"] == 0
    assert "nonsense" in refused.stderr


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_it_says_that_containers_are_processes_and_stops_when_asked(served, number):
    process, _, _ = served
    process.send_signal(number)
    _, errors = process.communicate(timeout=20)

    assert process.returncode == 0
    assert "processes of your own user" in errors


def test_faults_are_injected_at_the_nth_call_or_by_a_chance_that_is_repeated(served):
    _, variables, _ = served
    options = ["--option", "operation=DescribeCluster", "--option", "after=2", "--option", "probability=0.5"]
    injected = ask(variables, "simulator", "inject", "throttled", *options, "--option", "seed=7")
    misread = ask(variables, "simulator", "inject", "throttled", "--option", "seed")
    unheeded = ask(variables, "simulator", "inject", "throttled", "--option", "seconds=3")

    assert [injected.returncode, misread.returncode, unheeded.returncode] == [0, 2, 2], injected.stderr
    assert "'seed' is not NAME=VALUE" in misread.stderr
    assert "unknown option 'seconds' of fault 'throttled'; known are after, code, message" in unheeded.stderr


def test_faults_are_listed_as_a_table_with_the_meaning_of_their_options(capsys):
    assert main(["simulator", "faults"]) == 0

    table, talk = capsys.readouterr()
    assert table.splitlines()[0].split() == ["FAULT", "WHERE", "TIMES", "OPTIONS", "WHAT"]
    (line,) = (line for line in table.splitlines() if line.startswith("delete-refused "))
    assert line.split(maxsplit=5)[:5] == ["delete-refused", "AWS,", "Google", "1", "code,message"]
    assert "--option after=n-1" in talk


def test_faults_are_listed_without_a_world(capsys):
    assert main(["simulator", "faults", "--output", "json"]) == 0

    assert {row["fault"] for row in json.loads(capsys.readouterr().out)} == set(FAULTS)


def test_an_action_without_a_world_says_where_its_address_comes_from(monkeypatch, capsys):
    monkeypatch.delenv("MULTICLUSTER_SIMULATOR_URL", raising=False)

    assert main(["simulator", "report"]) == 2
    assert "multicluster simulator" in capsys.readouterr().err
