"""What a machine must have before a testbed can run on it, all of it looked at before anything is said."""

from __future__ import annotations

import importlib.util
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from testbed import bundle, cgroups, images, network, processes, verifier
from testbed.errors import LauncherError

PROGRAMS = {
    "containerd": "containerd",
    "containerd-shim-runc-v2": "containerd",
    "ctr": "containerd",
    "runc": "runc",
    "ip": "iproute2",
    "mount": "mount",
    "umount": "mount",
    "unshare": "util-linux",
}
"""Program, and the Debian package that brings it."""
CONTROLLERS = ("cpu", "cpuset", "memory", "pids")
OLDEST_GO = (1, 21)
"""The first Go that fetches a newer one by itself, as go.mod asks."""


@dataclass(frozen=True, kw_only=True)
class Missing:
    """One thing that a machine lacks, and how to get it; a Debian package is named apart."""

    what: str
    remedy: str
    package: str = ""


def missing() -> list[Missing]:
    """Look at everything. Elsewhere than on Linux nothing else is worth saying."""
    if sys.platform != "linux":
        return of_machine()
    return [
        *of_machine(),
        *of_programs(),
        *of_kernel(),
        *of_python(),
        *([] if built() and verifier.built() else of_build()),
    ]


def built() -> bool:
    """Say whether Kubernetes is built, which takes minutes; the verifier takes half of one, when it is first used."""
    return bundle.built() is not None


def of_machine(system: str = sys.platform, user: Callable[[], int] = os.geteuid) -> list[Missing]:
    """Is this Linux, and are we root?"""
    if system != "linux":
        return [
            Missing(
                what=f"this is {system}, and a kubelet runs on Linux only",
                remedy="use a Linux virtual machine; the simulator (make demo, make test) runs here",
            )
        ]
    if user() != 0:
        return [
            Missing(
                what="you are not root, and containers, mounts and network links need root",
                remedy="run it again with sudo, or as root in a virtual machine",
            )
        ]
    return []


def which(program: str) -> str | None:
    """Look for a program where it will be started from, which is not the caller's PATH."""
    return shutil.which(program, path=processes.PATH)


def of_programs(which: Callable[[str], str | None] = which) -> list[Missing]:
    """Are the programs there that a node is made of?"""
    lacking = [
        Missing(what=f"the program {program} is missing", remedy=f"Debian's package {package}", package=package)
        for program, package in PROGRAMS.items()
        if not which(program)
    ]
    if not network.plugin_folder():
        package = "containernetworking-plugins"
        lacking.append(
            Missing(
                what="the CNI plugins (bridge, host-local) are missing",
                remedy=f"Debian's package {package}",
                package=package,
            )
        )
    if not static_busybox(images.BUSYBOX):
        lacking.append(
            Missing(
                what=f"{images.BUSYBOX} is missing or needs shared libraries; all images are made of it",
                remedy="Debian's package busybox-static",
                package="busybox-static",
            )
        )
    return lacking


def static_busybox(path: Path) -> bool:
    """Say whether busybox is there and runs alone: an ELF file that names no interpreter (dynamic linker)."""
    return path.is_file() and b"/ld-linux" not in path.read_bytes()[:4096]


def of_kernel(
    filesystems: Path = Path("/proc/filesystems"), available: Callable[[], set[str]] = cgroups.controllers
) -> list[Missing]:
    """Does the kernel have what containers are made of?"""
    lacking = []
    if modprobe := which("modprobe"):
        subprocess.run([modprobe, "--all", "--quiet", "overlay", "bridge"], capture_output=True, check=False)
    if not re.search(r"\boverlay$", filesystems.read_text(), re.MULTILINE):
        lacking.append(Missing(what="the kernel has no overlayfs", remedy="load the module (modprobe overlay)"))
    if absent := sorted(set(CONTROLLERS) - available()):
        what = f"no control group can be made with {', '.join(absent)}"
        remedy = "mount -t cgroup2 cgroup2 /sys/fs/cgroup, on a kernel that has these controllers"
        lacking.append(Missing(what=what, remedy=remedy))
    return lacking


def of_python() -> list[Missing]:
    """Is the one library there that the launcher needs?"""
    if importlib.util.find_spec("cryptography"):
        return []
    remedy = "run `make setup`, or Debian's package python3-cryptography"
    return [Missing(what=f"{sys.executable} has no module cryptography", remedy=remedy, package="python3-cryptography")]


def of_build(version: Callable[[], str] = bundle.go_version) -> list[Missing]:
    """Is there a Go that can build?"""
    found = re.match(r"go(\d+)\.(\d+)", version())
    if found and (int(found[1]), int(found[2])) >= OLDEST_GO:
        return []
    what = f"Go is too old ({found[0]})" if found else "Go is missing, and not all binaries are built yet"
    oldest = ".".join(map(str, OLDEST_GO))
    return [Missing(what=what, remedy=f"Go {oldest} or newer, from go.dev or Debian 13's package golang-go")]


def require(lacking: Sequence[Missing]) -> None:
    """Go on, or say everything that is missing.

    Raises:
        LauncherError: Something is.

    """
    if lacking:
        raise LauncherError("\n".join(["this machine cannot run a testbed yet:", *report(lacking)]))


def report(lacking: Iterable[Missing]) -> list[str]:
    """Say what is missing, and one command that brings what Debian has."""
    lacking = list(lacking)
    packages = sorted({one.package for one in lacking if one.package})
    lines = [f"  - {one.what}: {one.remedy}" for one in lacking]
    return [*lines, *([f"  On Debian: apt-get install {' '.join(packages)}"] if packages else [])]
