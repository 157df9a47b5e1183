"""What a platform team applies: it parses, and it speaks of the tags that the code writes."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import yaml

from multicluster.node_pools import lease

INFRA = Path(__file__).resolve().parents[1] / "infra"
POLICIES = sorted((INFRA / "iam").glob("*.json"), key=lambda path: path.name)


@pytest.mark.parametrize("policy", POLICIES, ids=lambda path: path.name)
def test_every_statement_of_a_policy_allows_named_actions_only(policy):
    statements = json.loads(policy.read_text())["Statement"]

    assert [statement["Sid"] for statement in statements if statement["Effect"] != "Allow"] == []
    assert [statement["Sid"] for statement in statements if "*" in str(statement["Action"])] == []


@pytest.mark.parametrize("policy", POLICIES, ids=lambda path: path.name)
def test_only_reading_is_allowed_on_every_resource(policy):
    statements = json.loads(policy.read_text())["Statement"]
    everywhere = [statement["Action"] for statement in statements if statement.get("Resource") == "*"]

    verbs = {action.split(":")[1] for actions in everywhere for action in actions}
    assert {verb for verb in verbs if not verb.startswith("Describe")} == set()


def test_creating_a_node_group_needs_the_three_tags_of_a_lease():
    statements = json.loads((INFRA / "iam" / "airflow-policy.json").read_text())["Statement"]
    create = next(statement for statement in statements if statement["Action"] == "eks:CreateNodegroup")

    tags = {key.removeprefix("aws:RequestTag/") for condition in create["Condition"].values() for key in condition}
    assert tags == {lease.MANAGED_BY, lease.OWNER, lease.EXPIRES}
    assert create["Condition"]["StringEquals"] == {f"aws:RequestTag/{lease.MANAGED_BY}": lease.MANAGER}


def test_the_cluster_rights_hold_no_secrets_and_no_wildcard():
    objects = list(yaml.safe_load_all((INFRA / "rbac.yaml").read_text()))
    rules = [rule for thing in objects for rule in thing.get("rules", [])]

    assert {thing["kind"] for thing in objects} >= {"Role", "RoleBinding", "ClusterRole", "ClusterRoleBinding"}
    assert [rule for rule in rules if "secrets" in rule["resources"] or "*" in str(rule)] == []
