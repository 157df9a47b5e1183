"""What a pod does that is to be made while its node pool is gone, going, or no longer its own."""

from __future__ import annotations

import json
import logging
from types import SimpleNamespace

import pytest
from airflow.providers.common.compat.sdk import AirflowFailException
from airflow.sdk import DAG

from airflow_multicluster import ClusterPodOperator, NodePoolTaskGroup, lease_keeping
from airflow_multicluster.hooks.cluster import find_cluster
from airflow_multicluster.operators import lost_pod
from airflow_multicluster.operators.lost_node_pool import RECREATE_SECONDS, be_sure_of_pool
from multicluster.brackets.keeping import LeaseKeeper
from multicluster.brackets.wish import Wish
from multicluster.errors import (
    CloudUnavailableError,
    NodePoolConflictError,
    NodePoolNotFoundError,
    NodePoolRefusedError,
)
from multicluster.node_pools.origin import Origin
from multicluster.testing.fake_clock import FakeClock
from multicluster.testing.fake_node_pools import FakeNodePools, Pace

ORIGIN = Origin(deployment="d", dag_id="train", run_id="r", group_id="gpu")
WISH = Wish(cluster="nam", name="mc-gpu-0", profile="l4", nodes=2, origin=ORIGIN)
GONE = 301


class Pod:
    """Stands for the operator: what is asked of it here."""

    def __init__(self, policy="fail", names=None):
        self.task_id, self.on_pool_lost, self.wish, self._killed = "fit", policy, names or WISH, False
        self.registered = SimpleNamespace(cluster=find_cluster("nam"))
        self.log = logging.getLogger("fit")


@pytest.fixture
def clock():
    return FakeClock()


@pytest.fixture
def pools(monkeypatch, tmp_path, clock):
    """Give the pools of ``nam`` in memory, the bracket's among them."""
    made = FakeNodePools(clock=clock, pace=Pace(launched=0, ready=0, active=0))
    one = {"name": "nam", "auth": {"kubeconfig": {"context": "c"}}}
    one["nodePools"] = {"profiles": {"l4": {"instanceTypes": ["g6.xlarge"]}}}
    path = tmp_path / "clusters.json"
    document = {"apiVersion": "multicluster/v1alpha1", "kind": "ClusterRegistry", "clusters": [one]}
    path.write_text(json.dumps(document))
    monkeypatch.setenv("MULTICLUSTER_REGISTRY", str(path))
    monkeypatch.setattr(find_cluster("nam"), "node_pools", lambda: made)
    keeper = LeaseKeeper(clock=clock)
    monkeypatch.setattr(lease_keeping, "process_keeper", lambda: keeper)
    monkeypatch.setattr(Wish, "ask", _ask_at(clock))
    WISH.ask(find_cluster("nam"))
    made.asked.clear()
    return made


def _ask_at(clock):
    plain = Wish.ask
    return lambda wish, cluster: plain(wish, cluster, clock=clock)


@pytest.fixture
def sure(clock):
    """Be sure of the pool, in virtual time."""
    began = clock().timestamp()

    def be_sure(pod):
        be_sure_of_pool(pod, clock=lambda: clock().timestamp() - began, sleep=clock.advance)

    return be_sure


def verbs(pools):
    return [verb for verb, _ in pools.asked]


def lose(pools, clock, fate):
    if fate == "lease over":
        clock.advance(3600 + 301)
    else:
        pools.delete(WISH.name)
        clock.advance(GONE if fate == "gone" else 1)


@pytest.mark.parametrize("policy", ["fail", "recreate"])
def test_a_pool_that_is_there_costs_one_look(pools, sure, policy):
    sure(Pod(policy))

    assert verbs(pools) == ["get", "armed"]


@pytest.mark.parametrize("policy", ["fail", "recreate"])
def test_a_cloud_that_does_not_know_the_pool_for_a_moment_ends_no_task(pools, sure, policy):
    pools.refusals = [NodePoolNotFoundError("no node group")]
    sure(Pod(policy))

    assert verbs(pools) == ["get", "get", "armed"]


@pytest.mark.parametrize(
    ("fate", "words"),
    [("gone", "is gone"), ("going", "is being deleted"), ("lease over", "is lost: its lease was over at")],
)
def test_a_lost_pool_fails_the_task_with_what_which_and_the_next_step(pools, clock, sure, fate, words):
    lose(pools, clock, fate)

    with pytest.raises(AirflowFailException) as failed:
        sure(Pod())
    text = str(failed.value)
    assert f"task 'fit' has no nodes to run on: node pool 'mc-gpu-0' on cluster 'nam' {words}" in text
    assert "clear the bracket 'gpu' from its create_node_pool" in text
    assert "create" not in verbs(pools)


@pytest.mark.parametrize("fate", ["gone", "going", "lease over"])
def test_a_lost_pool_is_made_again_for_the_same_owner(pools, clock, sure, fate):
    lose(pools, clock, fate)
    before = clock()

    sure(Pod("recreate"))

    pool = pools.get(WISH.name)
    assert (pool.lease.owner, pool.size) == (ORIGIN.owner, 2)
    assert pool.created_at >= before
    assert pool.lease.expires_at > clock()


def test_what_is_made_again_is_known_to_be_there(pools, clock, sure):
    lose(pools, clock, "gone")
    sure(Pod("recreate"))
    sure(Pod("fail"))

    assert verbs(pools).count("create") == 1


def test_asking_again_has_an_end(pools, clock, sure, monkeypatch):
    lose(pools, clock, "going")
    monkeypatch.setattr(pools, "_pace", Pace(gone=10**9))
    began = clock()

    with pytest.raises(Exception, match="is being deleted"):
        sure(Pod("recreate"))
    assert RECREATE_SECONDS <= (clock() - began).total_seconds() <= RECREATE_SECONDS + 60


def test_a_killed_task_asks_no_more(pools, clock):
    lose(pools, clock, "going")
    pod, naps = Pod("recreate"), []

    def sleep(seconds):
        naps.append(seconds)
        pod._killed = len(naps) > 1  # not before the second look, but between two askings

    with pytest.raises(Exception, match="is being deleted"):
        be_sure_of_pool(pod, clock=lambda: 0, sleep=sleep)
    assert len(naps) == 2


@pytest.mark.parametrize(("policy", "error"), [("fail", AirflowFailException), ("recreate", NodePoolConflictError)])
def test_another_owners_pool_is_neither_used_nor_made_again(pools, clock, sure, policy, error):
    lose(pools, clock, "gone")
    other = Origin(deployment="d", dag_id="theirs", run_id="r", group_id="gpu")
    Wish(cluster="nam", name=WISH.name, profile="l4", nodes=1, origin=other).ask(find_cluster("nam"))

    with pytest.raises(error, match=f"belongs to owner {other.owner}"):
        sure(Pod(policy))
    assert pools.get(WISH.name).lease.owner == other.owner


@pytest.mark.parametrize("error", [CloudUnavailableError("throttled"), NodePoolRefusedError("not authorized")])
def test_what_cannot_be_found_out_keeps_no_pod_from_being_made(pools, sure, error):
    pools.refusals = [error]
    sure(Pod())

    assert verbs(pools) == ["get"]


def test_a_registry_that_refuses_by_now_makes_no_pool_again(pools, clock, sure, monkeypatch):
    lose(pools, clock, "gone")
    monkeypatch.setattr(
        pools, "create", lambda spec, lease: (_ for _ in ()).throw(NodePoolRefusedError("not authorized"))
    )

    with pytest.raises(NodePoolRefusedError, match="not authorized"):
        sure(Pod("recreate"))


@pytest.fixture
def own():
    """Make an operator whose pool is what the create returned."""
    return lambda names, **more: ClusterPodOperator(task_id="fit", image="x", node_pool=names, **more)


def test_names_written_by_hand_are_nobodys_lease(own):
    fit = own({"cluster": "nam", "name": "mc-gpu-0", "profile": "l4"})

    assert (fit.wish, fit.leased) == (None, {})


def test_what_the_create_returned_says_whose_lease_it_is(own):
    fit = own(json.loads(json.dumps(WISH.to_names())))

    assert (fit.wish, fit.leased) == (WISH, {"node_pool": "mc-gpu-0", "owner": ORIGIN.owner})


@pytest.mark.parametrize("policy", ["ignore", None, True])
def test_an_unknown_policy_is_refused_while_the_file_is_read(own, policy):
    with pytest.raises(ValueError, match="it is 'fail' or 'recreate'"):
        own(WISH.to_names(), on_pool_lost=policy)


def test_an_unknown_policy_of_a_mapped_pod_is_refused_while_the_file_is_read():
    with DAG("mapped-policy", schedule=None), NodePoolTaskGroup("gpu", cluster="nam", profile="l4") as pool:
        with pytest.raises(ValueError, match="it is 'fail' or 'recreate'"):
            ClusterPodOperator.partial(task_id="fit", node_pool=pool, image="x", on_pool_lost="ignore")
        with pytest.raises(ValueError, match="it is 'fail' or 'recreate'"):
            ClusterPodOperator.partial(task_id="fit", node_pool=pool, image="x").expand_kwargs(
                [{"on_pool_lost": "ignore"}]
            )


def test_the_policy_may_stand_in_default_args():
    with DAG("default-policy", schedule=None, default_args={"on_pool_lost": "recreate"}):
        fit = ClusterPodOperator(task_id="fit", image="x", cluster="nam")

    assert fit.on_pool_lost == "recreate"


@pytest.mark.parametrize(("policy", "said"), [("fail", "its node pool 'mc-gpu-0' is gone"), ("recreate", "")])
def test_a_pod_that_was_lost_with_its_pool_is_started_again_where_the_pool_is_made_again(pools, clock, policy, said):
    lose(pools, clock, "gone")
    key, value = find_cluster("nam").node_selector(WISH.name)

    assert lost_pod._pool_is_gone(Pod(policy), {"spec": {"nodeSelector": {key: value}}}) == said
