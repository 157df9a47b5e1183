"""Start a pod again that was lost to the infrastructure, without using up the task's own retries."""

from __future__ import annotations

import copy
import itertools
import json
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

from airflow.providers.cncf.kubernetes.utils.pod_manager import PodNotFoundException
from airflow.providers.common.compat.sdk import AirflowSkipException
from kubernetes.client import ApiException
from urllib3.exceptions import HTTPError

from airflow_multicluster.operators.ended_pod import ended_with_its_task
from airflow_multicluster.operators.hindsight import as_it_was_deleted
from airflow_multicluster.start_facts import pool_of
from multicluster.brackets.facts import list_nodes
from multicluster.errors import MulticlusterError, NodePoolNotFoundError
from multicluster.node_pools.pool import NodePoolState
from multicluster.pods.loss import Loss, ended_well, loss
from multicluster.pods.reading import node_of

if TYPE_CHECKING:
    from airflow.sdk import Context

    from airflow_multicluster.operators.pod import ClusterPodOperator
    from multicluster.pods.source import Document

LOSSES = "_infrastructure_losses"
"""How often the pod was lost before, in the trigger's kwargs and its event: gone with them when the task is cleared."""
ABSENT = 404


def start_until_it_ends(operator: ClusterPodOperator, context: Context, attempt: Callable[[Context], Any]) -> Any:
    """Call *attempt*, which makes a pod and waits for it, until the pod's end is not the infrastructure's doing."""
    for losses in itertools.count():
        env_vars = copy.copy(operator.env_vars)  # building a pod adds to them
        try:
            return attempt(context)
        except AirflowSkipException:
            raise
        except Exception as error:
            pod = operator.pod or operator.pod_request_obj
            if pod is not None and _gone_after_its_work(operator, pod.metadata, error):
                return None
            if pod is None or not _starts_again(operator, pod.metadata, losses, error=error):
                raise
        operator.env_vars = env_vars
    raise AssertionError


def come_back(
    operator: ClusterPodOperator, context: Context, event: Mapping[str, Any], stock: Callable[[Context, Any], Any]
) -> Any:
    """Call *stock* with the trigger's event; where it fails since the pod was lost, make another pod and defer."""
    counted = event.get(LOSSES)
    losses = counted if isinstance(counted, int) else 0
    _count(operator, losses)
    operator.never_started = event.get("_why", "")
    try:
        return stock(context, _in_words(event))
    except AirflowSkipException:
        raise
    except Exception as error:
        place = _Place(event["name"], event["namespace"])
        if _gone_after_its_work(operator, place, error):
            return None
        if event["status"] == "timeout" or not _starts_again(operator, place, losses, error=error, told=_told(event)):
            raise
    _count(operator, losses + 1)
    operator.name = operator._set_name(operator.name)  # noqa: SLF001 - as execute() does
    with ended_with_its_task(operator):
        operator.execute_async(context)
    return None


def _told(event: Mapping[str, Any]) -> Loss | None:
    """Return what the trigger saw the pod lost to; None where there is nothing, or a triggerer of another version."""
    try:
        return Loss(**event["_loss"])
    except (LookupError, TypeError):
        return None


def _in_words(event: Mapping[str, Any]) -> dict[str, Any]:
    """Return the event with its message ending in why the pod never started; a stack trace would hide that."""
    told = dict(event)
    if event.get("_why"):
        told.pop("stack_trace", None)
        told["message"] = f"{event.get('message', '')}\n{event['_why']}".strip()
    return told


class _Place:
    def __init__(self, name: str, namespace: str) -> None:
        self.name = name
        self.namespace = namespace


def _count(operator: ClusterPodOperator, losses: int) -> None:
    if losses:
        operator.trigger_kwargs = {**(operator.trigger_kwargs or {}), LOSSES: losses}


def _starts_again(
    operator: ClusterPodOperator, pod: Any, losses: int, *, error: Exception, told: Loss | None = None
) -> bool:
    """Judge the pod's end, say what is done about it, and make the operator ready for another pod."""
    if operator._killed:  # noqa: SLF001
        return False
    seen = operator.sightings.of(pod.name)
    gone = _is_gone(operator, pod, error)
    found = loss(seen, base=operator.base_container_name)
    if found is None and gone:
        found = told or _loss_of_the_gone(operator, pod, seen)
    if found is None:
        return False
    most = operator.infrastructure_retries
    refusal = "infrastructure_retries is 0" if not most else f"it was started again {losses} times already"
    if losses < most:
        refusal = _pool_is_gone(operator, seen)
    if refusal:
        operator.log.error("Pod %s %s; not starting it again: %s", pod.name, found, refusal)
        return False
    operator.log.warning("Pod %s %s; starting pod again, %d of %d", pod.name, found, losses + 1, most)
    _forget(operator)
    return True


def _is_gone(operator: ClusterPodOperator, pod: Any, error: Exception) -> bool:
    return operator.sightings.gone(pod.name) or isinstance(error, PodNotFoundException)


def _gone_after_its_work(operator: ClusterPodOperator, pod: Any, error: Exception) -> bool:
    """Whether the task fails only since somebody took its pod away after its work was done, and no result is wanted."""
    absent = isinstance(error, PodNotFoundException) or getattr(error, "status", None) == ABSENT
    if operator._killed or operator.do_xcom_push or not (absent and _is_gone(operator, pod, error)):  # noqa: SLF001
        return False
    last = _last_state(operator, pod, operator.sightings.of(pod.name))
    if not ended_well(last, base=operator.base_container_name):
        return False
    operator.log.warning("Pod %s is gone, but it had ended with exit code 0 before it was deleted", pod.name)
    return True


def _forget(operator: ClusterPodOperator) -> None:
    """Make the operator as it was before it made its pod, but for where it looks for one: it makes another."""
    operator.started_again = True
    operator.pod = operator.remote_pod = operator.pod_request_obj = operator.asked_for = None
    operator.never_started = ""
    operator.__dict__.pop("pod_manager", None)  # it has stopped listening to events, and knows how far it read logs


def _loss_of_the_gone(operator: ClusterPodOperator, pod: Any, seen: Document | None) -> Loss | None:
    base = operator.base_container_name
    last = _last_state(operator, pod, seen)
    if found := loss(last, base=base):
        return found
    try:
        listed = operator.client.list_namespaced_event(
            pod.namespace, field_selector=f"involvedObject.name={pod.name}", _preload_content=False
        )
        events = json.loads(listed.data)["items"] or []
    except (ApiException, HTTPError, ValueError, LookupError) as error:
        operator.log.info("The events of pod %s cannot be read: %s", pod.name, error)
        events = []
    node = node_of(last, events)
    return loss(last, base=base, gone=True, events=events, node_trouble=_node_trouble(operator, node))


def _last_state(operator: ClusterPodOperator, pod: Any, seen: Document | None) -> Document | None:
    """Return how the pod was when it was deleted, asked for once."""
    last = operator.sightings.last
    if pod.name not in last:
        last[pod.name] = as_it_was_deleted(operator.client, pod.name, pod.namespace, seen=seen)
    return last[pod.name]


def _node_trouble(operator: ClusterPodOperator, name: str) -> str:
    """Say what is wrong with the node now; empty where nothing is, or we may not look."""
    if not name:
        return ""
    try:
        found = list_nodes(operator.registered.cluster, name=name)
    except ApiException as error:
        operator.log.info("Node %s cannot be looked at: %s", name, error.reason)
        return ""
    if not found:
        return "no longer exists"
    (node,) = found
    if node.deleting:
        return "is being deleted"
    if not node.ready:
        return f"is NotReady ({node.ready_reason})"
    return "is being drained" if node.unschedulable else ""


def _pool_is_gone(operator: ClusterPodOperator, pod: Document | None) -> str:
    """Say that the pod's node pool is gone, so that another pod would find no node; empty where it is there.

    One that is made again with the pod does not count as gone.
    """
    if operator.on_pool_lost == "recreate" and operator.wish is not None:
        return ""
    cluster = operator.registered.cluster
    name = pool_of(cluster, pod or {})
    if not name:
        return ""
    try:
        pool = cluster.node_pools().get(name)
    except NodePoolNotFoundError:
        return f"its node pool {name!r} is gone"
    except MulticlusterError as error:
        operator.log.info("Node pool %r cannot be asked for: %s", name, error)
        return ""
    return f"its node pool {name!r} is being deleted" if pool.state is NodePoolState.DELETING else ""
