"""What can be shown: each scenario's faults, and the end it promises."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

CLUSTERS = {"eks": "gpu-use1", "gke": "gpu-euw4"}
"""Task groups of the demo's DAG and the clusters they work on."""
STEPS = ("create_node_pool", "node_pool_ready", "train", "report", "delete_node_pool", "node_pool_gone")


@dataclass(frozen=True, kw_only=True)
class Injection:
    """A fault of the simulator's catalogue, in force from the start, or from the first line that a pod prints."""

    fault: str
    target: str = ".*"
    times: int | None = None
    at_first_line: bool = False


@dataclass(frozen=True, kw_only=True)
class Scenario:
    """A story with a known end. Nothing may be left in any cloud in any of them."""

    name: str
    story: str
    """One sentence: what goes wrong, and what is promised."""
    run_state: str = "success"
    tasks: Mapping[str, str]
    """State of each task at the end."""
    conf: Mapping[str, object] = field(default_factory=dict)
    injections: tuple[Injection, ...] = ()
    simulator_only: str = ""
    """Why it cannot be played on a testbed, if it cannot."""
    tokens_refused: int = 0
    """How many refusals of a token there must be at least."""


def _tasks(**others: str) -> dict[str, str]:
    """Return all tasks as succeeded, except those given as ``eks_train="failed"``."""
    tasks = {f"{group}.{step}": "success" for group in CLUSTERS for step in STEPS}
    return tasks | {name.replace("_", ".", 1): state for name, state in others.items()}


_NEVER_ON_GKE = {
    f"gke_{step}": "upstream_failed" for step in ("create_node_pool", "node_pool_ready", "train", "report")
}
_NO_POOL = _tasks(
    eks_node_pool_ready="failed", eks_train="upstream_failed", eks_report="upstream_failed", **_NEVER_ON_GKE
)
_EKS = CLUSTERS["eks"] + "/.*"

SCENARIOS: dict[str, Scenario] = {
    scenario.name: scenario
    for scenario in (
        Scenario(name="ok", story="Everything works: two clouds, four pods, all green, nothing left.", tasks=_tasks()),
        Scenario(
            name="pod-fails",
            story="The training pod exits with 3: the run is red, its GPU is given back all the same, GKE rents none.",
            run_state="failed",
            tasks=_tasks(eks_train="failed", eks_report="upstream_failed", **_NEVER_ON_GKE),
            conf={"exit_code": 3},
        ),
        Scenario(
            name="no-capacity",
            story="AWS has no such GPU to give: the wait fails with AWS's own words, and the empty pool is deleted.",
            run_state="failed",
            tasks=_NO_POOL,
            injections=(Injection(fault="no-capacity", target=_EKS),),
        ),
        Scenario(
            name="create-fails",
            story="The node group ends in CREATE_FAILED: the wait fails with the reason, and what is there is deleted.",
            run_state="failed",
            tasks=_NO_POOL,
            injections=(Injection(fault="create-fails", target=_EKS),),
        ),
        Scenario(
            name="delete-fails-once",
            story="The first deletion ends in DELETE_FAILED: it is asked for again, and all is green and gone.",
            tasks=_tasks(),
            injections=(Injection(fault="delete-fails", target=_EKS, times=1),),
        ),
        Scenario(
            name="token-expires",
            story="While the pod runs, every token stops working: new ones are made, and nobody notices.",
            tasks=_tasks(),
            injections=(Injection(fault="tokens-expire", at_first_line=True),),
            tokens_refused=1,
            simulator_only="a real API server remembers a token that it accepted for up to two minutes",
        ),
    )
}
