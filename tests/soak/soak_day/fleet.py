"""Set a hundred clusters up, reached in every way that the two clouds have."""

from __future__ import annotations

import base64
import json
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from multicluster import load_registry
from multicluster.simulator import Delays, ManualClock, World

if TYPE_CHECKING:
    from contextlib import ExitStack

    import pytest

    from multicluster import Registry

OTHER_ACCOUNT = "444455556666"
SHORTEST_SESSION, LONGEST_CHAIN = 900, 3600
"""Seconds that STS gives a role's session at least, and one that is assumed by another role at most."""


class Fleet:
    """A world in virtual time, and a registry of its clusters."""

    def __init__(self, count: int, patch: pytest.MonkeyPatch, stack: ExitStack) -> None:
        self.clock = ManualClock(datetime.now(UTC).replace(microsecond=0))
        self.world = stack.enter_context(World(delays=Delays.none(), clock=self.clock))
        self.world.aws.gateway.signature_clock = self.clock
        self.eks, self.gke = _Eks(self.world), _Gke(self.world)
        clusters = [(self.gke if number % 2 else self.eks).add(number // 2) for number in range(count)]
        for name, value in self.world.env().items():
            patch.setenv(name, value)
        # google-auth reads this one when it is imported, and each test has a world of its own.
        patch.setattr("google.auth.compute_engine._metadata._GCE_METADATA_HOST", self.world.metadata_host)
        document = {"apiVersion": "multicluster/v1alpha1", "kind": "ClusterRegistry", "clusters": clusters}
        self.registry: Registry = load_registry(document, clock=self.clock.now)


class _Eks:
    """Adds EKS clusters: by a user's key, by roles of short and long sessions, by chains, into another account."""

    def __init__(self, world: World) -> None:
        self._world = world
        iam = world.aws.iam
        hop, far = iam.add_role("hop"), iam.add_role("far", OTHER_ACCOUNT)
        short, long = iam.add_role("short"), iam.add_role("long")
        self._ways: tuple[tuple[tuple[str, int], ...], ...] = (
            (),
            ((short.arn, SHORTEST_SESSION),),
            ((long.arn, LONGEST_CHAIN),),
            ((hop.arn, SHORTEST_SESSION), (far.arn, SHORTEST_SESSION)),
        )

    def add(self, number: int) -> dict[str, Any]:
        """Start a cluster and return its entry in the registry; every fifth has its endpoint and CA pinned."""
        roles = self._ways[number % len(self._ways)]
        name = f"eks-{number:02}"
        account = {"account": OTHER_ACCOUNT} if len(roles) > 1 else {}
        cluster = self._world.add_eks(name, system_nodes=0, **account)
        options: dict[str, Any] = {"clusterName": name, "region": cluster.region}
        if roles:
            sessions = [{"roleArn": arn, "durationSeconds": seconds} for arn, seconds in roles]
            options["credentials"] = {"roles": sessions}
        if number % 5 == 0:
            authority = base64.b64encode(cluster.kubernetes.ca_pem).decode()
            options |= {"endpoint": cluster.kubernetes.url, "certificateAuthorityData": authority}
        return {"name": name, "auth": {"eks": options}}


class _Gke:
    """Adds GKE clusters: by metadata server, by key file, by acting as another account; by name and by address."""

    def __init__(self, world: World) -> None:
        self._world = world
        key = world.root / "key.json"
        key.write_text(json.dumps(world.google.key_file("keeper")))
        trainer = world.google.accounts.add("trainer", world.google.project)
        self._ways: tuple[dict[str, Any], ...] = (
            {},
            {"serviceAccountFile": str(key)},
            {"impersonate": [trainer.email]},
            {"serviceAccountFile": str(key), "impersonate": [trainer.email]},
        )

    def add(self, number: int) -> dict[str, Any]:
        """Start a cluster and return its entry in the registry; every second is reached by its IP address."""
        name = f"gke-{number:02}"
        cluster = self._world.add_gke(name, system_nodes=0)
        options = {
            "projectId": cluster.project,
            "location": cluster.location,
            "clusterName": name,
            "endpoint": ("dns", "public")[number // len(self._ways) % 2],
            "credentials": self._ways[number % len(self._ways)],
        }
        return {"name": name, "auth": {"gke": options}}
