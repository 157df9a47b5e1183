"""containerd's configuration on a node."""

from __future__ import annotations

from pathlib import Path

from testbed import images, mounts
from testbed.machine import PLACE

SOCKET = f"{PLACE}/containerd.sock"
CONFIGURATION = f"""version = 2
root = "{PLACE}/containerd"
state = "/run/containerd"
disabled_plugins = [
  "io.containerd.internal.v1.opt", "io.containerd.snapshotter.v1.aufs", "io.containerd.snapshotter.v1.btrfs",
  "io.containerd.snapshotter.v1.devmapper", "io.containerd.snapshotter.v1.zfs",
]
[grpc]
address = "{SOCKET}"
[plugins."io.containerd.grpc.v1.cri"]
sandbox_image = "{images.PAUSE}"
restrict_oom_score_adj = true
disable_apparmor = true
stream_server_address = "127.0.0.1"
stream_server_port = "0"
[plugins."io.containerd.grpc.v1.cri".registry]
config_path = "{PLACE}/registries"
[plugins."io.containerd.grpc.v1.cri".containerd]
snapshotter = "%(snapshotter)s"
[plugins."io.containerd.grpc.v1.cri".containerd.runtimes.runc]
runtime_type = "io.containerd.runc.v2"
[plugins."io.containerd.grpc.v1.cri".containerd.runtimes.runc.options]
SystemdCgroup = false
[plugins."io.containerd.grpc.v1.cri".cni]
bin_dir = "%(plugins)s"
conf_dir = "{PLACE}/cni"
"""
HOSTS = """server = "http://127.0.0.1:%(port)d"
[host."http://127.0.0.1:%(port)d"]
capabilities = ["pull", "resolve"]
"""
"""Both lines are needed: without the second, containerd 1.6 asks the registry that the image's name begins with."""


def configure(folder: Path, plugins: Path, registry: int) -> None:
    """Write containerd's files into the node's folder, which is PLACE to it; *registry* is a port."""
    (folder / "containerd.toml").write_text(CONFIGURATION % {"plugins": plugins, "snapshotter": snapshotter(folder)})
    registries = folder / "registries" / "_default"
    registries.mkdir(parents=True, exist_ok=True)
    (registries / "hosts.toml").write_text(HOSTS % {"port": registry})


def snapshotter(folder: Path) -> str:
    """Name how containers get their files: by overlay mounts, or by copies where *folder* is on an overlay itself."""
    above = [(len(one.place.parts), one.kind) for one in mounts.listed() if folder.is_relative_to(one.place)]
    return "native" if max(above)[1] == "overlay" else "overlayfs"


def command() -> list[str]:
    """Start containerd."""
    return ["containerd", "--config", f"{PLACE}/containerd.toml"]


def client() -> list[str]:
    """Begin a command of containerd's client; Kubernetes keeps its things in the namespace ``k8s.io``."""
    return ["ctr", "--address", SOCKET, "--namespace", "k8s.io"]


def unpack(folder: Path, archive: Path) -> list[str]:
    """Give the rest of the command that loads an archive of images."""
    return ["images", "import", "--snapshotter", snapshotter(folder), str(archive)]
