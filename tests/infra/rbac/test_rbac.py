"""The rights of infra/rbac are enough for what the toolkit does inside a cluster, and each of them is needed."""

from __future__ import annotations

import shutil
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
import yaml
from kubernetes import client

from .manifests import GROUP, NAMESPACE, RBAC, Mutant, manifests, mutants, path_of, roles
from .work import WORK, Site, broken

PATIENCE = 10
"""Seconds until a real API server goes by a role that was changed."""


@contextmanager
def in_force(site: Site, mutant: Mutant) -> Iterator[None]:
    """Put a role with one verb less in the place of the shipped one, and wait until it counts; put it back."""
    (shipped,) = [role for role in roles() if path_of(role) == path_of(mutant.role)]
    replace(site, mutant.role)
    wait(site, mutant, allowed=False)
    try:
        yield
    finally:
        replace(site, shipped)
        wait(site, mutant, allowed=True)


def replace(site: Site, role: dict) -> None:
    """Replace a role."""
    status, _, answer = site.ground.raw("PUT", path_of(role), role)
    assert status == 200, answer


def wait(site: Site, mutant: Mutant, *, allowed: bool) -> None:
    """Wait until the API server answers that the user may do it, or may not."""
    plural, _, subresource = mutant.resource.partition("/")
    asked = {
        "namespace": mutant.role["metadata"].get("namespace"),
        "group": mutant.group,
        "resource": plural,
        "subresource": subresource,
        "verb": mutant.verb,
        "name": mutant.name,
    }
    reviews, end = client.AuthorizationV1Api(site.user), time.monotonic() + PATIENCE
    review = {"spec": {"resourceAttributes": asked}}
    while reviews.create_self_subject_access_review(review).status.allowed != allowed:
        assert time.monotonic() < end, f"{mutant} is still {'denied' if allowed else 'allowed'}"
        threading.Event().wait(0.05)


@pytest.mark.parametrize("component", WORK)
def test_the_work_is_done_with_the_shipped_rights(site, component):
    assert broken(site, WORK[component]) == ""


@pytest.mark.parametrize("mutant", list(mutants()), ids=str)
def test_each_verb_is_needed(site, mutant):
    with in_force(site, mutant):
        law = broken(site, WORK[mutant.component])

    sys.stdout.write(f"{mutant.component}: without {mutant}: {law or 'NOTHING BREAKS'}\n")  # shown by -rP
    assert law
    assert f"| `{mutant.component}` | {mutant} | {law} |" in (RBAC / "README.md").read_text()


def test_every_role_has_work_that_needs_it():
    assert {mutant.component for mutant in mutants()} == set(WORK)


def test_the_rights_hold_no_secrets_and_no_wildcard():
    rules = [rule for role in roles() for rule in role["rules"]]

    assert [rule for rule in rules if "secrets" in rule["resources"] or "*" in str(rule)] == []


def test_every_binding_is_for_the_group_and_for_a_role_that_is_there():
    bindings = [document for document in manifests() if document["kind"].endswith("Binding")]
    there = {(role["kind"], role["metadata"]["name"]) for role in roles()}

    assert {(one["roleRef"]["kind"], one["roleRef"]["name"]) for one in bindings} == there
    assert {subject["name"] for one in bindings for subject in one["subjects"]} == {GROUP}


def test_nothing_is_allowed_in_other_namespaces(site):
    core = client.CoreV1Api(site.user)

    for verb in (core.list_namespaced_pod, core.list_namespaced_event, core.delete_collection_namespaced_pod):
        with pytest.raises(client.ApiException, match="Forbidden"):
            verb("kube-system")


@pytest.mark.parametrize("ground", [pytest.param("testbed", marks=pytest.mark.testbed)], indirect=True)
def test_more_gpus_than_the_quota_are_refused(site):
    limits = {"limits": {"nvidia.com/gpu": "17"}}
    pod = {"metadata": {"name": "greedy"}, "spec": {"containers": [{"name": "c", "image": "x", "resources": limits}]}}

    with pytest.raises(client.ApiException, match="exceeded quota: gpus"):
        client.CoreV1Api(site.user).create_namespaced_pod(NAMESPACE, pod)


kubectl = pytest.mark.skipif(shutil.which("kubectl") is None, reason="kubectl is not installed")


@kubectl
def test_kubectl_applies_them(site):
    command = ["kubectl", "--kubeconfig", site.ground.kubeconfig, "apply", "-k", RBAC / "all"]

    done = subprocess.run(command, capture_output=True, text=True, check=False)

    assert done.returncode == 0, done.stderr
    assert done.stdout.count("\n") == len(manifests())


@kubectl
def test_kubectl_puts_the_same_manifests_together():
    made = subprocess.run(["kubectl", "kustomize", RBAC / "all"], capture_output=True, text=True, check=True).stdout

    def ordered(documents):
        return sorted(documents, key=lambda one: (one["kind"], one["metadata"]["name"]))

    assert ordered(yaml.safe_load_all(made)) == ordered(manifests())
