"""What may be left undecided in a document that is read, and is told by ``registry validate``."""

from __future__ import annotations

from multicluster import load_registry
from multicluster.cli.main import main
from multicluster.registry.kinds import Kinds
from multicluster.registry.load import examine_sources
from multicluster.registry.source import Source

HEAD = "apiVersion: multicluster/v1alpha1\nkind: ClusterRegistry\n"
POOLS = 'nodeRoleArn: "arn:aws:iam::111122223333:role/gpu-node", subnets: [subnet-a]'
CLUSTER = "clusters:\n- name: gpu\n  auth: {eks: {clusterName: gpu, region: us-east-1}}\n"


def doubts(text: str) -> list[str]:
    (one,), problems = examine_sources([Source(label="r.yaml", text=text)], Kinds())
    assert problems == []
    return [str(doubt) for doubt in one.doubts()]


def test_a_dead_man_switch_that_nobody_decided_on_is_told_with_its_place():
    (told,) = doubts(f"{HEAD}{CLUSTER}  nodePools:\n    eks: {{{POOLS}}}\n")

    assert told.startswith("r.yaml:7:5: cluster 'gpu': nodePools.eks.deadMan: is not decided")
    assert "schedulerRoleArn" in told
    assert "deadMan: off" in told


def test_one_that_stands_in_the_defaults_is_told_of_the_cluster_that_meets_it():
    (told,) = doubts(f"{HEAD}defaults:\n  nodePools:\n    eks: {{{POOLS}}}\n{CLUSTER}")

    assert told.startswith("r.yaml:7:3: cluster 'gpu': nodePools.eks.deadMan")


def test_a_cluster_that_makes_no_pools_need_not_decide():
    assert doubts(HEAD + CLUSTER) == []


def test_both_decisions_leave_no_doubt():
    for decided in ("off", "false", '{schedulerRoleArn: "arn:aws:iam::111122223333:role/dead-man"}'):
        assert doubts(f"{HEAD}{CLUSTER}  nodePools:\n    eks: {{{POOLS}, deadMan: {decided}}}\n") == []


def test_a_wrong_decision_is_told_at_its_own_place():
    text = f"{HEAD}{CLUSTER}  nodePools:\n    eks:\n      {{{POOLS}, deadMan: {{schedulerRoleArn: me}}}}\n"
    _, (problem,) = examine_sources([Source(label="r.yaml", text=text)], Kinds())

    assert (problem.line, problem.field) == (8, "nodePools.eks.deadMan.schedulerRoleArn")


def test_validate_fails_on_a_doubt_and_loading_does_not(tmp_path, capsys):
    path = tmp_path / "r.yaml"
    path.write_text(f"{HEAD}{CLUSTER}  nodePools:\n    eks: {{{POOLS}}}\n")

    code = main(["registry", "validate", str(path)])

    assert code == 1
    assert "nodePools.eks.deadMan: is not decided" in capsys.readouterr().out
    assert list(load_registry(path)) == ["gpu"]
