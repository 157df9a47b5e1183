"""What is EKS's own about node pools; what all clouds share is in tests/conformance/node_pools."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from typing import Any

import boto3
import botocore.exceptions
import pytest
from botocore.exceptions import ClientError
from pydantic import ValidationError

from multicluster.errors import (
    CloudUnavailableError,
    CredentialError,
    MulticlusterError,
    NodePoolBusyError,
    NodePoolLimitError,
    NodePoolNotFoundError,
    NodePoolRefusedError,
)
from multicluster.kinds.eks import KIND
from multicluster.kinds.eks.node_pool_errors import node_pool_errors
from multicluster.kinds.eks.node_pool_options import DeadMan, EksNodePoolOptions, LaunchTemplate
from multicluster.kinds.eks.node_pool_problems import code_of, health_problems, launch_problems
from multicluster.kinds.eks.node_pool_request import ami_type, nodegroup_request
from multicluster.kinds.eks.node_pool_view import node_pool
from multicluster.kinds.eks.node_pools import EksNodePools
from multicluster.node_pools.lease import Lease
from multicluster.node_pools.pool import NodePool, NodePoolSpec, NodePoolState
from multicluster.node_pools.profile import Gpu, NodePoolProfile, Taint
from multicluster.simulator import Delays, World

ROLE = "arn:aws:iam::111122223333:role/gpu-node"
DEAD_MAN = DeadMan(scheduler_role_arn="arn:aws:iam::111122223333:role/deadman")
OPTIONS = EksNodePoolOptions(node_role_arn=ROLE, subnets=("subnet-a",), tags={"team": "ml"}, dead_man=DEAD_MAN)
LEASE = Lease(owner="a1b2", expires_at=datetime(2030, 1, 1, tzinfo=UTC))
PROFILE = NodePoolProfile(instance_types=("g6.xlarge",), gpu=Gpu())


def spec(size: int = 2, **profile: Any) -> NodePoolSpec:
    return NodePoolSpec(name="train", size=size, profile=PROFILE.model_copy(update=profile))


def request(options: EksNodePoolOptions = OPTIONS, **profile: Any) -> dict[str, Any]:
    return nodegroup_request("gpu", spec(**profile), LEASE, options)


def test_a_request_says_all_that_the_profile_and_the_registry_say() -> None:
    assert request(labels={"a": "b"}, disk_gib=150) == {
        "clusterName": "gpu",
        "nodegroupName": "train",
        "scalingConfig": {"minSize": 0, "maxSize": 2, "desiredSize": 2},
        "subnets": ["subnet-a"],
        "nodeRole": ROLE,
        "capacityType": "ON_DEMAND",
        "labels": {"a": "b"},
        "taints": [{"key": "nvidia.com/gpu", "value": "present", "effect": "NO_SCHEDULE"}],
        "tags": {"team": "ml", **LEASE.to_labels()},
        "clientRequestToken": nodegroup_request("gpu", spec(), LEASE, OPTIONS)["clientRequestToken"],
        "amiType": "AL2023_x86_64_NVIDIA",
        "diskSize": 150,
        "instanceTypes": ["g6.xlarge"],
    }


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({}, "AL2023_x86_64_NVIDIA"),
        ({"gpu": None}, "AL2023_x86_64_STANDARD"),
        ({"instance_types": ("g5g.xlarge",)}, "AL2023_ARM_64_NVIDIA"),
        ({"instance_types": ("p6e-gb200.36xlarge",)}, "AL2023_ARM_64_NVIDIA"),
        ({"instance_types": ("m7gd.large", "t4g.nano"), "gpu": None}, "AL2023_ARM_64_STANDARD"),
        ({"instance_types": ("gr6.4xlarge", "g4dn.xlarge", "p5en.48xlarge")}, "AL2023_x86_64_NVIDIA"),
        ({"instance_types": ("trn1.2xlarge",), "gpu": Gpu(resource="aws.amazon.com/neuron")}, "AL2023_x86_64_NEURON"),
        ({"ami_type": "BOTTLEROCKET_x86_64_NVIDIA"}, "BOTTLEROCKET_x86_64_NVIDIA"),
        ({"ami_type": "AL2027_RISCV_NVIDIA"}, "AL2027_RISCV_NVIDIA"),
    ],
)
def test_the_image_follows_from_the_profile_and_unknown_words_pass(changes: dict[str, Any], expected: str) -> None:
    assert ami_type(PROFILE.model_copy(update=changes)) == expected


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"ami_type": "AL2_x86_64_GPU"}, "last Amazon Linux 2 images"),
        ({"ami_type": "AL2_ARM_64"}, "last Amazon Linux 2 images"),
        ({"instance_types": ("g5g.xlarge", "g6.xlarge")}, "mix ARM and x86"),
        ({"capacity_type": "flex-start"}, "not EKS's"),
        ({"capacity_type": "capacity-block"}, "launchTemplate"),
    ],
)
def test_what_eks_cannot_do_is_refused_with_the_reason(changes: dict[str, Any], words: str) -> None:
    with pytest.raises(NodePoolRefusedError, match=words):
        request(**changes)


def test_a_launch_template_decides_about_the_disk() -> None:
    options = OPTIONS.model_validate_json(
        json.dumps({"nodeRoleArn": ROLE, "subnets": ["subnet-a"], "launchTemplate": {"name": "gpu", "version": "3"}})
    )

    made = request(options)

    assert made["launchTemplate"] == {"name": "gpu", "version": "3"}
    assert "diskSize" not in made


def test_a_capacity_block_leaves_the_instance_type_to_its_launch_template() -> None:
    options = OPTIONS.model_copy(update={"launch_template": LaunchTemplate(id="lt-1")})

    made = request(options, capacity_type="capacity-block")

    assert made["capacityType"] == "CAPACITY_BLOCK"
    assert "instanceTypes" not in made


def test_taints_are_written_in_ekss_words() -> None:
    taints = (Taint(key="a", effect="NoExecute"), Taint(key="b", value="c", effect="PreferNoSchedule"))

    assert request(taints=taints)["taints"] == [
        {"key": "a", "effect": "NO_EXECUTE"},
        {"key": "b", "value": "c", "effect": "PREFER_NO_SCHEDULE"},
    ]


def test_the_registrys_own_example_is_read() -> None:
    dead_man = {"schedulerRoleArn": "arn:aws:iam::111122223333:role/deadman"}
    document = {"nodeRoleArn": ROLE, "subnets": ["subnet-a", "subnet-b"], "deadMan": dead_man}

    read = EksNodePoolOptions.model_validate_json(json.dumps(document))

    assert KIND.node_pool_options is EksNodePoolOptions
    assert read.subnets == ("subnet-a", "subnet-b")
    assert read.dead_man is not None
    assert read.dead_man.group_name == "default"


@pytest.mark.parametrize(
    "change",
    [
        {"nodeRoleArn": "gpu-node"},
        {"subnets": []},
        {"subnets": ["a"]},
        {"remoteAccess": {}},
        {"tags": {"multicluster-owner": "me"}},
        {"tags": {"aws:x": "y"}},
        {"launchTemplate": {}},
        {"launchTemplate": {"id": "lt-1", "name": "gpu"}},
        {"deadMan": {"groupName": "g"}},
    ],
)
def test_bad_options_are_refused(change: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        EksNodePoolOptions.model_validate_json(json.dumps({"nodeRoleArn": ROLE, "subnets": ["subnet-a"], **change}))


@pytest.mark.parametrize(
    ("status", "expected"),
    [
        ("CREATING", NodePoolState.PENDING),
        ("ACTIVE", NodePoolState.ACTIVE),
        ("UPDATING", NodePoolState.ACTIVE),
        ("DEGRADED", NodePoolState.ACTIVE),
        ("DELETING", NodePoolState.DELETING),
        ("CREATE_FAILED", NodePoolState.FAILED),
        ("DELETE_FAILED", NodePoolState.FAILED),
        ("UPDATE_FAILED_SOMEHOW", NodePoolState.FAILED),
        ("SOFT_DELETING", NodePoolState.DELETING),
        ("QUANTUM_LEAP", NodePoolState.PENDING),
    ],
)
def test_every_status_has_a_state_known_or_not(status: str, expected: NodePoolState) -> None:
    pool = node_pool({"nodegroupName": "train", "status": status})

    assert (pool.state, pool.status) == (expected, status)


def activity(
    message: str = "", *, status: str = "Failed", does: str = "Launching a new EC2 instance"
) -> dict[str, Any]:
    return {"StatusCode": status, "StatusMessage": message, "Description": f"{does}. Status Reason: {message}"}


ICE = "Could not launch On-Demand Instances. InsufficientInstanceCapacity - We have none. Launching failed."
SPOT = "Could not launch Spot Instances. "


@pytest.mark.parametrize(
    ("message", "code", "capacity", "fatal"),
    [
        (ICE, "InsufficientInstanceCapacity", True, False),
        (SPOT + "UnfulfillableCapacity - Unable to fulfill.", "UnfulfillableCapacity", True, False),
        (SPOT + "MaxSpotInstanceCountExceeded - Max spot.", "MaxSpotInstanceCountExceeded", False, True),
        ("VcpuLimitExceeded - You have requested more vCPU capacity.", "VcpuLimitExceeded", False, True),
        ("You have requested more vCPU capacity than your limit of 0.", "VcpuLimitExceeded", False, True),
        ("InvalidParameterCombination - not eligible for Free Tier.", "InvalidParameterCombination", False, True),
        ("UnauthorizedOperation - You are not authorized by a policy.", "UnauthorizedOperation", False, True),
        ("InvalidAMIID.NotFound - The image id does not exist.", "InvalidAMIID.NotFound", False, True),
        ("The image id '[ami-1]' does not exist.", "InvalidAMIID", False, True),
        ("You must use a valid fully-formed launch template.", "InvalidLaunchTemplate", False, True),
        ("There are not enough free addresses in subnet 'subnet-a'.", "InsufficientFreeAddresses", True, False),
        ("InsufficientFreeAddressesInSubnet - none.", "InsufficientFreeAddressesInSubnet", True, False),
        ("Client.InternalError: Client error on launch", "Client.InternalError", False, True),
        ("BrandNewTrouble - Something else.", "BrandNewTrouble", False, False),
        ("It just did not work", "LaunchFailed", False, False),
    ],
)  # fmt: skip
def test_a_failed_launch_is_understood(message: str, code: str, *, capacity: bool, fatal: bool) -> None:
    (problem,) = launch_problems([activity(message)])

    assert (problem.code, problem.capacity, problem.fatal) == (code, capacity, fatal)
    assert problem.message == message


def test_failed_launches_are_counted_since_the_last_that_worked() -> None:
    newest_first = [
        activity("InsufficientInstanceCapacity - newest"),
        activity(status="InProgress"),
        activity("terminated", status="Successful", does="Terminating EC2 instance"),
        activity("InsufficientInstanceCapacity - older"),
        activity("VcpuLimitExceeded - x"),
        activity(status="Successful"),
        activity("InsufficientInstanceCapacity - before"),
    ]

    problems = {problem.code: problem for problem in launch_problems(newest_first)}

    assert problems["InsufficientInstanceCapacity"].times == 2
    assert problems["InsufficientInstanceCapacity"].message.endswith("newest")
    assert problems["VcpuLimitExceeded"].times == 1


def test_no_activity_is_no_problem() -> None:
    assert launch_problems([]) == ()
    assert launch_problems([activity(status="Successful")]) == ()


@pytest.mark.parametrize(
    ("code", "message", "capacity", "fatal"),
    [
        ("NodeCreationFailure", "Instances failed to join", False, True),
        ("AsgInstanceLaunchFailures", ICE, True, False),
        ("AsgInstanceLaunchFailures", "VcpuLimitExceeded - none", False, True),
        ("InsufficientFreeAddresses", "no addresses", True, False),
        ("Ec2LaunchTemplateVersionMismatch", "differs", False, True),
        ("ClusterUnreachable", "no answer", False, False),
        ("SomethingNew", "what", False, False),
    ],
)
def test_a_health_issue_is_understood(code: str, message: str, *, capacity: bool, fatal: bool) -> None:
    (problem,) = health_problems([{"code": code, "message": message, "resourceIds": ["eks-train"]}])

    assert (problem.code, problem.capacity, problem.fatal) == (code, capacity, fatal)
    assert problem.message == f"{message} (eks-train)"


def test_an_acronym_in_a_sentence_is_no_code() -> None:
    assert code_of("The EC2 API - it failed") == "LaunchFailed"


@pytest.mark.parametrize(
    ("code", "status", "expected"),
    [
        ("ResourceInUseException", 409, NodePoolBusyError),
        ("InvalidRequestException", 400, NodePoolBusyError),
        ("ResourceLimitExceededException", 400, NodePoolLimitError),
        ("InvalidParameterException", 400, NodePoolRefusedError),
        ("ClientException", 400, NodePoolRefusedError),
        ("AccessDeniedException", 403, NodePoolRefusedError),
        ("ExpiredTokenException", 403, CredentialError),
        ("UnrecognizedClientException", 403, CredentialError),
        ("ThrottlingException", 429, CloudUnavailableError),
        ("ServerException", 500, CloudUnavailableError),
        ("ServiceUnavailableException", 503, CloudUnavailableError),
        ("NobodyKnows", 400, NodePoolRefusedError),
        ("NobodyKnows", 502, CloudUnavailableError),
        ("NobodyKnows", 429, CloudUnavailableError),
    ],
)
def test_every_code_of_aws_has_a_class_of_ours(code: str, status: int, expected: type[MulticlusterError]) -> None:
    answer: Any = {"Error": {"Code": code, "Message": "no"}, "ResponseMetadata": {"HTTPStatusCode": status}}

    with pytest.raises(expected, match=f"call: {code}") as caught, node_pool_errors("call"):
        raise ClientError(answer, "Op")

    assert type(caught.value) is expected


@pytest.mark.parametrize(
    ("error", "expected"),
    [
        (botocore.exceptions.EndpointConnectionError(endpoint_url="https://x"), CloudUnavailableError),
        (botocore.exceptions.ReadTimeoutError(endpoint_url="https://x"), CloudUnavailableError),
        (botocore.exceptions.ConnectionClosedError(endpoint_url="https://x"), CloudUnavailableError),
        (botocore.exceptions.NoCredentialsError(), CredentialError),
        (botocore.exceptions.ParamValidationError(report="x"), NodePoolRefusedError),
    ],
)
def test_no_error_of_botocore_leaves(error: Exception, expected: type[MulticlusterError]) -> None:
    with pytest.raises(expected), node_pool_errors("call"):
        raise error


def test_a_missing_cluster_is_not_a_missing_pool() -> None:
    answer: Any = {"Error": {"Code": "ResourceNotFoundException", "Message": "No cluster found for name: gpu."}}

    with pytest.raises(NodePoolRefusedError, match="clusterName"), node_pool_errors("call"):
        raise ClientError(answer, "DeleteNodegroup")


@pytest.fixture
def world(monkeypatch: pytest.MonkeyPatch) -> Iterator[World]:
    with World(delays=Delays.none()) as made:
        made.add_eks("gpu")
        for name in ("AWS_PROFILE", "AWS_SESSION_TOKEN"):
            monkeypatch.delenv(name, raising=False)
        for name, value in made.env().items():
            monkeypatch.setenv(name, value)
        yield made


Open = Callable[..., EksNodePools]


@pytest.fixture
def opened(world: World) -> Open:
    def open_(options: EksNodePoolOptions | None = OPTIONS, cluster: str = "gpu") -> EksNodePools:
        return EksNodePools(session=boto3.session.Session(), cluster_name=cluster, region="us-east-1", options=options)

    return open_


def test_rights_to_read_activities_that_lack_are_told_and_break_nothing(world: World, opened: Open) -> None:
    pools = opened()
    pools.create(spec(), LEASE)
    world.settle()
    world.faults.add(denied("autoscaling"))

    pool = pools.get("train")

    assert pool.state is NodePoolState.ACTIVE
    assert [problem.code for problem in pool.problems] == ["ScalingActivitiesUnreadable"]
    assert "DescribeScalingActivities" in pool.problems[0].message
    assert not pool.problems[0].fatal


def test_a_shortage_is_told_in_the_clouds_words_long_before_the_pool_fails(world: World, opened: Open) -> None:
    world.groups.delays = Delays(create=0, capacity_retry=0.02, capacity_timeout=60)
    world.inject("no-capacity")
    pools = opened()
    pools.create(spec(), LEASE)

    def told_three_times() -> NodePool | None:
        pool = pools.get("train")
        return pool if pool.problems and pool.problems[0].times >= 3 else None

    pool = world.wait(told_three_times)

    assert pool.state is NodePoolState.PENDING
    assert pool.problems[0].code == "InsufficientInstanceCapacity"
    assert "sufficient g6.xlarge capacity" in pool.problems[0].message


def test_activities_are_found_before_the_node_group_names_its_auto_scaling_group(
    world: World, opened: Open, monkeypatch: pytest.MonkeyPatch
) -> None:
    world.groups.delays = Delays(create=0, capacity_retry=0.02, capacity_timeout=60)
    world.inject("no-capacity")
    pools = opened()
    pools.create(spec(), LEASE)
    monkeypatch.setattr("multicluster.kinds.eks.node_pool_reasons.group_names", lambda _: [])

    problems = world.wait(lambda: pools.get("train").problems)

    assert problems[0].code == "InsufficientInstanceCapacity"


def test_create_without_a_block_in_the_registry_says_what_is_missing(opened: Open) -> None:
    pools = opened(None)

    with pytest.raises(NodePoolRefusedError, match=r"nodePools\.eks.*nodeRoleArn"):
        pools.create(spec(), LEASE)

    assert list(pools.list()) == []


def test_a_wrong_cluster_name_is_no_pool_that_is_gone(opened: Open) -> None:
    pools = opened(cluster="typo")

    with pytest.raises(NodePoolRefusedError, match="typo"):
        pools.delete("train")


def test_list_follows_the_pages(world: World, opened: Open) -> None:
    cluster = next(iter(world.aws.clusters.all.values()))
    cluster.max_groups = 200
    pools = opened()
    for number in range(103):
        pools.create(NodePoolSpec(name=f"p{number:03d}", size=1, profile=PROFILE), LEASE)

    assert [pool.name for pool in pools.list()] == [f"p{number:03d}" for number in range(103)]


def test_too_many_pools_for_the_cloud_is_a_limit(world: World, opened: Open) -> None:
    world.inject("create-limit")

    with pytest.raises(NodePoolLimitError, match="Cannot exceed"):
        opened().create(spec(), LEASE)


def test_many_threads_may_begin_at_once(opened: Open) -> None:
    pools = opened()

    def look(number: int) -> str:
        try:
            pools.get(f"p{number}")
        except NodePoolNotFoundError:
            return "not found"
        return "found"

    with ThreadPoolExecutor(20) as threads:
        assert set(threads.map(look, range(40))) == {"not found"}


def test_parallel_creates_by_one_owner_are_one_pool(world: World, opened: Open) -> None:
    pools = opened()

    def create(number: int) -> str:
        lease = Lease(owner=LEASE.owner, expires_at=LEASE.expires_at + timedelta(seconds=number))
        return pools.create(spec(), lease).name

    with ThreadPoolExecutor(8) as threads:
        assert set(threads.map(create, range(16))) == {"train"}

    assert len(world.groups.groups) == 1


def denied(service: str) -> Any:
    from multicluster.simulator import Fault, HttpError

    error = HttpError(code=403, reason="AccessDenied", message="not authorized to perform this")
    return Fault(name="denied", effect=error, service=service, times=None)
