"""Hand on where a bracket's pool was asked for, from its create to the proof that it is gone.

A cluster's name may be a template that renders anew, and a deployment may be renamed: what the create wrote down holds.
"""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from airflow.providers.common.compat.sdk import AirflowFailException

from airflow_multicluster.owner import bracket_pool
from multicluster.brackets.place import Place

if TYPE_CHECKING:
    from airflow.sdk import Context

_KEY = "place"


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
