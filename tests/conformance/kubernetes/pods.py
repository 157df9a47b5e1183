"""Pods of the conformance cases: their documents, what a case does with them, what is compared between grounds."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Iterator
from typing import Any

from kubernetes import client

from .grounds.wire import lines

Document = dict[str, Any]
IMAGE = "busybox:1.36"
NO_IMAGE = "localhost:1/does-not-exist:1"
"""No registry listens there on either ground, so nothing leaves the machine."""
OWN = {"key": "conformance.example.com/own", "value": "yes", "effect": "NoSchedule"}
"""The taint of a node that a case adds for itself: no other case's pod goes there, to be lost with it."""
TOLERATES_OWN = {"key": OWN["key"], "operator": "Exists"}
ENDED = ("Succeeded", "Failed")
STAYS = "trap 'exit 0' TERM; sleep 300 & wait"
"""A command that runs until it is told to stop, and then stops at once with 0."""


def container(name: str, script: str, **more: Any) -> Document:
    """A container that runs a shell script."""
    return {"name": name, "image": IMAGE, "command": ["sh", "-c", script], **more}


def pod(script: str = STAYS, *, name: str = "p", metadata: Document | None = None, **more: Any) -> Document:
    """A pod with one container, `base`. What is no field of a pod's spec is one of its container.

    One that asks for a node may go to one that a case has added.
    """
    spec = {key: more.pop(key) for key in list(more) if key in _SPEC}
    if "nodeSelector" in spec or "nodeName" in spec:
        spec["tolerations"] = [*spec.get("tolerations", []), TOLERATES_OWN]
    return {
        "metadata": {"name": name, **(metadata or {})},
        "spec": {
            "restartPolicy": "Never",
            "terminationGracePeriodSeconds": 1,
            "containers": [container("base", script, **more)],
            **spec,
        },
    }


_SPEC = (
    "restartPolicy",
    "terminationGracePeriodSeconds",
    "containers",
    "initContainers",
    "volumes",
    "nodeSelector",
    "nodeName",
    "affinity",
    "tolerations",
    "activeDeadlineSeconds",
    "automountServiceAccountToken",
    "serviceAccountName",
    "priorityClassName",
    "schedulerName",
)


class Pods:
    """The pods of one namespace of a ground, as plain documents."""

    def __init__(self, ground: Any, namespace: str, eventually: Callable[..., Any]) -> None:
        self.ground = ground
        self.namespace = namespace
        self.path = f"/api/v1/namespaces/{namespace}/pods"
        self._eventually = eventually

    def request(self, method: str, path: str, body: Any = None, **options: Any) -> Any:
        """Ask the API; the answer has to be a good one."""
        status, _, answer = self.ground.raw(method, path, body, **options)
        assert status < 300, answer
        return answer

    def create(self, document: Document) -> Document:
        return self.request("POST", self.path, document)

    def make(self, resource: str, name: str, **content: Any) -> Document:
        """Create another object of the namespace, of the core API."""
        document = {"metadata": {"name": name}, **content}
        return self.request("POST", f"/api/v1/namespaces/{self.namespace}/{resource}", document)

    def get(self, name: str = "p") -> Document:
        return self.request("GET", f"{self.path}/{name}")

    def until(self, condition: Callable[[Document], Any], name: str = "p", timeout: float = 30) -> Document:
        """Wait until a pod meets a condition; return it as it was then."""
        last: list[Document] = []

        def there() -> bool:
            last[:] = [self.get(name)]
            return bool(condition(last[0]))

        self._eventually(there, timeout)
        return last[0]

    def run(self, document: Document, timeout: float = 30) -> Document:
        """Create a pod and wait until it has ended."""
        self.create(document)
        return self.until(ended, document["metadata"]["name"], timeout)

    def start(self, document: Document, timeout: float = 30) -> Document:
        """Create a pod and wait until all its containers run."""
        self.create(document)
        return self.until(running, document["metadata"]["name"], timeout)

    def delete(self, name: str = "p", *, grace: int | None = None) -> Document:
        body = {} if grace is None else {"gracePeriodSeconds": grace}
        return self.request("DELETE", f"{self.path}/{name}", body)

    def patch(self, change: Document, name: str = "p") -> Document:
        """Change a pod by a merge patch."""
        headers = {"Content-Type": "application/merge-patch+json"}
        return self.request("PATCH", f"{self.path}/{name}", change, headers=headers)

    def gone(self, name: str = "p", timeout: float = 30) -> bool:
        """Wait until a pod is gone."""
        return bool(self._eventually(lambda: self.ground.raw("GET", f"{self.path}/{name}")[0] == 404, timeout))

    def log(self, name: str = "p", query: str = "") -> str:
        return str(self.request("GET", f"{self.path}/{name}/log?{query}"))

    def log_until(self, text: str, name: str = "p", *, query: str = "", timeout: float = 30) -> str:
        """Wait until a pod's log holds a text; return the log."""
        return str(self._eventually(lambda: text in (log := self.log(name, query)) and log, timeout))

    def follow(self, name: str = "p") -> Iterator[bytes]:
        """Yield the lines of a pod's log as they come."""
        core = client.CoreV1Api(self.ground.admin)
        answer = core.read_namespaced_pod_log(name, self.namespace, follow=True, _preload_content=False)
        try:
            yield from answer
        finally:
            answer.close()

    def changes(self, since: Document) -> list[Document]:
        """Everything that has happened to the namespace's pods since a document was read."""
        version = since["metadata"]["resourceVersion"]
        return lines(self.request("GET", f"{self.path}?watch=1&timeoutSeconds=1&resourceVersion={version}"))

    def events(self, name: str = "p") -> list[Document]:
        """The events about a pod, oldest first."""
        path = f"/api/v1/namespaces/{self.namespace}/events?fieldSelector=involvedObject.name%3D{name}"
        return sorted(self.request("GET", path)["items"], key=lambda event: event["metadata"]["creationTimestamp"])

    def said(self, reason: str, name: str = "p", timeout: float = 30) -> Document:
        """Wait for an event about a pod."""
        found: list[Document] = []

        def there() -> bool:
            found[:] = [event for event in self.events(name) if event["reason"] == reason]
            return bool(found)

        self._eventually(there, timeout)
        return found[0]

    def output(self, document: Document, timeout: float = 30) -> str:
        """Run a pod to its good end and return what it wrote."""
        ended_pod = self.run(document, timeout)
        text = self.log(document["metadata"]["name"])
        assert ended_pod["status"]["phase"] == "Succeeded", (text, ended_pod["status"])
        return text


def ended(document: Document) -> bool:
    return document["status"]["phase"] in ENDED


def running(document: Document) -> bool:
    """Whether all containers, sidecars included, run."""
    mains = document["status"].get("containerStatuses") or []
    return bool(mains) and all("running" in status["state"] for status in mains)


def status_of(document: Document, name: str = "base") -> Document:
    """The status of a container; empty where there is none yet."""
    return next((status for status in statuses(document) if status["name"] == name), {"state": {}, "lastState": {}})


def statuses(document: Document) -> Iterator[Document]:
    yield from document["status"].get("initContainerStatuses") or []
    yield from document["status"].get("containerStatuses") or []


def waits(reason: str, name: str = "base") -> Callable[[Document], bool]:
    """A condition: the container waits for this reason."""
    return lambda document: status_of(document, name)["state"].get("waiting", {}).get("reason") == reason


def condition_of(document: Document, kind: str) -> Document:
    """A condition of a pod, empty where it has none of that type."""
    return next((found for found in document["status"].get("conditions") or [] if found["type"] == kind), {})


def seen(document: Document) -> Document:
    """What a pod's status says, without times, addresses and ids: the same on every ground."""
    status = document["status"]
    return {
        "phase": status["phase"],
        **{key: status[key] for key in ("reason", "message") if key in status},
        "conditions": {
            found["type"]: {key: found[key] for key in ("status", "reason", "message") if key in found}
            for found in status.get("conditions") or []
            if not (ended(document) and found["type"] == "PodReadyToStartContainers")  # it follows a moment later
        },
        "containers": {found["name"]: _container(found) for found in statuses(document)},
    }


def _container(status: Document) -> Document:
    return {
        "state": _state(status["state"]),
        "lastState": _state(status.get("lastState") or {}),
        **{key: status.get(key) for key in ("ready", "started", "restartCount")},
    }


def _state(state: Document) -> Document:
    return {
        kind: {key: value if key in ("reason", "message", "exitCode") else "..." for key, value in details.items()}
        for kind, details in state.items()
    }


def unique(prefix: str) -> str:
    """A name nobody else uses, for what is not in a namespace."""
    return f"{prefix}-{uuid.uuid4().hex[:6]}"
