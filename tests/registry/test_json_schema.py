"""The shipped JSON Schema is the one of the models, and agrees with loading."""

from __future__ import annotations

from pathlib import Path

import jsonschema
import pytest

from multicluster.registry.json_schema import as_text, json_schema, shipped_schema
from multicluster.registry.kinds import Kinds

HERE = Path(__file__).parent
SCHEMA = Path(__file__).parents[2] / "multicluster" / "registry" / "schema.json"
CONTRADICTED = ["01", "02", "03", "04", "05", "07", "08", "09", "10", "11", "12", "22", "24", "26", "27", "28", "41",
                "45", "47", "48", "49", "50", "51", "52", "54", "57"]  # fmt: skip


def test_the_shipped_schema_is_current():
    current = as_text(json_schema(Kinds(installed=lambda: ())))

    assert SCHEMA.read_text() == current, (
        "make it current: multicluster registry schema > multicluster/registry/schema.json"
    )


def test_the_shipped_schema_is_a_valid_schema():
    assert jsonschema.Draft202012Validator.check_schema(shipped_schema()) is None


@pytest.mark.parametrize("path", sorted((HERE / "good").glob("*.yaml")), ids=lambda path: path.stem)
def test_a_good_document_follows_the_schema(path):
    assert jsonschema.validate(load(path), shipped_schema()) is None


@pytest.mark.parametrize("number", CONTRADICTED)
def test_what_loading_refuses_the_schema_refuses_too(number):
    (path,) = (HERE / "bad").glob(f"{number}-*.yaml")

    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate(load(path), shipped_schema())


@pytest.mark.usefixtures("toy_wheel")
def test_the_schema_of_this_machine_knows_the_kinds_of_other_wheels():
    assert "ToyCluster" in json_schema(Kinds())["$defs"]
    assert "ToyCluster" not in shipped_schema()["$defs"]


def load(path):
    from multicluster.registry.yaml_text import parse

    return parse(path.read_text())
