"""Parameters that show in the pod: what is given, and what stands in the pod that was made."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from airflow.providers.cncf.kubernetes.secret import Secret
from kubernetes.client import models as k8s

LINUX = k8s.V1NodeSelectorRequirement(key="kubernetes.io/os", operator="In", values=["linux"])
AFFINITY = k8s.V1Affinity(
    node_affinity=k8s.V1NodeAffinity(
        required_during_scheduling_ignored_during_execution=k8s.V1NodeSelector(
            node_selector_terms=[k8s.V1NodeSelectorTerm(match_expressions=[LINUX])]
        )
    )
)
SCRATCH = k8s.V1Volume(name="scratch", empty_dir=k8s.V1EmptyDirVolumeSource())
MOUNT = k8s.V1VolumeMount(name="scratch", mount_path="/scratch")
INIT = k8s.V1Container(name="prepare", image="busybox:1.37", command=["sh", "-c", "echo prepared"])
TEMPLATE = """
metadata: {annotations: {of: template}}
spec: {containers: [{name: base, image: "busybox:1.35"}], hostname: of-template}
"""


@dataclass(frozen=True)
class InPod:
    """One case: parameters, where their effect stands in the pod (``base.`` is its base container), and what stands."""

    given: Mapping[str, Any]
    path: str
    expected: Any

    def found(self, pod: Mapping[str, Any]) -> Any:
        """Return what stands there."""
        container = next(one for one in pod["spec"]["containers"] if one["name"] != "airflow-xcom-sidecar")
        value: Any = {**pod, "base": container}
        for step in self.path.split("."):
            value = value[int(step)] if step.isdigit() else value.get(step)
        return value


def holds(found: Any, expected: Any) -> bool:
    """Whether all that is expected was found; maps and lists may hold more, as a server adds defaults."""
    if isinstance(expected, dict):
        return isinstance(found, dict) and all(holds(found.get(name), value) for name, value in expected.items())
    if isinstance(expected, list):
        return isinstance(found, list) and all(any(holds(one, value) for one in found) for value in expected)
    return bool(found == expected)


def resources() -> k8s.V1ResourceRequirements:
    """Return resources that both of the room's nodes have."""
    return k8s.V1ResourceRequirements(requests={"cpu": "100m"}, limits={"cpu": "200m"})


IN_POD: dict[str, InPod] = {
    "namespace": InPod({"namespace": "team"}, "metadata.namespace", "team"),
    "image": InPod({"image": "busybox:1.36"}, "base.image", "busybox:1.36"),
    "name": InPod({"name": "Trainer", "random_name_suffix": False}, "metadata.name", "trainer"),
    "random_name_suffix": InPod({"name": "fixed", "random_name_suffix": False}, "metadata.name", "fixed"),
    "cmds": InPod({"cmds": ["echo", "x"]}, "base.command", ["echo", "x"]),
    "arguments": InPod({"cmds": ["echo"], "arguments": ["a", "b"]}, "base.args", ["a", "b"]),
    "ports": InPod({"ports": [k8s.V1ContainerPort(container_port=8080)]}, "base.ports", [{"containerPort": 8080}]),
    "volume_mounts": InPod(
        {"volumes": [SCRATCH], "volume_mounts": [MOUNT]}, "base.volumeMounts", [{"mountPath": "/scratch"}]
    ),
    "volumes": InPod({"volumes": [SCRATCH]}, "spec.volumes", [{"name": "scratch", "emptyDir": {}}]),
    "env_vars": InPod({"env_vars": {"EPOCHS": "3"}}, "base.env", [{"name": "EPOCHS", "value": "3"}]),
    "env_from": InPod(
        {"env_from": [k8s.V1EnvFromSource(config_map_ref=k8s.V1ConfigMapEnvSource(name="settings"))]},
        "base.envFrom",
        [{"configMapRef": {"name": "settings"}}],
    ),
    "secrets": InPod(
        {"secrets": [Secret("env", "USER", "keys", "user")]},
        "base.env",
        [{"name": "USER", "valueFrom": {"secretKeyRef": {"name": "keys", "key": "user"}}}],
    ),
    "configmaps": InPod({"configmaps": ["settings"]}, "base.envFrom", [{"configMapRef": {"name": "settings"}}]),
    "labels": InPod({"labels": {"team": "ml"}}, "metadata.labels", {"team": "ml"}),
    "annotations": InPod({"annotations": {"note": "x"}}, "metadata.annotations", {"note": "x"}),
    "image_pull_policy": InPod({"image_pull_policy": "Always"}, "base.imagePullPolicy", "Always"),
    "container_resources": InPod(
        {"container_resources": resources()}, "base.resources", {"requests": {"cpu": "100m"}, "limits": {"cpu": "200m"}}
    ),
    "affinity": InPod(
        {"affinity": AFFINITY},
        "spec.affinity.nodeAffinity.requiredDuringSchedulingIgnoredDuringExecution.nodeSelectorTerms",
        [{"matchExpressions": [{"key": "kubernetes.io/os"}]}],
    ),
    "node_selector": InPod(
        {"node_selector": {"kubernetes.io/os": "linux"}}, "spec.nodeSelector", {"kubernetes.io/os": "linux"}
    ),
    "tolerations": InPod(
        {"tolerations": [k8s.V1Toleration(key="own", operator="Exists")]},
        "spec.tolerations",
        [{"key": "own", "operator": "Exists"}],
    ),
    "image_pull_secrets": InPod(
        {"image_pull_secrets": [k8s.V1LocalObjectReference(name="registry-key")]},
        "spec.imagePullSecrets",
        [{"name": "registry-key"}],
    ),
    "service_account_name": InPod({"service_account_name": "trainer"}, "spec.serviceAccountName", "trainer"),
    "automount_service_account_token": InPod(
        {"automount_service_account_token": False}, "spec.automountServiceAccountToken", expected=False
    ),
    "hostnetwork": InPod({"hostnetwork": True}, "spec.hostNetwork", expected=True),
    "host_aliases": InPod(
        {"host_aliases": [k8s.V1HostAlias(ip="10.0.0.1", hostnames=["db"])]},
        "spec.hostAliases",
        [{"ip": "10.0.0.1", "hostnames": ["db"]}],
    ),
    "security_context": InPod(
        {"security_context": k8s.V1PodSecurityContext(run_as_user=0, fs_group=7)}, "spec.securityContext.fsGroup", 7
    ),
    "container_security_context": InPod(
        {"container_security_context": k8s.V1SecurityContext(allow_privilege_escalation=False)},
        "base.securityContext.allowPrivilegeEscalation",
        expected=False,
    ),
    "xcom_sidecar_container_security_context": InPod(
        {"do_xcom_push": True, "xcom_sidecar_container_security_context": {"runAsUser": 7}},
        "spec.containers",
        [{"name": "airflow-xcom-sidecar", "securityContext": {"runAsUser": 7}}],
    ),
    "do_xcom_push": InPod({"do_xcom_push": True}, "spec.containers", [{"name": "airflow-xcom-sidecar"}]),
    "dnspolicy": InPod({"dnspolicy": "Default"}, "spec.dnsPolicy", "Default"),
    "dns_config": InPod(
        {"dns_config": k8s.V1PodDNSConfig(searches=["svc.example"])}, "spec.dnsConfig.searches", ["svc.example"]
    ),
    "hostname": InPod({"hostname": "worker-0"}, "spec.hostname", "worker-0"),
    "subdomain": InPod({"subdomain": "training"}, "spec.subdomain", "training"),
    "full_pod_spec": InPod(
        {"full_pod_spec": k8s.V1Pod(spec=k8s.V1PodSpec(containers=[], hostname="of-full"))}, "spec.hostname", "of-full"
    ),
    "init_containers": InPod({"init_containers": [INIT]}, "spec.initContainers", [{"name": "prepare"}]),
    "pod_template_dict": InPod(
        {"pod_template_dict": {"spec": {"containers": [], "hostname": "of-template"}}}, "spec.hostname", "of-template"
    ),
    "pod_template_file": InPod({"pod_template_file": TEMPLATE}, "metadata.annotations", {"of": "template"}),
    "priority_class_name": InPod({"priority_class_name": "urgent"}, "spec.priority", 7),
    "pod_runtime_info_envs": InPod(
        {
            "pod_runtime_info_envs": [
                k8s.V1EnvVar(
                    name="POD",
                    value_from=k8s.V1EnvVarSource(field_ref=k8s.V1ObjectFieldSelector(field_path="metadata.name")),
                )
            ]
        },
        "base.env",
        [{"name": "POD", "valueFrom": {"fieldRef": {"fieldPath": "metadata.name"}}}],
    ),
    "termination_grace_period": InPod({"termination_grace_period": 7}, "spec.terminationGracePeriodSeconds", 7),
    "termination_message_policy": InPod(
        {"termination_message_policy": "FallbackToLogsOnError"},
        "base.terminationMessagePolicy",
        "FallbackToLogsOnError",
    ),
    "active_deadline_seconds": InPod({"active_deadline_seconds": 600}, "spec.activeDeadlineSeconds", 600),
    "base_container_name": InPod({"base_container_name": "main"}, "base.name", "main"),
}
"""By parameter of the stock operator. Every one of these pods runs to its end."""
