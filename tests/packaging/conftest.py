"""What leaves the house: one sdist, the wheel made from it, and fresh environments that hold nothing else."""

from __future__ import annotations

import shutil
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
NO_INDEX = ("Failed to fetch", "error sending request", "dns error", "network", "Could not connect")


@dataclass(frozen=True, kw_only=True)
class Distribution:
    """The two files that a release consists of."""

    wheel: Path
    sdist: Path


@dataclass(frozen=True, kw_only=True)
class Environment:
    """A virtual environment with the wheel in it and nothing of the checkout."""

    python: Path

    def run(self, code: str, *arguments: str) -> subprocess.CompletedProcess[str]:
        """Run *code* isolated, from the root folder, so that no checkout can help."""
        return self._run([str(self.python), "-I", "-c", code, *arguments])

    def command(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        """Run the installed command ``multicluster``."""
        return self._run([str(self.python.with_name("multicluster")), *arguments])

    def _run(self, command: list[str]) -> subprocess.CompletedProcess[str]:
        home = str(self.python.parents[2])
        environment = {"PATH": str(self.python.parent), "HOME": home, "AIRFLOW_HOME": home}
        return subprocess.run(
            command, cwd="/", env=environment, capture_output=True, text=True, timeout=100, check=False
        )


@pytest.fixture(scope="session")
def distribution(tmp_path_factory: pytest.TempPathFactory) -> Distribution:
    """Build the sdist from a copy of the sources, and the wheel from the sdist, with no isolated build (offline)."""
    checkout = tmp_path_factory.mktemp("checkout") / "house"
    leave = shutil.ignore_patterns(".venv", ".git", "__pycache__", ".*_cache", "dist", "build")
    shutil.copytree(ROOT, checkout, ignore=leave)
    built = tmp_path_factory.mktemp("dist")

    command = [sys.executable, "-m", "build", "--no-isolation", "--outdir", str(built), str(checkout)]
    result = subprocess.run(command, capture_output=True, text=True, timeout=100, check=False)

    assert result.returncode == 0, result.stdout + result.stderr
    return Distribution(wheel=next(built.glob("*.whl")), sdist=next(built.glob("*.tar.gz")))


@pytest.fixture(scope="session")
def install(distribution: Distribution, tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Environment]:
    """Give a function that installs the wheel with one extra ("" for none) into its own environment."""
    uv = shutil.which("uv", path=str(Path(sys.executable).parent)) or shutil.which("uv")
    if uv is None:
        pytest.skip("uv is not installed, and pip would take minutes to fill the environments")
    made: dict[str, Environment] = {}
    unreachable: list[str] = []

    def install(extra: str) -> Environment:
        if unreachable:
            pytest.skip(unreachable[0])
        if extra not in made:
            folder = tmp_path_factory.mktemp(f"extra-{extra or 'none'}")
            try:
                made[extra] = _environment(uv, folder, distribution.wheel, extra)
            except ConnectionError as error:
                unreachable.append(f"no package index can be reached, and uv's cache does not hold all: {error}")
                pytest.skip(unreachable[0])
        return made[extra]

    return install


def _environment(uv: str, folder: Path, wheel: Path, extra: str) -> Environment:
    python = folder / "venv" / "bin" / "python"
    requirement = f"airflow-multicluster[{extra}] @ {wheel.as_uri()}" if extra else str(wheel)
    pins = ROOT / "requirements" / "dev.txt"
    for command in (
        [uv, "venv", "--quiet", "--python", sys.executable, str(folder / "venv")],
        [uv, "pip", "install", "--quiet", "--python", str(python), "--constraint", str(pins), requirement],
    ):
        result = subprocess.run(command, capture_output=True, text=True, timeout=110, check=False)
        if result.returncode and any(word in result.stderr for word in NO_INDEX):
            raise ConnectionError(" ".join(result.stderr.split()))
        assert result.returncode == 0, result.stderr
    return Environment(python=python)
