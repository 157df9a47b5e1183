"""The demo judges itself: what differs from the promise is said, and nothing else."""

from __future__ import annotations

import dataclasses
import io
import signal

import pytest

from multicluster.cli import main
from multicluster.cli.demo.facts import Cloud, Facts, to_document
from multicluster.cli.demo.outcome import differences
from multicluster.cli.demo.proof import print_end
from multicluster.cli.demo.scenarios import SCENARIOS

EMPTY = Cloud(pools_left=(), instances_left=(), instances_launched=1, tokens_seen=1, tokens_refused=0)
NAMES = {"ok", "pod-fails", "no-capacity", "create-fails", "delete-fails-once", "token-expires"}
KEYS = {"scenario", "dag_run", "tasks", "pools_left", "instances_left", "tokens_minted", "auth_subprocesses",
        "auth_files", "gpu_idle_seconds", "seconds"}  # fmt: skip


def as_promised(name: str) -> Facts:
    scenario = SCENARIOS[name]
    return Facts(
        dag_id="train_on_gpus",
        run_id="manual",
        run_state=scenario.run_state,
        tasks=dict(scenario.tasks),
        aws=dataclasses.replace(EMPTY, tokens_refused=scenario.tokens_refused),
        google=EMPTY,
        tokens_minted={"gpu-use1": 1, "gpu-euw4": 2},
        auth_subprocesses=(),
        auth_files=(),
        other_processes=(),
        gpu_idle_seconds=1.234,
        gpu_busy_seconds=2,
        seconds=10,
    )


def test_the_scenarios_are_those_that_were_promised():
    assert set(SCENARIOS) == NAMES


@pytest.mark.parametrize("name", sorted(NAMES))
def test_a_run_that_ended_as_promised_differs_in_nothing(name):
    assert differences(SCENARIOS[name], as_promised(name)) == []


@pytest.mark.parametrize(
    ("change", "difference"),
    [
        ({"run_state": "failed"}, "the run is failed, promised was success"),
        ({"aws": dataclasses.replace(EMPTY, pools_left=("gpu-use1/mc-1",))}, "node pool gpu-use1/mc-1 is left"),
        ({"google": dataclasses.replace(EMPTY, instances_left=("gke-1",))}, "instance gke-1 is left"),
        ({"auth_files": ("/tmp/kubeconfig",)}, "a file was used to authenticate: /tmp/kubeconfig"),
        (
            {"auth_subprocesses": ("aws eks get-token",)},
            "a child process was started to authenticate: aws eks get-token",
        ),
        ({"broken": "ImportError: x"}, "Airflow ended before the DAG run did: ImportError: x"),
    ],
)
def test_each_difference_from_the_promise_is_named(change, difference):
    facts = dataclasses.replace(as_promised("ok"), **change)

    assert difference in differences(SCENARIOS["ok"], facts)


def test_a_task_of_another_colour_is_named_and_so_is_one_that_is_missing():
    facts = as_promised("ok")
    tasks = {**facts.tasks, "eks.train": "failed"}
    del tasks["gke.train"]

    assert differences(SCENARIOS["ok"], dataclasses.replace(facts, tasks=tasks)) == [
        "task eks.train is failed, promised was success",
        "task gke.train is absent, promised was success",
    ]


def test_tokens_that_never_expired_break_the_promise_of_token_expires():
    facts = dataclasses.replace(as_promised("token-expires"), aws=EMPTY)

    assert differences(SCENARIOS["token-expires"], facts) == ["0 tokens were refused, promised was at least 1"]


def test_the_document_holds_what_was_counted():
    facts = dataclasses.replace(as_promised("ok"), aws=dataclasses.replace(EMPTY, pools_left=("gpu-use1/mc-1",)))
    document = to_document("ok", facts, ["node pool gpu-use1/mc-1 is left"])

    assert set(document) >= KEYS
    assert document["dag_run"] == {"dag_id": "train_on_gpus", "run_id": "manual", "state": "success"}
    assert document["pools_left"] == ["gpu-use1/mc-1"]
    assert document["tokens_minted"] == 3
    assert document["gpu_idle_seconds"] == 1.23
    assert document["as_promised"] is False


def test_the_proof_shows_each_cloud_in_its_column():
    out = io.StringIO()
    facts = dataclasses.replace(as_promised("ok"), google=dataclasses.replace(EMPTY, pools_left=("a/b", "a/c")))
    print_end(facts, "a story", ["node pool a/b is left"], out)
    cells = {line[:31].strip(): line[31:].split() for line in out.getvalue().splitlines()}

    assert cells["node pools left"] == ["0", "2", "2"]
    assert cells["tokens minted"] == ["1", "2", "3"]
    assert cells["files used to authenticate"] == ["0"]
    assert "NOT as promised: a story\n  node pool a/b is left\n" in out.getvalue()


@pytest.fixture
def keeps_signals():
    """The demo takes SIGTERM for the time of its process; here that is the test's."""
    before = signal.getsignal(signal.SIGTERM)
    yield
    signal.signal(signal.SIGTERM, before)


def test_a_broken_promise_is_said_and_the_command_ends_with_one(keeps_signals, monkeypatch, capsys, tmp_path):
    facts = dataclasses.replace(as_promised("ok"), run_state="failed")
    monkeypatch.setattr("multicluster.cli.demo.play.play", lambda *_: facts)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    code = main(["demo"])

    assert code == 1
    assert "the run is failed, promised was success" in capsys.readouterr().out
