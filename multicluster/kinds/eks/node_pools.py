"""Managed node groups of one EKS cluster."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from typing import TYPE_CHECKING, Any

from botocore.config import Config

from multicluster.access.clock import Clock, system_clock
from multicluster.access.single_flight import PerProcessLock
from multicluster.errors import (
    CloudUnavailableError,
    MulticlusterError,
    NodePoolBusyError,
    NodePoolLimitError,
    NodePoolNotFoundError,
    NodePoolRefusedError,
)
from multicluster.kinds.eks.dead_man import DeadManSwitch
from multicluster.kinds.eks.node_pool_errors import node_pool_errors
from multicluster.kinds.eks.node_pool_machines import as_leftover, machines
from multicluster.kinds.eks.node_pool_options import UNDECIDED, DeadMan, EksNodePoolOptions
from multicluster.kinds.eks.node_pool_reasons import reasons
from multicluster.kinds.eks.node_pool_request import nodegroup_request
from multicluster.kinds.eks.node_pool_view import LABEL, node_pool
from multicluster.node_pools import naming
from multicluster.node_pools.adoption import refuse_another, take_over
from multicluster.node_pools.lease import GRACE
from multicluster.node_pools.pool import NodePool, NodePoolState, Problem

if TYPE_CHECKING:
    from datetime import datetime

    import boto3
    from pydantic import BaseModel

    from multicluster.node_pools.lease import Lease
    from multicluster.node_pools.leftover import Leftover
    from multicluster.node_pools.pool import NodePoolSpec

CONFIG = Config(retries={"mode": "standard", "total_max_attempts": 4}, connect_timeout=5, read_timeout=30)
_MAKING = PerProcessLock()  # boto3 sessions may be shared by clusters, and do not make clients in parallel (boto3#1592)


class EksNodePools:
    """The verbs on EKS. Thread-safe; each call blocks on AWS for as long as its answer takes, never longer.

    *session* is the cluster's own: same credentials, same region. *options* None (the registry has no
    ``nodePools.eks``) leaves all verbs but ``create``.
    """

    def __init__(
        self,
        *,
        session: boto3.session.Session,
        cluster_name: str,
        region: str,
        options: BaseModel | None,
        clock: Clock = system_clock,
    ) -> None:
        self._session = session
        self._cluster = cluster_name
        self._region = region
        self._options = options
        self._clock = clock
        self._clients: dict[tuple[int, str], Any] = {}

    def create(self, spec: NodePoolSpec, lease: Lease) -> NodePool:
        """Ask for a node group whose tags are the lease; AWS is told before when to delete it.

        Looks first, and again after a refusal: a lost answer, a retry and a parallel task all end with the one pool.
        """
        options = self._options_to_create(spec.name)
        request = nodegroup_request(self._cluster, spec, lease, options)
        there = self._find(spec.name)
        if there:
            return self._take_over(there, lease)
        armed = False
        try:
            armed = self._arm(spec.name, lease)
            return self._make(spec.name, request, lease)
        except MulticlusterError as error:
            if not error.transient:
                self._give_back(spec.name, armed=armed)
            raise

    def get(self, name: str) -> NodePool:
        """Describe a node group, with the reasons of failed launches."""
        return self._judged(self._describe(name))

    def fill(self, name: str) -> NodePool:
        """Describe a node group: EKS makes it with its nodes."""
        return self.get(name)

    def list(self) -> Iterator[NodePool]:
        """Yield all node groups of the cluster, ours with their reasons; one that disappears meanwhile is left out.

        So is one without a name of ours that this identity may not look at: it must not hide the others.
        """
        for name in self._names():
            try:
                nodegroup = self._describe(name)
            except NodePoolNotFoundError:
                continue
            except NodePoolRefusedError:
                if naming.is_ours(name):
                    raise
                continue
            yield self._judged(nodegroup) if node_pool(nodegroup).lease else node_pool(nodegroup)

    def delete(self, name: str) -> None:
        """Ask for deletion; a group that EKS will not delete yet (CREATING, UPDATING) is NodePoolBusyError.

        Looks again after a refusal: where a policy goes by tags, one that is gone has none, and is denied.
        """
        try:
            with self._errors("DeleteNodegroup", name):
                self._client("eks").delete_nodegroup(clusterName=self._cluster, nodegroupName=name)
        except (NodePoolBusyError, NodePoolRefusedError):
            if node_pool(self._describe(name)).state is not NodePoolState.DELETING:
                raise

    def renew(self, name: str, lease: Lease) -> None:
        """Move the dead-man switch, then write the tags: whoever dies between the two leaves a pool that ends later.

        Raises NodePoolConflictError where the pool is another owner's, NodePoolNotFoundError where it is gone.
        """
        nodegroup = self._describe(name)
        pool = node_pool(nodegroup)
        refuse_another(pool, lease)
        self._arm(name, lease)
        tags = lease.to_labels()
        if not tags.items() <= (nodegroup.get("tags") or {}).items():
            with self._errors("TagResource", name):
                self._client("eks").tag_resource(resourceArn=nodegroup["nodegroupArn"], tags=tags)

    def armed(self, name: str) -> datetime | None:
        """Return when EventBridge Scheduler deletes the node group."""
        switch = self._switch()
        return switch.due(name) if switch else None

    def release(self, name: str) -> None:
        """Delete the dead-man schedule of a node group that is gone; raises NodePoolBusyError while it is there."""
        there = self._find(name)
        if there:
            raise NodePoolBusyError(
                f"cluster {self._cluster!r} in {self._region}: node group {name!r} is still there ({there.status}), so "
                "its dead-man schedule stays; ask again once it is gone"
            )
        if switch := self._switch():
            switch.release(name)

    def leftovers(self) -> Iterator[Leftover]:
        """Yield instances and schedules whose node group is not there.

        The groups are listed last: what a group has that is made meanwhile is not taken for left over. A schedule is
        there before its group, so a young one may be a group that is just being asked for.
        """
        with self._errors("DescribeInstances"):
            found = [as_leftover(one) for one in machines(self._client("ec2"), self._cluster)]
        switch = self._switch()
        schedules = switch.listed() if switch else {}
        names = set(self._names())
        yield from (one for one in found if one.pool not in names)
        for name, since in schedules.items():
            left = switch.leftover(name, since) if switch and name not in names else None
            if left:
                yield left

    def instances(self, name: str) -> tuple[str, ...]:
        """Return the ids of EC2 instances that carry the node group's tags, in any state but terminated and stopped."""
        with self._errors("DescribeInstances", name):
            found = machines(self._client("ec2"), self._cluster, name)
        return tuple(sorted(str(instance["InstanceId"]) for instance in found))

    def node_selector(self, name: str) -> tuple[str, str]:
        """Return the label that EKS puts on the node group's nodes."""
        return LABEL, name

    def _options_to_create(self, name: str) -> EksNodePoolOptions:
        options = self._options
        if not isinstance(options, EksNodePoolOptions):
            raise NodePoolRefusedError(
                f"cluster {self._cluster!r}: the registry has no nodePools.eks; it needs nodeRoleArn and subnets"
            )
        if options.dead_man is None:
            what = f"cluster {self._cluster!r}: node pool {name!r}"
            raise NodePoolRefusedError(f"{what}: nodePools.eks.deadMan {UNDECIDED}")
        return options

    def _make(self, name: str, request: Mapping[str, Any], lease: Lease) -> NodePool:
        try:
            with self._errors("CreateNodegroup", name):
                return node_pool(self._client("eks").create_nodegroup(**request)["nodegroup"])
        except NodePoolNotFoundError as error:
            raise NodePoolRefusedError(str(error)) from error
        except (NodePoolBusyError, NodePoolLimitError, NodePoolRefusedError):
            there = self._find(name)
            if there is None:
                raise
            return self._take_over(there, lease)

    def _take_over(self, there: NodePool, lease: Lease) -> NodePool:
        return take_over(there, lease, now=self._clock(), delete=self.delete, renew=self.renew)

    def _switch(self) -> DeadManSwitch | None:
        dead_man = self._options.dead_man if isinstance(self._options, EksNodePoolOptions) else None
        if not isinstance(dead_man, DeadMan):
            return None
        return DeadManSwitch(
            client=lambda: self._client("scheduler"),
            cluster_name=self._cluster,
            region=self._region,
            dead_man=dead_man,
        )

    def _arm(self, name: str, lease: Lease) -> bool:
        switch = self._switch()
        return switch is not None and switch.arm(name, owner=lease.owner, due=lease.expires_at + GRACE)

    def _give_back(self, name: str, *, armed: bool) -> None:
        """Undo the arming for a pool that will not be made; where there is one with a lease, its switch is kept.

        What was not *armed* by this very call is kept too: whoever did may have made a pool that cannot be read yet.
        Whatever goes wrong here must not hide why the pool is not made; leftovers() finds the schedule.
        """
        with suppress(MulticlusterError):
            there = self._find(name)
            if there and there.lease:
                self._arm(name, there.lease)
            elif armed and (switch := self._switch()):
                switch.release(name)

    def _names(self) -> Sequence[str]:
        with self._errors("ListNodegroups"):
            pages = self._client("eks").get_paginator("list_nodegroups").paginate(clusterName=self._cluster)
            return [name for page in pages for name in page["nodegroups"]]

    def _find(self, name: str) -> NodePool | None:
        try:
            return node_pool(self._describe(name))
        except NodePoolNotFoundError:
            return None

    def _describe(self, name: str) -> dict[str, Any]:
        with self._errors("DescribeNodegroup", name):
            answer = self._client("eks").describe_nodegroup(clusterName=self._cluster, nodegroupName=name)
            nodegroup: dict[str, Any] = answer["nodegroup"]
            return nodegroup

    def _judged(self, nodegroup: dict[str, Any]) -> NodePool:
        pool = node_pool(nodegroup)
        if pool.state is NodePoolState.DELETING:
            return pool
        return node_pool(nodegroup, *self._launch_problems(nodegroup))

    def _launch_problems(self, nodegroup: dict[str, Any]) -> tuple[Problem, ...]:
        """Read scaling activities; where that fails, say so instead: the state is worth more than its reasons."""
        try:
            with self._errors("DescribeScalingActivities", nodegroup["nodegroupName"]):
                return reasons(self._client("autoscaling"), self._cluster, nodegroup)
        except CloudUnavailableError:
            return ()
        except MulticlusterError as error:
            return (Problem(code="ScalingActivitiesUnreadable", message=str(error)),)

    def _client(self, service: str) -> Any:
        key = (os.getpid(), service)  # a forked child must not share its parent's connections
        with _MAKING:
            if key not in self._clients:
                self._clients[key] = self._session.client(  # type: ignore[call-overload]
                    service, region_name=self._region, config=CONFIG
                )
            return self._clients[key]

    def _errors(self, call: str, name: str = "") -> Any:
        return node_pool_errors(f"cluster {self._cluster!r} in {self._region}: {call} {name}".rstrip())
