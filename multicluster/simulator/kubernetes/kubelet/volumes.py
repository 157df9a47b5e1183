"""Volumes of a pod, as folders of this machine."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from multicluster.simulator.kubernetes.documents import Document, namespace_of
from multicluster.simulator.kubernetes.kubelet.downward import field_value, resource_value
from multicluster.simulator.kubernetes.kubelet.node_services import NodeServices
from multicluster.simulator.kubernetes.kubelet.references import MissingReferenceError, entries
from multicluster.simulator.kubernetes.service_accounts import FOLDER as ACCOUNT
from multicluster.simulator.kubernetes.store import Store


@dataclass(frozen=True)
class Mounts:
    """Where a container's mount paths really are. Texts that name a mount path are rewritten to the real one."""

    paths: Mapping[str, Path]
    volumes: Mapping[str, Path] = field(default_factory=dict)

    def rewritten(self, text: str) -> str:
        """Replace each mount path in a text, in one pass, where it stands as a path of its own."""
        if not self.paths:
            return text
        longest_first = sorted(self.paths, key=len, reverse=True)
        pattern = "|".join(re.escape(path) for path in longest_first)
        return re.sub(rf"(?<![\w./-])({pattern})(?![\w.-])", lambda match: str(self.paths[match[1]]), text)

    @property
    def environment(self) -> dict[str, str]:
        """The mounts as variables, for programs that put their paths together at run time.

        `MULTICLUSTER_MOUNTS` is a JSON object from mount path to folder, `MULTICLUSTER_MOUNT_<VOLUME>` one folder.
        """
        if not self.paths:
            return {}
        every = json.dumps({path: str(real) for path, real in self.paths.items()})
        single = {f"MULTICLUSTER_MOUNT_{_variable(name)}": str(real) for name, real in self.volumes.items()}
        return {"MULTICLUSTER_MOUNTS": every, **single}


def _variable(name: str) -> str:
    return re.sub(r"\W", "_", name).upper()


def prepare(services: NodeServices, pod: Document, folder: Path) -> None:
    """Make the folders of a pod's volumes below its own folder and write their files. Raises MissingReferenceError.

    A volume that no container mounts is left out, as a kubelet leaves it out: what it names may be missing.
    """
    for volume in _mounted(pod["spec"]):
        place = folder / "volumes" / volume["name"]
        place.mkdir(parents=True, exist_ok=True)
        mode = next((source["defaultMode"] for source in volume.values() if "defaultMode" in source), 0o644)
        for path, data in _found(services, pod, volume):
            file = place / path
            if not file.resolve().is_relative_to(place.resolve()):
                continue  # `..` in an item's path: a real server refuses it
            file.parent.mkdir(parents=True, exist_ok=True)
            file.unlink(missing_ok=True)
            file.write_bytes(data)
            file.chmod(mode)


def _mounted(spec: Document) -> list[Document]:
    containers = [*(spec.get("initContainers") or []), *spec["containers"]]
    names = {mount["name"] for container in containers for mount in container.get("volumeMounts") or []}
    return [volume for volume in spec.get("volumes") or [] if volume["name"] in names]


def mounts(container: Document, folder: Path, termination_log: Path) -> Mounts:
    """Return a container's mounts over the folders made by `prepare`."""
    paths: dict[str, Path] = {str(container.get("terminationMessagePath", "/dev/termination-log")): termination_log}
    volumes: dict[str, Path] = {}
    for mount in container.get("volumeMounts") or []:
        real = folder / "volumes" / mount["name"]
        if mount.get("subPath"):
            real = real / str(mount["subPath"]).lstrip("/")
            if not real.exists():
                real.mkdir(parents=True)
        path = "/" + str(mount["mountPath"]).strip("/")
        if path != "/":
            paths[path] = real
            if path != ACCOUNT:  # every container has that one; its name is made up
                volumes[mount["name"]] = real
    return Mounts(paths, volumes)


def _found(services: NodeServices, pod: Document, volume: Document) -> list[tuple[str, bytes]]:
    try:
        return list(_files(services, pod, volume))
    except MissingReferenceError as error:
        raise MissingReferenceError(f'MountVolume.SetUp failed for volume "{volume["name"]}" : {error}') from error


def _files(services: NodeServices, pod: Document, volume: Document) -> Iterator[tuple[str, bytes]]:
    for kind in ("configMap", "secret", "downwardAPI"):
        if kind in volume:
            yield from _source_files(services, pod, kind, volume[kind])
    for source in (volume.get("projected") or {}).get("sources") or []:
        for kind, reference in source.items():
            yield from _source_files(services, pod, kind, reference)


def _source_files(services: NodeServices, pod: Document, kind: str, source: Document) -> Iterator[tuple[str, bytes]]:
    if kind == "serviceAccountToken":
        seconds = int(source.get("expirationSeconds") or 3600)
        token = services.tokens.issue(pod, audience=source.get("audience", ""), seconds=seconds)
        yield source["path"], token.encode()
    elif kind == "downwardAPI":
        for item in source.get("items") or []:
            yield item["path"], _downward(services.store, pod, item).encode()
    elif kind in ("configMap", "secret"):
        yield from _entries(services.store, pod, kind, source)


def _entries(store: Store, pod: Document, kind: str, source: Document) -> Iterator[tuple[str, bytes]]:
    name = source.get("secretName") or source.get("name")
    found = entries(store, kind, namespace_of(pod), str(name), optional=bool(source.get("optional")))
    items = source.get("items")
    if items is None:
        yield from found.items()
        return
    for item in items:
        if item["key"] in found:
            yield item["path"], found[item["key"]]
        elif not source.get("optional"):
            what = (
                "configmap references non-existent config" if kind == "configMap" else "references non-existent secret"
            )
            raise MissingReferenceError(f"{what} key: {item['key']}")


def _downward(store: Store, pod: Document, item: Document) -> str:
    if "fieldRef" in item:
        return field_value(pod, item["fieldRef"]["fieldPath"])
    return resource_value(store, pod, pod["spec"]["containers"][0], item.get("resourceFieldRef") or {})
