"""Say which cluster a stock operator means, as the registry would say it."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from typing import Any

from multicluster.migration.arguments import Arguments
from multicluster.migration.finding import UntranslatableError
from multicluster.migration.vocabulary import Role

FILL_IN = "FILL-IN"
"""What the registry refuses until a person has written the true value."""
_REGISTRY = "point it at one cluster of the registry yourself: cluster= is a template field and may be rendered"


@dataclass(frozen=True, kw_only=True)
class Place:
    """A cluster: what its name may be, its ``auth`` block, and what a person must still say.

    ``told`` is (why, do) pairs.
    """

    hint: str
    apart: str
    auth: str
    told: tuple[tuple[str, str], ...] = ()

    @property
    def block(self) -> dict[str, Any]:
        """The ``auth`` block as it stands in the registry."""
        block: dict[str, Any] = json.loads(self.auth)
        return block

    @property
    def eks(self) -> tuple[str, str] | None:
        """Cluster name and region, for an EKS cluster."""
        options = self.block.get("eks")
        return (options["clusterName"], options["region"]) if options else None


def place_of(role: Role, arguments: Arguments) -> Place | None:
    """Return the cluster; None for a pod that stays where Airflow is. Raises UntranslatableError."""
    if role is Role.GKE_POD:
        return _gke(arguments)
    return _kubeconfig(arguments) if role is Role.POD else eks_place(arguments)


def eks_place(arguments: Arguments) -> Place:
    """Return the cluster of an EKS operator or sensor."""
    if arguments.value("in_cluster", default=False):
        raise UntranslatableError("in_cluster=True contradicts cluster_name", "leave out one of the two")
    _refuse(arguments, "config_file")
    cluster = _named(arguments, "cluster_name")
    region = arguments.text("region") or arguments.text("region_name")
    connection = arguments.text("aws_conn_id")
    told = []
    if region is None:
        told.append(("the file names no region", f"write the cluster's region into the registry (now {FILL_IN})"))
    if "aws_conn_id" not in arguments:
        told.append(
            (
                "it used the connection aws_default if there was one",
                "where that holds credentials, give the cluster credentials: {connection: aws_default}",
            )
        )
    options: dict[str, Any] = {"clusterName": cluster, "region": region or FILL_IN}
    if connection:
        options["credentials"] = {"connection": connection}
    return _place(cluster, region or "", {"eks": options}, told)


def _gke(arguments: Arguments) -> Place:
    _refuse(arguments, "config_file")
    cluster, location = _named(arguments, "cluster_name"), _named(arguments, "location")
    project = arguments.text("project_id")
    connection = arguments.text("gcp_conn_id") if "gcp_conn_id" in arguments else "google_cloud_default"
    chain = arguments.value("impersonation_chain")
    told = []
    if not project:
        told.append(("the project is the connection's", f"write it into the registry (now {FILL_IN})"))
    options: dict[str, Any] = {"projectId": project or FILL_IN, "location": location, "clusterName": cluster}
    if arguments.value("use_dns_endpoint", default=False):
        options["endpoint"] = "dns"
    elif arguments.value("use_internal_ip", default=False):
        options["endpoint"] = "private"
    credentials: dict[str, Any] = {"connection": connection} if connection else {}
    if chain:
        credentials["impersonate"] = [chain] if isinstance(chain, str) else chain
    if credentials:
        options["credentials"] = credentials
    return _place(cluster, location, {"gke": options}, told)


def _kubeconfig(arguments: Arguments) -> Place | None:
    connection = arguments.text("kubernetes_conn_id")
    path, context = arguments.text("config_file"), arguments.text("cluster_context")
    inside = arguments.value("in_cluster")
    connection = None if connection == "kubernetes_default" else connection
    if inside and (path or context or connection):
        raise UntranslatableError("in_cluster=True beside another way to a cluster", "leave out one of the two")
    if inside or not (path or context or connection or inside is False):
        return None
    options: dict[str, Any] = {}
    told = []
    if path:
        options["path"] = path
    if context:
        options["context"] = context
    if connection:
        told.append(
            (
                f"what the connection {connection!r} holds cannot be seen from here",
                "write its path, context and namespace into the registry",
            )
        )
    if not context and (path or not connection):
        options["useCurrentContext"] = True
        told.append(("it took whatever context was current", "name the context in the registry"))
    return _place(_hint(path, context, connection), "", {"kubeconfig": options}, told)


def _hint(path: str | None, context: str | None, connection: str | None) -> str:
    if context or connection:
        return re.split(r"[/:@]", context or connection or "")[-1]
    if path is None:
        return "current-context"
    *folders, file = [part for part in re.split(r"[/\\]", path) if part.strip("~.")] or ["kubeconfig"]
    stem = re.sub(r"\.(ya?ml|conf|kubeconfig)$", "", file.lstrip("."))
    return f"{folders[-1]}-{stem}" if folders and stem in {"config", "kubeconfig", "kube_config"} else stem


def _place(hint: str, apart: str, auth: dict[str, Any], told: list[tuple[str, str]]) -> Place:
    return Place(hint=label(hint), apart=label(apart), auth=json.dumps(auth), told=tuple(told))


def label(text: str) -> str:
    """Return what of *text* an RFC 1123 label may hold."""
    return re.sub(r"[^a-z0-9]+", "-", text.lower()).strip("-")[:63].rstrip("-")


def _named(arguments: Arguments, name: str) -> str:
    text = arguments.text(name)
    if not text:
        raise UntranslatableError(f"it has no {name} of its own", _REGISTRY)
    return text


def _refuse(arguments: Arguments, name: str) -> None:
    if arguments.value(name) is not None:
        raise UntranslatableError(f"{name} is not allowed there by the stock operator either", f"leave out {name}")
