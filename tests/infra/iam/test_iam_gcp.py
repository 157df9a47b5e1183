"""The custom roles of infra/iam/gcp allow what the toolkit does, and each permission of them is needed."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator

import pytest
import yaml

from multicluster.errors import NodePoolRefusedError

from . import gcp_bench as work
from .documents import IAM, permissions
from .gcp_bench import SPEC, GcpBench, broken

ACT_AS = permissions("act-as-nodes")
WORK = {
    "node-pools": (work.life_of_a_pool, ACT_AS),
    "token": (work.token, ()),
    "reaper": (work.reaping, ()),
}
"""What is done with a role, and what else is granted on the nodes' service account."""


@pytest.fixture(scope="module")
def bench() -> Iterator[GcpBench]:
    with pytest.MonkeyPatch.context() as patch:
        yield from work.bench(patch)


def rows(bench: GcpBench, name: str) -> list[tuple[str, str, str]]:
    """Take away each permission of a role; tell what breaks."""
    task, nodes = WORK[name]
    found = []
    for one in permissions(name):
        bench.grant(tuple(other for other in permissions(name) if other != one), nodes)
        found.append((name, one, broken(bench, task)))
    if nodes:
        bench.grant(permissions(name))
        found.append(("act-as-nodes", *nodes, broken(bench, task)))
    return found


def test_every_role_is_on_trial():
    assert {path.stem for path in (IAM / "gcp").glob("*.yaml")} == {*WORK, "act-as-nodes"}


@pytest.mark.parametrize("name", [*WORK, "act-as-nodes"])
def test_a_role_is_what_gcloud_reads(name):
    role = yaml.safe_load((IAM / "gcp" / f"{name}.yaml").read_text())

    assert set(role) == {"title", "description", "stage", "includedPermissions"}
    assert len(role["title"]) <= 100
    assert len(role["description"]) <= 256


@pytest.mark.parametrize("name", WORK)
def test_the_work_of_a_role_is_done_with_its_permissions(bench, name):
    task, nodes = WORK[name]
    bench.grant(permissions(name), nodes)

    assert broken(bench, task) == ""


@pytest.mark.parametrize("name", WORK)
def test_a_role_has_what_its_work_asks_for_and_no_more(bench, name):
    task, nodes = WORK[name]
    bench.grant(permissions(name), nodes)
    bench.world.google.grants.asked.clear()

    broken(bench, task)

    assert bench.world.google.grants.asked[bench.trial.email] == {*permissions(name), *nodes}


@pytest.mark.parametrize("name", WORK)
def test_each_permission_is_needed(bench, name):
    found = rows(bench, name)

    sys.stdout.writelines(f"{role}: without {part}: {what}\n" for role, part, what in found)  # shown by -rP
    assert [part for _, part, what in found if not what] == []


@pytest.mark.parametrize("name", WORK)
def test_the_readme_tells_what_each_permission_is_for(bench, name):
    readme = (IAM / "README.md").read_text()

    missing = [row for row in rows(bench, name) if "| `{}` | {} | {} |".format(*row) not in readme]
    assert missing == []


def test_new_nodes_get_no_other_account_than_theirs(bench):
    bench.grant(permissions("node-pools"), ACT_AS)
    pools = bench.pools_of(bench.trial, nodes="admin@acme.iam.gserviceaccount.com")

    with pytest.raises(NodePoolRefusedError, match="does not have access to service account"):
        pools.create(SPEC, bench.lease())


def test_bound_on_the_project_acting_as_nodes_would_be_acting_as_anybody(bench):
    bench.grant((*permissions("node-pools"), *ACT_AS))
    pools = bench.pools_of(bench.trial, nodes="admin@acme.iam.gserviceaccount.com")

    assert pools.create(SPEC, bench.lease()).name == SPEC.name
    bench.clean()


def test_a_reaper_makes_no_pools(bench):
    bench.grant(permissions("reaper"))

    with pytest.raises(NodePoolRefusedError, match="does not have access to service account"):
        bench.pools.create(SPEC, bench.lease())


def test_a_refusal_names_the_permission_and_the_cluster(bench):
    bench.grant(())

    with pytest.raises(NodePoolRefusedError) as refused:
        bench.pools.get(SPEC.name)
    words = 'Required "container.clusters.get" permission(s) for "projects/acme/locations/europe-west4/clusters/gpu".'
    assert words in str(refused.value)


@pytest.mark.slow
def test_the_contract_of_node_pools_asks_for_nothing_more(tmp_path):
    asked = tmp_path / "asked"
    suite = "tests/conformance/node_pools/test_node_pools_contract.py"
    command = [sys.executable, "-m", "pytest", "-q", "-p", "tests.infra.iam.recorder", "-k", "simulated-gke", suite]
    run = subprocess.run(
        command,
        cwd=IAM.parents[1],
        env={**os.environ, "ASKED": str(asked)},
        capture_output=True,
        text=True,
        check=False,
    )

    assert run.returncode == 0, run.stdout
    needed = {*permissions("node-pools"), *ACT_AS}
    assert set(asked.read_text().split()) | set(permissions("token")) == needed
