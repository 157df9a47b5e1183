"""What was counted in one run of the demo."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, kw_only=True)
class Cloud:
    """What one cloud says at the end."""

    pools_left: tuple[str, ...]
    instances_left: tuple[str, ...]
    nodes_left: tuple[str, ...] = ()
    """Node objects of pools, as the API servers have them."""
    instances_launched: int
    tokens_seen: int
    tokens_accepted: int = 0
    """How often API servers asked about a token and heard yes. A testbed's remembers it for two minutes."""
    tokens_refused: int
    kubelets_left: tuple[str, ...] = ()
    """Kubelets that run on testbeds."""
    containers: tuple[str, ...] = ()
    """Ids of the containers that ran on testbeds, as the pods reported them."""


@dataclass(frozen=True, kw_only=True)
class Facts:
    """How the DAG run ended, what the clouds say, and what the Airflow process used. Seconds."""

    dag_id: str = ""
    run_id: str = ""
    run_state: str = "never started"
    ground: str = "simulator"
    judge: str = ""
    """What judges tokens on testbeds."""
    tasks: Mapping[str, str | None]
    aws: Cloud
    google: Cloud
    tokens_minted: Mapping[str, int]
    """By cluster, counted where they are made."""
    auth_subprocesses: tuple[str, ...]
    auth_files: tuple[str, ...]
    other_processes: tuple[str, ...]
    gpu_idle_seconds: float
    gpu_busy_seconds: float
    seconds: float
    broken: str = ""
    """Why there is no result, when the Airflow process ended before its time."""

    @property
    def pools_left(self) -> tuple[str, ...]:
        """Pools left in both clouds."""
        return (*self.aws.pools_left, *self.google.pools_left)

    @property
    def instances_left(self) -> tuple[str, ...]:
        """Instances left in both clouds."""
        return (*self.aws.instances_left, *self.google.instances_left)

    @property
    def nodes_left(self) -> tuple[str, ...]:
        """Nodes of pools left at both clouds' API servers, and kubelets that run though their node is gone."""
        return tuple(
            dict.fromkeys(
                name for cloud in (self.aws, self.google) for name in (*cloud.nodes_left, *cloud.kubelets_left)
            )
        )

    @property
    def tokens_refused(self) -> int:
        """How many tokens the API servers refused."""
        return self.aws.tokens_refused + self.google.tokens_refused


def to_document(scenario: str, facts: Facts, differences: list[str]) -> dict[str, Any]:
    """Return the object that ``--output json`` prints."""
    return {
        "scenario": scenario,
        "ground": facts.ground,
        "judge": facts.judge,
        "as_promised": not differences,
        "differences": differences,
        "dag_run": {"dag_id": facts.dag_id, "run_id": facts.run_id, "state": facts.run_state},
        "tasks": dict(facts.tasks),
        "pools_left": list(facts.pools_left),
        "instances_left": list(facts.instances_left),
        "nodes_left": list(facts.nodes_left),
        "containers": [*facts.aws.containers, *facts.google.containers],
        "instances_launched": facts.aws.instances_launched + facts.google.instances_launched,
        "tokens_minted": sum(facts.tokens_minted.values()),
        "tokens_accepted": facts.aws.tokens_accepted + facts.google.tokens_accepted,
        "tokens_refused": facts.tokens_refused,
        "auth_subprocesses": len(facts.auth_subprocesses),
        "auth_files": len(facts.auth_files),
        "gpu_busy_seconds": round(facts.gpu_busy_seconds, 2),
        "gpu_idle_seconds": round(facts.gpu_idle_seconds, 2),
        "seconds": round(facts.seconds, 2),
    }
