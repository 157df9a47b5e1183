"""``multicluster reap`` among 200 pools of two clouds, of which 50 are leaks."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from multicluster import load_registry
from multicluster.cli import main
from multicluster.node_pools.lease import EXPIRES, KEEP, MANAGED_BY, MANAGER, Lease
from multicluster.node_pools.origin import Origin
from multicluster.node_pools.pool import NodePoolSpec
from multicluster.node_pools.profile import Gpu, NodePoolProfile
from multicluster.simulator import Delays, ManualClock, World

HOUR = timedelta(hours=1)
AGO = 6 * HOUR
CLUSTERS = {**{f"eks-{number}": 25 for number in range(4)}, **{f"gke-{number}": 50 for number in range(2)}}
PROFILE = NodePoolProfile(instance_types=("g6.xlarge",), gpu=Gpu())
G2 = NodePoolProfile(instance_types=("g2-standard-4",), gpu=Gpu(type="nvidia-l4"))
READING = ("Describe", "List", "Get", "get", "list", "aggregatedList", "AssumeRole", "token")
UNSET = ("GOOGLE_APPLICATION_CREDENTIALS", "AWS_PROFILE", "AWS_SESSION_TOKEN", "MULTICLUSTER_REGISTRY")


class Tagged(Lease):
    """Somebody else's tags, or what is left of ours."""

    tags: dict[str, str] = {}  # noqa: RUF012 - set by subclasses

    def to_labels(self) -> dict[str, str]:
        return self.tags


class Foreign(Tagged):
    tags = {"team": "vision", EXPIRES: "1"}  # noqa: RUF012


class Damaged(Tagged):
    tags = {MANAGED_BY: MANAGER, EXPIRES: "tomorrow"}  # noqa: RUF012


class Kept(Lease):
    def to_labels(self) -> dict[str, str]:
        return {**super().to_labels(), KEEP: "until-friday"}


@pytest.fixture(scope="module")
def world() -> Iterator[World]:
    """A world that stands still six hours ago: no dead-man switch fires in it, so that leaks stay."""
    with World(delays=Delays.none(), clock=ManualClock(datetime.now(UTC) - AGO)) as made:
        for name in CLUSTERS:
            made.add_eks(name) if name.startswith("eks") else made.add_gke(name)
        yield made


@pytest.fixture
def document(world: World, monkeypatch: pytest.MonkeyPatch) -> dict[str, Any]:
    for name in UNSET:
        monkeypatch.delenv(name, raising=False)
    for name, value in world.env().items():
        monkeypatch.setenv(name, value)
    monkeypatch.setattr("google.auth.compute_engine._metadata._GCE_METADATA_HOST", world.metadata_host)
    made: dict[str, Any] = json.loads(json.dumps(world.registry()))
    return made


@pytest.fixture
def reap(document: dict[str, Any], tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Callable[..., Any]:
    path = tmp_path / "registry.json"
    path.write_text(json.dumps(document))

    def run(*words: str) -> tuple[int, dict[str, Any]]:
        code = main(["reap", "--registry", str(path), "--output", "json", *words])
        return code, json.loads(capsys.readouterr().out)

    return run


def lease(number: int, *, lasts: timedelta, kind: type[Lease] = Lease) -> Lease:
    origin = Origin(deployment="tests", dag_id="train", run_id=f"run-{number}", group_id="gpu")
    start = datetime.now(UTC) - AGO
    return kind(owner=origin.owner, expires_at=start + lasts, ends_at=start + 20 * HOUR, term=HOUR, origin=origin)


def fill(world: World, document: dict[str, Any]) -> tuple[set[str], set[str]]:
    """Make the pools; return the leaks and the damaged ones, each as ``cluster/pool``."""
    registry = load_registry(document)
    leaks, damaged, number = set(), set(), 0
    for name, count in CLUSTERS.items():
        pools = registry[name].node_pools()
        for index in range(count):
            number += 1
            kind, lasts = Lease, HOUR
            if index % 4 == 0 and len(leaks) < 50:
                leaks.add(f"{name}/{pool_of(number)}")
            elif index % 4 == 1:
                kind = Foreign
            elif index % 4 == 2:
                lasts = AGO + HOUR
            elif index % 8 == 3:
                kind = Kept
            else:
                kind = Foreign
            if index == 1:
                kind = Damaged
                damaged.add(f"{name}/{pool_of(number)}")
            profile = PROFILE if name.startswith("eks") else G2
            pools.create(
                NodePoolSpec(name=pool_of(number), size=1, profile=profile), lease(number, lasts=lasts, kind=kind)
            )
            world.settle()
    return leaks, damaged


def pool_of(number: int) -> str:
    return f"mc-gpu-{lease(number, lasts=HOUR).owner}"


def clouds(world: World) -> str:
    """Write down all that the clouds and the clusters hold."""

    def read() -> str:
        groups = [
            (
                key,
                {
                    name: str(value)
                    for name, value in vars(group).items()
                    if name not in {"nodes", "tasks", "keepers", "watchers"}
                },
            )
            for key, group in sorted(world.groups.groups.items())
        ]
        schedules = [
            (key, one.body, str(one.due), str(one.modified)) for key, one in sorted(world.aws.schedules.all.items())
        ]
        nodes = [entrance.kubernetes.objects("nodes") for entrance in world.entrances.values()]
        return json.dumps([groups, schedules, nodes], default=str)

    return world.host.run(read)


def pools_left(world: World) -> set[str]:
    report = world.report()
    return {*report.aws.pools_left, *report.google.pools_left}


def named(steps: list[dict[str, Any]], act: str) -> set[str]:
    return {f"{step['cluster']}/{step['name']}" for step in steps if step["act"] == act}


@pytest.mark.slow
def test_of_200_pools_reap_deletes_the_50_leaks_and_without_apply_nothing(
    world: World, document: dict[str, Any], reap: Callable[..., Any]
) -> None:
    off = json.loads(json.dumps(document))
    for cluster in off["clusters"]:
        cluster["nodePools"].get("eks", {}).update(deadMan="off")
    leaks, damaged = fill(world, off)
    everything = pools_left(world)
    before, asked = clouds(world), calls(world)
    assert (len(everything), len(leaks)) == (200, 50)

    code, planned = reap()

    assert named(planned["steps"], "delete") == leaks
    assert named(planned["steps"], "report") == damaged
    assert len(planned["steps"]) == 200
    assert (code, planned["applied"], planned["troubles"]) == (1, False, [])
    assert clouds(world) == before
    assert {name for name in calls(world) - asked if not name.split(":")[1].split(".")[-1].startswith(READING)} == set()

    reap("--apply")
    world.settle()
    assert len(everything - pools_left(world)) <= 10

    for _ in range(100):
        code, done = reap("--apply", "--max-deletions", "60")
        world.settle()
        if not named(done["steps"], "delete"):
            break

    assert everything - pools_left(world) == leaks
    assert (code, named(done["steps"], "report")) == (1, damaged)


def calls(world: World) -> Counter[str]:
    report = world.report()
    return Counter(report.aws.calls) + Counter(report.google.calls)
