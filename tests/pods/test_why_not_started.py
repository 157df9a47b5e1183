"""Why a pod has not started is one line that a tired person understands (pain 24)."""

from __future__ import annotations

import copy

import pytest

from multicluster.node_pools.node_facts import NodeFacts, TaintFact
from multicluster.pods.why import Kind, Why
from multicluster.pods.why_not_started import why_not_started

GPU = "nvidia.com/gpu"
TAIL = " no new claims to deallocate, preemption: 0/3 nodes are available: 3 Preemption is not helpful for scheduling."
OLD_TAIL = " preemption: 0/3 nodes are available: 3 Preemption is not helpful for scheduling."
NO_MATCH = "0/3 nodes are available: 3 node(s) didn't match Pod's node affinity/selector." + TAIL
IMAGE = "acme.io/train:2026"
PULL = f'failed to pull and unpack image "{IMAGE}": failed to resolve reference "{IMAGE}": '


def pod(*, unschedulable="", waiting=None, init=None, selector=None, gpus=None, **spec):
    container = {"name": "base", "image": IMAGE, "resources": {"limits": {GPU: gpus}} if gpus else {}}
    status = {"phase": "Pending", "conditions": []}
    if unschedulable:
        status["conditions"] = [
            {"type": "PodScheduled", "status": "False", "reason": "Unschedulable", "message": unschedulable}
        ]
    else:
        spec["nodeName"] = "n1"
    if init:
        status["initContainerStatuses"] = [{"name": "fetch", "image": IMAGE, "state": init}]
    state = {"waiting": waiting or {"reason": "ContainerCreating"}}
    status["containerStatuses"] = [{"name": "base", "image": IMAGE, "state": state}]
    return {
        "metadata": {"name": "fit", "namespace": "team", "uid": "u1"},
        "spec": {"containers": [container], "nodeSelector": selector or {}, **spec},
        "status": status,
    }


def held(reason, message=""):
    return pod(waiting={"reason": reason, "message": message})


def event(reason, message, at="2026-11-21T10:00:00Z", uid="u1"):
    return {"reason": reason, "message": message, "lastTimestamp": at, "involvedObject": {"uid": uid}}


def node(name="n1", *, taints=(), gpus=None, **labels):
    return NodeFacts(name=name, labels=labels, taints=tuple(taints), allocatable={GPU: gpus} if gpus else {})


PRESENT = TaintFact(key=GPU, value="present", effect="NoSchedule")
ON_CONTAINER = {
    "image not there": (
        held("ErrImagePull", f"rpc error: code = NotFound desc = {PULL}{IMAGE}: not found"),
        Kind.IMAGE,
        f"image '{IMAGE}' cannot be pulled: the registry has no such image or tag [container 'base': ErrImagePull: rpc",
    ),
    "image backs off": (
        held("ImagePullBackOff", f'Back-off pulling image "{IMAGE}": ErrImagePull: {PULL}{IMAGE}: not found'),
        Kind.IMAGE,
        f"image '{IMAGE}' cannot be pulled: the registry has no such image or tag [container 'base': ImagePullBackOff",
    ),
    "pull refused": (
        held("ErrImagePull", f"{PULL}pull access denied, repository does not exist or may require authorization"),
        Kind.IMAGE,
        (
            f"image '{IMAGE}' cannot be pulled: it does not exist, or the registry refuses the pull: the pod has no "
            "image_pull_secrets [container 'base'"
        ),
    ),
    "401 with a secret": (
        {
            **(one := held("ErrImagePull", f"{PULL}unexpected status from HEAD request: 401 Unauthorized")),
            "spec": {**one["spec"], "imagePullSecrets": [{"name": "ecr"}]},
        },
        Kind.IMAGE,
        f"image '{IMAGE}' cannot be pulled: the registry refuses the pull: pull secret ecr does not open it [",
    ),
    "too many pulls": (
        held("ErrImagePull", f"{PULL}429 Too Many Requests - toomanyrequests: You have reached your pull rate limit"),
        Kind.IMAGE,
        f"image '{IMAGE}' cannot be pulled: the registry limits pulls; retried [",
    ),
    "registry not reached": (
        held("ErrImagePull", f'{PULL}failed to do request: Head "https://acme.io/v2/": dial tcp: no such host'),
        Kind.IMAGE,
        f"image '{IMAGE}' cannot be pulled: the node does not reach the registry [",
    ),
    "other architecture": (
        held("ErrImagePull", f"{PULL}no match for platform in manifest: not found"),
        Kind.IMAGE,
        f"image '{IMAGE}' cannot be pulled: it has no variant for the node's architecture [",
    ),
    "no detail": (
        held("ImagePullBackOff", f'Back-off pulling image "{IMAGE}"'),
        Kind.IMAGE,
        f"image '{IMAGE}' cannot be pulled [container 'base': ImagePullBackOff: Back-off pulling image",
    ),
    "no name": (
        held("InvalidImageName", "couldn't parse image name"),
        Kind.IMAGE,
        f"image '{IMAGE}' cannot be used: that is no valid image name [",
    ),
    "never pulled": (
        held("ErrImageNeverPull", f'Container image "{IMAGE}" is not present with pull policy of Never'),
        Kind.IMAGE,
        f"image '{IMAGE}' cannot be used: it is not on the node, and imagePullPolicy is Never [",
    ),
    "configmap": (
        held("CreateContainerConfigError", 'configmap "absent" not found'),
        Kind.CONFIG,
        (
            "container 'base' cannot be configured: configmap \"absent\" not found [container 'base': "
            "CreateContainerConfigError]"
        ),
    ),
    "key of a secret": (
        held("CreateContainerConfigError", "couldn't find key absent in Secret team/there"),
        Kind.CONFIG,
        "container 'base' cannot be configured: couldn't find key absent in Secret team/there [",
    ),
    "root": (
        held("CreateContainerConfigError", "container has runAsNonRoot and image will run as root"),
        Kind.CONTAINER,
        "container 'base' cannot be configured: container has runAsNonRoot and image will run as root [",
    ),
    "runtime": (
        held("CreateContainerError", "context deadline exceeded"),
        Kind.CONTAINER,
        "container 'base' cannot be started: context deadline exceeded [container 'base': CreateContainerError",
    ),
    "init container": (
        pod(init={"waiting": {"reason": "ImagePullBackOff", "message": f"{PULL}not found"}}),
        Kind.IMAGE,
        f"image '{IMAGE}' cannot be pulled: the registry has no such image or tag [init container 'fetch'",
    ),
    "init container runs": (
        pod(init={"running": {}}, waiting={"reason": "PodInitializing"}),
        Kind.BUSY,
        "init container 'fetch' is still running [status of init container 'fetch']",
    ),
}
SCHEDULING = {
    "selector": (
        pod(unschedulable=NO_MATCH, selector={"gpu": "a100", "zone": "a"}),
        [node(gpu="l4", zone="a")],
        Kind.NODES,
        "none of the cluster's 3 nodes has the label gpu=a100 (node selector) [event FailedScheduling: 0/3 nodes",
    ),
    "selector, nodes unknown": (
        pod(unschedulable=NO_MATCH, selector={"gpu": "a100"}),
        None,
        Kind.NODES,
        "none of the cluster's 3 nodes matches gpu=a100 (node selector and affinity) [",
    ),
    "affinity": (
        pod(
            unschedulable=NO_MATCH,
            affinity={
                "nodeAffinity": {
                    "requiredDuringSchedulingIgnoredDuringExecution": {
                        "nodeSelectorTerms": [
                            {"matchExpressions": [{"key": "pool", "operator": "In", "values": ["a", "b"]}]}
                        ]
                    }
                }
            },
        ),
        [node()],
        Kind.NODES,
        "none of the cluster's 3 nodes matches pool In a/b (node selector and affinity) [",
    ),
    "taint": (
        pod(
            unschedulable="0/3 nodes are available: 1 node(s) had untolerated taint(s), 2 node(s) didn't match Pod's "
            "node affinity/selector." + TAIL,
            selector={"gpu": "l4"},
        ),
        [node(gpu="l4", taints=[PRESENT]), node("n2"), node("n3")],
        Kind.NODES,
        f"no node takes the pod: it does not tolerate the taint {GPU}=present:NoSchedule (tolerations) [",
    ),
    "taint, nodes unknown": (
        pod(unschedulable=f"0/3 nodes are available: 3 node(s) had untolerated taint {{{GPU}: present}}." + OLD_TAIL),
        None,
        Kind.NODES,
        f"no node takes the pod: of 3 nodes: 3 had untolerated taint {{{GPU}: present}} [",
    ),
    "cpu": (
        pod(unschedulable="0/3 nodes are available: 3 Insufficient cpu." + TAIL),
        [node()],
        Kind.RESOURCES,
        "no node has room for what the pod asks for (cpu); of 3 nodes: 3 Insufficient cpu [",
    ),
    "gpu not advertised": (
        pod(unschedulable=f"0/3 nodes are available: 3 Insufficient {GPU}." + TAIL, gpus="1"),
        [node(), node("n2", gpus="0"), node("n3")],
        Kind.GPU,
        f"no node advertises {GPU}: 0 allocatable on the 3 of 3 nodes that the pod's node selector allows (has the",
    ),
    "gpu not advertised on the pool": (
        pod(
            unschedulable=f"0/3 nodes are available: 1 Insufficient {GPU}, 2 node(s) didn't match Pod's node "
            "affinity/selector." + TAIL,
            gpus="1",
            selector={"pool": "mine"},
        ),
        [node(pool="mine"), node("n2", gpus="8"), node("n3", gpus="8")],
        Kind.GPU,
        f"no node advertises {GPU}: 0 allocatable on the 1 of 3 nodes that the pod's node selector allows (has the",
    ),
    "gpu taken": (
        pod(unschedulable=f"0/3 nodes are available: 3 Insufficient {GPU}." + TAIL, gpus="4"),
        [node(gpus="8"), node("n2", gpus="2"), node("n3")],
        Kind.RESOURCES,
        f"no {GPU} is free: the pod asks for 4; nodes offer 2, 8 in all [",
    ),
    "gpu, nodes unknown": (
        pod(unschedulable=f"0/3 nodes are available: 3 Insufficient {GPU}." + TAIL, gpus="4"),
        None,
        Kind.RESOURCES,
        f"no node has room for what the pod asks for ({GPU} 4); of 3 nodes: 3 Insufficient {GPU} [",
    ),
    "no nodes": (
        pod(unschedulable="no nodes available to schedule pods"),
        [],
        Kind.NODES,
        "no node takes the pod: the cluster has no nodes [event FailedScheduling: no nodes available",
    ),
    "cordoned": (
        pod(unschedulable="0/3 nodes are available: 3 node(s) were unschedulable." + TAIL),
        [node()],
        Kind.NODES,
        "no node takes the pod: of 3 nodes: 3 were unschedulable [",
    ),
    "no claim": (
        pod(unschedulable='0/3 nodes are available: persistentvolumeclaim "data" not found.' + OLD_TAIL),
        [node()],
        Kind.VOLUME,
        'no node can have the pod\'s volumes: persistentvolumeclaim "data" not found [',
    ),
    "unbound claim": (
        pod(unschedulable="0/3 nodes are available: pod has unbound immediate PersistentVolumeClaims." + OLD_TAIL),
        [node()],
        Kind.VOLUME,
        "no node can have the pod's volumes: pod has unbound immediate PersistentVolumeClaims [",
    ),
    "claim, without counts": (
        pod(unschedulable='persistentvolumeclaim "data" not found'),
        [node()],
        Kind.VOLUME,
        'no node takes the pod: persistentvolumeclaim "data" not found [',
    ),
    "volume of another zone": (
        pod(unschedulable="0/3 nodes are available: 3 node(s) had volume node affinity conflict." + TAIL),
        [node()],
        Kind.VOLUME,
        "no node can have the pod's volumes: 3 node(s) had volume node affinity conflict [",
    ),
    "neighbours": (
        pod(unschedulable="0/3 nodes are available: 3 node(s) didn't match pod anti-affinity rules." + TAIL),
        [node()],
        Kind.NODES,
        "no node takes the pod: of 3 nodes: 3 didn't match pod anti-affinity rules [",
    ),
}
EVENTS = {
    "configmap volume": (
        event("FailedMount", 'MountVolume.SetUp failed for volume "v" : configmap "absent" not found'),
        Kind.CONFIG,
        "volume 'v' cannot be mounted: configmap \"absent\" not found [event FailedMount: MountVolume.SetUp failed",
    ),
    "mount": (
        event("FailedMount", "Unable to attach or mount volumes: unmounted volumes=[data], unattached volumes=[]"),
        Kind.VOLUME,
        "volume 'data' cannot be mounted: Unable to attach or mount volumes",
    ),
    "attach": (
        event("FailedAttachVolume", 'Multi-Attach error for volume "pvc-1" Volume is already used by pod(s) other'),
        Kind.VOLUME,
        "volume 'pvc-1' cannot be mounted: Multi-Attach error",
    ),
    "network": (
        event("FailedCreatePodSandBox", "Failed to create pod sandbox: plugin type=aws-cni: add cmd: failed to assign"),
        Kind.SANDBOX,
        "node n1 cannot set up the pod: Failed to create pod sandbox: plugin type=aws-cni",
    ),
    "pulling": (
        event("Pulling", f'Pulling image "{IMAGE}"'),
        Kind.BUSY,
        "node n1 is still pulling an image [event Pulling: Pulling image",
    ),
}


@pytest.mark.parametrize("case", ON_CONTAINER)
def test_pain_24_what_holds_a_container_back_is_said(case):
    document, kind, words = ON_CONTAINER[case]

    found = why_not_started(document)

    assert (found.kind, str(found)[: len(words)]) == (kind, words)
    assert "\n" not in str(found)


@pytest.mark.parametrize("case", SCHEDULING)
def test_pain_24_what_no_node_has_is_said(case):
    document, nodes, kind, words = SCHEDULING[case]

    found = why_not_started(document, nodes=nodes)

    assert (found.kind, str(found)[: len(words)]) == (kind, words)


@pytest.mark.parametrize("case", EVENTS)
def test_pain_24_what_only_events_tell_is_said(case):
    told, kind, words = EVENTS[case]
    earlier = event("Scheduled", "Successfully assigned team/fit to n1", at="2026-11-21T09:00:00Z")

    found = why_not_started(pod(), events=[told, earlier])

    assert (found.kind, str(found)[: len(words)]) == (kind, words)


def test_pain_24_a_pull_secret_that_is_missing_is_named():
    refused = held("ErrImagePull", f"{PULL}401 Unauthorized")
    missing = event(
        "FailedToRetrieveImagePullSecret",
        "Unable to retrieve some image pull secrets (ecr); attempting to pull the image may not succeed.",
    )

    assert "pull secret ecr is missing in namespace 'team'" in str(why_not_started(refused, events=[missing]))


def test_pain_24_a_pull_secret_that_is_missing_is_named_also_where_the_registry_hides_what_it_has():
    hidden = held("ErrImagePull", f"{PULL}{IMAGE}: not found")
    missing = event("FailedToRetrieveImagePullSecret", "Unable to retrieve some image pull secrets (ecr); attempting")

    assert why_not_started(hidden, events=[missing]).text == (
        f"image '{IMAGE}' cannot be pulled: the registry has no such image or tag; "
        "pull secret ecr is missing in namespace 'team'"
    )


def test_pain_24_an_event_says_what_an_older_kubelets_status_does_not():
    told = event("Failed", f'Failed to pull image "{IMAGE}": {PULL}{IMAGE}: not found')

    found = why_not_started(held("ImagePullBackOff", f'Back-off pulling image "{IMAGE}"'), events=[told])

    assert found.text == f"image '{IMAGE}' cannot be pulled: the registry has no such image or tag"


def test_pain_10_the_clouds_words_are_said_of_a_pod_whose_pool_has_no_machines():
    cloud = ["InsufficientInstanceCapacity: We currently do not have sufficient g6.xlarge capacity"]

    found = why_not_started(pod(unschedulable=NO_MATCH, selector={"pool": "mine"}), nodes=[], cloud=cloud)

    assert found.kind is Kind.CAPACITY
    assert found.text == f"the cloud has no machine for the pod's node pool: {cloud[0]}"


def test_a_trouble_that_is_over_is_not_told():
    mount = event("FailedMount", 'MountVolume.SetUp failed for volume "v" : configmap "late" not found')
    pulled = event("Pulled", "Successfully pulled image", at="2026-11-21T10:00:09Z")

    assert why_not_started(pod(), events=[pulled, mount]) is None
    assert why_not_started(pod(), events=[event("FailedMount", "of an earlier pod", uid="u0")]) is None


@pytest.mark.parametrize("phase", ["Running", "Succeeded", "Failed"])
def test_a_pod_that_has_started_has_no_why(phase):
    started = copy.deepcopy(ON_CONTAINER["configmap"][0])
    started["status"]["phase"] = phase

    assert why_not_started(started) is None


def test_nothing_is_guessed_of_a_pod_of_which_nothing_is_told():
    fresh = pod()
    del fresh["spec"]["nodeName"]

    assert why_not_started(fresh) is None
    assert why_not_started({}) is None


def test_a_gate_is_named():
    gated = pod(unschedulable="Scheduling is blocked due to non-empty scheduling gates")
    gated["status"]["conditions"][0]["reason"] = "SchedulingGated"
    gated["spec"]["schedulingGates"] = [{"name": "kueue.x-k8s.io/admission"}]

    assert str(why_not_started(gated)).startswith(
        "waits for its scheduling gates to be opened: kueue.x-k8s.io/admission"
    )


def test_other_numbers_are_no_news():
    one, other, third = (
        Why(kind=kind, text=f"of {count} nodes: {count} were unschedulable", source=str(count))
        for kind, count in ((Kind.NODES, 3), (Kind.NODES, 12), (Kind.VOLUME, 3))
    )

    assert one.same == other.same
    assert one.same != third.same
