"""Decide by the permissions of a service account whether it may call a method: deny by default.

Which permission a method needs is written in its page of the REST reference; node pools have none of their own.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from multicluster.simulator.google.errors import GoogleError

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

CONNECT = "container.clusters.connect"
ACT_AS = "iam.serviceAccounts.actAs"
METHODS = {
    "clusters.get": "container.clusters.get",
    "nodePools.get": "container.clusters.get",
    "nodePools.list": "container.clusters.get",
    "nodePools.create": "container.clusters.update",
    "nodePools.delete": "container.clusters.update",
    "nodePools.update": "container.clusters.update",
    "nodePools.setSize": "container.clusters.update",
    "operations.get": "container.operations.get",
    "instances.list": "compute.instances.list",
    "instances.aggregatedList": "compute.instances.list",
    "instanceGroupManagers.get": "compute.instanceGroupManagers.get",
    "instanceGroupManagers.listErrors": "compute.instanceGroupManagers.get",
}
PROJECT = ""


class Grants:
    """Know what accounts may do, in their project or on a service account. One without grants may do everything.

    ``asked`` tells which permissions each one has asked for, granted or not.
    """

    def __init__(self) -> None:
        self.given: dict[str, dict[str, frozenset[str]]] = {}
        self.asked: dict[str, set[str]] = {}

    def grant(self, email: str, permissions: Iterable[str], *, on: str = PROJECT) -> None:
        """Give an account these permissions in its project, or on the service account ``on``, in place of others."""
        self.given.setdefault(email, {})[on] = frozenset(permissions)

    def allow(self, email: str, permission: str, *, on: str = PROJECT) -> bool:
        """Tell whether an account has a permission; what it has in the project, it has on all that is in there."""
        self.asked.setdefault(email, set()).add(permission)
        mine = self.given.get(email)
        return mine is None or any(permission in mine.get(place, ()) for place in {PROJECT, on})

    def require(self, email: str, method: str, path: str, body: Mapping[str, Any]) -> None:
        """Refuse a method that the account may not call. Raises GoogleError as its service does."""
        permission = METHODS.get(method)
        if permission and not self.allow(email, permission):
            raise denied(permission, path)
        if method == "nodePools.create":
            nodes = ((body.get("nodePool") or {}).get("config") or {}).get("serviceAccount") or "default"
            if not self.allow(email, ACT_AS, on=nodes):
                raise GoogleError(
                    400,
                    f'The user does not have access to service account "{nodes}". Ask a project owner to grant you '
                    "the iam.serviceAccountUser role on the service account.",
                )


def denied(permission: str, path: str) -> GoogleError:
    """Refuse as GKE or Compute Engine does."""
    place = "projects/" + path.partition("/projects/")[2]
    if permission.startswith("compute."):
        project = "/".join(place.split("/")[:2])
        return GoogleError(403, f"Required '{permission}' permission for '{project}'", reason="forbidden")
    cluster = "/".join(place.split("/")[:6]).partition(":")[0]
    return GoogleError(403, f'Required "{permission}" permission(s) for "{cluster}".', reason="IAM_PERMISSION_DENIED")
