"""Shape a pod by the cluster's pod profile and the node pool it goes to."""

from __future__ import annotations

import copy
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from airflow.providers.cncf.kubernetes.pod_generator import PodGenerator
from kubernetes.client import models as k8s

from airflow_multicluster.operators.reattach import deployment_labels

if TYPE_CHECKING:
    from airflow_multicluster.operators.pod import ClusterPodOperator
    from multicluster import Cluster, NodePoolProfile

CLUSTER_LABEL = "airflow-multicluster/cluster"
UNDISTURBED = {"karpenter.sh/do-not-disrupt": "true", "cluster-autoscaler.kubernetes.io/safe-to-evict": "false"}
"""Keep consolidation from ending a pod that holds GPUs; the bracket ends the nodes."""
_NOTHING = k8s.V1Pod()
"""What the stock operator merges its parameters into where there is no template; it copies each part that it merges."""
_SHAPED = (
    "pod_template_file",
    "pod_template_dict",
    "full_pod_spec",
    "labels",
    "annotations",
    "service_account_name",
    "image_pull_secrets",
    "node_selector",
    "tolerations",
    "container_resources",
)


@contextmanager
def shaped(operator: ClusterPodOperator, cluster: Cluster) -> Iterator[None]:
    """Let the operator's attributes, while its pod is built, say also what registry and node pool say.

    The order of the stock operator holds: profile of the registry, then template, then full pod spec, then the
    task's own parameters; the pool's selector and tolerations are added to whatever results.
    """
    kept = {name: getattr(operator, name) for name in _SHAPED}
    try:
        template = _template(operator, cluster)
        operator.pod_template_file = operator.pod_template_dict = None
        operator.full_pod_spec = template or _NOTHING
        if template is None:
            _take_profile(operator, cluster)
        operator.labels = {CLUSTER_LABEL: cluster.name, **deployment_labels(), **operator.labels}
        if operator.node_pool is not None:
            _move_to_pool(operator, cluster, template.spec if template else None)
        yield
    finally:
        for name, value in kept.items():
            setattr(operator, name, value)


def _take_profile(operator: ClusterPodOperator, cluster: Cluster) -> None:
    """Let the profile speak where the task says nothing. Its namespace is the hook's, which is asked last anyway."""
    operator.service_account_name = operator.service_account_name or cluster.pods.service_account_name
    operator.image_pull_secrets = operator.image_pull_secrets or _pull_secrets(cluster)
    if operator.node_pool is not None:
        operator.annotations = UNDISTURBED | (operator.annotations or {})


def _template(operator: ClusterPodOperator, cluster: Cluster) -> k8s.V1Pod | None:
    """Return the profile as a pod with template and full pod spec merged into it; None where there are neither."""
    if not (operator.pod_template_file or operator.pod_template_dict or operator.full_pod_spec):
        return None
    pod = _profile_pod(operator, cluster)
    if operator.pod_template_file:
        pod = PodGenerator.reconcile_pods(pod, PodGenerator.deserialize_model_file(operator.pod_template_file))
    elif operator.pod_template_dict:
        pod = PodGenerator.reconcile_pods(pod, PodGenerator.deserialize_model_dict(operator.pod_template_dict))
    if operator.full_pod_spec:
        pod = PodGenerator.reconcile_pods(pod, operator.full_pod_spec)
    return pod


def _profile_pod(operator: ClusterPodOperator, cluster: Cluster) -> k8s.V1Pod:
    profile = cluster.pods
    annotations = dict(UNDISTURBED) if operator.node_pool is not None else None
    return k8s.V1Pod(
        metadata=k8s.V1ObjectMeta(namespace=profile.namespace, annotations=annotations),
        spec=k8s.V1PodSpec(
            containers=[],
            service_account_name=profile.service_account_name,
            image_pull_secrets=_pull_secrets(cluster) or None,
        ),
    )


def _pull_secrets(cluster: Cluster) -> list[k8s.V1LocalObjectReference]:
    return [k8s.V1LocalObjectReference(name=name) for name in cluster.pods.image_pull_secrets or ()]


def _move_to_pool(operator: ClusterPodOperator, cluster: Cluster, template: k8s.V1PodSpec | None) -> None:
    pool: Mapping[str, str] = operator.node_pool  # type: ignore[assignment]  # a template field; rendered by now
    base = template or k8s.V1PodSpec(containers=[])
    profile = cluster.profile(pool["profile"])
    key, value = cluster.node_selector(pool["name"])
    operator.node_selector = {**(operator.node_selector or base.node_selector or {}), key: value}
    operator.tolerations = [*(operator.tolerations or base.tolerations or []), *_tolerations(profile)]
    if profile.gpu:
        theirs = base.containers[0].resources if base.containers else None  # the stock merge goes by position
        operator.container_resources = _with_gpu(operator.container_resources or theirs, profile.gpu.resource)


def _tolerations(profile: NodePoolProfile) -> list[k8s.V1Toleration]:
    taints = profile.effective_taints()
    return [k8s.V1Toleration(key=t.key, operator="Equal", value=t.value, effect=t.effect) for t in taints]


def _with_gpu(wanted: Any, resource: str) -> k8s.V1ResourceRequirements:
    """Return *wanted* with a limit of *resource*: as many as it requests, one where it says nothing.

    An API server refuses a request of an extended resource without a limit.
    """
    resources = copy.deepcopy(wanted) or k8s.V1ResourceRequirements()
    if isinstance(resources, Mapping):
        resources = k8s.V1ResourceRequirements(**resources)
    asked = (resources.requests or {}).get(resource, "1")
    resources.limits = {resource: asked, **(resources.limits or {})}
    return resources
