"""``multicluster reap`` as a person meets it. That it changes nothing without --apply: tests/reaper."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from multicluster import load_registry
from multicluster.cli import main
from multicluster.node_pools.lease import Lease
from multicluster.node_pools.origin import Origin
from multicluster.node_pools.pool import NodePoolSpec
from multicluster.simulator import Delays, ManualClock, World
from multicluster.testing.world import enter

HOUR = timedelta(hours=1)
AGO = 6 * HOUR


@pytest.fixture
def world(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[World]:
    """A world that stands still six hours ago, so that what is made in it is old."""
    with World(delays=Delays.none(), clock=ManualClock(datetime.now(UTC) - AGO)) as made:
        made.add_eks("gpu-use1")
        made.add_gke("gpu-euw4")
        made.add_plain("laptop")
        monkeypatch.setattr("google.auth.compute_engine._metadata._GCE_METADATA_HOST", made.metadata_host)
        enter(made, tmp_path / "registry.json", monkeypatch)
        yield made


@pytest.fixture
def reap(world: World, capsys: pytest.CaptureFixture[str]) -> Callable[..., tuple[int, str, str]]:
    def run(*words: str) -> tuple[int, str, str]:
        code = main(["reap", *words])
        captured = capsys.readouterr()
        return code, captured.out, captured.err

    return run


@pytest.fixture
def make(world: World, tmp_path: Path) -> Callable[..., str]:
    """Ask for a pool whose lease was written six hours ago."""

    def create(cluster: str = "gpu-use1", *, run: str = "run", lasts: timedelta = HOUR) -> str:
        one = load_registry(tmp_path / "registry.json")[cluster]
        origin = Origin(deployment="tests", dag_id="train", run_id=run, group_id="gpu")
        start = datetime.now(UTC) - AGO
        lease = Lease(owner=origin.owner, expires_at=start + lasts, ends_at=start + 20 * HOUR, term=HOUR, origin=origin)
        name = f"mc-gpu-{origin.owner}"
        one.node_pools().create(NodePoolSpec(name=name, size=1, profile=one.profile("l4")), lease)
        world.settle()
        return name

    return create


def left(world: World) -> set[str]:
    return set(world.report().pools_left)


def test_with_nothing_to_do_it_says_what_it_looked_at_and_exits_0(reap: Any, make: Any, world: World) -> None:
    make(lasts=AGO + HOUR)

    code, out, err = reap()

    assert (code, out) == (0, "")
    assert "1 node pool on 3 clusters, 1 of them ours; 0 to be deleted" in err
    assert reap("--apply")[0] == 0
    assert len(left(world)) == 1


def test_a_leak_is_planned_with_its_reason_and_a_hint_and_exits_1(reap: Any, make: Any, world: World) -> None:
    name = make()

    code, out, err = reap()

    header, line = out.splitlines()
    assert code == 1
    assert header.split() == ["ACT", "CLUSTER", "KIND", "NAME", "REASON"]
    assert line.split()[:4] == ["delete", "gpu-use1", "pool", name]
    assert "its lease is over for 5h00m, and nobody renewed it" in line
    assert "--apply" in err
    assert left(world) == {f"gpu-use1/{name}"}


@pytest.mark.parametrize("cluster", ["gpu-use1", "gpu-euw4"])
def test_with_apply_the_leak_is_deleted_and_the_result_told(reap: Any, make: Any, world: World, cluster: str) -> None:
    name = make(cluster)

    code, out, err = reap("--apply")
    world.settle()

    assert code == 0
    assert [line.split()[:4] for line in out.splitlines() if name in line] == [
        ["delete", cluster, "pool", name],
        ["done", cluster, "pool", name],
    ]
    assert "multicluster pools list" in err
    assert left(world) == set()


def test_only_the_clusters_that_are_named_are_looked_at(reap: Any, make: Any, world: World) -> None:
    make("gpu-use1")
    name = make("gpu-euw4", run="other")

    code, out, _ = reap("gpu-euw4", "gpu-euw4", "--output", "json")

    document = json.loads(out)
    assert code == 1
    assert [(step["cluster"], step["name"], step["act"]) for step in document["steps"]] == [
        ("gpu-euw4", name, "delete")
    ]
    assert (document["steps"][0]["dag_id"], document["steps"][0]["run_id"]) == ("train", "other")
    assert document["steps"][0]["overstay_seconds"] >= 5 * 3600


def test_the_limit_is_told_with_the_way_on_and_exits_1(reap: Any, make: Any, world: World) -> None:
    make(run="a")
    make(run="b")

    code, out, err = reap("--apply", "--max-deletions", "1", "--output", "text")

    assert code == 1
    assert sorted(line.split()[0] for line in out.splitlines() if "mc-gpu-" in line) == [
        "delete", "delete", "done", "limited",
    ]  # fmt: skip
    assert "--max-deletions" in err


def test_a_cluster_that_denies_is_told_and_the_others_are_reaped(reap: Any, make: Any, world: World) -> None:
    make("gpu-euw4")
    world.inject("create-denied", operation="ListNodegroups")

    code, _, err = reap("--apply")
    world.settle()

    assert code == 1
    assert "gpu-use1" in err
    assert "ListNodegroups" in err
    assert left(world) == set()


def test_apply_is_named_where_it_would_do_something_and_nowhere_else(reap: Any, make: Any, world: World) -> None:
    world.inject("create-denied", operation="ListNodegroups")
    _, _, blind = reap()

    make("gpu-euw4")
    _, _, seen = reap()

    assert "--apply" not in blind
    assert "nothing was changed; add --apply to do it" in seen


@pytest.mark.parametrize(
    "pin", [{"caSha256": "0" * 64}, {"kubeSystemUid": "00000000-0000-0000-0000-000000000000"}], ids=["ca", "uid"]
)
def test_a_cluster_that_is_not_the_pinned_one_is_left_alone(
    reap: Any, make: Any, world: World, tmp_path: Path, pin: dict[str, str]
) -> None:
    name = make("gpu-use1")
    make("gpu-euw4")
    path = tmp_path / "registry.json"
    document = json.loads(path.read_text())
    next(one for one in document["clusters"] if one["name"] == "gpu-use1")["identity"] = pin
    path.write_text(json.dumps(document))

    code, out, err = reap("--apply")
    world.settle()

    assert code == 1
    assert [line.split()[1] for line in out.splitlines() if line.startswith("failed")] == ["gpu-use1"]
    assert "nothing is deleted there" in err
    assert left(world) == {f"gpu-use1/{name}"}


def test_a_cluster_that_can_have_no_pools_is_an_error_only_where_it_is_named(reap: Any) -> None:
    assert reap()[0] == 0

    code, out, err = reap("laptop")

    assert (code, out) == (1, "")
    assert "laptop" in err


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (["--grace", "9"], "at least 10 minutes"),
        (["--grace", "soon"], "whole number"),
        (["--max-deletions", "-1"], "max-deletions: '-1' is not a whole number, 0 or more"),
    ],
)
def test_what_makes_no_sense_is_misuse(reap: Any, capsys: pytest.CaptureFixture[str], words: Any, told: str) -> None:
    with pytest.raises(SystemExit) as ended:
        reap(*words)

    assert ended.value.code == 2
    assert told in capsys.readouterr().err


def test_a_grace_beyond_all_calendars_leaves_every_pool(reap: Any, make: Any, world: World) -> None:
    make()

    assert reap("--apply", "--grace", "9" * 30)[0] == 0
    assert len(left(world)) == 1


def test_an_unknown_cluster_is_misuse(reap: Any) -> None:
    code, out, err = reap("gpu-use2")

    assert (code, out) == (2, "")
    assert "gpu-use1" in err


def test_a_longer_grace_is_heeded(reap: Any, make: Any, world: World) -> None:
    make()

    assert reap("--apply", "--grace", "301")[0] == 0
    assert len(left(world)) == 1
