"""What Airflow is told about the provider."""

from __future__ import annotations

import importlib
import json
import re
import subprocess
import sys
from importlib.metadata import distribution, entry_points
from pathlib import Path

import airflow
import jsonschema
import pytest
from airflow.providers_manager import ProvidersManager

from airflow_multicluster.provider_info import get_provider_info

INFO = get_provider_info()


def test_package_name_is_the_distributions_name():
    assert INFO["package-name"] == distribution("airflow-multicluster").metadata["Name"]


def test_info_passes_airflows_own_schema():
    schema = json.loads((Path(airflow.__file__).parent / "provider_info.schema.json").read_text())

    assert jsonschema.validate(INFO, schema) is None


def test_entry_point_leads_to_the_info():
    (entry,) = [one for one in entry_points(group="apache_airflow_provider") if one.dist.name == "airflow-multicluster"]

    assert entry.load()() == INFO


@pytest.mark.parametrize("room", ["hooks", "operators", "sensors", "triggers"])
def test_modules_named_exist(room):
    modules = [module for part in INFO[room] for module in part["python-modules"]]

    assert modules
    assert all(importlib.import_module(module) for module in modules)


def test_airflow_finds_the_connection_type_and_its_form():
    manager = ProvidersManager()
    hook = manager.hooks["multicluster"]

    assert hook.connection_testable
    assert hook.hook_name == "Multicluster registry"
    assert {"extra__multicluster__registry", "extra__multicluster__path"} <= set(manager.connection_form_widgets)


def test_airflow_knows_the_config_section():
    from airflow.configuration import conf

    ProvidersManager().initialize_providers_configuration()

    assert conf.get("multicluster", "registry") == ""


def test_info_imports_nothing_but_the_standard_library():
    code = "import sys, airflow_multicluster.provider_info; print(*sys.modules)"
    loaded = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.split()

    assert not {"airflow", "kubernetes", "pydantic", "multicluster", "yaml"} & set(loaded)


ADDED = """
import sys
import airflow.providers.cncf.kubernetes.operators.pod
stock = set(sys.modules)
import airflow_multicluster
for name in ("ClusterPodOperator", "CreateNodePoolOperator", "NodePoolReadySensor", "NodePoolTaskGroup"):
    getattr(airflow_multicluster, name)
print(*set(sys.modules) - stock)
"""


def test_pain_40_operators_add_next_to_nothing_to_the_stock_operators_import():
    loaded = subprocess.run([sys.executable, "-c", ADDED], capture_output=True, text=True, check=True).stdout.split()

    assert loaded
    assert all(name.startswith(("airflow", "multicluster")) for name in loaded)
    assert not [name for name in loaded if re.match(r"multicluster\.(registry|access|kinds|simulator|cli)", name)]
