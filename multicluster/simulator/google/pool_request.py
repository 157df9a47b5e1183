"""Check a nodePools.create request as GKE does, but for the names of its fields.

Those are held against container v1's discovery document by the judge of the clouds, in the tests.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from multicluster.simulator.google.errors import GoogleError
from multicluster.simulator.machine_types import GOOGLE_TYPES, MachineType

if TYPE_CHECKING:
    from collections.abc import Mapping

    from multicluster.simulator.google.clusters import GkeCluster

NAME = re.compile(r"[a-z]([-a-z0-9]{0,38}[a-z0-9])?")
SECONDS = re.compile(r"(\d{1,10})(?:\.\d{1,9})?s")
EFFECTS = {"NO_SCHEDULE": "NoSchedule", "NO_EXECUTE": "NoExecute", "PREFER_NO_SCHEDULE": "PreferNoSchedule"}
GPU_TAINT = {"key": "nvidia.com/gpu", "value": "present", "effect": "NO_SCHEDULE"}
MIN_RUN, MAX_RUN = 30, 120 * 86400


@dataclass(frozen=True, kw_only=True)
class Autoscaling:
    """How far GKE may scale a pool by itself."""

    minimum: int
    maximum: int


@dataclass(frozen=True, kw_only=True)
class PoolRequest:
    """A request that passed."""

    name: str
    machine: MachineType
    nodes: int
    zones: tuple[str, ...]
    autoscaling: Autoscaling | None
    config: dict[str, Any]
    max_run_seconds: float | None
    driver: bool
    body: Mapping[str, Any]


def read_request(body: Mapping[str, Any], cluster: GkeCluster) -> PoolRequest:
    """Check the body of nodePools.create; raises GoogleError as GKE does."""
    pool = body.get("nodePool") or {}
    config = dict(pool.get("config") or {})
    name = pool.get("name", "")
    if not NAME.fullmatch(name):
        rule = "must start with a letter, hold lowercase letters, digits and '-', and have at most 40 characters"
        raise GoogleError(400, f"Invalid value for field node_pool.name: {name!r}: {rule}.")
    zones = tuple(pool.get("locations") or cluster.zones)
    autoscaling = read_autoscaling(pool.get("autoscaling") or {}, zones)
    machine = read_machine(config, zones[0])
    check_provisioning(config, autoscaling)
    config["taints"] = read_taints(config, machine, cluster)
    return PoolRequest(
        name=name,
        machine=machine,
        nodes=int(pool.get("initialNodeCount", 0)) * len(zones),
        zones=zones,
        autoscaling=autoscaling,
        config=config,
        max_run_seconds=read_duration(config),
        driver=has_driver(config),
        body=pool,
    )


def read_autoscaling(given: Mapping[str, Any], zones: tuple[str, ...]) -> Autoscaling | None:
    """Read NodePoolAutoscaling: total limits, or limits for each zone; never both."""
    if not given.get("enabled"):
        return None
    total, zonal = int(given.get("totalMaxNodeCount", 0)), int(given.get("maxNodeCount", 0))
    if total and zonal:
        raise GoogleError(400, "Total node count and per-zone node count limits cannot be used together.")
    if not total and not zonal:
        raise GoogleError(400, "Autoscaling.max_node_count must be greater than 0 when autoscaling is enabled.")
    low = int(given.get("totalMinNodeCount", 0)) if total else int(given.get("minNodeCount", 0)) * len(zones)
    high = total or zonal * len(zones)
    if low > high:
        raise GoogleError(400, "Autoscaling minimum is greater than its maximum.")
    return Autoscaling(minimum=low, maximum=high)


def read_machine(config: Mapping[str, Any], zone: str) -> MachineType:
    """Read the machine type and its accelerators, which must fit one another."""
    name = config.get("machineType", "e2-medium")
    if name not in GOOGLE_TYPES:
        raise GoogleError(400, f'Machine type with name "{name}" does not exist in zone "{zone}".')
    machine = GOOGLE_TYPES[name]
    accelerators = config.get("accelerators") or []
    if not accelerators:
        return machine
    kind, count = accelerators[0].get("acceleratorType", ""), int(accelerators[0].get("acceleratorCount", 0))
    if name.startswith("n1-"):
        return MachineType(name=name, cpus=machine.cpus, memory_gib=machine.memory_gib, gpus=count, accelerator=kind)
    if (kind, count) != (machine.accelerator, machine.gpus):
        raise GoogleError(400, f"Machine type {name} cannot be used with accelerator {kind} and count {count}.")
    return machine


def check_provisioning(config: Mapping[str, Any], autoscaling: Autoscaling | None) -> None:
    """Refuse provisioning models that exclude each other, and flex-start without what it needs."""
    models = [name for name in ("spot", "preemptible", "flexStart") if config.get(name)]
    if len(models) > 1:
        raise GoogleError(400, f"Only one of {', '.join(models)} may be set.")
    if config.get("flexStart"):
        affinity = (config.get("reservationAffinity") or {}).get("consumeReservationType")
        if autoscaling is None or autoscaling.minimum or affinity != "NO_RESERVATION":
            raise GoogleError(400, "flex-start needs autoscaling from 0 nodes and reservation affinity NO_RESERVATION.")


def has_driver(config: Mapping[str, Any]) -> bool:
    """Tell whether GKE installs a GPU driver; it does by default (GKE >= 1.30.1-gke.1156000)."""
    installs = [part.get("gpuDriverInstallationConfig") or {} for part in config.get("accelerators") or []]
    return all(install.get("gpuDriverVersion") != "INSTALLATION_DISABLED" for install in installs)


def read_taints(config: Mapping[str, Any], machine: MachineType, cluster: GkeCluster) -> list[dict[str, str]]:
    """Read taints; GKE adds its own to GPU pools, but only where the cluster has a pool without GPUs already."""
    taints = [dict(taint) for taint in config.get("taints") or []]
    for taint in taints:
        if taint.get("effect") not in EFFECTS or not taint.get("key"):
            raise GoogleError(400, f"Invalid taint {taint}.")
    if machine.gpus and cluster.has_cpu_pool and GPU_TAINT["key"] not in {taint["key"] for taint in taints}:
        taints.append(dict(GPU_TAINT))
    return taints


def read_duration(config: Mapping[str, Any]) -> float | None:
    """Read maxRunDuration: seconds with an ``s``, 30 seconds to 120 days."""
    text = config.get("maxRunDuration")
    if text is None:
        return None
    found = SECONDS.fullmatch(str(text))
    if found is None or not MIN_RUN <= float(str(text)[:-1]) <= MAX_RUN:
        raise GoogleError(400, f"Invalid value for field node_pool.config.max_run_duration: {text!r}.")
    return float(str(text)[:-1])
