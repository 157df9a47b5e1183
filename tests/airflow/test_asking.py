"""How the operators ask a cloud that is busy."""

from __future__ import annotations

import contextlib
import json
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace
from typing import ClassVar

import pytest
from airflow.providers.common.compat.sdk import AirflowException, AirflowFailException, TaskDeferred
from airflow.sdk import DAG

from airflow_multicluster import ClusterPodOperator, CreateNodePoolOperator, DeleteNodePoolOperator
from airflow_multicluster.deadline import GRACE, backstop, deadline
from airflow_multicluster.errors import to_airflow
from airflow_multicluster.hooks.cluster import find_cluster
from airflow_multicluster.owner import bracket_pool
from multicluster.brackets.wish import Wish
from multicluster.errors import (
    CloudUnavailableError,
    CredentialError,
    NodePoolBusyError,
    NodePoolConflictError,
    NodePoolRefusedError,
)
from multicluster.node_pools.origin import Origin
from multicluster.testing.fake_clock import FakeClock
from multicluster.testing.fake_node_pools import FakeNodePools, Pace

BUSY = NodePoolBusyError("another operation")
REFUSED = NodePoolRefusedError("not authorized")


@pytest.fixture
def pools(monkeypatch, tmp_path):
    """Give the pools of the cluster ``nam``, in memory."""
    made = FakeNodePools(clock=FakeClock(datetime.now(UTC)), pace=Pace(launched=0, ready=0, active=0))
    one = {"name": "nam", "auth": {"kubeconfig": {"context": "c"}}}
    one["nodePools"] = {"profiles": {"l4": {"instanceTypes": ["g6.xlarge"]}}}
    one["cordoned"] = {"reason": "upgrade", "since": "2999-01-01T00:00:00Z"}
    out = {"name": "out", "auth": {"kubeconfig": {"context": "c"}}, "cordoned": {"reason": "upgrade"}}
    path = tmp_path / "clusters.json"
    document = {"apiVersion": "multicluster/v1alpha1", "kind": "ClusterRegistry", "clusters": [one, out]}
    path.write_text(json.dumps(document))
    monkeypatch.setenv("MULTICLUSTER_REGISTRY", str(path))
    monkeypatch.setattr(find_cluster("nam"), "node_pools", lambda: made)
    return made


@pytest.fixture
def tasks():
    with DAG("asking", schedule=None):
        place = {"cluster": "nam", "bracket": "train", "poll_interval": 0}
        create = CreateNodePoolOperator(task_id="create", profile="l4", **place)
        delete = DeleteNodePoolOperator(task_id="delete", **place)
    return SimpleNamespace(create=create, delete=delete)


class TaskInstance(SimpleNamespace):
    """What our tasks ask of theirs, with one set of XComs for all."""

    xcoms: ClassVar[dict] = {}

    def xcom_push(self, key, value):
        self.xcoms[self.run_id, self.task_id, self.map_index, key] = value

    def xcom_pull(self, *, task_ids, key, map_indexes):
        return self.xcoms.get((self.run_id, task_ids, map_indexes, key))


@pytest.fixture(autouse=True)
def no_xcoms():
    TaskInstance.xcoms.clear()


def context(task, *, map_index=-1, run_id="r", started=None):
    ti = TaskInstance(
        dag_id="asking",
        task_id=task.task_id,
        run_id=run_id,
        map_index=map_index,
        start_date=started or datetime.now(UTC),
    )
    return {"ti": ti, "dag": task.dag}


def run(task, **more):
    return type(task).execute.__wrapped__(task, context(task, **more))


def test_a_pool_is_asked_for_and_named(pools, tasks):
    names = run(tasks.create)

    assert (names["cluster"], names["profile"]) == ("nam", "l4")
    assert names["name"].startswith("mc-train-")


def test_the_result_is_enough_to_ask_for_the_same_pool_again(pools, tasks):
    tasks.create.lease, tasks.create.max_lifetime = timedelta(minutes=20), timedelta(hours=3)
    names = json.loads(json.dumps(run(tasks.create)))

    again = Wish.from_names(names).ask(find_cluster("nam"))

    assert (again.name, again.lease.owner) == (names["name"], Origin(**names["origin"]).owner)
    assert [verb for verb, _ in pools.asked if verb != "armed"] == ["create", "create"]


def test_the_log_of_the_create_says_until_when_the_pool_is_leased_and_when_it_ends_by_itself(pools, tasks, capsys):
    name = run(tasks.create)["name"]

    (line,) = [line for line in capsys.readouterr().out.splitlines() if "leased until" in line]
    assert f"{name!r}" in line
    assert f"ends it by itself at {pools.armed(name):%Y-%m-%d %H:%M:%S} UTC" in line


def test_a_busy_cloud_is_asked_again_after_a_deferral(pools, tasks):
    pools.refusals = [BUSY, BUSY]

    with pytest.raises(TaskDeferred) as deferred:
        run(tasks.create)
    assert deferred.value.trigger.serialize()[1] == {"seconds": 0, "asked": 1}
    assert deferred.value.method_name == "ask_again"
    with pytest.raises(TaskDeferred):
        tasks.create.ask_again(context(tasks.create), {"asked": 1})
    assert tasks.create.ask_again(context(tasks.create), {"asked": 2})["cluster"] == "nam"


@pytest.mark.parametrize("error", [BUSY, CloudUnavailableError("throttled")])
def test_without_a_triggerer_the_worker_asks_again(pools, tasks, error):
    tasks.create.deferrable = False
    pools.refusals = [error, error, error]

    assert run(tasks.create)["cluster"] == "nam"
    assert [verb for verb, _ in pools.asked if verb != "armed"] == ["create"] * 4


def test_a_cloud_that_stays_busy_is_given_up_and_may_be_retried(pools, tasks):
    pools.refusals = [BUSY]
    started = datetime.now(UTC) - timedelta(hours=2)

    with pytest.raises(AirflowException, match="another operation") as given_up:
        run(tasks.create, started=started)
    assert not isinstance(given_up.value, AirflowFailException)


def test_a_refused_create_is_not_asked_again(pools, tasks):
    pools.refusals = [REFUSED]

    with pytest.raises(AirflowFailException, match="not authorized"):
        run(tasks.create)
    assert len(pools.asked) == 1


def test_a_refused_delete_is_asked_ten_times(pools, tasks):
    tasks.delete.deferrable = False
    run(tasks.create)
    pools.asked.clear()
    pools.refusals = [REFUSED] * 20

    with pytest.raises(AirflowFailException, match="not authorized"):
        run(tasks.delete)
    assert len(pools.asked) == 10


def test_a_pool_is_deleted_where_it_was_asked_for_whatever_a_template_says_later(pools, tasks):
    name = run(tasks.create)["name"]
    tasks.delete.cluster = "out"
    run(tasks.delete)

    assert ("delete", name) in pools.asked


def test_a_pool_is_deleted_by_the_name_it_was_made_with_whatever_the_deployment_is_called_later(
    pools, tasks, monkeypatch
):
    name = run(tasks.create)["name"]
    monkeypatch.setenv("AIRFLOW__MULTICLUSTER__DEPLOYMENT", "renamed")
    run(tasks.delete)

    assert ("delete", name) in pools.asked


def test_a_name_that_leads_to_another_cluster_now_proves_nothing(pools, tasks):
    name = run(tasks.create)["name"]
    written = TaskInstance.xcoms["r", "create", -1, "place"]
    TaskInstance.xcoms["r", "create", -1, "place"] = {**written, "address": "f" * 16}

    with pytest.raises(AirflowFailException, match=f"another cluster than the one where node pool '{name}'"):
        run(tasks.delete)


def test_a_create_whose_answer_was_lost_leaves_a_doubt_and_a_refused_one_does_not(pools, tasks):
    doubts = []
    for error in (CloudUnavailableError("no answer"), REFUSED):
        pools.refusals = [error]
        with contextlib.suppress(TaskDeferred, AirflowException):
            run(tasks.create)
        doubts.append(not TaskInstance.xcoms["r", "create", -1, "place"]["sure"])

    assert doubts == [True, False]


@pytest.mark.parametrize("name", ["max_lifetime", "lease"])
def test_a_lease_that_is_over_at_once_is_refused(pools, tasks, name):
    setattr(tasks.create, name, timedelta(0))

    with pytest.raises(AirflowFailException, match="both must last a while"):
        run(tasks.create)


def test_a_failed_pool_of_ours_is_made_again(pools, tasks):
    run(tasks.create)
    name, _ = bracket_pool(context(tasks.create), "train")
    pools.delete(name)

    with pytest.raises(TaskDeferred):
        run(tasks.create)
    assert pools.asked[-1] == ("create", name)


def test_a_delete_of_a_bracket_that_nobody_makes_is_refused(pools, tasks):
    tasks.delete.bracket = "trian"

    with pytest.raises(AirflowFailException, match=r"'trian'.*known: train"):
        run(tasks.delete)
    assert pools.asked == []


def test_a_delete_leaves_the_dead_man_switch_in_place(pools, tasks):
    name = run(tasks.create)["name"]
    run(tasks.delete)

    assert ("delete", name) in pools.asked
    assert pools.armed(name) is not None


def test_a_pool_that_is_not_there_is_deleted_already(pools, tasks):
    assert run(tasks.delete) is None


@pytest.mark.parametrize(
    ("one", "other"),
    [({"map_index": 0}, {"map_index": 1}), ({"run_id": "a"}, {"run_id": "b"}), ({}, {"map_index": 0})],
)
def test_each_run_and_each_map_index_has_a_pool_of_its_own(pools, tasks, one, other):
    assert run(tasks.create, **one)["name"] != run(tasks.create, **other)["name"]


@pytest.mark.parametrize(
    "base_url",
    ["", "http://localhost:8080", "http://airflow-api-server:8080", "http://api.airflow.svc.cluster.local:8080",
     "http://10.0.0.7:8080", "http://[::1]:8080", "http://127.0.1.1", "http://0.0.0.0:8080", "airflow"],
)  # fmt: skip
def test_a_deployment_without_a_name_makes_no_pool(pools, tasks, monkeypatch, base_url):
    monkeypatch.delenv("AIRFLOW__MULTICLUSTER__DEPLOYMENT")
    monkeypatch.setenv("AIRFLOW__API__BASE_URL", base_url)

    with pytest.raises(AirflowFailException, match="no name of its own"):
        run(tasks.create)
    assert pools.asked == []


def test_the_address_of_the_api_names_a_deployment(pools, tasks, monkeypatch):
    monkeypatch.delenv("AIRFLOW__MULTICLUSTER__DEPLOYMENT")
    monkeypatch.setenv("AIRFLOW__API__BASE_URL", "https://airflow.example.com")

    assert run(tasks.create)["cluster"] == "nam"


def test_deployments_do_not_share_pools(pools, tasks, monkeypatch):
    ours = run(tasks.create)["name"]
    monkeypatch.setenv("AIRFLOW__MULTICLUSTER__DEPLOYMENT", "other")

    assert run(tasks.create)["name"] != ours


@pytest.mark.parametrize(
    ("error", "final"),
    [(BUSY, False), (CredentialError("401"), False), (REFUSED, True), (NodePoolConflictError("theirs"), True)],
)
def test_retries_apply_to_what_may_pass_only(error, final):
    translated = to_airflow(error)

    assert isinstance(translated, AirflowFailException) is final
    assert str(translated) == f"{type(error).__name__}: {error}"


def test_a_cordoned_cluster_takes_no_new_pod(pools):
    fit = ClusterPodOperator(task_id="fit", image="x", cluster="out")

    with pytest.raises(AirflowFailException, match=r"cordoned: upgrade"):
        type(fit).execute.__wrapped__(fit, {})


@pytest.mark.parametrize(
    ("execution_timeout", "seconds"), [(None, 60), (timedelta(seconds=10), 10), (timedelta(1), 60)]
)
def test_the_deadline_is_the_earlier_of_timeout_and_execution_timeout(tasks, execution_timeout, seconds):
    tasks.create.execution_timeout = execution_timeout
    started = datetime(2026, 11, 21, tzinfo=UTC)

    end = deadline(tasks.create, context(tasks.create, started=started), timeout=60)
    assert end == started.timestamp() + seconds


def test_airflows_own_timeout_comes_after_ours():
    assert backstop(0) == GRACE
