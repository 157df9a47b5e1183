"""The kubelet's configuration and command line on a node."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from testbed import containerd, names
from testbed.errors import LauncherError
from testbed.home import Home
from testbed.machine import PLACE

EFFECTS = ("NoSchedule", "PreferNoSchedule", "NoExecute")
OF_KUBELETS = ("kubelet.kubernetes.io", "node.kubernetes.io")
ALLOWED = frozenset(
    {
        "kubernetes.io/hostname", "kubernetes.io/os", "kubernetes.io/arch",
        "topology.kubernetes.io/region", "topology.kubernetes.io/zone",
        "failure-domain.beta.kubernetes.io/region", "failure-domain.beta.kubernetes.io/zone",
        "beta.kubernetes.io/instance-type", "beta.kubernetes.io/os", "beta.kubernetes.io/arch",
    }
)  # fmt: skip


@dataclass(frozen=True, kw_only=True)
class Taint:
    """A node's taint, as Kubernetes writes it."""

    key: str
    value: str
    effect: str

    @classmethod
    def parse(cls, text: str) -> Taint:
        """Read ``KEY=VALUE:EFFECT`` or ``KEY:EFFECT``."""
        name, _, effect = text.rpartition(":")
        key, _, value = name.partition("=")
        if not names.key(key) or not names.value(value) or effect not in EFFECTS:
            raise LauncherError(f"{text!r} is no taint; write KEY=VALUE:EFFECT, EFFECT one of {', '.join(EFFECTS)}")
        return cls(key=key, value=value, effect=effect)


def kubelet_may_set(label: str) -> bool:
    """Say whether a kubelet may give itself this label (KEP 279); the cloud's controller sets the others."""
    domain = label.partition("/")[0] if "/" in label else ""
    reserved = any(domain == own or domain.endswith(f".{own}") for own in ("kubernetes.io", "k8s.io"))
    own = any(domain == one or domain.endswith(f".{one}") for one in OF_KUBELETS)
    return not reserved or own or label in ALLOWED


@dataclass(frozen=True, kw_only=True)
class Served:
    """What a node is called, where its kubelet listens, and where its pods ask for names."""

    name: str
    address: str
    port: int
    dns: str


def configure(home: Home, folder: Path, served: Served, taints: tuple[Taint, ...]) -> None:
    """Write the kubelet's configuration into the node's folder, which is PLACE to the kubelet."""
    (folder / "kubelet.json").write_text(json.dumps(document(home, served, taints), indent=1))
    (folder / "resolv.conf").write_text("# pods of this testbed resolve no names\n")


def document(home: Home, served: Served, taints: tuple[Taint, ...]) -> dict[str, Any]:
    """Give the configuration; what a cluster would not have is said why."""
    return {
        "apiVersion": "kubelet.config.k8s.io/v1beta1",
        "kind": "KubeletConfiguration",
        "address": served.address,
        "port": served.port,
        "healthzPort": 0,
        "authentication": {
            "anonymous": {"enabled": False},
            "webhook": {"enabled": True},
            "x509": {"clientCAFile": f"{PLACE}/ca.crt"},
        },
        "authorization": {"mode": "Webhook"},
        "tlsCertFile": f"{PLACE}/kubelet.crt",
        "tlsPrivateKeyFile": f"{PLACE}/kubelet.key",
        "containerRuntimeEndpoint": f"unix://{containerd.SOCKET}",
        "podLogsDir": f"{PLACE}/pod-logs",
        "clusterDNS": [served.dns],
        "clusterDomain": "cluster.local",
        "resolvConf": f"{PLACE}/resolv.conf",
        "registerWithTaints": [asdict(taint) for taint in taints],
        # Nodes share one machine: no control group, kernel setting or firewall rule of the machine is theirs.
        "cgroupDriver": "cgroupfs",
        "cgroupRoot": f"/{home.cgroup}/{served.name}",
        "enforceNodeAllocatable": [],
        "failCgroupV1": False,
        "failSwapOn": False,
        "makeIPTablesUtilChains": False,
        "featureGates": {"KubeletInUserNamespace": True},
        "evictionHard": {"memory.available": "100Mi", "nodefs.available": "1%", "imagefs.available": "1%"},
        "nodeStatusUpdateFrequency": "4s",
        "serializeImagePulls": False,
    }


def command(binaries: Path, *, name: str, labels: dict[str, str], provider_id: str) -> list[str]:
    """Start the kubelet as on a cloud: the node waits for what the cloud's controller adds."""
    own = ",".join(f"{key}={value}" for key, value in labels.items() if kubelet_may_set(key))
    return [
        str(binaries / "kubelet"),
        f"--config={PLACE}/kubelet.json",
        f"--kubeconfig={PLACE}/kubeconfig.yaml",
        f"--root-dir={PLACE}/kubelet",
        f"--cert-dir={PLACE}",
        f"--hostname-override={name}",
        "--cloud-provider=external",
        *([f"--node-labels={own}"] if own else []),
        *([f"--provider-id={provider_id}"] if provider_id else []),
    ]
