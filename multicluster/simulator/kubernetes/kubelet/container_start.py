"""Starting one container: pull its image, resolve its environment, run its command."""

from __future__ import annotations

import sys
from pathlib import Path

from multicluster.simulator.kubernetes.documents import Document, at, uid_of
from multicluster.simulator.kubernetes.kubelet import environment, volumes
from multicluster.simulator.kubernetes.kubelet.log_buffer import LogBuffer
from multicluster.simulator.kubernetes.kubelet.node_services import NodeServices
from multicluster.simulator.kubernetes.kubelet.running import (
    XCOM_SIDECAR,
    Place,
    Running,
    RunningProcess,
    RunningSidecar,
    command_line,
)
from multicluster.simulator.kubernetes.quantities import quantities

_RUNTIME = (
    "failed to create containerd task: failed to create shim task: OCI runtime create failed: runc create failed: "
    "unable to start container process:"
)
_REFUSED = ("pgrep", "pkill", "killall")


class StartError(Exception):
    """The runtime could not start a command; the message is the runtime's."""


class Ended:
    """A container that has nothing to run and ended at once."""

    out_of_memory = False

    def __init__(self, log: LogBuffer, place: Place) -> None:
        self.log = log
        self.place = place
        log.close()

    async def wait(self) -> int:
        """See `Running`."""
        return 0

    async def stop(self, grace: float) -> int:  # noqa: ARG002 - it has ended
        """See `Running`."""
        return 0

    def kill(self) -> None:
        """See `Running`."""


def pod_folder(services: NodeServices, pod: Document) -> Path:
    """Return the scratch folder of a pod."""
    return services.folder / "pods" / uid_of(pod)


def termination_log(services: NodeServices, pod: Document, container: Document) -> Path:
    """Return the file a container's termination message is read from."""
    return pod_folder(services, pod) / "containers" / str(container["name"]) / "termination-log"


def place_of(services: NodeServices, pod: Document, container: Document) -> Place:
    """Make a container's folder and resolve its environment. Raises MissingReferenceError."""
    folder = pod_folder(services, pod)
    variables = environment.declared(services.store, pod, container)
    volumes.prepare(services, pod, folder)
    home = folder / "containers" / container["name"] / "root"
    home.mkdir(parents=True, exist_ok=True)
    message = termination_log(services, pod, container)
    message.write_bytes(b"")
    mounts = volumes.mounts(container, folder, message)
    env = environment.complete(pod, container, variables, mounts, home)
    cwd = mounts.paths.get(str(container.get("workingDir", "")).rstrip("/"), home)
    return Place(cwd=cwd, env={**env, **shims(services)}, mounts=mounts)


def shims(services: NodeServices) -> dict[str, str]:
    """Return a PATH on which the tools that signal by name refuse: on the host they would hit strangers."""
    folder = services.folder / "bin"
    if not folder.exists():
        folder.mkdir(parents=True)
        for name in _REFUSED:
            script = folder / name
            script.write_text(f"#!/bin/sh\necho 'simulator: {name} is not available in containers' >&2\nexit 1\n")
            script.chmod(0o755)
    return {"PATH": f"{folder}:{environment.search_path()}"}


async def start(services: NodeServices, container: Document, place: Place) -> Running:
    """Start a container's command in its place. Raises StartError."""
    log = LogBuffer(services.clock.now)
    if container["name"] == XCOM_SIDECAR:
        return RunningSidecar(log, place)
    reference = str(container.get("image", ""))
    command, args = container.get("command") or [], container.get("args") or []
    argv = services.images.argv(reference, [str(word) for word in command], [str(word) for word in args])
    if not argv:
        log.write(f"simulator: image {reference!r} has no command known here; nothing was run\n".encode())
        return Ended(log, place)
    argv = [environment.expanded(word, place.env) for word in argv]
    try:
        child = await services.processes.start(
            command_line(argv, place.mounts, sys.executable),
            env=place.env,
            cwd=place.cwd,
            output=lambda _descriptor, data: log.write(data),
        )
    except (OSError, ValueError) as error:
        raise StartError(f"{_RUNTIME} {refusal(argv[0], error)}: unknown") from error
    memory = quantities(at(container, "resources", "limits")).get("memory")
    return RunningProcess(child, log, place, None if memory is None else int(memory))


def refusal(program: str, error: Exception) -> str:
    """Return a runtime's words for a program that cannot be executed."""
    if isinstance(error, FileNotFoundError):
        why = f"stat {program}: no such file or directory" if "/" in program else "executable file not found in $PATH"
    elif isinstance(error, PermissionError):
        why = "permission denied"
    else:
        why = str(error)
    return f'exec: "{program}": {why}'
