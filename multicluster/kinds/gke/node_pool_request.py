"""Write a nodePools.create body (container v1) for a node pool."""

from __future__ import annotations

from typing import Any

from multicluster.errors import NodePoolRefusedError
from multicluster.kinds.gke.node_pool_options import GkeNodePoolOptions
from multicluster.kinds.gke.node_pool_view import MADE
from multicluster.node_pools.lease import Lease
from multicluster.node_pools.pool import NodePoolSpec
from multicluster.node_pools.profile import NodePoolProfile, Taint

EFFECTS = {"NoSchedule": "NO_SCHEDULE", "NoExecute": "NO_EXECUTE", "PreferNoSchedule": "PREFER_NO_SCHEDULE"}
DRIVERS = {"default": "DEFAULT", "latest": "LATEST", "disabled": "INSTALLATION_DISABLED"}
CLOUD_PLATFORM = "https://www.googleapis.com/auth/cloud-platform"
SHORTEST_RUN, LONGEST_RUN, LONGEST_FLEX_START = 30, 120 * 86400, 7 * 86400
"""Seconds that maxRunDuration allows (GCE), and that flex-start allows (GKE)."""


def create_body(
    spec: NodePoolSpec, lease: Lease, options: GkeNodePoolOptions, *, locations: tuple[str, ...]
) -> dict[str, Any]:
    """Return the body of nodePools.create. Raises NodePoolRefusedError for what GKE cannot do.

    The pool is made empty, because a create that waits for machines in a stockout blocks every operation of the cluster
    for half an hour. Autoscaling between 0 and *size* lets GKE take idle nodes away by itself; NodePools.fill asks for
    nodes. The lease stands in the resource labels, which the machines carry, too.
    """
    per_zone(spec, locations)
    profile = spec.profile
    return {
        "nodePool": {
            "name": spec.name,
            "initialNodeCount": 0,
            "locations": list(locations),
            "autoscaling": {
                "enabled": True,
                "totalMinNodeCount": 0,
                "totalMaxNodeCount": spec.size,
                "locationPolicy": "ANY",
            },
            # pools on a release channel must have both; flex-start forbids repair
            "management": {"autoRepair": profile.capacity_type != "flex-start", "autoUpgrade": True},
            "nodeDrainConfig": {"respectPdbDuringNodePoolDeletion": False},
            "config": _config(spec, lease, options),
        }
    }


def per_zone(spec: NodePoolSpec, locations: tuple[str, ...]) -> int:
    """Return the nodes of each zone; GKE counts by zone, so *size* must divide evenly."""
    if spec.size % len(locations):
        raise NodePoolRefusedError(
            f"node pool {spec.name!r}: {spec.size} nodes cannot be spread evenly over {len(locations)} zones "
            f"({', '.join(locations)}); name fewer zones in the profile"
        )
    return spec.size // len(locations)


def _config(spec: NodePoolSpec, lease: Lease, options: GkeNodePoolOptions) -> dict[str, Any]:
    profile = spec.profile
    if len(profile.instance_types) != 1:
        raise NodePoolRefusedError(
            f"node pool {spec.name!r}: a GKE pool has one machine type, the profile names "
            f"{len(profile.instance_types)}: {', '.join(profile.instance_types)}"
        )
    config: dict[str, Any] = {
        "machineType": profile.instance_types[0],
        "diskSizeGb": profile.disk_gib,
        "diskType": options.disk_type,
        "oauthScopes": [CLOUD_PLATFORM],
        "labels": dict(profile.labels),
        "resourceLabels": {**options.resource_labels, **lease.to_labels(), **_made(lease)},
        "taints": [_taint(taint) for taint in profile.effective_taints()],
        **_provisioning(spec),
    }
    if profile.gpu:
        config["accelerators"] = [_accelerator(profile)]
    if options.service_account:
        config["serviceAccount"] = options.service_account
    if options.network_tags:
        config["tags"] = list(options.network_tags)
    if options.workload_metadata:
        config["workloadMetadataConfig"] = {"mode": options.workload_metadata}
    return config


def _made(lease: Lease) -> dict[str, str]:
    """Return the label that says when the pool is made, which GKE does not: a new lease is written for one term."""
    return {MADE: str(int((lease.expires_at - lease.term).timestamp()))} if lease.term else {}


def _provisioning(spec: NodePoolSpec) -> dict[str, Any]:
    """Say how machines are rented and for how long; only a create call may (an update recreates every node)."""
    kind, seconds = spec.profile.capacity_type, spec.max_lifetime_seconds
    longest = LONGEST_FLEX_START if kind == "flex-start" else LONGEST_RUN
    if seconds is not None and not SHORTEST_RUN <= seconds <= longest:
        raise NodePoolRefusedError(
            f"node pool {spec.name!r}: a lifetime of {seconds} s is outside what GCE allows for {kind} machines "
            f"({SHORTEST_RUN} to {longest} s)"
        )
    run = {} if seconds is None else {"maxRunDuration": f"{seconds}s"}
    if kind == "on-demand":
        return run
    if kind == "spot":
        return {**run, "spot": True}
    if kind == "flex-start":
        return {**run, "flexStart": True, "reservationAffinity": {"consumeReservationType": "NO_RESERVATION"}}
    raise NodePoolRefusedError(f"capacityType {kind} is not GKE's; use one of on-demand, spot, flex-start")


def _accelerator(profile: NodePoolProfile) -> dict[str, Any]:
    gpu = profile.gpu
    if gpu is None or gpu.type is None:
        raise NodePoolRefusedError(
            f"machine type {profile.instance_types[0]}: GKE asks for the accelerator's name; set gpu.type in the "
            "profile, as in nvidia-l4"
        )
    return {
        "acceleratorType": gpu.type,
        "acceleratorCount": str(gpu.per_node),
        "gpuDriverInstallationConfig": {"gpuDriverVersion": DRIVERS[gpu.driver_version]},
    }


def _taint(taint: Taint) -> dict[str, str]:
    return {"key": taint.key, "value": taint.value, "effect": EFFECTS[taint.effect]}
