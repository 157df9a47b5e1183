"""The built files, not the checkout: what is in them, and under which names."""

from __future__ import annotations

import configparser
import tarfile
import tomllib
import zipfile
from email import message_from_string
from pathlib import Path

import pytest

pytestmark = pytest.mark.slow
ROOT = Path(__file__).resolve().parents[2]


def files_of(wheel: Path) -> set[str]:
    with zipfile.ZipFile(wheel) as archive:
        return set(archive.namelist())


def text_in(wheel: Path, suffix: str) -> str:
    with zipfile.ZipFile(wheel) as archive:
        name = next(name for name in archive.namelist() if name.endswith(suffix))
        return archive.read(name).decode()


def test_the_wheel_holds_exactly_two_importable_names(distribution):
    top = {name.split("/")[0] for name in files_of(distribution.wheel)}

    assert {name for name in top if not name.endswith(".dist-info")} == {"multicluster", "airflow_multicluster"}


def test_the_wheel_made_from_the_sdist_holds_every_source_file_of_the_house(distribution):
    packages = {"multicluster": ROOT / "multicluster", "airflow_multicluster": ROOT / "providers/airflow_multicluster"}
    sources = {
        f"{name}/{path.relative_to(folder)}"
        for name, folder in packages.items()
        for path in folder.rglob("*")
        if path.is_file() and path.suffix != ".pyc"
    }

    assert sources - files_of(distribution.wheel) == set()


@pytest.mark.parametrize("name", ["multicluster/py.typed", "airflow_multicluster/py.typed"])
def test_both_packages_say_that_they_are_typed(distribution, name):
    assert name in files_of(distribution.wheel)


def test_the_json_schema_of_the_registry_is_shipped(distribution):
    assert "multicluster/registry/schema.json" in files_of(distribution.wheel)


def test_the_licence_is_shipped_in_full(distribution):
    licence = text_in(distribution.wheel, ".dist-info/licenses/LICENSE")

    assert "TERMS AND CONDITIONS FOR USE, REPRODUCTION, AND DISTRIBUTION" in licence
    assert "END OF TERMS AND CONDITIONS" in licence


def test_the_entry_points_are_those_that_pyproject_promises(distribution):
    entry_points = configparser.ConfigParser()
    entry_points.read_string(text_in(distribution.wheel, ".dist-info/entry_points.txt"))

    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    assert dict(entry_points["console_scripts"]) == project["scripts"]
    promised = project["entry-points"]
    assert {group: dict(entry_points[group]) for group in promised} == promised


def test_the_metadata_offers_the_extras_and_no_pinned_dependency(distribution):
    metadata = message_from_string(text_in(distribution.wheel, ".dist-info/METADATA"))

    assert set(metadata.get_all("Provides-Extra", [])) == {
        "airflow",
        "all",
        "dev",
        "eks",
        "gke",
        "migrate",
        "simulator",
    }
    assert [line for line in metadata.get_all("Requires-Dist", []) if "==" in line.split(";")[0]] == []


def test_the_sdist_holds_tests_docs_and_no_environment(distribution):
    with tarfile.open(distribution.sdist) as archive:
        names = {name.split("/", 1)[1] for name in archive.getnames() if "/" in name}

    assert {"README.md", "CHANGELOG.md", "LICENSE", "pyproject.toml", "docs/design.md"} <= names
    assert any(name.startswith("tests/") for name in names)
    assert [name for name in names if name.startswith((".venv", ".git/")) or name.endswith(".pyc")] == []
