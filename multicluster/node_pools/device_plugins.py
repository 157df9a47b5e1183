"""Why no device plugin advertises GPUs on a pool's nodes."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from multicluster.node_pools.node_facts import TaintFact

MARKS = ("device-plugin", "deviceplugin", "gpu-operator")
"""Words in the name or image of DaemonSets that advertise devices: NVIDIA's, AMD's, Intel's, and GKE's own."""


@dataclass(frozen=True, kw_only=True)
class DaemonSetFacts:
    """A DaemonSet, reduced to what decides on which nodes it runs."""

    name: str
    """``namespace/name``."""
    images: tuple[str, ...] = ()
    tolerations: tuple[Mapping[str, Any], ...] = ()
    node_selector: tuple[tuple[str, str], ...] = ()

    @classmethod
    def from_object(cls, item: Mapping[str, Any]) -> DaemonSetFacts:
        """Read a DaemonSet as the API's JSON has it."""
        metadata = item.get("metadata") or {}
        pod = ((item.get("spec") or {}).get("template") or {}).get("spec") or {}
        return cls(
            name=f"{metadata.get('namespace', 'default')}/{metadata.get('name', '')}",
            images=tuple(container.get("image") or "" for container in pod.get("containers") or ()),
            tolerations=tuple(pod.get("tolerations") or ()),
            node_selector=tuple((pod.get("nodeSelector") or {}).items()),
        )

    def advertises_devices(self) -> bool:
        """Whether it looks like a device plugin."""
        return any(mark in text for mark in MARKS for text in (self.name, *self.images))

    def tolerates(self, taint: TaintFact) -> bool:
        """Whether its pods tolerate a taint, by the rules of Kubernetes."""
        return any(_covers(toleration, taint) for toleration in self.tolerations)


def diagnose(
    daemon_sets: Iterable[DaemonSetFacts], *, resource: str, taints: Iterable[TaintFact], labels: Mapping[str, str]
) -> str:
    """Say in one sentence what keeps *resource* from being advertised on nodes with these taints and labels."""
    plugins = [one for one in daemon_sets if one.advertises_devices()]
    if not plugins:
        return (
            f"the cluster has no device-plugin DaemonSet, so nothing advertises {resource}: install NVIDIA's "
            "k8s-device-plugin (EKS's AL2023 images do not bring it)"
        )
    refusals = [_refusal(plugin, list(taints), labels) for plugin in plugins]
    if all(refusals):
        return "; ".join(refusals)
    able = next(plugin.name for plugin, refusal in zip(plugins, refusals, strict=True) if not refusal)
    return f"DaemonSet {able} may run there and has advertised no {resource} yet: look at its pod on the node"


def _refusal(plugin: DaemonSetFacts, taints: list[TaintFact], labels: Mapping[str, str]) -> str:
    for key, value in plugin.node_selector:
        if labels.get(key) != value:
            return f"DaemonSet {plugin.name} runs only on nodes labelled {key}={value}"
    for taint in taints:
        if taint.effect != "PreferNoSchedule" and not plugin.tolerates(taint):
            return f"DaemonSet {plugin.name} does not tolerate the taint {taint}, so it never runs on these nodes"
    return ""


def _covers(toleration: Mapping[str, Any], taint: TaintFact) -> bool:
    if (toleration.get("effect") or taint.effect) != taint.effect:
        return False
    key = toleration.get("key") or ""
    if toleration.get("operator") == "Exists":
        return key in {"", taint.key}
    return key == taint.key and (toleration.get("value") or "") == taint.value
