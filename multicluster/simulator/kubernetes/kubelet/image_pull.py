"""Pulling a container's image, or failing to, with the kubelet's reasons and back-off."""

from __future__ import annotations

import asyncio
import json

from multicluster.simulator.kubernetes.documents import namespace_of
from multicluster.simulator.kubernetes.kubelet.node_services import NodeServices
from multicluster.simulator.kubernetes.kubelet.pod_report import PodReport
from multicluster.simulator.kubernetes.kubelet.records import ContainerRecord
from multicluster.simulator.kubernetes.kubelet.references import MissingReferenceError, entries


async def pull(services: NodeServices, report: PodReport, record: ContainerRecord) -> None:
    """Return once the image is on the node; never for an image that cannot be had."""
    image, node = str(record.spec.get("image", "")), str(report.pod["spec"]["nodeName"])
    if not services.images.valid(image):
        await _refuse(report, record, image)
    policy = record.spec.get("imagePullPolicy")
    if policy == "Never" and not services.images.exists(image):
        await _miss(report, record, image)
    if policy == "Never" or (policy != "Always" and (node, image) in services.pulled and services.images.exists(image)):
        report.say(
            "Pulled", f'Container image "{image}" already present on machine and can be accessed by the pod', record
        )
        return
    failures = 0
    while True:
        report.say("Pulling", f'Pulling image "{image}"', record)
        await services.clock.sleep(services.delays.image_pull)
        if services.images.exists(image) and _opened(services, report, image):
            break
        await _back_off(services, report, record, failures)
        failures += 1
    services.pulled.add((node, image))
    took = f"{services.delays.image_pull:g}s"
    report.say(
        "Pulled",
        f'Successfully pulled image "{image}" in {took} ({took} including waiting). Image size: 0 bytes.',
        record,
    )


async def _refuse(report: PodReport, record: ContainerRecord, image: str) -> None:
    """Leave a container whose image name is none waiting for good, as a kubelet does."""
    why = f'Failed to apply default image tag "{image}": couldn\'t parse image name "{image}": {_objection(image)}'
    _wait(report, record, "InvalidImageName", why)
    report.warn("InspectFailed", why, record)
    report.warn("Failed", "Error: InvalidImageName", record)
    await asyncio.Event().wait()


async def _miss(report: PodReport, record: ContainerRecord, image: str) -> None:
    """Leave a container waiting for an image that is not there and may not be pulled."""
    why = f'Container image "{image}" is not present with pull policy of Never'
    _wait(report, record, "ErrImageNeverPull", why)
    report.warn("ErrImageNeverPull", why, record)
    report.warn("Failed", "Error: ErrImageNeverPull", record)
    await asyncio.Event().wait()


def _objection(image: str) -> str:
    lower = "/" in image or image == image.lower()
    return "invalid reference format" + ("" if lower else f": repository name (library/{image}) must be lowercase")


def _full(image: str) -> str:
    """Return an image's name with its registry, as a container runtime writes it."""
    first, slash, _ = image.partition("/")
    if slash and (set(first) & {".", ":"} or first == "localhost"):
        return image
    return f"docker.io/{image}" if slash else f"docker.io/library/{image}"


def _opened(services: NodeServices, report: PodReport, image: str) -> bool:
    """Whether the registry gives the image away: a private one to who brings a pull secret with its host."""
    host, pod = image.partition("/")[0], report.pod
    if host != services.images.private:
        return True
    for named in pod["spec"].get("imagePullSecrets") or []:
        try:
            found = entries(services.store, "secret", namespace_of(pod), named["name"])
        except MissingReferenceError:
            why = f"Unable to retrieve some image pull secrets ({named['name']}); attempting to pull the image may not "
            report.warn("FailedToRetrieveImagePullSecret", f"{why}succeed.")
            continue
        if host in json.loads(found.get(".dockerconfigjson", b"{}")).get("auths", {}):
            return True
    return False


async def _back_off(services: NodeServices, report: PodReport, record: ContainerRecord, failures: int) -> None:
    delays, image = services.delays, str(record.spec.get("image", ""))
    full = _full(image)
    code, end = "NotFound", f"{full}: not found"
    if services.images.exists(image):
        code, end = "Unknown", "unexpected status from HEAD request: 401 Unauthorized"
    why = (
        f'rpc error: code = {code} desc = failed to pull and unpack image "{full}": failed to resolve reference '
        f'"{full}": {end}'
    )
    report.warn("Failed", f'Failed to pull image "{image}": {why}', record)
    report.warn("Failed", "Error: ErrImagePull", record)
    _wait(report, record, "ErrImagePull", why)
    await services.clock.sleep(delays.pull_backoff / 2)
    report.say("BackOff", f'Back-off pulling image "{image}"', record)
    report.warn("Failed", "Error: ImagePullBackOff", record)
    _wait(report, record, "ImagePullBackOff", f'Back-off pulling image "{image}": ErrImagePull: {why}')
    await services.clock.sleep(min(delays.max_backoff, delays.pull_backoff * 2**failures))


def _wait(report: PodReport, record: ContainerRecord, reason: str, message: str) -> None:
    record.state = {"waiting": {"reason": reason, "message": message}}
    report.publish()
