"""A pod is reached for as long as it runs, by whichever process waits for it: nothing of the worker travels."""

from __future__ import annotations

import asyncio
import json
import os
import subprocess
import sys
import threading

import pytest
from airflow.sdk.exceptions import TaskDeferred
from airflow.sdk.serde import serialize
from pod_drive.drive import Ran, execute

DEFERRABLE = pytest.mark.parametrize("deferrable", [True], indirect=True)
RESULT = "sleep 1; echo trained; echo 7 > /airflow/xcom/return.json"
GIVEN = ("PATH", "LANG", "MULTICLUSTER_REGISTRY", "AWS_", "SSL_CERT_FILE", "NO_PROXY", "no_proxy", "LD_LIBRARY_PATH")
"""The registry, an identity, and what any process has."""
TRIGGERER = """
import asyncio, json, pkgutil, sys
from airflow.sdk.serde import deserialize

path, arguments = json.load(sys.stdin)
trigger = pkgutil.resolve_name(path)(**deserialize(arguments))

async def first():
    return [event.payload async for event in trigger.run()]

print("EVENT " + json.dumps(asyncio.run(first())))
"""


def whenever_it_runs(drive, deed):
    """Do something once a pod runs, in a thread that ends by itself."""

    def wait():
        drive.kubernetes.wait_until("pods", lambda pods: any(one["status"]["phase"] == "Running" for one in pods))
        deed()

    thread = threading.Thread(target=wait)
    thread.start()
    return thread


def tokens_refused(world):
    report = world.report()
    return report.aws.tokens_refused + report.google.tokens_refused


@pytest.mark.parametrize("where", ["eks", "gke"])
def test_pain_01_a_pod_outlives_the_token_that_made_it(drive, drive_gke, fit, where):
    on = drive if where == "eks" else drive_gke
    refused = tokens_refused(on.world)
    thread = whenever_it_runs(on, lambda: on.world.inject("tokens-expire"))
    ran = on.run(fit(RESULT, cluster=on.cluster, do_xcom_push=True))
    thread.join()

    assert (ran.error, ran.result) == (None, 7)
    assert "trained" in ran.text
    assert tokens_refused(on.world) > refused


@DEFERRABLE
def test_pain_02_a_trigger_needs_the_registry_and_an_identity_only(drive, fit, tmp_path):
    """Run it in a process that has nothing of the worker: another home, another temporary folder, no kubeconfig."""
    context = drive.context()
    with pytest.raises(TaskDeferred) as deferred:
        execute(fit("sleep 1; echo trained"), context)
    path, arguments = deferred.value.trigger.serialize()
    for name in ("home", "tmp", "airflow"):
        (tmp_path / name).mkdir()
    own = {"HOME": tmp_path / "home", "TMPDIR": tmp_path / "tmp", "AIRFLOW_HOME": tmp_path / "airflow"}
    given = {name: value for name, value in os.environ.items() if name.startswith(GIVEN)}
    result = subprocess.run(
        [sys.executable, "-c", TRIGGERER],
        input=json.dumps([path, serialize(arguments)]),
        env={**given, **{name: str(folder) for name, folder in own.items()}},
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=100,
        check=False,
    )

    assert "EVENT " in result.stdout, result.stderr[-3000:]
    (event,) = json.loads(result.stdout.partition("EVENT ")[2].splitlines()[0])
    assert event["status"] == "success"
    assert list((tmp_path / "tmp").iterdir()) == []


@DEFERRABLE
def test_pain_02_a_registry_that_lacks_the_cluster_is_named_by_the_triggerer(drive, fit, tmp_path, monkeypatch):
    with pytest.raises(TaskDeferred) as deferred:
        execute(fit(RESULT), drive.context())
    document = json.loads((drive.world.root / "clusters.json").read_text())
    document["clusters"] = [one for one in document["clusters"] if one["name"] != drive.cluster]
    (tmp_path / "of-triggerer.json").write_text(json.dumps(document))
    monkeypatch.setenv("MULTICLUSTER_REGISTRY", str(tmp_path / "of-triggerer.json"))
    event = asyncio.run(drive.event(deferred.value, Ran()))

    assert event["status"] == "error"
    assert "no cluster named 'gpu-use1'" in event["message"]
    assert "of-triggerer.json" in event["message"]


@DEFERRABLE
def test_pain_02_what_travels_is_the_name(drive, fit):
    ran = drive.run(fit(env_vars={"API_TOKEN": "c4n4ry-variable"}))

    (arguments,) = ran.deferrals
    assert arguments["cluster"] == drive.cluster
    kept = json.dumps(serialize(arguments))
    assert [word for word in ("c4n4ry", "token", "://", "BEGIN", str(drive.world.root)) if word in kept.lower()] == []
