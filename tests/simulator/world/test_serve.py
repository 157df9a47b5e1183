"""A served world prints how to reach it, and leaves nothing behind however it ends."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from typing import Any
from urllib.parse import urlsplit

import boto3
import pytest


@pytest.fixture
def served() -> Iterator[tuple[subprocess.Popen[str], dict[str, str], str]]:
    command = [sys.executable, "-m", "multicluster.simulator"]
    pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
    process: subprocess.Popen[str] = subprocess.Popen(command, text=True, **pipes)  # type: ignore[call-overload]
    assert process.stdout is not None
    assert process.stderr is not None
    safety = process.stderr.readline()
    process.stderr.readline()  # "serving ...": from here on everything is printed
    variables = {}
    for line in process.stdout:
        name, _, value = line.removeprefix("export ").strip().partition("=")
        variables[name] = value.strip("'")
        if name == "MULTICLUSTER_REGISTRY":
            break
    yield process, variables, safety
    process.kill()
    process.wait(10)


def listening(url: str) -> bool:
    address = urlsplit(url)
    with socket.socket() as probe:
        return probe.connect_ex((str(address.hostname), address.port or 0)) == 0


def test_a_program_started_in_the_environment_printed_finds_the_world(served: Any) -> None:
    _, variables, safety = served
    session = boto3.Session(
        variables["AWS_ACCESS_KEY_ID"], variables["AWS_SECRET_ACCESS_KEY"], region_name=variables["AWS_DEFAULT_REGION"]
    )
    eks = session.client("eks", endpoint_url=variables["AWS_ENDPOINT_URL_EKS"], verify=variables["AWS_CA_BUNDLE"])

    assert eks.list_clusters()["clusters"] == ["gpu-use1"]
    assert "local processes" in safety
    assert os.path.exists(variables["KUBECONFIG"])  # noqa: PTH110 - one stat


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_ends_it_cleanly(served: Any, number: int) -> None:
    process, variables, _ = served

    process.send_signal(number)

    assert process.wait(10) == 0
    assert not os.path.exists(variables["KUBECONFIG"])  # noqa: PTH110 - one stat
    assert not listening(variables["AWS_ENDPOINT_URL_EKS"])


def test_killed_it_leaves_no_listener(served: Any) -> None:
    process, variables, _ = served

    process.kill()
    process.wait(10)

    assert not any(listening(value) for name, value in variables.items() if value.startswith("http"))
