"""``multicluster registry``."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import yaml

from multicluster import load_registry
from multicluster.cli import main

DOCUMENTS = Path(__file__).parents[1] / "registry"
GOOD = str(DOCUMENTS / "good" / "design.yaml")
BAD = str(DOCUMENTS / "bad" / "61-everything-at-once.yaml")


@pytest.fixture
def command(capfd):
    """Run ``multicluster registry ...``: its exit code, its results, its talk."""

    def run(*words):
        code = main(["registry", *words])
        return code, *capfd.readouterr()

    return run


def test_validate_says_nothing_but_valid(command):
    assert command("validate", GOOD) == (0, "", f"valid: 4 clusters in {GOOD}\n")


def test_validate_prints_every_problem_and_fails(command):
    code, results, talk = command("validate", BAD, GOOD)

    assert (code, talk) == (1, "8 problems\n")
    assert len(results.splitlines()) == 8
    assert results.startswith(f"{BAD}:1:13: apiVersion: must be multicluster/v1alpha1")


def test_validate_as_json(command):
    code, results, _ = command("validate", BAD, "--output", "json")

    answer = json.loads(results)
    assert (code, answer["valid"], answer["sources"]) == (1, False, [BAD])
    assert answer["problems"][1] == {
        "source": BAD,
        "line": 3,
        "column": 1,
        "cluster": None,
        "field": "extra",
        "message": "unknown field; known: apiVersion, kind, defaults, clusters",
    }


def test_validate_takes_the_environments_registry(command, monkeypatch):
    monkeypatch.setenv("MULTICLUSTER_REGISTRY", GOOD)

    assert command("validate")[0] == 0


def test_no_registry_anywhere_is_misuse(command, monkeypatch):
    monkeypatch.delenv("MULTICLUSTER_REGISTRY", raising=False)

    assert command("list") == (
        2,
        "",
        "multicluster: no cluster registry: name its file or folder, or set MULTICLUSTER_REGISTRY\n",
    )


def test_list_selects_by_labels(command):
    code, results, _ = command("list", "--registry", GOOD, "--selector", "tier=prod,team=ml", "--output", "json")

    rows = json.loads(results)
    assert code == 0
    assert [row["name"] for row in rows] == ["gpu-use1"]
    assert rows[0]["profiles"] == ["l4"]


def test_list_as_a_table(command):
    _, results, _ = command("list", "--registry", GOOD)

    assert results.splitlines()[0].split() == ["NAME", "KIND", "LABELS", "PROFILES", "CORDONED", "SOURCE"]
    assert [line.split()[0] for line in results.splitlines()[1:]] == ["gpu-use1", "gpu-euw4", "laptop", "here"]


def test_show_prints_a_cluster_that_can_be_read_again(command, tmp_path):
    _, results, _ = command("show", "gpu-use1", "--registry", GOOD)

    shown = yaml.safe_load(results)
    document = {"apiVersion": "multicluster/v1alpha1", "kind": "ClusterRegistry", "clusters": [shown]}
    assert load_registry(document)["gpu-use1"].document == load_registry(GOOD)["gpu-use1"].document


def test_show_as_json(command):
    _, results, _ = command("show", "here", "--registry", GOOD, "--output", "json")

    assert json.loads(results)["pods"]["namespace"] == "ml"


def test_an_unknown_name_is_misuse_with_the_nearest(command):
    code, results, talk = command("show", "gpu-use2", "--registry", GOOD)

    assert (code, results) == (2, "")
    assert talk.endswith("did you mean 'gpu-use1'?\n")


def test_schema_prints_the_json_schema(command):
    code, results, _ = command("schema")

    assert code == 0
    assert json.loads(results)["$schema"] == "https://json-schema.org/draft/2020-12/schema"


def test_only_eks_can_be_pinned(command):
    code, _, talk = command("pin", "laptop", "--registry", GOOD)

    assert code == 2
    assert "is of kind kubeconfig; only endpoints of kind eks can be pinned" in talk


@pytest.fixture
def registry_file(multicluster_registry, multicluster_world, tmp_path):
    """A YAML file with a comment, of the world's clusters; the environment leads to the world."""
    path = tmp_path / "registry.yaml"
    path.write_text("# ours\n" + yaml.safe_dump(multicluster_world.registry(), sort_keys=False))
    return path


def test_pin_is_a_dry_run_that_prints_the_change(command, registry_file):
    before = registry_file.read_text()

    code, results, talk = command("pin", "gpu-use1", "--registry", str(registry_file))

    assert (code, talk) == (0, "dry run; --apply writes it\n")
    assert [line[:1] for line in results.splitlines() if line[:1] in "+-"].count("+") == 3
    assert registry_file.read_text() == before


def test_pin_writes_what_spares_the_cloud_a_question(command, registry_file, multicluster_world):
    code, _, talk = command("pin", "gpu-use1", "--registry", str(registry_file), "--apply")

    options = load_registry(registry_file)["gpu-use1"].document.auth.options
    described = load_registry(multicluster_world.registry())["gpu-use1"].access.endpoint()
    assert (code, talk) == (0, f"written to {registry_file}\n")
    assert options.endpoint == described.server
    assert registry_file.read_text().startswith("# ours\n")


def test_pin_twice_changes_nothing(command, registry_file):
    command("pin", "gpu-use1", "--registry", str(registry_file), "--apply")
    before = registry_file.read_text()

    code, results, _ = command("pin", "gpu-use1", "--registry", str(registry_file), "--apply", "--output", "json")

    assert (code, json.loads(results)["changed"], json.loads(results)["applied"]) == (0, False, False)
    assert registry_file.read_text() == before


def test_validate_prints_twenty_problems_and_json_has_all(command, tmp_path):
    path = tmp_path / "many.yaml"
    clusters = "".join(f"- {{name: a{at}, auth: {{inCluster: {{}}}}, x: 1}}\n" for at in range(25))
    path.write_text(f"apiVersion: multicluster/v1alpha1\nkind: ClusterRegistry\nclusters:\n{clusters}")

    _, results, talk = command("validate", str(path))
    _, as_json, _ = command("validate", str(path), "--output", "json")

    assert (len(results.splitlines()), results.splitlines()[-1], talk) == (21, "... and 5 more", "25 problems\n")
    assert len(json.loads(as_json)["problems"]) == 25


def test_validate_takes_the_option_of_the_other_actions_too(command):
    assert command("validate", "--registry", GOOD) == (0, "", f"valid: 4 clusters in {GOOD}\n")


def test_an_empty_path_does_not_mean_the_current_folder(command, monkeypatch, tmp_path):
    monkeypatch.chdir(Path(GOOD).parent)

    assert command("list", "--registry", "") == (2, "", "multicluster: '': names no file and no folder\n")
