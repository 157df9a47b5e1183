"""Build AWS's token verifier, once for each release and version of its source."""

from __future__ import annotations

import hashlib
import re
import sys
import time
from pathlib import Path

from testbed import bundle
from testbed.errors import LauncherError
from testbed.home import CACHE
from testbed.locks import locked
from testbed.sealed import seal, whole

SOURCE = Path(__file__).resolve().parents[1] / "verifier"
RELEASES = {"v07": "go.mod", "v06": "v06.mod"}
"""The file that pins each release. Testbeds run the first; the second is for comparison."""
NEWEST = "v07"
FLAGS = ("-trimpath", "-ldflags", "-s -w")


def name(release: str = NEWEST, source: Path = SOURCE) -> str:
    """Name a release as AWS does, for example ``aws-iam-authenticator v0.7.13``."""
    found = re.search(
        r"^\s*sigs\.k8s\.io/(aws-iam-authenticator v\S+)", (source / RELEASES[release]).read_text(), re.MULTILINE
    )
    if not found:
        raise LauncherError(f"{source / RELEASES[release]} does not require aws-iam-authenticator")
    return found[1]


def program(release: str = NEWEST, cache: Path = CACHE, source: Path = SOURCE) -> Path:
    """Name the program after all that it is built from."""
    pins = source / RELEASES[release]
    code = sorted(path for path in source.glob("*.go") if not path.name.endswith("_test.go"))
    digest = hashlib.sha256(" ".join(FLAGS).encode())
    for path in (pins, pins.with_suffix(".sum"), *code):
        digest.update(path.read_bytes())
    return cache / f"verifier-{release}-{digest.hexdigest()[:12]}"


def built(release: str = NEWEST, cache: Path = CACHE) -> bool:
    """Say whether the program of this source is there."""
    return whole(program(release, cache))


def build(release: str = NEWEST, cache: Path = CACHE) -> Path:
    """Build the program unless it is there, and give its path. Two builders do not meet: one waits."""
    cache.mkdir(parents=True, exist_ok=True)
    with locked(cache / "build.lock", waiting="another build is running; waiting for it"):
        wanted = program(release, cache)
        if not whole(wanted):
            new = wanted.with_name(f"{wanted.name}.new")
            compile_to(new, release)
            new.rename(wanted)
            seal(wanted)
        return wanted


def compile_to(new: Path, release: str) -> None:
    """Run the Go compiler."""
    sys.stderr.write(f"building {name(release)}: half a minute the first time\n")
    began = time.monotonic()
    bundle.compile_go(SOURCE, f"-modfile={RELEASES[release]}", *FLAGS, "-o", str(new))
    sys.stderr.write(f"built in {time.monotonic() - began:.0f} seconds\n")
