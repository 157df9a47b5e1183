"""Hold on to where a bracket's pool was asked for, from its create to the proof that it is gone.

A cluster's name may be a template that renders anew, a registry may point it elsewhere, a deployment may be renamed:
whoever deletes must look where the create looked, or "not found" is no proof.
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

from airflow.providers.common.compat.sdk import AirflowFailException

from airflow_multicluster.owner import bracket_pool
from multicluster.errors import NodePoolConflictError

if TYPE_CHECKING:
    from airflow.sdk import Context

    from multicluster import Cluster

_KEY = "place"
_MEANS = ("credentials", "endpoint", "certificate_authority_data")
"""Options that say how a cluster is reached, not which one it is."""


@dataclass(frozen=True, kw_only=True)
class Place:
    """Names, and a digest of which cluster the name meant when the pool was asked for; empty when nobody wrote it.

    ``sure`` is False while nobody knows whether the cloud took the request: an answer was lost, or a process died.
    """

    cluster: str
    pool: str
    owner: str
    address: str = ""
    sure: bool = True


def address(cluster: Cluster) -> str:
    """Return a digest (16 hex characters) of the cluster that the registry means by its name now."""
    options = cluster.document.auth.options.model_dump(mode="json")
    facts = {name: value for name, value in options.items() if name not in _MEANS}
    return hashlib.sha256(json.dumps([cluster.kind, facts], sort_keys=True).encode()).hexdigest()[:16]


def refuse_elsewhere(cluster: Cluster, *, asked_for: str, pool: str) -> None:
    """Raise NodePoolConflictError when the name leads to another cluster than it did when the pool was asked for."""
    if asked_for and asked_for != address(cluster):
        raise NodePoolConflictError(
            f"{cluster.name!r} in the registry is another cluster than the one where node pool {pool!r} was asked "
            "for; that pool may still cost money: delete it there"
        )


def write_down(context: Context, place: Place) -> None:
    """Keep *place* with the running create task, before the cloud is asked: it outlives the task's process."""
    ti: Any = context["ti"]
    ti.xcom_push(key=_KEY, value=asdict(place))


def look_up(context: Context, bracket: str, *, cluster: str) -> Place:
    """Return where the bracket's create asked for its pool; where it never began, what follows from the context.

    Raises AirflowFailException for a bracket that no task of the DAG makes: a misspelt one would leave a pool running.
    """
    ti: Any = context["ti"]
    maker = _maker(context, bracket, asking=ti.task_id)
    written = ti.xcom_pull(task_ids=maker.task_id, key=_KEY, map_indexes=-1 if ti.map_index is None else ti.map_index)
    if written:
        return Place(**written)
    pool, owner = bracket_pool(context, bracket)
    return Place(cluster=cluster, pool=pool, owner=owner)


def _maker(context: Context, bracket: str, *, asking: str) -> Any:
    from airflow_multicluster.operators.node_pool import CreateNodePoolOperator

    makers: dict[str, Any] = {}
    for task in context["dag"].tasks:
        if issubclass(getattr(task, "operator_class", type(task)), CreateNodePoolOperator):
            given = getattr(task, "partial_kwargs", None) or vars(task)
            makers[given.get("bracket") or task.task_id] = task
    if bracket not in makers:
        raise AirflowFailException(
            f"task {asking!r} is about the pool of bracket {bracket!r}, which no CreateNodePoolOperator of this DAG "
            f"makes; known: {', '.join(sorted(makers)) or 'none'}"
        )
    return makers[bracket]
