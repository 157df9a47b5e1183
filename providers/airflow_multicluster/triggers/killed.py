"""Delete the pod of a deferred task that was killed."""

from __future__ import annotations

import asyncio
from http import HTTPStatus
from typing import TYPE_CHECKING, Any

from airflow.providers.common.compat.sdk import conf
from kubernetes.client import V1ObjectMeta

from airflow_multicluster.operators.killed import MOST_DELAY, called, left
from airflow_multicluster.patience import NO_ANSWER, Patience

if TYPE_CHECKING:
    from airflow_multicluster.hooks.cluster import AsyncClusterHook

TO_TELL_SECONDS = 3.0
"""How long before its time is over a kill gives up, so that it can say so."""


async def delete_in_time(hook: AsyncClusterHook, name: str, namespace: str, grace_seconds: int | None) -> None:
    """Ask for the deletion until it is done, for as long as ``[triggerer] on_kill_timeout`` lasts.

    Where it cannot be done, the log says which pod is left, and what to do.
    """
    seconds = conf.getfloat("triggerer", "on_kill_timeout", fallback=30) - TO_TELL_SECONDS
    place = V1ObjectMeta(name=name, namespace=namespace)
    what = f"The task was killed, and {called('pod', place, cluster=hook.cluster_name)} cannot be deleted"
    patience = Patience(hook.log, what=what, seconds=seconds, most_delay=MOST_DELAY)
    last: Exception = TimeoutError("no answer")
    try:
        async with asyncio.timeout(seconds):
            while True:
                try:
                    await _delete(hook, name, namespace, grace_seconds)
                except NO_ANSWER as error:
                    last = error
                else:
                    return
                await asyncio.sleep(patience.after(last))
    except NO_ANSWER:
        said = left("pod", place, cluster=hook.cluster_name, error=last)
        hook.log.error("%s", said)  # noqa: TRY400 - a stack trace would hide it


async def _delete(hook: AsyncClusterHook, name: str, namespace: str, grace_seconds: int | None) -> None:
    from kubernetes_asyncio.client import ApiException, CoreV1Api, V1DeleteOptions

    options: Any = V1DeleteOptions(grace_period_seconds=grace_seconds)
    try:
        async with hook.get_conn() as client:
            await CoreV1Api(client).delete_namespaced_pod(name, namespace, body=options)
    except ApiException as error:
        if error.status != HTTPStatus.NOT_FOUND:
            raise
