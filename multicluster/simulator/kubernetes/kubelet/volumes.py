"""Volumes of a pod, as folders of this machine."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from multicluster.simulator.kubernetes.documents import Document, namespace_of
from multicluster.simulator.kubernetes.kubelet.downward import field_value, resource_value
from multicluster.simulator.kubernetes.kubelet.references import MissingReferenceError, entries
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


def prepare(store: Store, pod: Document, folder: Path) -> None:
    """Make the folders of a pod's volumes below its own folder and write their files. Raises MissingReferenceError."""
    for volume in pod["spec"].get("volumes") or []:
        place = folder / "volumes" / volume["name"]
        place.mkdir(parents=True, exist_ok=True)
        for path, data in _found(store, pod, volume):
            file = place / path
            if not file.resolve().is_relative_to(place.resolve()):
                continue  # `..` in an item's path: a real server refuses it
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_bytes(data)


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
            paths[path] = volumes[mount["name"]] = real
    return Mounts(paths, volumes)


def _found(store: Store, pod: Document, volume: Document) -> list[tuple[str, bytes]]:
    try:
        return list(_files(store, pod, volume))
    except MissingReferenceError as error:
        raise MissingReferenceError(f'MountVolume.SetUp failed for volume "{volume["name"]}" : {error}') from error


def _files(store: Store, pod: Document, volume: Document) -> Iterator[tuple[str, bytes]]:
    for kind in ("configMap", "secret", "downwardAPI"):
        if kind in volume:
            yield from _source_files(store, pod, kind, volume[kind])
    for source in (volume.get("projected") or {}).get("sources") or []:
        for kind, reference in source.items():
            if kind in ("configMap", "secret", "downwardAPI"):
                yield from _source_files(store, pod, kind, reference)


def _source_files(store: Store, pod: Document, kind: str, source: Document) -> Iterator[tuple[str, bytes]]:
    if kind == "downwardAPI":
        for item in source.get("items") or []:
            yield item["path"], _downward(pod, item).encode()
        return
    name = source.get("secretName") or source.get("name")
    found = entries(store, kind, namespace_of(pod), str(name), optional=bool(source.get("optional")))
    items = source.get("items")
    if items is None:
        yield from found.items()
        return
    for item in items:
        if item["key"] in found:
            yield item["path"], found[item["key"]]


def _downward(pod: Document, item: Document) -> str:
    if "fieldRef" in item:
        return field_value(pod, item["fieldRef"]["fieldPath"])
    return resource_value(pod, pod["spec"]["containers"][0], item.get("resourceFieldRef") or {})
