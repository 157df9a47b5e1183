"""The image's Dockerfile, as BuildKit's own parser and linter read it."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from tests.infra.go_program import build

HELM = Path(__file__).resolve().parents[3] / "infra" / "helm"

pytestmark = [pytest.mark.slow, pytest.mark.timeout(900)]


@pytest.fixture(scope="module")
def check(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return build(HELM / "check", tmp_path_factory.mktemp("dockerfile") / "dockerfile", package="./dockerfile")


def ask(check: Path, file: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run([check, file], capture_output=True, text=True, timeout=60, check=False)


def test_buildkit_reads_it_without_a_warning(check: Path) -> None:
    done = ask(check, HELM / "Dockerfile")

    assert (done.returncode, done.stderr) == (0, "")
    words = [line.split()[0] for line in done.stdout.splitlines()]
    assert words == ["ARG", "FROM", "COPY", "RUN", "COPY"]


@pytest.mark.parametrize(
    ("old", "new", "expected"),
    [
        ("COPY dist", "CPOY dist", "unknown instruction: CPOY"),
        ("COPY dags/ /opt/airflow/dags/", "COPY dags/", "COPY requires at least two arguments"),
        ("FROM ${AIRFLOW_IMAGE}", "FROM ${AIRFLOW_IMAGE} AS Base", "StageNameCasing"),
    ],
)
def test_buildkit_refuses_one_that_is_broken(check: Path, tmp_path: Path, old: str, new: str, expected: str) -> None:
    broken = tmp_path / "Dockerfile"
    broken.write_text((HELM / "Dockerfile").read_text().replace(old, new, 1))

    done = ask(check, broken)

    assert done.returncode == 1
    assert expected in done.stderr
