"""Make pods and read results so that trouble around the work does not undo the work."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from airflow.providers.cncf.kubernetes.utils.pod_manager import (
    EMPTY_XCOM_RESULT,
    PodCommandException,
    PodManager,
    XComRetrievalError,
)
from kubernetes.client import ApiException
from urllib3.exceptions import HTTPError
from websocket import WebSocketException

from airflow_multicluster.operators.pod_logs import fetch_container_logs
from airflow_multicluster.operators.result import read_result

if TYPE_CHECKING:
    from airflow.providers.cncf.kubernetes.utils.pod_manager import PodLoggingStatus
    from kubernetes.client import models as k8s


class ClusterPodManager(PodManager):
    """The stock pod manager, but for lost answers and for the ways in which a sidecar can fail."""

    def run_pod_async(self, pod: k8s.V1Pod, **kwargs: Any) -> k8s.V1Pod:
        """Create the pod; when it is already there because an answer was lost, return it.

        The stock method writes the whole manifest to the log when it fails, variables and all; this one does not.
        """
        body = self._client.api_client.sanitize_for_serialization(pod)
        try:
            return self._client.create_namespaced_pod(body=body, namespace=pod.metadata.namespace, **kwargs)
        except ApiException as error:
            if not _exists(error):
                raise
            made = self._client.read_namespaced_pod(pod.metadata.name, pod.metadata.namespace)
            if not same(pod, made):
                raise
            self.log.info("Pod %s was made although the answer was lost", pod.metadata.name)
            return made

    def fetch_container_logs(
        self,
        pod: k8s.V1Pod,
        container_name: str,
        *,
        follow: bool = False,
        since_time: Any = None,
        post_termination_timeout: int = 120,  # noqa: ARG002 - the log of a container that has ended is read to its end
        container_name_log_prefix_enabled: bool = True,
        log_formatter: Callable[[str, str], str] | None = None,
    ) -> PodLoggingStatus:
        """Write the log, each line once: see ``pod_logs``."""
        return fetch_container_logs(
            self, pod, container_name, follow=follow, since_time=since_time,
            prefix=container_name_log_prefix_enabled, formatter=log_formatter,
        )  # fmt: skip

    def extract_xcom(self, pod: k8s.V1Pod, *, ignore_kill_failure: bool = True) -> str:
        """Read the result and stop the sidecar. Why it cannot be read is not hidden by why that cannot be stopped."""
        try:
            return str(super().extract_xcom(pod, ignore_kill_failure=ignore_kill_failure))
        except (PodCommandException, ApiException) as error:
            if isinstance(error.__context__, XComRetrievalError):
                raise error.__context__ from None
            raise

    def extract_xcom_json(self, pod: k8s.V1Pod) -> str:
        """Read the result. Raises XComRetrievalError that says why it cannot be read, or that the file is no JSON."""
        name = pod.metadata.name
        try:
            text: str = read_result(self._client, pod)
        except ApiException as error:
            if error.status in (401, 404):
                raise
            why = str(error.reason).partition(" -+-+- ")[0]  # after it the client writes headers and body
            raise XComRetrievalError(
                f"the result of pod {name!r} cannot be read (exec into container airflow-xcom-sidecar): {why}"
            ) from error
        try:
            json.loads("null" if text.rstrip() == EMPTY_XCOM_RESULT else text)
        except json.JSONDecodeError as error:
            raise XComRetrievalError(
                f"what pod {name!r} wrote to /airflow/xcom/return.json ({len(text)} characters) is no JSON: {error}"
            ) from None
        return text

    def extract_xcom_kill(self, pod: k8s.V1Pod) -> None:
        """Stop the sidecar. Raises PodCommandException or ApiException, which the caller may take as a warning."""
        try:
            super().extract_xcom_kill(pod)
        except (OSError, HTTPError, WebSocketException) as error:
            raise PodCommandException(f"{type(error).__name__}: {error}") from error


def _exists(error: ApiException) -> bool:
    return error.status == 409 and '"AlreadyExists"' in str(error.body)  # noqa: PLR2004


def same(wanted: k8s.V1Pod, found: k8s.V1Pod) -> bool:
    """Whether the pod found carries all labels wanted; they name the try."""
    labels = found.metadata.labels or {}
    return found.metadata.deletion_timestamp is None and (wanted.metadata.labels or {}).items() <= labels.items()
