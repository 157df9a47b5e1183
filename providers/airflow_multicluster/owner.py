"""Say who asks for a node pool: which deployment, DAG, run, bracket and map index."""

from __future__ import annotations

from ipaddress import ip_address
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from multicluster.errors import NodePoolRefusedError
from multicluster.node_pools import naming
from multicluster.node_pools.origin import Origin

if TYPE_CHECKING:
    from airflow.sdk import Context


INNER = (".svc", ".cluster.local", ".docker.internal", ".localhost", ".localdomain")
"""Ends of names that every cluster, and every laptop, has for itself."""


def deployment() -> str:
    """Return this deployment's name: ``[multicluster] deployment``, else ``[api] base_url``; empty when it has none.

    An address that only the machine or its own network knows is no name: another Airflow may have the same.
    """
    from airflow.providers.common.compat.sdk import conf

    name = str(conf.get("multicluster", "deployment", fallback="") or "")
    address = str(conf.get("api", "base_url", fallback="") or "")
    return name or (address if _is_one_of_a_kind(urlsplit(address).hostname or "") else "")


def _is_one_of_a_kind(host: str) -> bool:
    try:
        return ip_address(host).is_global
    except ValueError:
        return "." in host and not host.endswith(INNER)


def refuse_nameless() -> None:
    """Raise NodePoolRefusedError when this deployment has no name of its own.

    Two such deployments with the same DAG and run would take one another's pool for theirs, and delete it.
    """
    if not deployment():
        raise NodePoolRefusedError(
            "this Airflow has no name of its own, so its node pools could be taken for another's; set "
            "[multicluster] deployment (AIRFLOW__MULTICLUSTER__DEPLOYMENT) to one that no other Airflow has"
        )


def bracket_origin(context: Context, bracket: str) -> Origin:
    """Return whose the pool is that *bracket* makes in this run: the same for every task of the bracket."""
    ti: Any = context["ti"]
    map_index = -1 if ti.map_index is None else ti.map_index
    return Origin(deployment=deployment(), dag_id=ti.dag_id, run_id=ti.run_id, group_id=bracket, map_index=map_index)


def bracket_pool(context: Context, bracket: str) -> tuple[str, str]:
    """Return (pool name, owner) of *bracket* in this run; both follow from the context alone, no XCom is needed."""
    owner = bracket_origin(context, bracket).owner
    return naming.pool_name(owner, hint=bracket.rsplit(".", 1)[-1]), owner
