"""Keep the values of a pod's variables out of task logs, where their names say that they are secret."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

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


def _variables(spec: k8s.V1PodSpec) -> Iterator[k8s.V1EnvVar]:
    for container in (*(spec.init_containers or ()), *(spec.containers or ())):
        yield from container.env or ()
