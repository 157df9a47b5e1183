"""Read the result that a pod's sidecar keeps, whole or not at all."""

from __future__ import annotations

import json
import logging
from contextlib import closing
from typing import TYPE_CHECKING

import tenacity
from airflow.providers.cncf.kubernetes.kubernetes_helper_functions import (
    API_RETRIES,
    WaitRetryAfterOrExponential,
    generic_api_retry,
)
from airflow.providers.cncf.kubernetes.utils.pod_manager import EMPTY_XCOM_RESULT, XComRetrievalError
from airflow.providers.cncf.kubernetes.utils.xcom_sidecar import PodDefaults
from kubernetes.client import ApiException
from kubernetes.stream import stream
from kubernetes.stream.ws_client import ERROR_CHANNEL, STDERR_CHANNEL, STDOUT_CHANNEL
from websocket import WebSocketException

if TYPE_CHECKING:
    from kubernetes.client import CoreV1Api
    from kubernetes.client import models as k8s

FILE = f"{PodDefaults.XCOM_MOUNT_PATH}/return.json"
_log = logging.getLogger(__name__)
PRINT = f"if [ -s {FILE} ]; then cat {FILE}; else echo {EMPTY_XCOM_RESULT}; fi"


@tenacity.retry(
    stop=tenacity.stop_after_attempt(API_RETRIES),
    wait=WaitRetryAfterOrExponential(),
    retry=tenacity.retry_if_exception(lambda error: isinstance(error, ApiException) and not error.status),
    before_sleep=tenacity.before_sleep_log(_log, logging.WARNING),
    reraise=True,
)
@generic_api_retry
def read_result(client: CoreV1Api, pod: k8s.V1Pod) -> str:
    """Return what the pod wrote, or the stock operator's word for nothing. Asks again after a lost connection.

    Raises ApiException, with status 0 where the connection was lost, and XComRetrievalError. An exec ends with its exit
    code on a channel of its own: what comes without it is a part, which may be good JSON all the same (of 12.5, the
    12). The stock method takes it for the whole; it also mixes in what the command complains of, and cuts characters in
    two.
    """
    try:
        with closing(
            stream(
                client.connect_get_namespaced_pod_exec,
                pod.metadata.name,
                pod.metadata.namespace,
                container=PodDefaults.SIDECAR_CONTAINER_NAME,
                command=["/bin/sh", "-c", PRINT],
                stdin=False,
                stdout=True,
                stderr=True,
                tty=False,
                binary=True,
                _preload_content=False,
            )
        ) as reading:
            reading.run_forever()
            text, complaint, end = map(reading.read_channel, (STDOUT_CHANNEL, STDERR_CHANNEL, ERROR_CHANNEL))
    except (WebSocketException, OSError) as error:
        raise ApiException(status=0, reason=f"the connection was lost: {error}") from error
    if not end:
        raise ApiException(status=0, reason=f"the connection was lost after {len(text)} bytes")
    if json.loads(end)["status"] != "Success":
        why = complaint.decode(errors="replace").strip() or end.decode()
        raise XComRetrievalError(f"the result of pod {pod.metadata.name!r} cannot be read: {why}")
    return str(text.decode(errors="replace"))
