"""Say who judges the bearer tokens of a cluster: the world itself, or AWS's token verifier beside a real API server."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from aiohttp import web

from multicluster.simulator.aws.clusters import AccessEntry, EksCluster
from multicluster.simulator.aws.sts_hosts import partition_of

if TYPE_CHECKING:
    from collections.abc import Callable

    from multicluster.simulator.aws.identities import Iam
    from multicluster.simulator.host import Handler
    from multicluster.simulator.kubernetes.users import Authenticate
    from multicluster.simulator.world import World

MASTERS = ("system:masters",)
ROLE, USER = ":role/", ":user/"


@dataclass(frozen=True, kw_only=True)
class Judge:
    """Who is asked about a bearer token."""

    authenticate: Authenticate
    """What a simulated API server asks."""
    verifier: tuple[str, ...]
    """What the verifier beside a real API server is given; () where only certificates lead in."""


class Judges:
    """The verifiers' way into a world: STS, Google's token info, and the access entries of each cluster."""

    def __init__(self, world: World, serve: Callable[[Handler], str]) -> None:
        self._world = world
        self._url = serve(self.entries)

    def of_eks(self, label: str, name: str, region: str) -> tuple[str, ...]:
        """Ask the world's STS, for a cluster that has a label in this world."""
        place = (f"-cluster={name}", f"-region={region}", f"-partition={partition_of(region)}")
        return (*place, f"-sts={urlsplit(self._world.aws_url).netloc}", *self._entries(label))

    def of_gke(self, label: str) -> tuple[str, ...]:
        """Ask Google's token info."""
        return (f"-tokeninfo={self._world.google.url}/tokeninfo", *self._entries(label))

    def _entries(self, label: str) -> tuple[str, str]:
        ca = self._world.root / "world-ca.pem"
        ca.write_bytes(self._world.ca.pem)
        return f"-ca={ca}", f"-mapping={self._url}/{label}"

    async def entries(self, request: web.BaseRequest) -> web.StreamResponse:
        """Answer who is who in the cluster that the path names; nobody is anybody in one that is not there yet."""
        found = self._world.entrances.get(request.path.removeprefix("/"))
        cloud = found.cloud if found else None
        if cloud is None:
            return web.json_response({})
        if isinstance(cloud, EksCluster):
            return web.json_response(of_iam(cloud, self._world.aws.iam))
        return web.json_response({"googleGroups": list(MASTERS) if cloud.everyone_is_admin else []})


def of_iam(cluster: EksCluster, iam: Iam) -> dict[str, Any]:
    """Write who is who in an EKS cluster as the verifier's mapper reads it: the same as ``EksCluster.entry`` finds."""
    known: dict[str, AccessEntry] = {}
    if cluster.everyone_is_admin:
        roles = [role.arn for role in iam.roles.values() if role.account == cluster.account]
        signers = [key.principal for key in iam.keys.values() if key.principal.account == cluster.account]
        known |= {without_path(arn): AccessEntry(username=sessions_of(arn), groups=MASTERS) for arn in roles}
        known |= {one.arn: AccessEntry(username=one.arn, groups=MASTERS) for one in signers if not one.session}
    known |= {without_path(arn): one for arn, one in cluster.access.items()}
    return {
        "roles": [{"rolearn": arn, **row(one)} for arn, one in known.items() if ROLE in arn],
        "users": [{"userarn": arn, **row(one)} for arn, one in known.items() if USER in arn],
    }


def row(one: AccessEntry) -> dict[str, Any]:
    """Write the right side of an entry."""
    return {"username": one.username, "groups": list(one.groups)}


def without_path(arn: str) -> str:
    """Take the path out of a role's ARN, as STS and the mapper do; leave other ARNs alone."""
    account, role, rest = arn.partition(ROLE)
    return account + role + rest.rsplit("/", 1)[-1]


def sessions_of(role: str) -> str:
    """Write the ARN of a role's sessions, for the mapper to fill in their names."""
    account, _, name = without_path(role).partition(ROLE)
    return f"{account.replace(':iam:', ':sts:')}:assumed-role/{name}/{{{{SessionNameRaw}}}}"
