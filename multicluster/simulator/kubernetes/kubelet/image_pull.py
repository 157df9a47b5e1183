"""Pulling a container's image, or failing to, with the kubelet's reasons and back-off."""

from __future__ import annotations

import asyncio

from multicluster.simulator.kubernetes.kubelet.node_services import NodeServices
from multicluster.simulator.kubernetes.kubelet.pod_report import PodReport
from multicluster.simulator.kubernetes.kubelet.records import ContainerRecord


async def pull(services: NodeServices, report: PodReport, record: ContainerRecord) -> None:
    """Return once the image is on the node; never for an image that cannot be had."""
    image, node = str(record.spec.get("image", "")), str(report.pod["spec"]["nodeName"])
    if not services.images.valid(image):
        await _refuse(report, record, image)
    if (node, image) in services.pulled and services.images.exists(image):
        report.say("Pulled", f'Container image "{image}" already present on machine and can be accessed by the pod')
        return
    failures = 0
    while True:
        report.say("Pulling", f'Pulling image "{image}"')
        await services.clock.sleep(services.delays.image_pull)
        if services.images.exists(image):
            break
        await _back_off(services, report, record, failures)
        failures += 1
    services.pulled.add((node, image))
    took = f"{services.delays.image_pull:g}s"
    report.say(
        "Pulled",
        f'Successfully pulled image "{image}" in {took} ({took} including waiting). Image size: 0 bytes.',
    )


async def _refuse(report: PodReport, record: ContainerRecord, image: str) -> None:
    """Leave a container whose image name is none waiting for good, as a kubelet does."""
    why = f'couldn\'t parse image name "{image}": invalid reference format'
    _wait(report, record, "InvalidImageName", f'Failed to apply default image tag "{image}": {why}')
    report.warn("InspectFailed", f'Failed to apply default image tag "{image}": {why}')
    report.warn("Failed", "Error: InvalidImageName")
    await asyncio.Event().wait()


async def _back_off(services: NodeServices, report: PodReport, record: ContainerRecord, failures: int) -> None:
    delays, image = services.delays, str(record.spec.get("image", ""))
    why = (
        "rpc error: code = NotFound desc = failed to pull and unpack image: failed to resolve reference "
        f'"{image}": {image}: not found'
    )
    report.warn("Failed", f'Failed to pull image "{image}": {why}')
    report.warn("Failed", "Error: ErrImagePull")
    _wait(report, record, "ErrImagePull", why)
    await services.clock.sleep(delays.pull_backoff / 2)
    report.say("BackOff", f'Back-off pulling image "{image}"')
    report.warn("Failed", "Error: ImagePullBackOff")
    _wait(report, record, "ImagePullBackOff", f'Back-off pulling image "{image}": ErrImagePull: {why}')
    await services.clock.sleep(min(delays.max_backoff, delays.pull_backoff * 2**failures))


def _wait(report: PodReport, record: ContainerRecord, reason: str, message: str) -> None:
    record.state = {"waiting": {"reason": reason, "message": message}}
    report.publish()
