"""Every fault of the catalogue does what its line says, seen by real clients."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
import requests
from botocore.exceptions import ClientError, ConnectionClosedError, ReadTimeoutError

from multicluster.simulator import FAULTS, Delays, Drop, Fault, Faults, ManualClock, World
from multicluster.simulator.catalogue import ENTRIES, rows
from multicluster.simulator.injection import build

Client = Callable[..., Any]


@pytest.fixture
def train(world: World, client: Client, group: dict[str, Any]) -> Callable[[], dict[str, Any]]:
    """Add the cluster; the answer describes the group `train`."""
    world.add_eks("gpu")
    described: Callable[[], dict[str, Any]] = lambda: client("eks").describe_nodegroup(  # noqa: E731
        clusterName="gpu", nodegroupName="train"
    )["nodegroup"]
    return described


def code_of(call: Callable[[], Any]) -> str:
    with pytest.raises(ClientError) as error:
        call()
    code: str = error.value.response["Error"]["Code"]
    return code


def gpus(world: World) -> list[str]:
    nodes = world.entrances["gpu"].kubernetes.objects("nodes")
    return [
        node["status"]["allocatable"]["nvidia.com/gpu"]
        for node in nodes
        if "nvidia.com/gpu" in node["status"]["allocatable"]
    ]


def test_each_fault_has_one_line() -> None:
    assert len(FAULTS) >= 25
    assert all(line and "\n" not in line for line in FAULTS.values())


def test_each_fault_says_where_it_strikes_how_often_and_what_it_heeds() -> None:
    listed = {row["fault"]: row for row in rows()}

    assert list(listed) == list(FAULTS)
    assert all(row["where"] and row["what"] for row in listed.values())
    assert listed["late-response"]["options"] == ("seconds",)
    assert (listed["throttled"]["times"], listed["drop"]["times"], listed["node-lost"]["times"]) == ("always", 1, "now")


@pytest.mark.parametrize("name", ENTRIES)
def test_each_fault_can_strike_the_nth_call_or_by_a_chance_that_is_repeated(name: str) -> None:
    third = build(name, times=1, options={"after": "2"})
    by_chance = build(name, times=100, options={"probability": "0.5", "seed": "7"})

    assert strikes(third, 5) == [False, False, True, False, False]
    assert strikes(by_chance, 40) == strikes(by_chance, 40)
    assert 5 < sum(strikes(by_chance, 40)) < 35


def strikes(fault: Fault, calls: int) -> list[bool]:
    faults = Faults()
    after = "response:" if fault.service.startswith("response:") else ""
    faults.add(replace(fault, service=f"{after}.*", operation=".*"))
    return [bool(faults.effects(f"{after}eks", "Call", "gpu/train")) for _ in range(calls)]


def test_the_chance_of_one_fault_does_not_depend_on_another() -> None:
    faults, alone = Faults(), Faults()
    one = Fault(name="one", effect=Drop(), times=None, probability=0.5, seed=3)
    faults.add(replace(one, name="other"))
    faults.add(one)
    alone.add(one)

    for _ in range(30):
        faults.effects("eks", "Call", "")

    assert faults.struck("one") == sum(bool(alone.effects("eks", "Call", "")) for _ in range(30))


@pytest.mark.parametrize(
    ("name", "options", "reason"),
    [
        ("throttled", {"seconds": "3"}, "unknown option 'seconds'"),
        ("tokens-expire", {"after": "3"}, "unknown option 'after'"),
        ("throttled", {"probability": "2"}, "must be from 0 to 1"),
        ("throttled", {"after": "soon"}, "invalid literal"),
    ],
)
def test_what_a_fault_does_not_heed_is_refused(world: World, name: str, options: dict[str, str], reason: str) -> None:
    with pytest.raises(ValueError, match=reason):
        world.inject(name, **options)


def test_a_struck_call_is_named_in_the_refusal(world: World, client: Client) -> None:
    world.inject("denied", operation="ListClusters")

    with pytest.raises(ClientError, match="not authorized to perform: eks:ListClusters"):
        client("eks").list_clusters()


def test_an_unknown_fault_or_option_is_refused(world: World) -> None:
    with pytest.raises(ValueError, match="no fault named 'no-capasity'"):
        world.inject("no-capasity")
    with pytest.raises(ValueError, match="unknown option 'colour' of fault 'slow'"):
        world.inject("slow", colour="red")


@pytest.mark.parametrize(
    ("service", "operation", "call", "code"),
    [
        ("eks", "ListClusters", "list_clusters", "ThrottlingException"),
        ("sts", "GetCallerIdentity", "get_caller_identity", "Throttling"),
        ("ec2", "DescribeInstances", "describe_instances", "RequestLimitExceeded"),
        ("autoscaling", "DescribeAutoScalingGroups", "describe_auto_scaling_groups", "Throttling"),
        ("scheduler", "ListSchedules", "list_schedules", "ThrottlingException"),
    ],
)
def test_throttled(  # noqa: PLR0917 - fixtures
    world: World, client: Client, service: str, operation: str, call: str, code: str
) -> None:
    world.inject("throttled", operation=operation, times=1)
    ask = getattr(client(service), call)

    assert code_of(ask) == code
    assert ask()["ResponseMetadata"]["HTTPStatusCode"] == 200


def test_server_error(world: World, client: Client) -> None:
    world.inject("server-error", operation="ListClusters", times=1)

    assert code_of(client("eks").list_clusters) == "ServerException"


def test_create_fails(world: World, client: Client, group: dict[str, Any], train: Any) -> None:
    world.inject("create-fails", code="IamNodeRoleNotFound", message="no such role")
    client("eks").create_nodegroup(**group)
    world.settle()

    assert train()["status"] == "CREATE_FAILED"
    assert train()["health"]["issues"][0] == {
        "code": "IamNodeRoleNotFound",
        "message": "no such role",
        "resourceIds": [],
    }


def test_create_denied_and_create_limit(world: World, client: Client, group: dict[str, Any], train: Any) -> None:
    for fault, code in (("create-denied", "AccessDeniedException"), ("create-limit", "ResourceLimitExceededException")):
        world.inject(fault, target="gpu/train", times=1)

        assert code_of(lambda: client("eks").create_nodegroup(**group)) == code

    client("eks").create_nodegroup(**group)
    world.settle()
    assert train()["status"] == "ACTIVE"


def test_a_fault_aimed_at_one_pool_leaves_another_alone(
    world: World, client: Client, group: dict[str, Any], train: Any
) -> None:
    world.inject("create-fails", target="gpu/other")
    client("eks").create_nodegroup(**group)
    client("eks").create_nodegroup(**{**group, "nodegroupName": "other"})
    world.settle()

    assert train()["status"] == "ACTIVE"
    other = client("eks").describe_nodegroup(clusterName="gpu", nodegroupName="other")["nodegroup"]
    assert other["status"] == "CREATE_FAILED"


@pytest.mark.parametrize("world", ["realistic"], indirect=True)
def test_never_ready(world: World, clock: ManualClock, client: Client, group: dict[str, Any], train: Any) -> None:
    world.inject("never-ready")
    client("eks").create_nodegroup(**group)
    clock.advance(600)

    during, nodes = train()["status"], world.entrances["gpu"].kubernetes.objects("nodes")
    clock.advance(600)

    assert during == "CREATING"
    assert len(nodes) == 2
    after = train()
    assert (after["status"], after["health"]["issues"][0]["code"]) == ("CREATE_FAILED", "NodeCreationFailure")


def test_no_gpu(world: World, client: Client, group: dict[str, Any], train: Any) -> None:
    world.inject("no-gpu")
    client("eks").create_nodegroup(**group)
    world.settle()

    assert train()["status"] == "ACTIVE"
    assert gpus(world) == ["0"]


def test_delete_refused_once(world: World, client: Client, group: dict[str, Any], train: Any) -> None:
    client("eks").create_nodegroup(**group)
    world.settle()
    world.inject("delete-refused")
    delete = lambda: client("eks").delete_nodegroup(clusterName="gpu", nodegroupName="train")  # noqa: E731

    assert code_of(delete) == "ResourceInUseException"
    assert delete()["nodegroup"]["status"] == "DELETING"


@pytest.mark.parametrize("times", [1, 2])
def test_delete_fails_so_many_times(
    world: World, client: Client, group: dict[str, Any], train: Any, times: int
) -> None:
    client("eks").create_nodegroup(**group)
    world.settle()
    world.inject("delete-fails", times=times)

    for _ in range(times):
        client("eks").delete_nodegroup(clusterName="gpu", nodegroupName="train")
        world.settle()
        failed = train()
        assert failed["status"] == "DELETE_FAILED"
        assert failed["health"]["issues"][0]["code"] == "AutoScalingGroupInvalidConfiguration"
        assert world.report().pools_left == ("gpu/train",)
        assert len(world.report().instances_left) == 1
    client("eks").delete_nodegroup(clusterName="gpu", nodegroupName="train")
    world.settle()

    assert (world.report().pools_left, world.report().instances_left) == ((), ())


def test_not_found_yet(world: World, client: Client, group: dict[str, Any], train: Any) -> None:
    world.inject("not-found-yet", times=2)
    client("eks").create_nodegroup(**group)

    assert [code_of(train), code_of(train)] == ["ResourceNotFoundException"] * 2
    assert train()["nodegroupName"] == "train"


@pytest.mark.unjudged("a status of tomorrow")
def test_unknown_status(world: World, client: Client, group: dict[str, Any], train: Any) -> None:
    client("eks").create_nodegroup(**group)
    world.inject("unknown-status", times=1)

    assert train()["status"] == "QUANTUM_LEAP"


def test_lost_response_acts_and_cuts(world: World, client: Client, group: dict[str, Any], train: Any) -> None:
    world.inject("lost-response", operation="CreateNodegroup")

    with pytest.raises(ConnectionClosedError):
        client("eks").create_nodegroup(**group, clientRequestToken="run-1")

    assert train()["nodegroupName"] == "train"
    again = client("eks").create_nodegroup(**group, clientRequestToken="run-1")["nodegroup"]
    assert again["nodegroupArn"] == train()["nodegroupArn"]


def test_drop_does_nothing_and_cuts(world: World, client: Client, group: dict[str, Any], train: Any) -> None:
    world.inject("drop", operation="CreateNodegroup")

    with pytest.raises(ConnectionClosedError):
        client("eks").create_nodegroup(**group)

    assert code_of(train) == "ResourceNotFoundException"


def test_hang_and_slow(world: World, client: Client) -> None:
    world.inject("hang", operation="ListClusters", times=1)
    world.inject("slow", operation="GetCallerIdentity", seconds="0.05")

    with pytest.raises(ReadTimeoutError):
        client("eks", read_timeout=0.2).list_clusters()

    assert client("eks").list_clusters()["clusters"] == []
    assert client("sts").get_caller_identity()["Account"] == "111122223333"


def test_faults_of_api_servers(world: World) -> None:
    cluster = world.add_plain("laptop")
    (world.root / "ca.pem").write_bytes(cluster.ca_pem)
    headers = {"Authorization": f"Bearer {world.entrances['laptop'].admin_token}"}
    ask: Callable[[], requests.Response] = lambda: requests.get(  # noqa: E731
        f"{cluster.url}/api/v1/nodes", headers=headers, verify=str(world.root / "ca.pem"), timeout=0.3
    )
    world.inject("api-server-error", operation="list nodes")

    assert [ask().status_code, ask().status_code] == [500, 200]
    world.inject("unauthorized")
    assert [ask().status_code, ask().status_code] == [401, 200]
    world.inject("api-server-hangs")
    with pytest.raises(requests.exceptions.ReadTimeout):
        ask()


def test_certificate_rotates(world: World) -> None:
    cluster = world.add_plain("laptop")
    before = cluster.ca_pem

    world.inject("certificate-rotates")

    assert cluster.ca_pem != before


def test_faults_strike_google_too_in_its_own_words(world: World, env: dict[str, str]) -> None:
    world.add_gke("gpu")
    token = world.google.tokens.mint(world.google.account, ["https://www.googleapis.com/auth/cloud-platform"]).token
    url = f"{world.google.url}/v1/projects/acme/locations/europe-west4/clusters/gpu"
    ask: Callable[[], requests.Response] = lambda: requests.get(  # noqa: E731
        url, headers={"Authorization": f"Bearer {token}"}, timeout=5
    )
    world.inject("throttled", operation="clusters.get", times=1)

    throttled, fine = ask(), ask()
    world.inject("tokens-expire")
    expired = ask()

    assert (throttled.status_code, throttled.json()["error"]["status"]) == (429, "RESOURCE_EXHAUSTED")
    assert (fine.status_code, expired.status_code) == (200, 401)


@pytest.mark.unjudged("an error that no service has")
def test_a_world_can_be_given_faults_of_ones_own(world: World, client: Client) -> None:
    from multicluster.simulator import Fault, HttpError

    effect = HttpError(code=418, reason="TeapotException", message="short and stout")
    world.faults.add(Fault(name="teapot", effect=effect, service="eks", operation="List.*", times=1))

    assert code_of(client("eks").list_clusters) == "TeapotException"
    assert world.faults.struck("teapot") == 1


def test_delays_can_be_realistic() -> None:
    assert Delays.realistic().capacity_timeout >= 33 * 60
