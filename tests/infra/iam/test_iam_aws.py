"""The policies of infra/iam/aws allow what the toolkit does, and each part of them is needed."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Iterator

import botocore.session
import pytest
from botocore.exceptions import ClientError

from multicluster import Lease
from multicluster.errors import NodePoolNotFoundError, NodePoolRefusedError
from multicluster.node_pools import lease as tags
from multicluster.simulator.aws.policies import Policies

from . import aws_bench as work
from .aws_bench import NAME, SPEC, AwsBench, broken
from .documents import (
    IAM,
    WORKERS,
    actions,
    listed,
    policy,
    with_a_wider_resource,
    without_a_condition,
    without_an_action,
)
from .forbidden import FORBIDDEN

WORK = {
    "node-pools": work.life_of_a_pool,
    "token": work.token,
    "reaper": work.reaping,
    "worker": work.becoming_the_role,
    "dead-man": work.dead_man,
    "dead-man-arm": work.arming,
}
READING = re.compile(":(Describe|List)")
PERMISSION_ONLY = {"iam:PassRole"}
"""Actions that no API call has."""


class NoLease(Lease):
    """Makes a pool as somebody without our toolkit would."""

    def to_labels(self) -> dict[str, str]:
        return {}


@pytest.fixture(scope="module")
def bench() -> Iterator[AwsBench]:
    with pytest.MonkeyPatch.context() as patch:
        yield from work.bench(patch)


def on_trial(bench: AwsBench, name: str) -> str:
    """Return the role that a policy is for."""
    return bench.dead_man if name == "dead-man" else bench.role


def allowed(document) -> list[str]:
    """Tell which of the forbidden things a policy allows."""
    policies = Policies()
    policies.attach("role", document)
    return [what for what, ask in FORBIDDEN.items() if policies.allow("role", ask)]


def rows(bench: AwsBench, name: str) -> list[tuple[str, str]]:
    """Take away each part of a policy; tell what breaks, or what becomes possible."""
    found = []
    for part, less in without_an_action(policy(name)):
        bench.world.aws.policies.attach(on_trial(bench, name), less)
        found.append((part, broken(bench, WORK[name])))
    for part, more in (*without_a_condition(policy(name)), *with_a_wider_resource(policy(name))):
        found.append((part, ", ".join(allowed(more))))
    return found


def test_every_policy_is_on_trial():
    names = {path.stem for path in (IAM / "aws").glob("*.json")}

    assert names - set(WORK) == {"trust", "dead-man-trust"}


@pytest.mark.parametrize("name", WORK)
def test_the_work_of_a_role_is_done_with_its_policy(bench, name):
    bench.world.aws.policies.attach(on_trial(bench, name), policy(name))

    assert broken(bench, WORK[name]) == ""


@pytest.mark.parametrize("name", WORK)
def test_a_policy_names_what_its_work_asks_for_and_no_more(bench, name):
    role = on_trial(bench, name)
    bench.world.aws.policies.attach(role, policy(name))
    bench.world.aws.policies.asked.clear()

    broken(bench, WORK[name])

    assert bench.world.aws.policies.asked[role] == actions(policy(name))


@pytest.mark.parametrize("name", WORK)
def test_each_part_of_a_policy_is_needed(bench, name):
    found = rows(bench, name)

    sys.stdout.writelines(f"{name}: without {part}: {what}\n" for part, what in found)  # shown by -rP
    assert [part for part, what in found if not what] == []


@pytest.mark.parametrize("name", WORK)
def test_a_policy_allows_nothing_that_is_forbidden(name):
    assert allowed(policy(name)) == []


@pytest.mark.parametrize("name", WORK)
def test_the_readme_tells_what_each_part_is_for(bench, name):
    readme = (IAM / "README.md").read_text()

    assert [part for part, what in rows(bench, name) if f"| `{name}` | {part} | {what} |" not in readme] == []


@pytest.mark.parametrize("name", WORK)
def test_every_action_is_one_of_aws(name):
    models = botocore.session.get_session()
    known = {
        f"{service}:{operation}"
        for service in ("eks", "ec2", "autoscaling", "scheduler", "sts", "iam")
        for operation in models.get_service_model(service).operation_names
    }

    assert actions(policy(name)) - known - PERMISSION_ONLY == set()


@pytest.mark.parametrize("name", WORK)
def test_only_reading_is_allowed_on_every_resource(name):
    everywhere = [one for one in policy(name)["Statement"] if one["Resource"] == "*"]

    assert [action for one in everywhere for action in listed(one, "Action") if not READING.search(action)] == []


def test_creating_a_node_group_needs_the_three_tags_of_a_lease():
    (create,) = [one for one in policy("node-pools")["Statement"] if one["Action"] == "eks:CreateNodegroup"]

    keys = {key.removeprefix("aws:RequestTag/") for condition in create["Condition"].values() for key in condition}
    assert keys == {tags.MANAGED_BY, tags.OWNER, tags.EXPIRES}
    assert create["Condition"]["StringEquals"] == {f"aws:RequestTag/{tags.MANAGED_BY}": tags.MANAGER}


@pytest.mark.slow
def test_the_contract_of_node_pools_asks_for_nothing_more(tmp_path):
    asked = tmp_path / "asked"
    suite = [f"tests/conformance/node_pools/test_{name}_contract.py" for name in ("node_pools", "leases")]
    command = [sys.executable, "-m", "pytest", "-q", "-p", "tests.infra.iam.recorder", "-k", "simulated-eks", *suite]
    run = subprocess.run(
        command,
        cwd=IAM.parents[1],
        env={**os.environ, "ASKED": str(asked)},
        capture_output=True,
        text=True,
        check=False,
    )

    assert run.returncode == 0, run.stdout
    finding_the_cluster = actions(policy("token"))
    allowed = set().union(*(actions(policy(name)) for name in ("node-pools", "dead-man-arm", "reaper")))
    assert set(asked.read_text().split()) | finding_the_cluster == allowed


@pytest.mark.parametrize("group", ["mc-made-by-hand", "inference"])
def test_somebody_elses_node_group_cannot_be_deleted(bench, group):
    bench.attach(policy("node-pools"))
    made = {} if group.startswith("mc-") else bench.lease().to_labels()
    bench.admin.client("eks").create_nodegroup(
        clusterName="gpu", nodegroupName=group, subnets=["subnet-a"], nodeRole=work.NODE_ROLE, tags=made
    )

    with pytest.raises(NodePoolRefusedError, match="not authorized to perform: eks:DeleteNodegroup on resource"):
        bench.pools.delete(group)
    assert [one.name for one in bench.groups()] == [group]
    bench.clean()


def test_a_pool_without_a_lease_cannot_be_made(bench):
    bench.attach(policy("node-pools"))
    lease = bench.lease()

    with pytest.raises(NodePoolRefusedError, match="not authorized to perform: eks:CreateNodegroup"):
        bench.pools.create(SPEC, NoLease(owner=lease.owner, expires_at=lease.expires_at))


def test_a_pool_that_is_gone_is_not_found_though_its_tags_are_gone_too(bench):
    bench.attach(policy("node-pools"))

    with pytest.raises(NodePoolNotFoundError):
        bench.pools.delete(NAME)


@pytest.mark.parametrize("right", ["iam:GetRole (WhatEksReadsOfItsServiceRole)", "ec2:DescribeSubnets"])
def test_a_right_that_eks_misses_on_our_behalf_is_a_refusal_and_no_passing_trouble(bench, right):
    bench.attach(dict(without_an_action(policy("node-pools")))[right])

    with pytest.raises(NodePoolRefusedError, match="InvalidRequestException"):
        bench.pools.create(SPEC, bench.lease())


def trusted(bench: AwsBench, document) -> list[str]:
    """Make a role with a trust policy; tell who cannot become it: its workers, strangers, without the external id."""
    (statement,) = document["Statement"]
    external_id = statement.get("Condition", {}).get("StringEquals", {}).get("sts:ExternalId")
    iam = bench.world.aws.iam
    role = iam.add_role("trusting", trust=[statement["Principal"]["AWS"]], external_id=external_id)
    worker = iam.add_role("airflow-workers", "444455556666")
    assert worker.arn == WORKERS
    refused = []
    for who, key, given in (
        ("the workers", worker, {"ExternalId": "acme"}),
        ("the workers without the external id", worker, {}),
        ("another role", iam.add_role("stranger", "444455556666"), {"ExternalId": "acme"}),
    ):
        session = iam.open_session(key, "s", 3600 * 24)
        sts = bench.sts(session)
        try:
            sts.assume_role(RoleArn=role.arn, RoleSessionName="worker", **given)
        except ClientError:
            refused.append(who)
    return refused


def test_only_the_workers_become_the_role_and_only_with_the_external_id(bench):
    assert trusted(bench, policy("trust")) == ["the workers without the external id", "another role"]


def test_without_its_condition_the_trust_needs_no_external_id(bench):
    ((_, more),) = without_a_condition(policy("trust"))

    assert trusted(bench, more) == ["another role"]


def test_the_dead_man_is_trusted_by_the_scheduler_of_this_account_only():
    (statement,) = policy("dead-man-trust")["Statement"]

    assert statement["Principal"] == {"Service": "scheduler.amazonaws.com"}
    assert statement["Condition"] == {"StringEquals": {"aws:SourceAccount": "111122223333"}}
