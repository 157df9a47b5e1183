"""What a node is told: who sets which label, which pods' addresses are its own, how it is named."""

from __future__ import annotations

import ipaddress
import itertools

import pytest

from testbed import kubelet, names, network, node
from testbed.claims import Claim
from testbed.errors import LauncherError
from testbed.home import Home
from testbed.state import State


@pytest.mark.parametrize(
    ("label", "own"),
    [
        ("pool", True),
        ("eks.amazonaws.com/nodegroup", True),
        ("cloud.google.com/gke-nodepool", True),
        ("topology.kubernetes.io/zone", True),
        ("node.kubernetes.io/instance-type", True),
        ("sub.node.kubernetes.io/x", True),
        ("k8s.io/cloud-provider-aws", False),
        ("node-role.kubernetes.io/gpu", False),
        ("kubernetes.io/role", False),
        ("notkubernetes.io/role", True),
    ],
)
def test_a_kubelet_sets_the_labels_that_it_may(label, own):
    assert kubelet.kubelet_may_set(label) is own


@pytest.mark.parametrize("name", ["", "Upper", "under_score", "-dash", "dash-", "a/b", "..", "a..b", "a.-b", "a" * 64])
def test_a_name_that_is_no_host_name_is_refused(name):
    with pytest.raises(LauncherError, match="no node's name"):
        node.Node(name=name)


@pytest.mark.parametrize("name", ["a", "gpu-1", "ip-10-0-0-1.ec2.internal", "a" * 63])
def test_names_as_clouds_give_them_are_taken(name):
    assert node.Node(name=name).part == f"node/{name}"


def test_a_node_has_no_two_taints_of_one_key_and_effect():
    taints = [kubelet.Taint.parse(text) for text in ("k=v:NoSchedule", "k=w:NoExecute", "k:NoSchedule")]

    assert node.Node(name="n", taints=tuple(taints[:2])).taints == tuple(taints[:2])
    with pytest.raises(LauncherError, match="k:NoSchedule"):
        node.Node(name="n", taints=tuple(taints))


@pytest.mark.parametrize(
    ("text", "good"),
    [
        ("pool", True),
        ("example.com/Pool_1.x", True),
        ("a b", False),
        ("a/b/c", False),
        ("/a", False),
        ("a/", False),
        ("A.com/a", False),
        ("a" * 64, False),
        ("-a", False),
        ("", False),
    ],
)
def test_keys_of_labels_and_taints_are_those_that_kubernetes_takes(text, good):
    assert names.key(text) is good


@pytest.mark.parametrize(("text", "good"), [("", True), ("a.B_c-1", True), ("1,evil=2", False), ("a" * 64, False)])
def test_values_of_labels_and_taints_are_those_that_kubernetes_takes(text, good):
    assert names.value(text) is good


@pytest.mark.parametrize(
    ("text", "good"), [("nvidia.com/gpu", True), ("cpu", False), ("foo", False), ("kubernetes.io/x", False)]
)
def test_only_extended_resources_are_advertised(text, good):
    assert names.resource(text) is good


def test_no_two_nodes_give_out_the_same_address(tmp_path):
    ranges = [pods(tmp_path, index) for index in (node.INDEXES[0], node.INDEXES[1], node.INDEXES[-1])]

    for (_, end), (start, _) in itertools.pairwise(ranges):
        assert end < start
    services = ipaddress.IPv4Network(example(tmp_path).service_network)
    assert ranges[-1][1] < services.network_address
    assert ipaddress.ip_address("10.200.0.1") < ranges[0][0]


def example(tmp_path):
    claim = Claim(number=200, api=1, etcd=2, peer=3, registry=4)
    return State(cluster_name="c", kubernetes="v", binaries=tmp_path, claim=claim)


def pods(tmp_path, index):
    plugin = network.plugin_configuration(Home.at(tmp_path), example(tmp_path), index, tmp_path)["plugins"][0]
    (own,) = plugin["ipam"]["ranges"][0]
    return ipaddress.ip_address(own["rangeStart"]), ipaddress.ip_address(own["rangeEnd"])


def test_a_bridge_changes_no_setting_of_the_machine(tmp_path):
    plugin = network.plugin_configuration(Home.at(tmp_path), example(tmp_path), 1, tmp_path)["plugins"][0]

    assert plugin["isGateway"] is False  # true switches on forwarding between all links of the machine
    assert plugin["ipMasq"] is False  # true adds firewall rules


def test_what_a_device_plugin_says_is_said_of_both(tmp_path):
    assert node.resources({"nvidia.com/gpu": "2"}) == {
        "capacity": {"nvidia.com/gpu": "2"},
        "allocatable": {"nvidia.com/gpu": "2"},
    }
    assert node.resources({}) == {}


@pytest.mark.parametrize(
    ("found", "ready"),
    [
        (None, False),
        ({"status": {}}, False),
        ({"status": {"conditions": [{"type": "Ready", "status": "Unknown"}]}}, False),
        ({"status": {"conditions": [{"type": "DiskPressure", "status": "True"}]}}, False),
        ({"status": {"conditions": [{"type": "Ready", "status": "True"}]}}, True),
    ],
)
def test_a_node_is_ready_when_it_says_so(found, ready):
    assert node.ready(found) is ready
