"""What EKS keeps of a lease: its tags, what is left of pools that are gone, and what a person reads."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta

import pytest

from multicluster.errors import NodePoolBusyError, NodePoolRefusedError
from multicluster.kinds.eks.node_pool_options import EksNodePoolOptions
from multicluster.node_pools.lease import GRACE, KEEP
from multicluster.node_pools.leftover import LeftoverKind
from multicluster.node_pools.pool import NodePoolState
from multicluster.simulator import Fault, HttpError

from .eks_ground import HOUR, NAME, OPTIONS, ORIGIN, ROLES, SPEC, Ground, opened


@pytest.fixture
def ground(monkeypatch: pytest.MonkeyPatch) -> Iterator[Ground]:
    yield from opened(monkeypatch)


def test_a_schedule_without_its_group_is_left_over_and_only_ours_is(ground: Ground) -> None:
    ground.schedule()
    ground.schedule("mc-by-hand")
    ground.schedule("nightly")
    ground.schedule("mc-theirs", ClusterName="other")
    pools = ground.pools()
    left = {one.id: one for one in pools.leftovers()}

    pools.create(SPEC, ground.lease())

    assert {name: (one.kind, one.pool, one.ours) for name, one in left.items()} == {
        NAME: (LeftoverKind.SCHEDULE, NAME, True),
        "mc-by-hand": (LeftoverKind.SCHEDULE, "mc-by-hand", False),
    }
    assert left[NAME].since is not None
    assert [one.id for one in pools.leftovers()] == ["mc-by-hand"]


def test_schedules_without_a_group_are_found_on_all_pages(ground: Ground) -> None:
    for number in range(103):
        ground.schedule(f"mc-{number:03d}")

    assert len(list(ground.pools().leftovers())) == 103


def test_an_instance_without_its_group_is_left_over(ground: Ground) -> None:
    pools = ground.pools()
    pools.create(SPEC, ground.lease())
    ground.active()
    (machine,) = pools.instances(NAME)
    none = HttpError(code=200, body=b'{"nodegroups": []}')
    before = [one.kind for one in pools.leftovers()]
    ground.world.faults.add(Fault(name="no groups", service="eks", operation="ListNodegroups", effect=none))

    left = {one.kind: one for one in pools.leftovers()}

    assert before == []
    assert left[LeftoverKind.INSTANCE].id == machine
    assert (left[LeftoverKind.INSTANCE].pool, left[LeftoverKind.INSTANCE].ours) == (NAME, True)


@pytest.mark.parametrize("word", ["off", False])
def test_off_is_read_as_a_word_and_as_what_yaml_makes_of_it(word: object) -> None:
    document = {"nodeRoleArn": ROLES + "gpu-node", "subnets": ["subnet-a"], "deadMan": word}

    read = EksNodePoolOptions.model_validate_json(json.dumps(document))

    assert read.dead_man == "off"
    assert list(read.doubts()) == []


def test_create_asked_again_renews_the_lease_up_to_the_pools_own_end(ground: Ground) -> None:
    first = ground.lease()
    ground.pools().create(SPEC, first)
    ground.clock.advance(1800)

    pool = ground.pools().create(SPEC, replace(ground.lease(), ends_at=ground.clock.now() + 30 * HOUR))

    assert pool.lease == replace(first, expires_at=first.expires_at + timedelta(seconds=1800))
    assert ground.pools().get(NAME).lease == pool.lease
    assert ground.schedules == {NAME: first.expires_at + timedelta(seconds=1800) + GRACE}


def test_create_asked_for_a_pool_whose_lease_is_lost_makes_it_anew(ground: Ground) -> None:
    ground.pools().create(SPEC, ground.lease())
    ground.active()
    ground.clock.advance(3600 + 600)

    with pytest.raises(NodePoolBusyError, match="past its lease"):
        ground.pools().create(SPEC, ground.lease())

    assert ground.pools().get(NAME).state is NodePoolState.DELETING


def test_people_read_in_the_tags_what_the_pool_is_for(ground: Ground) -> None:
    pool = ground.pools().create(SPEC, ground.lease())

    assert pool.lease is not None
    assert pool.lease.origin == ORIGIN
    names = {key: value for key, value in ground.tags.items() if key.split("-")[-1] in {"dag", "run", "group"}}
    assert names == {
        "multicluster-dag": "trän/a b",
        "multicluster-run": "manual__2026-11-21T18:00:00+00:00",
        "multicluster-group": "fit",
    }


def test_names_are_cut_and_cleaned_to_what_aws_takes_in_tags(ground: Ground) -> None:
    origin = replace(ORIGIN, dag_id="a" * 300, run_id="what?;#<x>")
    lease = replace(ground.lease(), owner=origin.owner, origin=origin)

    ground.pools().create(SPEC, lease)

    assert ground.tags["multicluster-dag"] == "a" * 256
    assert ground.tags["multicluster-run"] == "what____x_"


def test_all_tags_together_are_no_more_than_eks_takes(ground: Ground) -> None:
    tags = {f"tag-{number}": "x" for number in range(33)}
    origin = replace(ORIGIN, dag_id="d" * 100, run_id="r" * 100, group_id="g" * 60)
    options = EksNodePoolOptions.model_validate_json(
        json.dumps({**OPTIONS.model_dump(mode="json", by_alias=True, exclude_none=True), "tags": tags})
    )
    assert len(origin.to_labels()) == 8

    ground.pools(options).create(SPEC, replace(ground.lease(), owner=origin.owner, origin=origin))

    assert len(ground.tags) == 49  # and one for a person
    with pytest.raises(ValueError, match="at most 33"):
        EksNodePoolOptions.model_validate_json(
            json.dumps({"nodeRoleArn": ROLES + "x", "subnets": ["subnet-a"], "tags": {**tags, "more": "x"}})
        )


def test_a_persons_tag_and_the_machine_type_are_read(ground: Ground) -> None:
    pools = ground.pools()
    before = pools.create(SPEC, ground.lease())
    ground.tags[KEEP] = "demo on Friday"

    pool = pools.get(NAME)

    assert (before.keep, pool.keep) == (False, True)
    assert (pool.machine_type, pool.claimed) == ("g6.xlarge", True)


@pytest.mark.parametrize(
    ("fault", "step"),
    [
        ("delete-fails", "resume-processes"),
        ("delete-fails-security-group", "describe-network-interfaces"),
        ("delete-fails-role", "role anew under the same name"),
        ("delete-fails-denied", "aws-auth"),
    ],
)
def test_a_deletion_that_failed_says_what_a_person_does(ground: Ground, fault: str, step: str) -> None:
    pools = ground.pools()
    pools.create(SPEC, ground.lease())
    ground.active()
    ground.world.inject(fault, times=1)
    pools.delete(NAME)
    ground.until(lambda: pools.get(NAME).state is NodePoolState.FAILED)

    (problem,) = pools.get(NAME).problems

    assert f"Next: {problem.message.partition('Next: ')[2]}" in problem.message
    assert step in problem.message
    assert problem.message.endswith("then delete the pool again")


def test_a_strangers_group_that_nobody_lets_us_look_at_hides_no_other(ground: Ground) -> None:
    ground.pools().create(replace(SPEC, name="theirs"), ground.lease())
    ground.pools().create(SPEC, ground.lease())
    assert [pool.name for pool in ground.pools().list()] == [NAME, "theirs"]

    ground.world.inject("denied", operation="DescribeNodegroup", target="gpu/theirs")
    assert [pool.name for pool in ground.pools().list()] == [NAME]

    ground.world.faults.clear()
    ground.world.inject("denied", operation="DescribeNodegroup", target=f"gpu/{NAME}")
    with pytest.raises(NodePoolRefusedError, match=NAME):
        list(ground.pools().list())
