"""Node pools of one GKE cluster, over container v1 and compute v1.

GKE runs one operation at a time for each cluster, and a create that waits for scarce machines holds it for half an
hour. So pools are made empty, which takes no machine. Nodes come in one of two ways: a pending pod that fits makes the
autoscaler add them, or ``fill`` sets the pool's size, once, after the pool was made and while its lease lasts. ``fill``
exists because a pool must be seen ready before its pods start, and because autoscaling's minimum adds no nodes: GKE
heeds it only when it scales down. Afterwards nobody but pods asks for nodes: those that stand idle (10 minutes) or have
lived for ``maxRunDuration``, go away for good.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from multicluster.access.clock import Clock, system_clock
from multicluster.errors import (
    CloudUnavailableError,
    MulticlusterError,
    NodePoolBusyError,
    NodePoolConflictError,
    NodePoolNotFoundError,
)
from multicluster.kinds.gke.node_pool_calls import Calls, compute_url
from multicluster.kinds.gke.node_pool_machines import as_leftover, machine_filter
from multicluster.kinds.gke.node_pool_options import GkeNodePoolOptions
from multicluster.kinds.gke.node_pool_problems import launch_problems
from multicluster.kinds.gke.node_pool_request import create_body
from multicluster.kinds.gke.node_pool_view import LABEL, group_paths, node_pool, zones
from multicluster.node_pools.adoption import refuse_another, take_over
from multicluster.node_pools.pool import NodePool, NodePoolState, Problem
from multicluster.node_pools.renewal import lost

if TYPE_CHECKING:
    from datetime import datetime

    from pydantic import BaseModel
    from requests import Session

    from multicluster.node_pools.lease import Lease
    from multicluster.node_pools.leftover import Leftover
    from multicluster.node_pools.pool import NodePoolSpec


class GkeNodePools:
    """The verbs on GKE. Each call blocks on Google for as long as its answer takes, never for an operation's end.

    *session* carries the cluster's own credentials; *api_url* is container's address, with or without ``/v1``.
    """

    def __init__(
        self,
        *,
        session: Session,
        project_id: str,
        location: str,
        cluster_name: str,
        api_url: str,
        options: BaseModel | None,
        clock: Clock = system_clock,
    ) -> None:
        self._project, self._location, self._cluster = project_id, location, cluster_name
        self._options = options if isinstance(options, GkeNodePoolOptions) else GkeNodePoolOptions()
        self._clock = clock
        self._path = f"projects/{project_id}/locations/{location}/clusters/{cluster_name}"
        subject = f"cluster {cluster_name!r} in {project_id}/{location}"
        base = api_url.rstrip("/").removesuffix("/v1")
        self._container = Calls(session, f"{base}/v1", subject=subject)
        self._compute = Calls(session, compute_url(), subject=subject)

    def create(self, spec: NodePoolSpec, lease: Lease) -> NodePool:
        """Ask for an empty pool whose resource labels are the lease.

        Looks first, and again when the name is taken: GKE knows no request id, so that is what makes it idempotent.
        """
        there = self._find(spec.name)
        if there:
            return self._take_over(there, lease)
        body = create_body(spec, lease, self._options, locations=spec.profile.zones or self._home())
        try:
            self._container("POST", f"{self._path}/nodePools", what=f"nodePools.create {spec.name}", json=body)
        except NodePoolConflictError as error:
            there = self._find(spec.name)
            if there is None:
                raise NodePoolBusyError(f"{error} It cannot be read yet, so whose it is will be seen later") from error
            return self._take_over(there, lease)
        return node_pool({**body["nodePool"], "status": "PROVISIONING"})

    def get(self, name: str) -> NodePool:
        """Describe a pool, with the reasons of failed launches."""
        raw = self._describe(name)
        return node_pool(raw, *self._launch_problems(raw))

    def fill(self, name: str) -> NodePool:
        """Describe a pool; once it runs, empty and leased, ask for its nodes.

        Raises NodePoolBusyError while another operation holds the cluster.
        """
        raw = self._describe(name)
        if self._wants_nodes(raw):
            count = int(raw["autoscaling"]["totalMaxNodeCount"]) // zones(raw)
            path = f"{self._path}/nodePools/{name}:setSize"
            self._container("POST", path, what=f"nodePools.setSize {name}", json={"nodeCount": count})
        return node_pool(raw, *self._launch_problems(raw))

    def list(self) -> Iterator[NodePool]:
        """Yield all pools of the cluster, ours with their reasons."""
        answer = self._container("GET", f"{self._path}/nodePools", what="nodePools.list")
        for raw in answer.get("nodePools") or ():
            pool = node_pool(raw)
            yield node_pool(raw, *self._launch_problems(raw)) if pool.lease else pool

    def delete(self, name: str) -> None:
        """Ask for deletion; NodePoolBusyError while another operation holds the cluster."""
        if node_pool(self._describe(name)).state is NodePoolState.DELETING:
            return
        self._container("DELETE", f"{self._path}/nodePools/{name}", what=f"nodePools.delete {name}")

    def renew(self, name: str, lease: Lease) -> None:
        """Write the lease into the pool's resource labels, beside those that others put there.

        An operation of its own that makes no node anew: nodes that are there keep the labels they were made with
        (hashicorp/terraform-provider-google issue 22606; its provider updates resource_labels in place since
        GoogleCloudPlatform/magic-modules 6842). Raises NodePoolBusyError while another operation holds the cluster, or
        when somebody else changed the pool meanwhile; NodePoolConflictError where the pool is another owner's.
        """
        raw = self._describe(name)
        refuse_another(node_pool(raw), lease)
        there = (raw.get("config") or {}).get("resourceLabels") or {}
        labels = {**there, **lease.to_labels()}
        if labels == there:
            return
        asked = {"resourceLabels": {"labels": labels}, **({"etag": raw["etag"]} if raw.get("etag") else {})}
        self._container("PUT", f"{self._path}/nodePools/{name}", what=f"nodePools.update {name}", json=asked)

    def armed(self, name: str) -> datetime | None:
        """Return the end of the lease where machines have a longest run, which counts from each one's start.

        GKE ends a machine by itself after that run; the empty pool stays, and costs nothing.
        """
        try:
            raw = self._describe(name)
        except NodePoolNotFoundError:
            return None
        lease = node_pool(raw).lease
        return lease.ends_at if lease and (raw.get("config") or {}).get("maxRunDuration") else None

    def release(self, name: str) -> None:
        """Do nothing for a pool that is gone: GKE keeps nothing beside it. NodePoolBusyError while it is there."""
        there = self._find(name)
        if there:
            raise NodePoolBusyError(f"node pool {name!r} is still there ({there.status}); ask again once it is gone")

    def leftovers(self) -> Iterator[Leftover]:
        """Yield machines that carry GKE's labels of a pool that is not there. The pools are listed last."""
        found = [as_leftover(one) for one in self._machines()]
        answer = self._container("GET", f"{self._path}/nodePools", what="nodePools.list")
        names = {str(raw["name"]) for raw in answer.get("nodePools") or ()}
        yield from (one for one in found if one.pool not in names)

    def instances(self, name: str) -> tuple[str, ...]:
        """Return the names of all machines that carry GKE's labels of the pool, in whichever zone and state."""
        return tuple(sorted(str(instance["name"]) for instance in self._machines(name)))

    def node_selector(self, name: str) -> tuple[str, str]:
        """Return the label that GKE puts on the pool's nodes."""
        return LABEL, name

    def _take_over(self, there: NodePool, lease: Lease) -> NodePool:
        return take_over(there, lease, now=self._clock(), delete=self.delete, renew=self.renew)

    def _machines(self, name: str = "") -> Sequence[Mapping[str, Any]]:
        """Return Compute's descriptions of the machines of a pool, or of all pools of the cluster."""
        asked = {"filter": machine_filter(self._cluster, self._location, name)}
        path = f"projects/{self._project}/aggregated/instances"
        pages = self._compute.pages("GET", path, what=f"instances.aggregatedList {name}".rstrip(), params=asked)
        scopes = (scope for page in pages for scope in (page.get("items") or {}).values())
        return [instance for scope in scopes for instance in scope.get("instances") or ()]

    def _find(self, name: str) -> NodePool | None:
        try:
            return node_pool(self._describe(name))
        except NodePoolNotFoundError:
            return None

    def _home(self) -> tuple[str, ...]:
        """Return the first of the cluster's own zones: GPUs of one job belong together, and GKE counts by zone."""
        answer = self._container("GET", self._path, what="clusters.get")
        return (str((answer.get("locations") or [self._location])[0]),)

    def _describe(self, name: str) -> dict[str, Any]:
        return self._container("GET", f"{self._path}/nodePools/{name}", what=f"nodePools.get {name}")

    def _wants_nodes(self, raw: dict[str, Any]) -> bool:
        """Whether the pool runs under a lease of ours that is not lost, and nobody asked for its nodes before.

        GKE writes a size that was set into initialNodeCount; machines say the same where it does not.
        """
        pool = node_pool(raw)
        if raw.get("status") != "RUNNING" or pool.lease is None or lost(pool.lease, self._clock()):
            return False
        scaling = raw.get("autoscaling") or {}
        if not scaling.get("enabled") or not int(scaling.get("totalMaxNodeCount") or 0):
            return False
        return int(raw.get("initialNodeCount") or 0) == 0 and not self.instances(pool.name)

    def _launch_problems(self, raw: dict[str, Any]) -> tuple[Problem, ...]:
        """Read the instance groups' errors; where that fails, say so: the state is worth more than its reasons."""
        if node_pool(raw).state in {NodePoolState.DELETING, NodePoolState.FAILED}:
            return ()
        try:
            return tuple(problem for path in group_paths(raw) for problem in self._group_problems(path))
        except (CloudUnavailableError, NodePoolNotFoundError):
            return ()
        except MulticlusterError as error:
            return (Problem(code="InstanceGroupErrorsUnreadable", message=str(error)),)

    def _group_problems(self, path: str) -> tuple[Problem, ...]:
        pages = self._compute.pages("GET", f"{path}/listErrors", what=f"instanceGroupManagers.listErrors {path}")
        return launch_problems((item for page in pages for item in page.get("items") or ()), now=self._clock())
