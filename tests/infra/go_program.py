"""Build the small Go programs that check what stands in infra."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

import pytest


def build(source: Path, program: Path, *, package: str = ".", timeout: float = 900) -> Path:
    """Build a program of a module's folder; skips, and says why, where Go or the modules cannot be had."""
    if shutil.which("go") is None:
        pytest.skip(f"Go is not installed, so {source} is not built")
    if go(source, "list", "-deps", package, timeout=timeout).returncode:
        pytest.skip(f"the modules of {source} cannot be downloaded")
    made = go(source, "build", "-trimpath", "-o", str(program), package, timeout=timeout)
    assert made.returncode == 0, made.stderr
    return program


def go(source: Path, *arguments: str, timeout: float) -> subprocess.CompletedProcess[str]:
    """Run Go where the sources are."""
    environment = {**os.environ, "CGO_ENABLED": "0"}
    return subprocess.run(
        ["go", *arguments], cwd=source, env=environment, capture_output=True, text=True, timeout=timeout, check=False
    )
