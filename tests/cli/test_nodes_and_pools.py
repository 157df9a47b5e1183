from __future__ import annotations

import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import boto3
import pytest

from multicluster.cli import main
from multicluster.cli.nodes import age
from multicluster.kinds.eks.node_pool_options import EksNodePoolOptions
from multicluster.kinds.eks.node_pools import EksNodePools
from multicluster.node_pools.lease import Lease
from multicluster.node_pools.pool import NodePoolSpec
from multicluster.node_pools.profile import Gpu, NodePoolProfile
from multicluster.simulator import World

PROFILE = NodePoolProfile(instance_types=("g6.xlarge",), gpu=Gpu())
OPTIONS = EksNodePoolOptions(
    node_role_arn="arn:aws:iam::111122223333:role/gpu-node",
    subnets=("subnet-a",),
    dead_man="off",  # a schedule could not be made for a lease that is over
)


class Strange(Lease):
    def to_labels(self) -> dict[str, str]:
        return {}


@pytest.fixture
def multicluster(
    world: World, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> Callable[..., tuple[int, str, str]]:
    def run(*words: str, **changes: Any) -> tuple[int, str, str]:
        document = json.loads(json.dumps(world.registry()))
        document["clusters"][0].update(changes)
        path = tmp_path / "registry.json"
        path.write_text(json.dumps(document))
        code = main([*words, "--registry", str(path)])
        captured = capsys.readouterr()
        return code, captured.out, captured.err

    return run


@pytest.fixture
def make(world: World) -> Callable[..., None]:
    pools = EksNodePools(session=boto3.session.Session(), cluster_name="gpu-use1", region="us-east-1", options=OPTIONS)

    def create(name: str, *, ours: bool = True, hours: float = 2) -> None:
        kind = Lease if ours else Strange
        lease = kind(owner="a1b2", expires_at=datetime.now(UTC) + timedelta(hours=hours, seconds=30))
        pools.create(NodePoolSpec(name=name, size=2, profile=PROFILE), lease)
        world.settle()

    return create


def test_nodes_are_listed_with_pool_gpus_and_taints(multicluster: Any, make: Any) -> None:
    make("train")

    code, out, _ = multicluster("nodes", "gpu-use1")

    lines = out.splitlines()
    assert code == 0
    assert lines[0].split() == ["NODE", "POOL", "READY", "GPUS", "TAINTS", "AGE"]
    gpu_lines = [line for line in lines if " train " in line]
    assert len(gpu_lines) == 2
    assert all("nvidia.com/gpu=1" in line and "nvidia.com/gpu=present:NoSchedule" in line for line in gpu_lines)


def test_nodes_of_several_clusters_say_whose_they_are(multicluster: Any) -> None:
    code, out, _ = multicluster("nodes", "gpu-use1", "laptop", "--output", "json")

    assert code == 0
    assert {row["cluster"] for row in json.loads(out)} == {"gpu-use1", "laptop"}
    assert all(row["ready"] == "Ready" for row in json.loads(out))


def test_nodes_of_an_unknown_cluster_are_misuse(multicluster: Any) -> None:
    code, out, err = multicluster("nodes", "gpu-use2")

    assert (code, out) == (2, "")
    assert "gpu-use1" in err


def test_nodes_that_may_not_be_listed_say_what_right_lacks(multicluster: Any, world: World) -> None:
    from multicluster.simulator import Fault, HttpError

    error = HttpError(code=403, body=b'{"kind":"Status","status":"Failure","code":403,"message":"forbidden"}')
    world.faults.add(Fault(name="forbidden", effect=error, service="kubernetes", operation="list nodes", times=None))

    code, _, err = multicluster("nodes", "laptop")

    assert code == 1
    assert "403" in err
    assert "nodes" in err


def test_pools_are_listed_with_owner_and_lease(multicluster: Any, make: Any) -> None:
    make("train")
    make("theirs", ours=False)
    make("old", hours=-1.5)

    code, out, _ = multicluster("pools", "list", "gpu-use1", "--output", "json")

    rows = {row["pool"]: row for row in json.loads(out)}
    assert code == 0
    assert (rows["train"]["owner"], rows["train"]["lease"], rows["train"]["state"]) == ("a1b2", "2h00m", "active")
    assert (rows["theirs"]["owner"], rows["theirs"]["lease"]) == (None, "not ours")
    assert rows["old"]["lease"].startswith("over for 1h")


def test_pools_of_all_clusters_leave_out_those_that_have_none(multicluster: Any, make: Any) -> None:
    make("train")

    code, out, err = multicluster("pools", "list")

    assert (code, err) == (0, "")
    assert [line.split()[:2] for line in out.splitlines()[1:]] == [["gpu-use1", "train"]]


def test_pools_of_all_clusters_go_on_past_one_in_trouble_and_fail(multicluster: Any, world: World) -> None:
    world.inject("create-denied", operation="ListNodegroups")

    code, _, err = multicluster("pools", "list")

    assert code == 1
    assert "ListNodegroups" in err


def test_pools_of_a_cluster_that_cannot_have_any_is_an_error(multicluster: Any) -> None:
    code, _, err = multicluster("pools", "list", "laptop")

    assert code == 1
    assert "laptop" in err


def test_delete_without_apply_says_what_it_would_do_and_does_nothing(
    multicluster: Any, make: Any, world: World
) -> None:
    make("train")

    code, out, err = multicluster("pools", "delete", "gpu-use1", "train")

    assert code == 0
    assert out.startswith("would delete: node pool train on cluster gpu-use1 (ACTIVE, lease: 2h00m, owner: a1b2, i-")
    assert "--apply" in err
    assert len(world.report().aws.pools_left) == 1


def test_delete_with_apply_deletes(multicluster: Any, make: Any, world: World) -> None:
    make("train")

    code, out, _ = multicluster("pools", "delete", "gpu-use1", "train", "--apply")
    world.settle()

    assert code == 0
    assert out.startswith("deletion asked for")
    assert world.report().aws.pools_left == ()


@pytest.mark.parametrize("apply", [[], ["--apply"]])
def test_delete_refuses_a_pool_that_is_not_ours(multicluster: Any, make: Any, world: World, apply: list[str]) -> None:
    make("theirs", ours=False)

    code, _, err = multicluster("pools", "delete", "gpu-use1", "theirs", *apply)

    assert code == 1
    assert "--not-ours" in err
    assert len(world.report().aws.pools_left) == 1


def test_delete_takes_a_pool_that_is_not_ours_when_told_so(multicluster: Any, make: Any, world: World) -> None:
    make("theirs", ours=False)

    code, out, _ = multicluster("pools", "delete", "gpu-use1", "theirs", "--not-ours", "--apply", "--output", "json")
    world.settle()

    assert code == 0
    assert json.loads(out)["deletion_asked"] is True
    assert world.report().aws.pools_left == ()


def test_delete_of_a_misspelt_pool_fails(multicluster: Any, make: Any) -> None:
    make("train")

    code, _, err = multicluster("pools", "delete", "gpu-use1", "trian", "--apply")

    assert code == 1
    assert "trian" in err


def test_delete_checks_the_clusters_identity_first(multicluster: Any, make: Any, world: World) -> None:
    make("train")
    pins = {"kubeSystemUid": "00000000-0000-0000-0000-000000000000"}

    code, _, err = multicluster("pools", "delete", "gpu-use1", "train", "--apply", identity=pins)

    assert code == 1
    assert "kube-system" in err
    assert len(world.report().aws.pools_left) == 1


@pytest.mark.parametrize(
    ("seconds", "expected"),
    [(-5, "0s"), (45, "45s"), (119, "119s"), (600, "10m"), (7200, "2h"), (3 * 86400, "3d")],
)
def test_an_age_is_short(seconds: float, expected: str) -> None:
    assert age(timedelta(seconds=seconds)) == expected
