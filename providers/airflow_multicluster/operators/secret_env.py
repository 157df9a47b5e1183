"""Keep the values of a pod's variables out of logs and XComs, where their names say that they are secret."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from kubernetes.client import models as k8s


def mask_secret_env(pod: k8s.V1Pod) -> None:
    """Tell Airflow's masker the values of variables whose names Airflow takes for secret (``*_TOKEN``, ``PASSWORD``).

    A pod's whole spec stands in the error of a task whose pod has failed.
    """
    from airflow.sdk.log import mask_secret

    for variable in _variables(pod.spec):
        if variable.value:
            mask_secret(variable.value, variable.name)


def hide_secret_env(spec: k8s.V1PodSpec) -> None:
    """Put asterisks in the place of such values, in a spec that was read and is to be written down."""
    from airflow.providers.common.compat.sdk import redact

    for variable in _variables(spec):
        if variable.value:
            variable.value = redact(variable.value, variable.name)


def without_secret_env(document: Any) -> Any:
    """Return a pod or job as a dict, as its ``to_dict()`` makes it, with asterisks in the place of such values."""
    from airflow.providers.common.compat.sdk import redact

    if isinstance(document, list):
        return [without_secret_env(part) for part in document]
    if not isinstance(document, dict):
        return document
    if isinstance(document.get("value"), str) and isinstance(document.get("name"), str):
        return {**document, "value": redact(document["value"], document["name"])}
    return {name: without_secret_env(part) for name, part in document.items()}


def _variables(spec: k8s.V1PodSpec) -> Iterator[k8s.V1EnvVar]:
    for container in (*(spec.init_containers or ()), *(spec.containers or ())):
        yield from container.env or ()
