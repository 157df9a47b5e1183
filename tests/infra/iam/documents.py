"""The shipped policies and roles, and what is left of them when one part is taken away."""

from __future__ import annotations

import copy
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import yaml

IAM = Path(__file__).resolve().parents[3] / "infra" / "iam"
WORKERS = "arn:aws:iam::444455556666:role/airflow-workers"
FACTS = {
    "REGION": "us-east-1",
    "ACCOUNT": "111122223333",
    "CLUSTER": "gpu",
    "NODE_ROLE": "gpu-node",
    "DEAD_MAN_ROLE": "deadman",
    "AIRFLOW_ROLE": "airflow-gpu",
    "WORKERS_ARN": WORKERS,
    "EXTERNAL_ID": "acme",
}

Policy = dict[str, Any]


def policy(name: str, **facts: str) -> Policy:
    """Read a policy of infra/iam/aws, its placeholders filled as the README says, *facts* before FACTS."""
    text = (IAM / "aws" / f"{name}.json").read_text()
    for blank, fact in {**FACTS, **facts}.items():
        text = text.replace(blank, fact)
    read: Policy = json.loads(text)
    return read


def permissions(name: str) -> tuple[str, ...]:
    """Read the permissions of a custom role of infra/iam/gcp."""
    return tuple(yaml.safe_load((IAM / "gcp" / f"{name}.yaml").read_text())["includedPermissions"])


def actions(document: Policy) -> set[str]:
    """All actions that a policy names."""
    return {action for statement in document["Statement"] for action in listed(statement, "Action")}


def without_an_action(document: Policy) -> Iterator[tuple[str, Policy]]:
    """Yield the policy without each action of each statement."""
    for number, statement in enumerate(document["Statement"]):
        for action in listed(statement, "Action"):
            less = copy.deepcopy(document)
            less["Statement"][number]["Action"] = [one for one in listed(statement, "Action") if one != action]
            place = f" ({statement['Sid']})" if count(document, action) > 1 else ""
            yield f"{action}{place}", less


def without_a_condition(document: Policy) -> Iterator[tuple[str, Policy]]:
    """Yield the policy without each condition key of each statement."""
    for number, statement in enumerate(document["Statement"]):
        for operator, keys in statement.get("Condition", {}).items():
            for key in keys:
                more = copy.deepcopy(document)
                del more["Statement"][number]["Condition"][operator][key]
                yield f"{statement['Sid']}: {operator} {key}", more


def with_a_wider_resource(document: Policy) -> Iterator[tuple[str, Policy]]:
    """Yield the policy with each resource that is narrow widened to all."""
    for number, statement in enumerate(document["Statement"]):
        if statement.get("Resource", "*") != "*":
            more = copy.deepcopy(document)
            more["Statement"][number]["Resource"] = "*"
            yield f"{statement['Sid']}: Resource", more


def listed(statement: Policy, member: str) -> list[str]:
    """Read what may be one string or several."""
    value = statement[member]
    return [value] if isinstance(value, str) else value


def count(document: Policy, action: str) -> int:
    """In how many statements a policy names an action."""
    return sum(action in listed(statement, "Action") for statement in document["Statement"])
