"""Build the Kubernetes binaries, once for each version of their source."""

from __future__ import annotations

import functools
import hashlib
import os
import re
import shutil
import subprocess
import sys
import time
from pathlib import Path

from testbed.errors import LauncherError
from testbed.home import CACHE
from testbed.locks import locked
from testbed.sealed import seal, whole

SOURCE = Path(__file__).resolve().parents[1] / "bundle"
COMPONENTS = ("etcd", "kube-apiserver", "kube-controller-manager", "kube-scheduler", "kubectl", "kubelet")
BINARY = "kube-bundle"
VERSION_PACKAGES = ("k8s.io/component-base/version", "k8s.io/client-go/pkg/version")


def kubernetes_version(source: Path = SOURCE) -> str:
    """Read from go.mod which Kubernetes is built, for example ``v1.35.4``."""
    found = re.search(r"^\s*k8s\.io/kubernetes (v\S+)", (source / "go.mod").read_text(), re.MULTILINE)
    if not found:
        raise LauncherError(f"{source / 'go.mod'} does not require k8s.io/kubernetes")
    return found[1]


def linker_flags(version: str) -> str:
    """Give the version to the packages that answer ``/version``, as upstream's own build does; strip symbols."""
    major, minor, _ = version.removeprefix("v").split(".", 2)
    facts = {"gitVersion": version, "gitMajor": major, "gitMinor": minor, "gitTreeState": "clean"}
    return " ".join(["-s -w", *(f"-X {p}.{k}={v}" for p in VERSION_PACKAGES for k, v in facts.items())])


def folder(cache: Path = CACHE, source: Path = SOURCE) -> Path:
    """Name the folder of the built binaries after all that they are built from, which pins the oldest Go too.

    Which Go has built them is not asked: what is built must start where there is none, as in sudo's PATH.
    """
    digest = hashlib.sha256(linker_flags(kubernetes_version(source)).encode())
    for name in ("go.mod", "go.sum", "main.go"):
        digest.update((source / name).read_bytes())
    return cache / f"bin-{digest.hexdigest()[:12]}"


@functools.cache
def go_version(source: Path = SOURCE) -> str:
    """Ask Go which version builds a source; empty where there is no Go."""
    go = shutil.which("go")
    if not go:
        return ""
    command = [go, "env", "GOVERSION"]
    done = subprocess.run(command, cwd=source, env=go_environment(), capture_output=True, text=True, check=False)
    return done.stdout.strip()


def compile_go(source: Path, *arguments: str) -> None:
    """Run the Go compiler; what it has to say goes to stderr.

    Raises:
        LauncherError: It failed.

    """
    command = ["go", "build", *arguments, "."]
    if subprocess.run(command, cwd=source, env=go_environment(), stdout=sys.stderr, check=False).returncode:
        raise LauncherError("the Go compiler failed (see above)")


def go_environment() -> dict[str, str]:
    """Build statically, and let an older Go fetch the one that go.mod names."""
    return {**os.environ, "CGO_ENABLED": "0", "GOTOOLCHAIN": "auto", "GOFLAGS": "-mod=readonly"}


def built(cache: Path = CACHE) -> Path | None:
    """Find the binaries of this source; None if they are not built."""
    binaries = folder(cache)
    return binaries if whole(binaries / BINARY) else None


def build(cache: Path = CACHE) -> Path:
    """Build the binaries unless they are there, and give their folder. Two builders do not meet: one waits."""
    cache.mkdir(parents=True, exist_ok=True)
    with locked(cache / "build.lock", waiting="another build is running; waiting for it"):
        if found := built(cache):
            return found
        binaries = folder(cache)
        new = binaries.with_name(f"{binaries.name}.new")
        shutil.rmtree(new, ignore_errors=True)
        new.mkdir()
        compile_into(new)
        seal(new / BINARY)
        shutil.rmtree(binaries, ignore_errors=True)
        new.rename(binaries)
        return binaries


def compile_into(new: Path) -> None:
    """Run the Go compiler, and give each component its name."""
    version = kubernetes_version()
    sys.stderr.write(f"building Kubernetes {version} with {go_version()}: about four minutes the first time\n")
    began = time.monotonic()
    compile_go(SOURCE, "-trimpath", "-ldflags", linker_flags(version), "-o", str(new / BINARY))
    for component in COMPONENTS:
        (new / component).symlink_to(BINARY)
    sys.stderr.write(f"built in {time.monotonic() - began:.0f} seconds\n")
