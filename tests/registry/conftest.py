from __future__ import annotations

import sys
from pathlib import Path

import pytest

WHEEL = Path(__file__).parent / "wheel"
HEAD = "apiVersion: multicluster/v1alpha1\nkind: ClusterRegistry\n"


@pytest.fixture
def toy_wheel(monkeypatch):
    """Install a wheel that brings the kind ``toy``; gone again after the test."""
    monkeypatch.syspath_prepend(WHEEL)
    yield
    for name in [name for name in sys.modules if name.partition(".")[0] == "toy_kind"]:
        del sys.modules[name]


@pytest.fixture
def document():
    """Make a registry document of clusters given as keyword arguments: name -> fields."""

    def make(defaults=None, **clusters):
        made = {"apiVersion": "multicluster/v1alpha1", "kind": "ClusterRegistry"}
        if defaults is not None:
            made["defaults"] = defaults
        made["clusters"] = [{"name": name, **fields} for name, fields in clusters.items()]
        return made

    return make


@pytest.fixture
def write(tmp_path):
    """Write a registry file: its name, and the YAML below ``clusters:``."""

    def write(name, clusters):
        path = tmp_path / name
        path.parent.mkdir(exist_ok=True)
        path.write_text(HEAD + "clusters:\n" + clusters)
        return path

    return write
