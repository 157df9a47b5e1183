"""The reaper as a DAG: runs and tasks that Airflow knows, pools and pods that a world has."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from kubernetes.client import CoreV1Api

from airflow_multicluster import ClusterPodOperator, airflow_registry
from airflow_multicluster.operators.reattach import DEPLOYMENT_LABEL, deployment_labels
from airflow_multicluster.pod_task import TASK, PodTask, sign
from airflow_multicluster.run_states import RunStates
from airflow_multicluster.stray_pods import STRAY_SINCE, PodFacts, PodSweep, judge
from multicluster.node_pools.lease import Lease
from multicluster.node_pools.naming import pool_name
from multicluster.node_pools.origin import Origin
from multicluster.node_pools.pool import NodePoolSpec
from multicluster.node_pools.reaping import RunState

ROOT = Path(__file__).parents[2]
NOW = datetime(2026, 11, 21, 12, 0, tzinfo=UTC)
MINUTE = timedelta(minutes=1)
GRACE = 5 * MINUTE
RUN = {"dag_id": "train", "run_id": "manual__2026-11-21T12:00:00+00:00"}
FIT = PodTask(**RUN, task_id="fit", map_index=-1, try_number=1)


class Airflow:
    """What Airflow tells of some runs and tasks."""

    def __init__(self, runs=None, tasks=None):
        self.runs, self.tasks = runs or {}, tasks or {}
        self.error = None

    def get_dr_count(self, dag_id, run_ids=None, states=None):
        if self.error:
            raise self.error
        state = self.runs.get((dag_id, *run_ids))
        return int(state is not None and (states is None or state in states))

    def get_task_states(self, dag_id, map_index=None, task_ids=None, run_ids=None):
        return self.tasks


def origin(**changes):
    return Origin(**{"deployment": "tests", **RUN, "group_id": "gpu", **changes})


def lease_of(one):
    return Lease(owner="a1", expires_at=NOW, origin=one)


@pytest.mark.parametrize(
    ("state", "expected"),
    [
        ("queued", RunState.ALIVE),
        ("running", RunState.ALIVE),
        ("a state to come", RunState.ALIVE),
        ("success", RunState.DEAD),
        ("failed", RunState.DEAD),
        (None, RunState.DEAD),
    ],
)
def test_a_run_is_dead_once_it_has_ended_or_is_gone(state, expected):
    airflow = Airflow({(RUN["dag_id"], RUN["run_id"]): state} if state else {})

    assert RunStates(airflow, deployment="tests").of_lease(lease_of(origin())) is expected


@pytest.mark.parametrize(
    ("deployment", "one"), [("tests", None), ("tests", origin(deployment="emea")), ("", origin(deployment=""))]
)
def test_runs_of_nobody_or_of_another_deployment_are_not_asked_for(deployment, one):
    assert RunStates(Airflow(), deployment=deployment).of_lease(lease_of(one)) is RunState.NOT_ASKED


def test_an_airflow_that_cannot_say_makes_no_run_dead():
    airflow = Airflow()
    airflow.error = RuntimeError("the API server is away")

    assert RunStates(airflow, deployment="tests").of_lease(lease_of(origin())) is RunState.UNKNOWN


@pytest.mark.parametrize("state", ["success", "failed", "skipped", "upstream_failed", "removed"])
def test_a_task_has_finished_in_its_final_states(state):
    airflow = Airflow(tasks={RUN["run_id"]: {"fit": state, "fit_3": "running"}})

    assert RunStates(airflow, deployment="tests").of_task(*RUN.values(), "fit", -1) == state
    assert RunStates(airflow, deployment="tests").of_task(*RUN.values(), "fit", 3) is None


@pytest.mark.parametrize("state", [None, "running", "deferred", "queued", "up_for_retry", "restarting", "to come"])
def test_a_task_that_may_run_again_has_not_finished(state):
    airflow = Airflow(tasks={RUN["run_id"]: {"fit": state}})

    assert RunStates(airflow, deployment="tests").of_task(*RUN.values(), "fit", -1) is None


def test_a_task_that_airflow_does_not_know_has_finished_only_with_its_run():
    there = Airflow({(RUN["dag_id"], RUN["run_id"]): "running"})

    assert RunStates(there, deployment="tests").of_task(*RUN.values(), "fit", -1) is None
    assert RunStates(Airflow(), deployment="tests").of_task(*RUN.values(), "fit", -1) == "deleted"


def facts(*, since=None, **changes):
    task = PodTask(**{**vars(FIT), **changes})
    return PodFacts(namespace="ml", name="fit-x", uid="u", task=task, stray_since=since)


@pytest.mark.parametrize(
    ("pod", "finished", "fate"),
    [
        (facts(), None, "leave"),
        (facts(since=NOW - GRACE), None, "unmark"),
        (facts(), "failed", "mark"),
        (facts(), "deleted", "mark"),
        (facts(since=NOW - GRACE + timedelta(seconds=1)), "failed", "leave"),
        (facts(since=NOW - GRACE), "failed", "delete"),
        (facts(since=NOW - GRACE, kept=True), "failed", "leave"),
        (facts(kept=True), "deleted", "leave"),
    ],
)
def test_a_pod_is_deleted_when_it_is_seen_twice_without_its_task_a_grace_apart(pod, finished, fate):
    assert judge(pod, finished, now=NOW, grace=GRACE).fate == fate


class Ti:
    dag_id, run_id, task_id, map_index, try_number = "träin", RUN["run_id"], "fit" * 30, None, 2


@pytest.mark.parametrize(
    ("options", "kept"),
    [
        ({}, False),
        ({"on_kill_action": "keep_pod"}, True),
        ({"on_finish_action": "keep_pod"}, True),
        ({"on_finish_action": "delete_succeeded_pod"}, True),
        ({"on_finish_action": "delete_active_pod"}, False),
    ],
)
def test_a_pod_says_in_full_whose_it_is_and_whether_it_is_to_be_kept(world, options, kept):
    operator = ClusterPodOperator(task_id="fit", name="fit", image="x", cluster="gpu-use1", **options)
    pod = operator.build_pod_request_obj(dry_run=True)
    assert TASK not in (pod.metadata.annotations or {})

    sign(pod, operator, {"ti": Ti, "run_id": Ti.run_id})

    expected = PodTask(dag_id=Ti.dag_id, run_id=Ti.run_id, task_id=Ti.task_id, map_index=-1, try_number=2, kept=kept)
    assert PodTask.of(pod.metadata.annotations) == expected


BOUNDLESS = '{"dag_id": "a", "run_id": "r", "task_id": "t", "map_index": Infinity, "try_number": 1}'


@pytest.mark.parametrize("text", ["", "{}", "[]", "null", '{"dag_id": "a"}', "no json", BOUNDLESS])
def test_a_pod_whose_task_cannot_be_read_is_nobodys(text):
    assert PodTask.of({TASK: text}) is None
    assert PodTask.of({}) is None


@pytest.fixture
def api(world):
    return CoreV1Api(airflow_registry()["here"].client())


@pytest.fixture
def put(api):
    names = []

    def put(name, *, labels=None, task=FIT, marks=None, **metadata):
        annotations = {**({TASK: json.dumps(vars(task))} if task else {}), **(marks or {})}
        given = {"name": name, "labels": deployment_labels() if labels is None else labels, "annotations": annotations}
        container = {"name": "base", "image": "busybox", "command": ["sleep", "1000"]}
        spec = {"containers": [container], "terminationGracePeriodSeconds": 0}
        api.create_namespaced_pod("default", {"metadata": {**given, **metadata}, "spec": spec})
        names.append(name)

    yield put
    there = {one.metadata.name for one in api.list_namespaced_pod("default").items}
    for name in (name for name in reversed(names) if name in there):  # what is owned before its owner
        api.delete_namespaced_pod(name, "default", grace_period_seconds=0)


class Moments:
    now = NOW

    def __call__(self):
        return self.now


def test_stray_pods_of_this_deployment_are_deleted_and_nobody_elses(world, api, put):
    put("stray")
    put("alive", task=PodTask(**{**vars(FIT), "task_id": "other"}))
    put("kept", task=PodTask(**{**vars(FIT), "kept": True}))
    put("unsigned", task=None)
    put("emea", labels={DEPLOYMENT_LABEL: "0123456789abcdef"})
    owner = {
        "apiVersion": "v1",
        "kind": "Pod",
        "name": "emea",
        "uid": api.read_namespaced_pod("emea", "default").metadata.uid,
    }
    put("jobs", ownerReferences=[owner])
    put("back", task=PodTask(**{**vars(FIT), "task_id": "back"}))
    put("marked", task=PodTask(**{**vars(FIT), "task_id": "other"}), marks={STRAY_SINCE: "1" + "0" * 17})
    airflow = Airflow(tasks={RUN["run_id"]: {"fit": "failed", "other": "running", "back": "failed"}})
    clock = Moments()
    states = RunStates(airflow, deployment="tests")
    sweeps = PodSweep(airflow_registry()["here"], states, grace=GRACE, clock=clock)

    def sweep():
        return sweeps.sweep(sweeps.look())

    assert {one.pod.name for one in sweep() if one.fate == "mark"} == {"stray", "back"}
    clock.now = NOW + GRACE
    airflow.tasks[RUN["run_id"]]["back"] = "running"
    fates = {one.pod.name: one.fate for one in sweep()}

    assert fates == {"stray": "delete", "alive": "leave", "kept": "leave", "back": "unmark", "marked": "leave"}
    pods = {one.metadata.name: one.metadata.annotations or {} for one in world.wait(lambda: without(api, "stray"))}
    assert set(pods) == {"alive", "kept", "unsigned", "emea", "jobs", "back", "marked"}
    assert STRAY_SINCE not in pods["back"]


def without(api, name):
    pods = api.list_namespaced_pod("default").items
    return pods if name not in {one.metadata.name for one in pods} else None


def reap(outcome):
    from airflow.dag_processing.dagbag import DagBag

    dag = DagBag(dag_folder=str(ROOT / "dags" / "reaper.py")).dags["multicluster_reaper"]
    return outcome(dag.test())


@pytest.fixture
def make(clean_up, world):
    """Ask for a pool that was leased *ago*, and is for a *term*."""
    pools = airflow_registry()["gpu-euw4"].node_pools()
    profile = airflow_registry()["gpu-euw4"].profile("l4")

    def make(*, ago, term, **changes):
        whose = origin(**changes)
        expires_at = datetime.now(UTC) - ago + term
        lease = Lease(
            owner=whose.owner, expires_at=expires_at, ends_at=expires_at + 600 * MINUTE, term=term, origin=whose
        )
        name = pool_name(whose.owner)
        pools.create(NodePoolSpec(name=name, size=1, profile=profile), lease)
        world.settle()
        return f"gpu-euw4/{name}"

    return make


@pytest.fixture
def living_run(database):
    """Let Airflow know a run that lives."""
    from airflow.models.dagrun import DagRun
    from airflow.utils.session import create_session
    from airflow.utils.types import DagRunType

    with create_session() as session:
        run = DagRun(dag_id="train", run_id="alive", run_type=DagRunType.MANUAL, state="running", run_after=NOW)
        session.add(run)
    yield "alive"
    with create_session() as session:
        session.delete(session.get(DagRun, run.id))


def test_the_reaper_dag_deletes_pools_of_dead_runs_at_once_and_none_of_a_live_one(world, make, living_run, outcome):
    lasting, over = {"ago": 30 * MINUTE, "term": 60 * MINUTE}, {"ago": 90 * MINUTE, "term": 60 * MINUTE}
    dead = make(**lasting, run_id="deleted")
    alive = {make(**lasting, run_id=living_run), make(**over, run_id=living_run, group_id="other")}
    others = {make(**lasting, deployment="emea")}
    others_over = make(**over, deployment="emea", group_id="old")
    young = make(ago=MINUTE, term=60 * MINUTE, run_id="just-made")

    first = reap(outcome)
    world.settle()
    reap(outcome)
    world.settle()

    assert first.state == "success"
    assert set(world.report().pools_left) == alive | others | {young}
    assert dead not in world.report().pools_left
    assert others_over not in world.report().pools_left


def test_the_reaper_dag_fails_where_a_cluster_cannot_be_looked_at(world, database, outcome):
    world.inject("throttled", operation="ListNodegroups", target="gpu-use1.*")

    found = reap(outcome)

    assert (found.state, found.tasks) == ("failed", {"reap": "failed"})
