"""The clouds of one scenario: the simulator's own state machines and APIs, put together without sockets or threads."""

from __future__ import annotations

import json
import random
from collections.abc import Callable
from dataclasses import replace
from functools import cache
from pathlib import Path
from types import SimpleNamespace
from typing import Any

from aiohttp import web

from matrix.clusters import EKS, GKE, LOCATION, PROJECT, REGION, ROLE
from matrix.nodes import NodeBoard
from matrix.virtual_time import VirtualTime
from matrix.wire import Request, Wire
from multicluster.simulator.aws import sigv4
from multicluster.simulator.aws.cloud import Aws
from multicluster.simulator.aws.clusters import EksCluster
from multicluster.simulator.delays import Delays
from multicluster.simulator.faults import Drop, Faults, HttpError
from multicluster.simulator.fleet import NodeGroup
from multicluster.simulator.google.cloud import Google
from multicluster.simulator.google.clusters import GkeCluster
from multicluster.simulator.node_groups import NodeGroups
from multicluster.simulator.wording import Incident

POLICY = Path(__file__).parents[3] / "infra" / "iam" / "aws" / "dead-man.json"
DEAD_MAN = "the dead-man switch"
FORGETS = 60.0
"""Seconds after its creation in which a cloud may not find a pool."""


class World:
    """Clouds, clusters and the time they live in. ``serving`` is whose request has its effect at this moment."""

    def __init__(self, seed: int, *, told: Callable[[str, str], None]) -> None:
        self.time = VirtualTime()
        self.chance = random.Random(f"world {seed}")
        self.wire = Wire(self.time, self.chance, told)
        self.faults = Faults()
        self.serving: Any = None
        delays = replace(Delays.realistic(), autoscaler=60.0)
        self.groups = NodeGroups(self.time, delays, self.fate)
        self.aws = Aws(
            groups=self.groups,
            clock=self.time,
            signature_clock=self.time,
            delays=delays,
            faults=self.faults,
            fate=self.fate,
        )
        self.google = Google(groups=self.groups, clock=self.time, delays=delays, faults=self.faults, fate=self.fate)
        self.google.url = "https://googleapis"
        self.boards = {name: NodeBoard() for name in (*EKS, *GKE)}
        self._add_clusters()
        self._know_who_asks()
        self.aws.policies.attach(f"{ROLE}deadman", dead_man_policy())

    def _add_clusters(self) -> None:
        created = self.time.now()
        for name in EKS:
            self.aws.clusters.add(EksCluster(name=name, region=REGION, kubernetes=self.boards[name], created=created))
        for name in GKE:
            self.google.clusters.add(
                GkeCluster(name=name, project=PROJECT, location=LOCATION, kubernetes=self.boards[name], created=created)
            )

    def _know_who_asks(self) -> None:
        """Let everybody in, without a signature and with all rights, and note for whom the clouds act."""
        gateway, schedules, google = self.aws.gateway, self.aws.schedules, self.google
        principal, account = self.aws.key.principal, SimpleNamespace(account=google.account)
        gateway.policies = SimpleNamespace(require=lambda _caller, _asks: None)
        gateway._authenticate = lambda arrival: (principal, _region(arrival))
        google._caller = lambda _request, _operation: account
        gateway._serve = self._noting(gateway._serve, lambda arrival, *_: arrival.request.asker)
        google._dispatch = self._noting(google._dispatch, lambda request, *_: request.asker)
        schedules._invoke = self._noting(schedules._invoke, lambda *_: DEAD_MAN)

    def _noting(self, act: Callable[..., Any], who: Callable[..., Any]) -> Callable[..., Any]:
        def noted(*arguments: Any) -> Any:
            self.serving = who(*arguments)
            try:
                return act(*arguments)
            finally:
                self.serving = None

        return noted

    def fate(self, step: str, group: NodeGroup) -> Incident | None:
        """Ask the faults in force what goes wrong in a step of a group's life, as a simulator's world does."""
        if step == "read" and (self.time.now() - group.created).total_seconds() > FORGETS:
            return None
        for effect in self.faults.effects("node-groups", step, group.target):
            if isinstance(effect, HttpError):
                return Incident(code=effect.reason, message=effect.message)
        return None

    async def kubernetes(self, request: Request) -> web.Response:
        """Answer as the API server of the cluster that the request's host names."""
        resource = request.path.rsplit("/", 1)[-1]
        for effect in self.faults.effects("kubernetes", f"get {resource}", request.path):
            if isinstance(effect, HttpError):
                return web.Response(status=effect.code)
            if isinstance(effect, Drop):
                request.abort()
        return self.boards[request.host].answer(resource, request.query.get("labelSelector", ""))

    def occupy(self, cluster: str, pool: str, seconds: float) -> None:
        """Let pods run on a pool's nodes for so long, whatever becomes of who started them."""
        board = self.boards[cluster]
        label = "cloud.google.com/gke-nodepool" if cluster in GKE else "eks.amazonaws.com/nodegroup"
        pods = board.occupy((label, pool))
        self.time.after(seconds, lambda: board.leave(pods))

    def do(self, act: Callable[[], Any]) -> Any:
        """Do something to the clouds by hand, at once and without a request."""
        done: list[Any] = []
        self.time.loop.call_soon(lambda: done.append(act()))
        self.time.loop.turn()
        return done[0]


def _region(arrival: Any) -> str:
    scope = sigv4.read_scope(arrival.request.headers.get("Authorization", ""))
    return scope.region if scope else REGION


@cache
def dead_man_policy() -> Any:
    """Return the rights of the dead-man role as they are shipped."""
    text = POLICY.read_text()
    for blank, fact in (("REGION", REGION), ("ACCOUNT", "111122223333"), ("CLUSTER", "*")):
        text = text.replace(blank, fact)
    return json.loads(text)
