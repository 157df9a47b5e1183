"""What is GKE's own about node pools; what all clouds share is in tests/conformance/node_pools."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import requests
from google.auth import exceptions
from google.auth.transport.requests import AuthorizedSession
from google.oauth2.credentials import Credentials
from pydantic import ValidationError

from multicluster.errors import (
    CloudUnavailableError,
    CredentialError,
    MulticlusterError,
    NodePoolBusyError,
    NodePoolConflictError,
    NodePoolLimitError,
    NodePoolNotFoundError,
    NodePoolRefusedError,
)
from multicluster.kinds.gke import KIND
from multicluster.kinds.gke.node_pool_errors import refusal, transport_errors
from multicluster.kinds.gke.node_pool_machines import as_leftover
from multicluster.kinds.gke.node_pool_options import GkeNodePoolOptions
from multicluster.kinds.gke.node_pool_problems import condition_problems, launch_problems
from multicluster.kinds.gke.node_pool_request import create_body
from multicluster.kinds.gke.node_pool_view import node_pool
from multicluster.kinds.gke.node_pools import GkeNodePools
from multicluster.node_pools.lease import KEEP, Lease
from multicluster.node_pools.leftover import Leftover, LeftoverKind
from multicluster.node_pools.pool import NodePoolSpec, NodePoolState
from multicluster.node_pools.profile import Gpu, NodePoolProfile
from multicluster.simulator import Delays, Fault, HttpError, ManualClock, World

PROFILE = NodePoolProfile(instance_types=("g2-standard-4",), gpu=Gpu(type="nvidia-l4"))
NOW = datetime(2026, 11, 21, 12, tzinfo=UTC)
LEASE = Lease(owner="a1b2", expires_at=datetime(2030, 1, 1, tzinfo=UTC))
ZONE = ("europe-west4-a",)


def spec(size: int = 2, name: str = "train", lifetime: int | None = 3600, **profile: Any) -> NodePoolSpec:
    changed = PROFILE.model_copy(update=profile)
    return NodePoolSpec(name=name, size=size, profile=changed, max_lifetime_seconds=lifetime)


def body(
    asked: NodePoolSpec, options: GkeNodePoolOptions | None = None, zones: tuple[str, ...] = ZONE
) -> dict[str, Any]:
    made: dict[str, Any] = create_body(asked, LEASE, options or GkeNodePoolOptions(), locations=zones)["nodePool"]
    return made


def test_a_request_says_all_that_the_profile_and_the_registry_say() -> None:
    options = GkeNodePoolOptions(
        service_account="gpu@acme.iam.gserviceaccount.com", network_tags=("gpu",), resource_labels={"team": "ml"}
    )

    assert body(spec(labels={"a": "b"}), options) == {
        "name": "train",
        "initialNodeCount": 0,
        "locations": ["europe-west4-a"],
        "autoscaling": {"enabled": True, "totalMinNodeCount": 0, "totalMaxNodeCount": 2, "locationPolicy": "ANY"},
        "management": {"autoRepair": True, "autoUpgrade": True},
        "nodeDrainConfig": {"respectPdbDuringNodePoolDeletion": False},
        "config": {
            "machineType": "g2-standard-4",
            "diskSizeGb": 100,
            "diskType": "pd-balanced",
            "oauthScopes": ["https://www.googleapis.com/auth/cloud-platform"],
            "labels": {"a": "b"},
            "resourceLabels": {"team": "ml", **LEASE.to_labels()},
            "taints": [{"key": "nvidia.com/gpu", "value": "present", "effect": "NO_SCHEDULE"}],
            "maxRunDuration": "3600s",
            "accelerators": [
                {
                    "acceleratorType": "nvidia-l4",
                    "acceleratorCount": "1",
                    "gpuDriverInstallationConfig": {"gpuDriverVersion": "DEFAULT"},
                }
            ],
            "serviceAccount": "gpu@acme.iam.gserviceaccount.com",
            "tags": ["gpu"],
        },
    }


def test_a_spot_pool_is_one() -> None:
    assert body(spec(capacity_type="spot"))["config"]["spot"] is True


def test_a_flex_start_pool_has_what_flex_start_needs() -> None:
    made = body(spec(capacity_type="flex-start"))

    assert made["config"]["flexStart"] is True
    assert made["config"]["reservationAffinity"] == {"consumeReservationType": "NO_RESERVATION"}
    assert made["autoscaling"]["totalMinNodeCount"] == 0
    assert made["management"]["autoRepair"] is False


@pytest.mark.parametrize(
    ("asked", "zones", "words"),
    [
        (spec(capacity_type="capacity-block"), ZONE, "not GKE's"),
        (spec(instance_types=("g2-standard-4", "g2-standard-8")), ZONE, "one machine type"),
        (spec(gpu=Gpu()), ZONE, "gpu.type"),
        (spec(1), ("a", "b"), "1 nodes cannot be spread evenly over 2 zones"),
        (spec(lifetime=10), ZONE, "outside what GCE allows"),
        (spec(lifetime=121 * 86400), ZONE, "outside what GCE allows"),
        (spec(lifetime=8 * 86400, capacity_type="flex-start"), ZONE, "30 to 604800"),
    ],
)
def test_what_gke_cannot_do_is_refused_with_the_reason(asked: NodePoolSpec, zones: tuple[str, ...], words: str) -> None:
    with pytest.raises(NodePoolRefusedError, match=words):
        body(asked, zones=zones)


@pytest.mark.parametrize(
    "document",
    [
        {"serviceAccount": "me"},
        {"networkTags": ["Not A Tag"]},
        {"resourceLabels": {"multicluster-owner": "me"}},
        {"resourceLabels": {"goog-x": "y"}},
        {"resourceLabels": {"Team": "ml"}},
        {"workloadMetadata": "NONE"},
        {"zones": ["a"]},
    ],
)
def test_bad_options_are_refused(document: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        GkeNodePoolOptions.model_validate_json(json.dumps(document))


def test_all_options_may_be_left_out() -> None:
    assert KIND.node_pool_options is GkeNodePoolOptions
    assert GkeNodePoolOptions.model_validate_json("{}") == GkeNodePoolOptions()


@pytest.mark.parametrize(
    ("status", "expected"),
    [
        ("PROVISIONING", NodePoolState.PENDING),
        ("RUNNING", NodePoolState.ACTIVE),
        ("RECONCILING", NodePoolState.ACTIVE),
        ("RUNNING_WITH_ERROR", NodePoolState.ACTIVE),
        ("STOPPING", NodePoolState.DELETING),
        ("ERROR", NodePoolState.FAILED),
        ("QUANTUM_LEAP", NodePoolState.PENDING),
    ],
)
def test_every_status_has_a_state_known_or_not(status: str, expected: NodePoolState) -> None:
    pool = node_pool({"name": "train", "status": status})

    assert (pool.state, pool.status) == (expected, status)


@pytest.mark.parametrize(
    ("raw", "expected"),
    [
        ({"initialNodeCount": 2, "locations": ["a", "b", "c"]}, 6),
        ({"autoscaling": {"enabled": True, "totalMaxNodeCount": 4}, "locations": ["a", "b"]}, 4),
        ({"autoscaling": {"enabled": True, "maxNodeCount": 4}, "locations": ["a", "b"]}, 8),
        ({}, 0),
    ],
)
def test_the_size_is_what_was_asked_for(raw: dict[str, Any], expected: int) -> None:
    assert node_pool({"name": "train", **raw}).size == expected


@pytest.mark.parametrize(
    ("status", "code", "capacity", "fatal"),
    [
        ("RUNNING_WITH_ERROR", "GCE_STOCKOUT", True, True),
        ("PROVISIONING", "GCE_STOCKOUT", True, False),
        ("ERROR", "GCE_QUOTA_EXCEEDED", False, True),
        ("RUNNING", "NODE_SERVICE_ACCOUNT_MISSING_PERMISSIONS", False, True),
        ("RUNNING", "CLOUD_KMS_KEY_ERROR", False, True),
        ("RUNNING", "CA_EXPIRING", False, False),
        ("RUNNING", "BRAND_NEW", False, False),
    ],
)
def test_a_condition_is_understood(status: str, code: str, *, capacity: bool, fatal: bool) -> None:
    (problem,) = condition_problems({"status": status, "conditions": [{"code": code, "message": "words"}]})

    assert (problem.code, problem.message.partition(". Next: ")[0]) == (code, "words")
    assert (problem.capacity, problem.fatal) == (capacity, fatal)


@pytest.mark.parametrize(
    ("status", "words"), [("ERROR", "Rights. Next: give the nodes' service account"), ("RUNNING", "Rights.")]
)
def test_a_pool_that_failed_says_what_a_person_does(status: str, words: str) -> None:
    condition = {"code": "NODE_SERVICE_ACCOUNT_MISSING_PERMISSIONS", "message": "Rights."}

    (problem,) = condition_problems({"status": status, "conditions": [condition]})

    assert problem.message.startswith(words)
    assert ("Next: " in problem.message) == (status == "ERROR")


def test_a_status_message_counts_where_there_are_no_conditions() -> None:
    (problem,) = condition_problems({"status": "ERROR", "statusMessage": "it broke"})

    assert (problem.code, problem.message) == ("ERROR", "it broke")


def gce_error(minutes_ago: float, code: str = "ZONE_RESOURCE_POOL_EXHAUSTED", message: str = "none") -> dict[str, Any]:
    stamp = (NOW - timedelta(minutes=minutes_ago)).isoformat()
    return {"error": {"code": code, "message": message}, "timestamp": stamp}


def test_launch_errors_of_the_last_minutes_are_counted_in_the_newest_words() -> None:
    errors = [gce_error(1, message="newest"), gce_error(3), gce_error(60), gce_error(2, "QUOTA_EXCEEDED")]

    found = {problem.code: problem for problem in launch_problems(errors, now=NOW)}

    assert (found["ZONE_RESOURCE_POOL_EXHAUSTED"].times, found["ZONE_RESOURCE_POOL_EXHAUSTED"].message) == (2, "newest")
    assert found["ZONE_RESOURCE_POOL_EXHAUSTED"].capacity
    assert found["QUOTA_EXCEEDED"].fatal


BUSY = "Cluster is running incompatible operation operation-1-2."


@pytest.mark.parametrize(
    ("code", "status", "message", "expected"),
    [
        (404, "NOT_FOUND", "Not found: projects/p/locations/l/clusters/c/nodePools/n.", NodePoolNotFoundError),
        (404, "NOT_FOUND", "Not found: projects/p/locations/l/clusters/c.", NodePoolRefusedError),
        (409, "ALREADY_EXISTS", "Already exists: n.", NodePoolConflictError),
        (400, "FAILED_PRECONDITION", BUSY, NodePoolBusyError),
        (400, "INVALID_ARGUMENT", BUSY, NodePoolBusyError),
        (400, "", "Operation operation-1 is currently operating on cluster c.", NodePoolBusyError),
        (400, "INVALID_ARGUMENT", "Machine type x does not exist.", NodePoolRefusedError),
        (429, "RESOURCE_EXHAUSTED", "Quota exceeded for concurrent operations.", NodePoolBusyError),
        (429, "RESOURCE_EXHAUSTED", "Quota 'GPUS_ALL_REGIONS' exceeded. Limit: 0.0 globally.", NodePoolLimitError),
        (403, "PERMISSION_DENIED", "Insufficient regional quota: NVIDIA_L4_GPUS: requires 1", NodePoolLimitError),
        (403, "PERMISSION_DENIED", 'Required "container.clusters.update" permission(s)', NodePoolRefusedError),
        (401, "UNAUTHENTICATED", "Request had invalid authentication credentials.", CredentialError),
        (500, "INTERNAL", "x", CloudUnavailableError),
        (503, "UNAVAILABLE", "x", CloudUnavailableError),
        (418, "", "x", NodePoolRefusedError),
    ],
)  # fmt: skip
def test_every_answer_of_google_has_a_class_of_ours(
    code: int, status: str, message: str, expected: type[MulticlusterError]
) -> None:
    error = refusal("call", code, {"error": {"code": code, "status": status, "message": message}})

    assert type(error) is expected
    assert message in str(error)


def test_an_answer_that_is_no_object_is_an_error_all_the_same() -> None:
    assert type(refusal("call", 502, {"error": "Bad Gateway"})) is CloudUnavailableError


@pytest.mark.parametrize(
    ("error", "expected"),
    [
        (exceptions.TransportError("x"), CloudUnavailableError),
        (exceptions.RefreshError("invalid_grant"), CredentialError),
        (exceptions.DefaultCredentialsError("x"), CredentialError),
        (requests.exceptions.ConnectionError("x"), CloudUnavailableError),
        (requests.exceptions.ReadTimeout("x"), CloudUnavailableError),
    ],
)
def test_no_error_of_googles_libraries_leaves(error: Exception, expected: type[MulticlusterError]) -> None:
    with pytest.raises(expected), transport_errors("call"):
        raise error


class Ground:
    """A simulated GKE cluster on a clock that is moved by hand, and its API as somebody else would call it."""

    def __init__(self, world: World, clock: ManualClock) -> None:
        self.world, self.clock = world, clock
        self.cluster = world.add_gke("gpu")
        scopes = ["https://www.googleapis.com/auth/cloud-platform"]
        self.session = AuthorizedSession(
            Credentials(world.google.tokens.mint(world.google.account, scopes, timedelta(days=1)).token)
        )

    def pools(self, cluster: str = "gpu") -> GkeNodePools:
        return GkeNodePools(
            session=self.session,
            project_id="acme",
            location="europe-west4",
            cluster_name=cluster,
            api_url=self.world.google.url,
            options=None,
            clock=self.clock.now,
        )

    def calls(self, name: str) -> int:
        return self.world.google.calls[f"container:{name}"]

    def lease(self, hours: float = 2) -> Lease:
        return Lease(owner="a1b2", expires_at=self.clock.now() + timedelta(hours=hours))

    def until(self, condition: Callable[[], Any], most: int = 100) -> Any:
        for _ in range(most):
            found = condition()
            if found:
                return found
            self.clock.advance(20)
        raise TimeoutError("it did not come to hold")


@pytest.fixture
def ground(monkeypatch: pytest.MonkeyPatch) -> Iterator[Ground]:
    clock = ManualClock()
    with World(clock=clock, delays=Delays.realistic()) as world:
        made = Ground(world, clock)
        for name, value in world.env().items():
            monkeypatch.setenv(name, value)
        yield made


def running(pools: GkeNodePools) -> Callable[[], bool]:
    return lambda: pools.get("train").status == "RUNNING"


def test_a_pool_is_made_without_machines_so_that_a_stockout_cannot_hold_the_cluster(ground: Ground) -> None:
    ground.world.inject("no-capacity")
    pools = ground.pools()

    pools.create(spec(), ground.lease())
    ground.until(running(pools))

    assert pools.instances("train") == ()
    pools.create(spec(name="other"), ground.lease())  # the cluster takes the next operation
    assert pools.get("other").status == "PROVISIONING"


def test_a_pool_without_zones_in_its_profile_is_in_the_first_of_the_clusters(ground: Ground) -> None:
    ground.pools().create(spec(1), ground.lease())

    assert next(iter(ground.world.groups.groups.values())).zones == ("europe-west4-a",)


def test_fill_asks_for_nodes_once(ground: Ground) -> None:
    pools = ground.pools()
    pools.create(spec(), ground.lease())

    ground.until(lambda: pools.fill("train") and len(pools.instances("train")) == 2)
    ground.clock.advance(120)
    for _ in range(3):
        pools.fill("train")

    assert ground.calls("nodePools.setSize") == 1


def test_fill_asks_for_nodes_once_in_a_stockout_too(ground: Ground) -> None:
    ground.world.inject("no-capacity")
    pools = ground.pools()
    pools.create(spec(), ground.lease())

    ground.until(lambda: pools.fill("train").problems)
    for _ in range(3):
        ground.clock.advance(60)
        pools.fill("train")

    assert ground.calls("nodePools.setSize") == 1


@pytest.mark.parametrize(("seconds", "times"), [(60, 1), (400, 0)])
def test_fill_asks_for_no_nodes_once_the_lease_is_lost(ground: Ground, seconds: float, times: int) -> None:
    pools = ground.pools()
    pools.create(spec(), ground.lease(hours=0.01))
    ground.until(running(pools))
    ground.clock.advance(seconds)

    pools.fill("train")

    assert ground.calls("nodePools.setSize") == times


def test_fill_asks_for_no_nodes_of_a_pool_that_goes_away(ground: Ground) -> None:
    pools = ground.pools()
    pools.create(spec(), ground.lease())
    ground.until(running(pools))
    pools.delete("train")

    assert pools.fill("train").state is NodePoolState.DELETING
    assert ground.calls("nodePools.setSize") == 0


def test_get_and_list_never_ask_for_nodes(ground: Ground) -> None:
    pools = ground.pools()
    pools.create(spec(), ground.lease())
    ground.until(running(pools))

    pools.get("train")
    list(pools.list())

    assert ground.calls("nodePools.setSize") == 0


def test_fill_is_busy_while_another_operation_holds_the_cluster(ground: Ground) -> None:
    pools = ground.pools()
    pools.create(spec(), ground.lease())
    ground.until(running(pools))
    pools.create(spec(name="other"), ground.lease())

    with pytest.raises(NodePoolBusyError, match="incompatible operation"):
        pools.fill("train")


def test_a_second_pool_is_busy_until_the_first_operation_has_ended(ground: Ground) -> None:
    pools = ground.pools()
    pools.create(spec(), ground.lease())

    with pytest.raises(NodePoolBusyError) as caught:
        pools.create(spec(name="other"), ground.lease())

    def created() -> bool:
        try:
            pools.create(spec(name="other"), ground.lease())
        except NodePoolBusyError:
            return False
        return True

    assert caught.value.transient
    assert ground.until(created)


def test_ten_pools_on_one_cluster_all_get_made_one_operation_at_a_time(ground: Ground) -> None:
    pools = ground.pools()
    waiting = {f"p{number}" for number in range(10)}

    def all_made() -> bool:
        for name in sorted(waiting):
            try:
                pools.create(spec(1, name=name), ground.lease())
            except NodePoolBusyError:
                continue
            waiting.discard(name)
        return not waiting

    ground.until(all_made)

    assert sorted(pool.name for pool in pools.list()) == [f"p{number}" for number in range(10)]


def test_a_shortage_is_told_by_the_instance_group_before_the_pool_says_so(ground: Ground) -> None:
    ground.world.inject("no-capacity")
    pools = ground.pools()
    pools.create(spec(), ground.lease())

    pool = ground.until(lambda: (found := pools.fill("train")).problems and found)

    assert pool.status in {"RUNNING", "RECONCILING"}
    assert pool.problems[0].code == "ZONE_RESOURCE_POOL_EXHAUSTED"
    assert pool.problems[0].capacity


def test_rights_to_read_instance_groups_that_lack_are_told_and_break_nothing(ground: Ground) -> None:
    from multicluster.simulator import Fault, HttpError

    pools = ground.pools()
    pools.create(spec(), ground.lease())
    ground.until(running(pools))
    error = HttpError(code=403, reason="AccessDenied", message="no compute.instanceGroupManagers.get")
    ground.world.faults.add(Fault(name="denied", effect=error, service="compute", times=None))

    pool = pools.get("train")

    assert pool.state is NodePoolState.ACTIVE
    assert [problem.code for problem in pool.problems] == ["InstanceGroupErrorsUnreadable"]


def test_a_wrong_cluster_name_is_no_pool_that_is_gone(ground: Ground) -> None:
    with pytest.raises(NodePoolRefusedError, match="clusterName"):
        ground.pools("typo").delete("train")


def test_machines_of_a_pool_of_the_same_name_elsewhere_are_not_told(ground: Ground) -> None:
    ground.world.add_gke("other")
    theirs, ours = ground.pools("other"), ground.pools()
    for pools in (theirs, ours):
        pools.create(spec(1), ground.lease())
    ground.until(lambda: theirs.fill("train") and theirs.instances("train"))

    assert len(theirs.instances("train")) == 1
    assert ours.instances("train") == ()


def test_nodes_that_lived_for_the_lifetime_do_not_come_back(ground: Ground) -> None:
    pools = ground.pools()
    pools.create(spec(lifetime=600), ground.lease())
    ground.until(lambda: pools.fill("train") and pools.instances("train"))
    ground.clock.advance(700)

    pools.fill("train")
    ground.clock.advance(300)

    assert pools.instances("train") == ()


def test_a_pool_that_appears_between_look_and_create_is_adopted(
    ground: Ground, monkeypatch: pytest.MonkeyPatch
) -> None:
    pools, lease = ground.pools(), ground.lease()
    ground.pools().create(spec(), lease)
    first = [True]

    def find(name: str, *, real: Any = pools._find) -> Any:
        return None if first and first.pop() else real(name)

    monkeypatch.setattr(pools, "_find", find)

    assert pools.create(spec(), lease).lease == Lease.from_labels(lease.to_labels())
    first.append(True)
    with pytest.raises(NodePoolConflictError, match="belongs to owner"):
        pools.create(spec(), replace(lease, owner="other"))


def leased(ground: Ground, hours: float = 1) -> Lease:
    now = ground.clock.now().replace(microsecond=0)
    hour = timedelta(hours=1)
    return Lease(owner="a1b2", expires_at=now + hours * hour, ends_at=now + 6 * hour, term=hour)


def test_renewing_writes_the_labels_in_place_and_keeps_what_others_put_there(ground: Ground) -> None:
    pools = ground.pools()
    pools.create(spec(), leased(ground))
    ground.until(lambda: pools.fill("train").status == "RUNNING" and len(pools.instances("train")) == 2)
    machines = pools.instances("train")
    ground.world.groups.get(ground.cluster.key, "train").settings["gke"].config["resourceLabels"][KEEP] = "friday"

    longer = replace(leased(ground), expires_at=leased(ground).expires_at + timedelta(hours=1))
    ground.until(asked(lambda: pools.renew("train", longer)))
    ground.clock.advance(60)

    pool = pools.get("train")
    assert (pool.lease, pool.keep) == (longer, True)
    assert pools.instances("train") == machines


def asked(verb: Callable[[], Any]) -> Callable[[], bool]:
    def once() -> bool:
        try:
            verb()
        except NodePoolBusyError:
            return False
        return True

    return once


def test_a_pool_knows_when_it_was_asked_for_also_after_renewals(ground: Ground) -> None:
    pools, asked_at = ground.pools(), ground.clock.now().replace(microsecond=0)
    pools.create(spec(), leased(ground))
    ground.until(lambda: pools.fill("train").status == "RUNNING" and len(pools.instances("train")) == 2)

    ground.until(asked(lambda: pools.renew("train", leased(ground, 3))))

    assert pools.get("train").created_at == asked_at


def test_renewing_what_is_renewed_begins_no_operation(ground: Ground) -> None:
    pools, lease = ground.pools(), leased(ground)
    pools.create(spec(), lease)

    pools.renew("train", lease)

    assert ground.calls("nodePools.update") == 0


def test_a_renewal_waits_its_turn_behind_another_operation(ground: Ground) -> None:
    pools = ground.pools()
    pools.create(spec(), leased(ground))

    with pytest.raises(NodePoolBusyError, match="incompatible operation"):
        pools.renew("train", leased(ground, 2))

    assert pools.get("train").lease == leased(ground)


def test_a_renewal_that_somebody_was_faster_than_is_asked_again(
    ground: Ground, monkeypatch: pytest.MonkeyPatch
) -> None:
    pools = ground.pools()
    pools.create(spec(), leased(ground))
    ground.until(running(pools))
    monkeypatch.setattr("multicluster.simulator.google.node_pools.etag", Etags())

    with pytest.raises(NodePoolBusyError, match="ABORTED"):
        pools.renew("train", leased(ground, 2))


class Etags:
    """Another version at each look."""

    def __init__(self) -> None:
        self.number = 0

    def __call__(self, _group: object) -> str:
        self.number += 1
        return str(self.number)


def test_create_asked_again_while_the_pool_is_made_is_that_pool(ground: Ground) -> None:
    pools, lease = ground.pools(), leased(ground)
    pools.create(spec(), lease)
    ground.clock.advance(1)

    pool = pools.create(spec(), leased(ground))

    assert (pool.name, pool.lease) == ("train", lease)


def test_a_pool_whose_machines_have_no_longest_run_is_not_armed(ground: Ground) -> None:
    pools, lease = ground.pools(), leased(ground)
    pools.create(spec(lifetime=None), lease)
    ground.until(running(pools))
    pools.create(spec(name="short"), lease)

    assert pools.armed("train") is None
    assert pools.armed("short") == lease.ends_at


def test_machines_without_their_pool_are_left_over_and_those_with_our_labels_are_ours(ground: Ground) -> None:
    pools = ground.pools()
    pools.create(spec(), leased(ground))
    ground.until(lambda: pools.fill("train").status == "RUNNING" and len(pools.instances("train")) == 2)
    machines = set(pools.instances("train"))
    before = list(pools.leftovers())
    none = HttpError(code=200, body=b"{}")
    ground.world.faults.add(Fault(name="no pools", service="container", operation="nodePools.list", effect=none))

    left = list(pools.leftovers())

    assert before == []
    assert {one.id for one in left} == machines
    assert {(one.pool, one.ours) for one in left} == {("train", True)}


def test_when_a_machine_was_made_is_told_where_compute_says_it() -> None:
    labels = {"goog-k8s-node-pool-name": "old"}
    left = as_leftover({"name": "gke-1", "labels": labels, "creationTimestamp": "2026-11-21T04:00:00.000-08:00"})

    assert left == Leftover(kind=LeftoverKind.INSTANCE, id="gke-1", pool="old", since=NOW, ours=False)


@pytest.mark.parametrize("label", ["multicluster-owner", "multicluster-ends", "multicluster-anything"])
def test_labels_of_the_lease_cannot_be_set_in_the_registry(label: str) -> None:
    with pytest.raises(ValidationError, match="the lease's"):
        GkeNodePoolOptions(resource_labels={label: "x"})
