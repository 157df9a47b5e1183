"""Say what a world asks of a cluster, whatever it stands on."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Protocol

from multicluster.simulator.fleet import Nodes

if TYPE_CHECKING:
    from collections.abc import Mapping

    from multicluster.simulator.host import Host
    from multicluster.simulator.kubernetes.gpu_seconds import GpuSeconds
    from multicluster.simulator.kubernetes.users import Judged
    from multicluster.simulator.verification import Judge


class Cluster(Nodes, Protocol):
    """An API server with its nodes. What reads or moves nodes may be called on the world's loop, the rest may not."""

    url: str
    """The address of the API server."""
    stand_in: str
    """An image to run in place of one that only a registry has; empty where DaemonSets start no pods."""

    @property
    def ca_pem(self) -> bytes:
        """The certificate of the CA that signs the API server's."""
        ...

    @property
    def admin(self) -> Mapping[str, str]:
        """What its administrator shows: the user of a kubeconfig."""
        ...

    @property
    def judged(self) -> Judged:
        """What a verifier of its own said of tokens, if it has one."""
        ...

    @property
    def gpu_seconds(self) -> dict[str, GpuSeconds]:
        """GPU-seconds advertised and in use, by node, also of nodes that are gone."""
        ...

    def objects(self, resource: str, namespace: str | None = None) -> list[dict[str, Any]]:
        """Return the nodes, pods or daemonsets known at this moment, without waiting."""
        ...

    def create(self, resource: str, document: dict[str, Any], namespace: str = "default") -> dict[str, Any]:
        """Create an object as an admin and return it. Raises ApiError."""
        ...

    def rotate_certificate(self) -> None:
        """Change to a new CA and certificate."""
        ...

    def stop(self) -> None:
        """End it, with all that runs on it. Twice is once."""
        ...


class Ground(Protocol):
    """What the clusters of a world stand on."""

    unable: dict[str, str]
    """Faults of the catalogue that cannot strike here, each with its reason."""

    def start(self, host: Host, name: str, judge: Judge, *, rbac: bool) -> Cluster:
        """Start a cluster and block until its API server answers; without *rbac* all who are known may do all.

        Not from the host's loop.
        """
        ...

    def stop(self) -> None:
        """Clear away what the clusters shared, after they were stopped."""
        ...
