"""What a testbed leaves on a machine, found without the launcher's own code: the judge must not share its mistakes."""

from __future__ import annotations

import hashlib
import json
import os
import subprocess
from collections.abc import Iterator
from pathlib import Path


def name(home: Path) -> str:
    """Give the name that the bridge and the control groups of a testbed bear."""
    return f"mctb-{hashlib.sha256(str(home.resolve()).encode()).hexdigest()[:8]}"


def left(home: Path) -> list[str]:
    """List every process, mount, link, control group and claim of a testbed; none is what ``down`` promises."""
    return [*processes(home), *mounts(home), *links(home), *groups(home), *claims(home), *secrets(home), *records(home)]


def processes(home: Path) -> list[str]:
    """List processes that bear the home in their environment, their words or the mounts of their namespace."""
    found = []
    for process in Path("/proc").glob("[0-9]*"):
        words = b"".join(content(process / part) for part in ("environ", "cmdline", "mountinfo"))
        if str(home).encode() in words:
            found.append(f"process {process.name}: {content(process / 'comm').decode().strip()}")
    return found


def content(path: Path) -> bytes:
    """Read a file of /proc, which may be gone."""
    try:
        return path.read_bytes()
    except OSError:
        return b""


def mounts(home: Path) -> list[str]:
    """List mounts of this namespace below the home."""
    return [f"mount {line}" for line in Path("/proc/self/mounts").read_text().splitlines() if f" {home}/" in line]


def links(home: Path) -> list[str]:
    """List the bridge, and the pods' ends that hang on it."""
    shown = subprocess.run(["ip", "-json", "link", "show"], capture_output=True, text=True, check=True).stdout
    return [
        f"link {one['ifname']}" for one in json.loads(shown) if name(home) in {one.get("ifname"), one.get("master")}
    ]


def groups(home: Path) -> list[str]:
    """List control groups."""
    return [f"group {path}" for path, _, _ in below("/sys/fs/cgroup") if name(home) in Path(path).parts]


def below(top: str) -> Iterator[tuple[str, list[str], list[str]]]:
    """Walk a tree from which testbeds beside this one take folders away meanwhile, where pathlib would raise."""
    return os.walk(top)


def claims(home: Path) -> list[str]:
    """List what is claimed of the machine's addresses and ports."""
    file = Path("/run/multicluster-testbed/claims.json")
    return [
        f"claim {path}"
        for path in (json.loads(file.read_text()) if file.exists() else {})
        if path == str(home.resolve())
    ]


def secrets(home: Path) -> list[str]:
    """List files other than logs."""
    kept = ("log", ".multicluster-testbed")
    return [f"file {path}" for path in (home.iterdir() if home.exists() else []) if path.name not in kept]


def records(home: Path) -> list[str]:
    """List what CNI notes of pods outside of any home, where a node has no place of its own for it."""
    notes = [path for path in Path("/var/lib/cni").glob("results/*") if name(home).encode() in content(path)]
    return [f"record {path}" for path in notes]
