"""Say who asks for a node pool: which deployment, DAG, run, bracket and map index."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from multicluster.node_pools import naming

if TYPE_CHECKING:
    from airflow.sdk import Context


def deployment() -> str:
    """Return this deployment's name: ``[multicluster] deployment``, else ``[api] base_url``; never a host name."""
    from airflow.providers.common.compat.sdk import conf

    return str(
        conf.get("multicluster", "deployment", fallback="") or conf.get("api", "base_url", fallback="") or "airflow"
    )


def bracket_owner(context: Context, bracket: str) -> str:
    """Return the owner of the pool that *bracket* makes in this run: the same for every task of the bracket."""
    ti: Any = context["ti"]
    map_index = -1 if ti.map_index is None else ti.map_index
    return naming.owner(
        deployment=deployment(), dag_id=ti.dag_id, run_id=ti.run_id, group_id=bracket, map_index=map_index
    )


def bracket_pool(context: Context, bracket: str) -> tuple[str, str]:
    """Return (pool name, owner) of *bracket* in this run; both follow from the context alone, no XCom is needed."""
    owner = bracket_owner(context, bracket)
    return naming.pool_name(owner, hint=bracket.rsplit(".", 1)[-1]), owner
