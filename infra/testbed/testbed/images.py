"""Container images without a registry on the net: one static busybox under the names that tests ask for."""

from __future__ import annotations

import hashlib
import io
import json
import os
import platform
import subprocess
import tarfile
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from testbed.home import CACHE
from testbed.sealed import seal, whole

BUSYBOX = Path("/bin/busybox")
PAUSE = "registry.k8s.io/pause:3.10"
NAMES = tuple(
    f"docker.io/library/{name}"
    for name in ("busybox:1.36", "busybox:1.37", "busybox:latest", "alpine:latest", "alpine:3.24.2")
)
"""The last one is the XCom sidecar of the stock KubernetesPodOperator 10.25."""
FOLDERS = ("bin", "etc", "home", "root", "run", "usr", "usr/bin", "var", "var/log")
ACCOUNTS = {
    "etc/passwd": "root:x:0:0:root:/root:/bin/sh\nnobody:x:65534:65534:nobody:/:/bin/sh\n",
    "etc/group": "root:x:0:\nnobody:x:65534:\n",
}
ARCHITECTURES = {"x86_64": "amd64", "aarch64": "arm64"}
MANIFEST = "application/vnd.oci.image.manifest.v1+json"
CONFIGURATION = "application/vnd.oci.image.config.v1+json"
LAYER = "application/vnd.oci.image.layer.v1.tar"


def archive(cache: Path = CACHE, busybox: Path = BUSYBOX) -> Path:
    """Give the archive of all images, packed once for each version of busybox and of this file."""
    digest = hashlib.sha256(busybox.read_bytes() + Path(__file__).read_bytes()).hexdigest()[:12]
    path = cache / f"images-{digest}.tar"
    if not whole(path):
        cache.mkdir(parents=True, exist_ok=True)
        new = path.with_suffix(f".new-{os.getpid()}")
        new.write_bytes(pack(busybox))
        new.rename(path)
        seal(path)
    return path


@dataclass(frozen=True, kw_only=True)
class Layout:
    """An OCI image layout under construction: content under its digest, and an index of names."""

    files: dict[str, bytes] = field(default_factory=dict)
    index: list[dict[str, Any]] = field(default_factory=list)

    def add(self, media_type: str, data: bytes) -> dict[str, Any]:
        """Keep *data*, and give its descriptor."""
        digest = hashlib.sha256(data).hexdigest()
        self.files[f"blobs/sha256/{digest}"] = data
        return {"mediaType": media_type, "digest": f"sha256:{digest}", "size": len(data)}

    def name(self, name: str, manifest: Mapping[str, Any]) -> None:
        """Give a manifest a name, as containerd's import reads it."""
        self.index.append({**manifest, "annotations": {"io.containerd.image.name": name}})


def pack(busybox: Path) -> bytes:
    """Give the archive: an OCI image layout of both images, which share their one layer."""
    layout = Layout()
    layer = root_layer(busybox)
    stored = layout.add(LAYER, layer)
    for names, command in ((NAMES, ["sh"]), ((PAUSE,), ["/bin/sleep", "2147483647"])):
        config = layout.add(CONFIGURATION, configuration(hashlib.sha256(layer).hexdigest(), command))
        content = {"schemaVersion": 2, "mediaType": MANIFEST, "config": config, "layers": [stored]}
        manifest = layout.add(MANIFEST, json.dumps(content).encode())
        for name in names:
            layout.name(name, manifest)
    layout.files["oci-layout"] = b'{"imageLayoutVersion": "1.0.0"}'
    layout.files["index.json"] = json.dumps({"schemaVersion": 2, "manifests": layout.index}).encode()
    return tar(layout.files, {}, ())


def configuration(layer: str, command: list[str]) -> bytes:
    """Give an image's configuration: what it runs unless told otherwise, as root."""
    document = {
        "architecture": ARCHITECTURES.get(platform.machine(), platform.machine()),
        "os": "linux",
        "config": {"Env": ["PATH=/bin:/usr/bin"], "Cmd": command},
        "rootfs": {"type": "layers", "diff_ids": [f"sha256:{layer}"]},
    }
    return json.dumps(document).encode()


def root_layer(busybox: Path) -> bytes:
    """Give a root file system: busybox, a link for each of its commands, two accounts and /tmp."""
    listed = subprocess.run([str(busybox), "--list"], capture_output=True, text=True, check=True).stdout.split()
    links = {f"bin/{command}": "busybox" for command in listed if command != "busybox"}
    files = {"bin/busybox": busybox.read_bytes(), **{name: text.encode() for name, text in ACCOUNTS.items()}}
    return tar(files, {**links, "usr/bin/env": "/bin/busybox", "var/run": "../run"}, FOLDERS)


def tar(files: Mapping[str, bytes], links: Mapping[str, str], folders: tuple[str, ...]) -> bytes:
    """Pack a tar file that is the same bytes each time."""
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as packed:
        for name in folders:
            packed.addfile(member(name, tarfile.DIRTYPE, 0o755))
        if folders:
            packed.addfile(member("tmp", tarfile.DIRTYPE, 0o1777))
        for name, data in files.items():
            info = member(name, tarfile.REGTYPE, 0o755 if name.startswith("bin/") else 0o644)
            info.size = len(data)
            packed.addfile(info, io.BytesIO(data))
        for name, target in links.items():
            info = member(name, tarfile.SYMTYPE, 0o777)
            info.linkname = target
            packed.addfile(info)
    return buffer.getvalue()


def member(name: str, kind: bytes, mode: int) -> tarfile.TarInfo:
    """Begin an entry of a tar file; it belongs to root and is as old as time."""
    info = tarfile.TarInfo(name)
    info.type, info.mode = kind, mode
    return info
