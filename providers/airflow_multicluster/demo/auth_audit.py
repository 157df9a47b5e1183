"""Count the child processes and credential files that a process uses, as the interpreter itself reports them."""

from __future__ import annotations

import os
import re
import sys
from pathlib import Path, PurePath
from types import FrameType
from typing import Any

ROOMS = ("multicluster.access", "multicluster.kinds", "boto3", "botocore", "google.auth", "google.oauth2",
         "kubernetes.config", "kubernetes_asyncio.config")  # fmt: skip
"""What is done below these modules is done for authentication."""
PROGRAMS = {"aws", "aws-iam-authenticator", "gcloud", "gke-gcloud-auth-plugin", "kubectl", "kubelogin", "az"}
SECRET_NAMES = re.compile(
    r"credential|kubeconfig|token|service.?account|application_default|/\.kube/|/\.aws/|/gcloud/|\.(pem|key|p12|crt)$",
    re.IGNORECASE,
)
SPAWNS = frozenset({"subprocess.Popen", "os.posix_spawn", "os.exec", "os.fork", "os.forkpty", "os.system", "pty.spawn"})
WRITING = os.O_WRONLY | os.O_RDWR | os.O_CREAT


class AuthAudit:
    """An audit hook (PEP 578) that counts between ``start`` and ``stop``; a hook cannot be taken out again.

    A child process counts when code of ROOMS is on the stack, or it is one of PROGRAMS. A file counts when code of
    ROOMS writes it, or when its name is one of a secret and it is written, or read and there. A CA bundle is trust,
    no credential: OpenSSL reads those itself, and Python does not see it.
    """

    def __init__(self) -> None:
        self.processes: list[str] = []
        self.files: list[str] = []
        self.other_processes: list[str] = []
        self._counting = False
        sys.addaudithook(self._hook)

    def start(self) -> None:
        """Begin to count."""
        self._counting = True

    def stop(self) -> None:
        """Count no more."""
        self._counting = False

    def _hook(self, event: str, args: tuple[Any, ...]) -> None:
        if not self._counting:
            return
        if event == "open":
            self._opened(*args)
        elif event in SPAWNS:
            self._spawned(event, args)

    def _spawned(self, event: str, args: tuple[Any, ...]) -> None:
        words = command(event, args)
        program = PurePath(words.split(" ")[0]).name
        ours = program in PROGRAMS or called_from_rooms(sys._getframe(2))  # noqa: SLF001 - a hook has no other way
        (self.processes if ours else self.other_processes).append(words)

    def _opened(self, path: Any, _mode: Any, flags: Any) -> None:
        if not isinstance(path, str | bytes | os.PathLike):
            return  # a descriptor that is open already
        name = os.fsdecode(path)
        written = isinstance(flags, int) and bool(flags & WRITING)
        if name == os.devnull or name.startswith("/proc/") or "/__pycache__/" in name:
            return  # bytecode is written by whichever import comes first
        secret = SECRET_NAMES.search(name) is not None and not name.startswith((sys.prefix, sys.base_prefix))
        if written:
            counts = secret or called_from_rooms(sys._getframe(2))  # noqa: SLF001 - as above
        else:
            counts = secret and not name.endswith((".py", ".pyc")) and Path(name).exists()
        if counts:
            self.files.append(name)


def command(event: str, args: tuple[Any, ...]) -> str:
    """Return the command line of a spawn event, or the event's name where it has none (a fork)."""
    if event in {"subprocess.Popen", "os.posix_spawn", "os.exec", "pty.spawn"} and len(args) > 1:
        words = args[1]
        return words if isinstance(words, str) else " ".join(os.fsdecode(word) for word in words)
    if event == "os.system":
        return os.fsdecode(args[0])
    return event


def called_from_rooms(frame: FrameType | None) -> bool:
    """Whether code of ROOMS is on the stack."""
    while frame is not None:
        module = frame.f_globals.get("__name__", "")
        if module.startswith(ROOMS) and module != __name__:
            return True
        frame = frame.f_back
    return False
