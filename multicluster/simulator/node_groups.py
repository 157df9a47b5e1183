"""Move node groups through their lives, for both clouds.

CREATING -> instances launch -> nodes join, NotReady and tainted -> Ready, taint gone -> ACTIVE -> GPUs are advertised;
DELETING -> drained -> nodes and instances gone -> unknown. Everything here runs on the event loop of the world.
"""

from __future__ import annotations

import asyncio
import contextlib
import re
from typing import TYPE_CHECKING

from multicluster.simulator.fleet import Activity, Instance, NodeError, NodeGroup, Problem, State
from multicluster.simulator.kubernetes.nodes import NodeShape
from multicluster.simulator.kubernetes.status import ApiError

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Callable, Coroutine

    from multicluster.simulator.clock import Clock
    from multicluster.simulator.delays import Delays
    from multicluster.simulator.wording import Incident, Wording

STARTUP_TAINT = {"key": "node.cloudprovider.kubernetes.io/uninitialized", "value": "true", "effect": "NoSchedule"}


class NodeGroups:
    """Keep all groups of a world; ``fate(step, group)`` says what goes wrong in a step, mostly nothing."""

    def __init__(self, clock: Clock, delays: Delays, fate: Callable[[str, NodeGroup], Incident | None]) -> None:
        self.clock, self.delays, self.fate = clock, delays, fate
        self.groups: dict[tuple[str, str], NodeGroup] = {}
        self.terminated: list[tuple[Instance, NodeGroup]] = []
        self.wordings: dict[str, Wording] = {}

    def get(self, key: str, name: str) -> NodeGroup | None:
        """Find a group of a cluster."""
        return self.groups.get((key, name))

    def of(self, key: str) -> list[NodeGroup]:
        """List the groups of a cluster by name."""
        return [group for (owner, _), group in sorted(self.groups.items()) if owner == key]

    def create(self, group: NodeGroup) -> None:
        """Take a new group in and bring it up in the background."""
        self.groups[group.key, group.name] = group
        self.spawn(group, self._bring_up(group))

    def delete(self, group: NodeGroup) -> None:
        """Take a group down in the background, whatever it was doing."""
        for task in (*group.tasks, *group.keepers):
            task.cancel()
        self.mark(group, State.DELETING)
        self.spawn(group, self._tear_down(group))

    def resize(self, group: NodeGroup, desired: int) -> None:
        """Change how many nodes a group shall have; it is UPDATING until it has them."""
        group.desired = desired
        self.mark(group, State.UPDATING)
        self.spawn(group, self._resize(group))

    def lose(self, group: NodeGroup, instance: Instance, *, replace: bool = True) -> None:
        """End an instance at once, as a preemption or a broken host does; the group rents another unless told not."""
        self.end(group, instance, "an instance was taken out of service in response to an EC2 health check.")
        if replace:
            self.spawn(group, self._refill(group))
        else:
            group.desired = max(0, group.desired - 1)

    def lose_one(self, target: str, *, replace: bool) -> None:
        """End one instance of each group whose ``cluster/group`` the regular expression matches."""
        for group in list(self.groups.values()):
            if group.instances and re.fullmatch(target, group.target):
                self.lose(group, group.instances[0], replace=replace)

    def spawn(self, group: NodeGroup, work: Coroutine[object, object, None]) -> None:
        """Run a step of a group's life in the background; deleting the group ends it."""
        task = asyncio.get_running_loop().create_task(work)
        group.tasks.add(task)
        task.add_done_callback(group.tasks.discard)

    def mark(self, group: NodeGroup, state: State, problem: Problem | None = None) -> None:
        """Set the state, with the problem that led to it."""
        group.state, group.modified = state, self.clock.now()
        if problem is not None and problem not in group.problems:
            group.problems.append(problem)
        elif state in {State.ACTIVE, State.DELETING}:
            group.problems.clear()
        self._tell(group)

    def keep(self, group: NodeGroup, work: Coroutine[object, object, None]) -> None:
        """Run what looks after a group for as long as it lives."""
        task = asyncio.get_running_loop().create_task(work)
        group.keepers.add(task)
        task.add_done_callback(group.keepers.discard)

    async def settle(self) -> None:
        """Wait until every step under way has ended."""
        while under_way := [task for group in self.groups.values() for task in group.tasks]:
            await asyncio.wait(under_way)

    async def next_change(self, group: NodeGroup) -> None:
        """Wait until the state of a group changes, or the group is gone."""
        watcher: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        group.watchers.append(watcher)
        await watcher

    def _tell(self, group: NodeGroup) -> None:
        for watcher in group.watchers:
            if not watcher.done():
                watcher.set_result(None)
        group.watchers.clear()

    def gpu_seconds(self) -> float:
        """Count the GPU-seconds rented so far."""
        now = self.clock.now()
        live = [instance for group in list(self.groups.values()) for instance in list(group.instances)]
        ended = [instance for instance, _ in list(self.terminated)]
        return sum(instance.gpu_seconds(now) for instance in (*live, *ended))

    async def fill(self, group: NodeGroup, *, patience: float | None = None) -> bool:
        """Rent what is missing and wait until the new nodes are Ready; if that fails, False and a problem."""
        joins: list[asyncio.Task[bool]] = []
        try:
            rented = await self._rent_all(group, joins, self.delays.capacity_timeout if patience is None else patience)
            ready = all(await asyncio.gather(*joins)) if rented else False
        except asyncio.CancelledError:
            for task in joins:
                task.cancel()
            raise
        if rented and not ready:
            ids = tuple(instance.id for instance in group.instances)
            message = "Instances failed to join the kubernetes cluster"
            self._failed(group, Problem(code="NodeCreationFailure", message=message, resource_ids=ids))
        return ready

    def end(self, group: NodeGroup, instance: Instance, cause: str) -> None:
        """Terminate an instance and take its node away; one that is gone already is left alone."""
        if instance not in group.instances:
            return
        now = self.clock.now()
        group.nodes.remove_node(instance.node)
        group.instances.remove(instance)
        instance.state, instance.ended = "terminated", now
        self.terminated.append((instance, group))
        self._record(group, f"Terminating EC2 instance: {instance.id}", cause)

    async def _bring_up(self, group: NodeGroup) -> None:
        await self.clock.sleep(self.delays.create)
        group.launching = True
        incident = self.fate("create", group)
        if incident is not None:
            self.mark(group, State.CREATE_FAILED, Problem(code=incident.code, message=incident.message))
        elif await self.fill(group):
            self.mark(group, State.ACTIVE)

    async def _resize(self, group: NodeGroup) -> None:
        while len(group.instances) > group.desired:
            self.end(group, group.instances[-1], "an instance was taken out of service, shrinking the capacity.")
        await self.clock.sleep(self.delays.operation)
        self.mark(group, State.ACTIVE)
        await self.fill(group)

    async def _refill(self, group: NodeGroup) -> None:
        await self.fill(group)

    async def _rent_all(self, group: NodeGroup, joins: list[asyncio.Task[bool]], patience: float) -> bool:
        first_failure: dt.datetime | None = None
        while len(group.instances) < group.desired:
            incident = self.fate("launch", group)
            if incident is None:
                instance = self._rent(group)
                joins.append(asyncio.get_running_loop().create_task(self._join(group, instance)))
                continue
            problem = self._record_failure(group, incident)
            first_failure = first_failure or self.clock.now()
            if (self.clock.now() - first_failure).total_seconds() >= patience:
                self._failed(group, problem)
                return False
            await self.clock.sleep(self.delays.capacity_retry)
        return True

    def _failed(self, group: NodeGroup, problem: Problem) -> None:
        self.mark(group, State.CREATE_FAILED if group.state == State.CREATING else State.DEGRADED, problem)

    async def _join(self, group: NodeGroup, instance: Instance) -> bool:
        """Bring one node from launch to Ready; its GPUs follow in the background."""
        await self.clock.sleep(self.delays.node_join)
        if instance not in group.instances:
            return True  # lost meanwhile; whoever took it away decides what follows
        instance.state = "running"
        capacity = instance.machine.capacity(gpus=0)
        taints = [*group.taints, dict(STARTUP_TAINT)]
        labels = {**group.labels, "kubernetes.io/hostname": instance.node, "topology.kubernetes.io/zone": instance.zone}
        id_ = self._wording(group).provider_id(group, instance)
        group.nodes.add_node(instance.node, NodeShape(labels=labels, taints=taints, capacity=capacity, provider_id=id_))
        if self.fate("ready", group) is not None:
            await self.clock.sleep(self.delays.join_timeout)
            return False
        await self.clock.sleep(self.delays.node_ready)
        if instance not in group.instances:
            return True
        with contextlib.suppress(ApiError):  # somebody deleted the Node
            group.nodes.set_node(instance.node, ready=True, remove_taints=[STARTUP_TAINT["key"]])
            if await self._what_failed(group, instance):
                return False
            if instance.machine.gpus and group.advertises_gpus:
                self.spawn(group, self._advertise(group, instance))
        return True

    async def _advertise(self, group: NodeGroup, instance: Instance) -> None:
        if self.fate("gpu", group) is not None:
            return
        await self.clock.sleep(self.delays.gpu_ready)
        if instance in group.instances:
            instance.gpus_ready = True
            with contextlib.suppress(ApiError):  # somebody deleted the Node
                group.nodes.set_node(instance.node, allocatable=instance.machine.capacity())

    async def _tear_down(self, group: NodeGroup) -> None:
        for instance in group.instances:
            with contextlib.suppress(ApiError):  # not joined yet, or somebody deleted the Node
                group.nodes.drain_node(instance.node)
        await self.clock.sleep(self.delays.drain)
        incident = self.fate("delete", group)
        if incident is not None:
            self.mark(group, State.DELETE_FAILED, Problem(code=incident.code, message=incident.message))
            return
        for instance in group.instances:
            group.nodes.remove_node(instance.node)
            instance.state = "shutting-down"
        await self.clock.sleep(self.delays.delete)
        failures = [failure for one in group.instances if (failure := await self._what_failed(group, one))]
        if failures:
            self.mark(group, State.DELETE_FAILED, Problem(code="NodeTerminationFailure", message=failures[0]))
            return
        for instance in list(group.instances):
            self.end(group, instance, "the group was deleted.")
        self.groups.pop((group.key, group.name), None)
        self._tell(group)

    async def _what_failed(self, group: NodeGroup, instance: Instance) -> str:
        """Wait until a node has done what it was told, and say what it could not do; empty when it could."""
        try:
            await group.nodes.settled(instance.node)
        except NodeError as error:
            return str(error)
        return ""

    def _wording(self, group: NodeGroup) -> Wording:
        return self.wordings[group.key.partition(":")[0]]

    def _rent(self, group: NodeGroup) -> Instance:
        zone = group.zones[len(group.instances) % len(group.zones)]
        id_, node, address = self._wording(group).name_instance(group)
        now = self.clock.now()
        instance = Instance(id=id_, node=node, machine=group.machine, zone=zone, address=address, launched=now)
        self._record(group, f"Launching a new EC2 instance: {id_}", _growth(group))
        group.instances.append(instance)
        return instance

    def _record(self, group: NodeGroup, description: str, cause: str, failure: str = "") -> None:
        now = self.clock.now()
        text = f"At {now:%Y-%m-%dT%H:%M:%SZ} {cause}"
        group.activities.append(
            Activity(
                started=now, ended=now, succeeded=not failure, description=description, cause=text, message=failure
            )
        )

    def _record_failure(self, group: NodeGroup, incident: Incident) -> Problem:
        message, problem = self._wording(group).launch_failed(group, incident)
        self._record(group, f"Launching a new EC2 instance.  Status Reason: {message}", _growth(group), message)
        return problem


def _growth(group: NodeGroup) -> str:
    """Word the cause of a launch as Auto Scaling does."""
    reason = "an instance was started in response to a difference between desired and actual capacity"
    return f"{reason}, increasing the capacity from {len(group.instances)} to {group.desired}."
