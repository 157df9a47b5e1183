"""The environment of a container: its own variables and the few every process needs, nothing of the host's."""

from __future__ import annotations

import os
import re
import sys
from collections.abc import Mapping
from pathlib import Path

from multicluster.simulator.kubernetes.documents import Document, namespace_of
from multicluster.simulator.kubernetes.kubelet.downward import field_value, resource_value
from multicluster.simulator.kubernetes.kubelet.references import entries, entry
from multicluster.simulator.kubernetes.kubelet.volumes import Mounts
from multicluster.simulator.kubernetes.quantities import container_requests, is_gpu
from multicluster.simulator.kubernetes.store import Store

_REFERENCE = re.compile(r"\$\$|\$\(([A-Za-z_.-][\w.-]*)\)")


def search_path() -> str:
    """Return where commands are found: this Python's folder first, so that `python` is this one."""
    return os.pathsep.join([str(Path(sys.executable).parent), os.environ.get("PATH", os.defpath)])


def expanded(text: str, variables: Mapping[str, str]) -> str:
    """Expand `$(NAME)` as Kubernetes does: unknown names stay, `$$` is a dollar."""

    def value(match: re.Match[str]) -> str:
        if match[1] is None:
            return "$"
        return variables.get(match[1], match[0])

    return _REFERENCE.sub(value, text)


def declared(store: Store, pod: Document, container: Document) -> dict[str, str]:
    """Return the variables a pod declares for a container. Raises MissingReferenceError."""
    namespace = namespace_of(pod)
    variables: dict[str, str] = {}
    for source in container.get("envFrom") or []:
        for kind, key in (("configMap", "configMapRef"), ("secret", "secretRef")):
            if key in source:
                optional = bool(source[key].get("optional"))
                found = entries(store, kind, namespace, str(source[key].get("name")), optional=optional)
                for name, data in found.items():
                    variables[str(source.get("prefix", "")) + name] = data.decode(errors="replace")
    for variable in container.get("env") or []:
        value = _value(store, pod, container, variable, variables)
        if value is not None:
            variables[variable["name"]] = value
    return variables


def complete(
    pod: Document, container: Document, variables: Mapping[str, str], mounts: Mounts, home: Path
) -> dict[str, str]:
    """Return a process's whole environment, with mount paths rewritten to real ones."""
    gpus = int(sum(amount for name, amount in container_requests(container).items() if is_gpu(name)))
    return {
        "PATH": search_path(),
        "HOME": str(home),
        "HOSTNAME": str(pod["metadata"]["name"]),
        "LANG": "C.UTF-8",
        "PYTHONUNBUFFERED": "1",
        "MULTICLUSTER_NODE": str(pod["spec"].get("nodeName", "")),
        **({"NVIDIA_VISIBLE_DEVICES": ",".join(str(number) for number in range(gpus))} if gpus else {}),
        **mounts.environment,
        **{name: mounts.rewritten(value) for name, value in variables.items()},
    }


def _value(
    store: Store, pod: Document, container: Document, variable: Document, known: Mapping[str, str]
) -> str | None:
    source = variable.get("valueFrom")
    if not source:
        return expanded(str(variable.get("value", "")), known)
    if "fieldRef" in source:
        return field_value(pod, source["fieldRef"]["fieldPath"])
    if "resourceFieldRef" in source:
        return resource_value(store, pod, container, source["resourceFieldRef"])
    for kind, key in (("configMap", "configMapKeyRef"), ("secret", "secretKeyRef")):
        if key in source:
            data = entry(store, kind, namespace_of(pod), source[key])
            return None if data is None else data.decode(errors="replace")
    return None
