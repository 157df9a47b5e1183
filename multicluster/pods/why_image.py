"""Say what is wrong with an image that cannot be pulled."""

from __future__ import annotations

import re
from collections.abc import Iterable

from multicluster.pods.reading import at, statuses
from multicluster.pods.source import Document

REASONS = frozenset(
    {"ErrImagePull", "ImagePullBackOff", "InvalidImageName", "ErrImageNeverPull", "ImageInspectError",
     "RegistryUnavailable", "SignatureValidationFailed"}
)  # fmt: skip
_FIXED = {
    "InvalidImageName": "that is no valid image name",
    "ErrImageNeverPull": "it is not on the node, and imagePullPolicy is Never",
    "ImageInspectError": "the node cannot read what it has of it",
    "SignatureValidationFailed": "its signature is not accepted",
}
_MISSING_SECRET = re.compile(r"Unable to retrieve some image pull secrets \(([^)]*)\)")
_AFTER_SECRETS = frozenset({"FailedToRetrieveImagePullSecret", "Failed"})
"""Events that a kubelet writes no sooner than it has looked for the pull secrets."""
_SAID = (
    (r"toomanyrequests|too many requests|rate limit|pull qps exceeded|429", "the registry limits pulls; retried"),
    (r"no space left on device", "the node's disk is full"),
    (r"no match for platform|no matching manifest", "it has no variant for the node's architecture"),
    (r"may require|access denied|insufficient_scope", "it does not exist, or the registry refuses the pull: {secrets}"),
    (
        r"unauthori[sz]ed|authentication required|authorization failed|\bdenied\b|forbidden|no basic auth|\b40[13]\b",
        "the registry refuses the pull: {secrets}",
    ),
    (r"not found|manifest unknown|does not exist", "the registry has no such image or tag"),
    (r"no such host|dial tcp|connection refused|i/o timeout|timeout|x509|eof", "the node does not reach the registry"),
    (r"bad gateway|service unavailable|50[0234]", "the registry is in trouble; retried"),
)


def why_image(image: str, reason: str, message: str, *, pod: Document, events: Iterable[Document]) -> str:
    """Return a sentence about *image*, from the waiting *reason* and *message* of its container."""
    if reason in _FIXED:
        return f"image {image!r} cannot be used: {_FIXED[reason]}"
    failed = [str(one.get("message")) for one in events if one.get("reason") == "Failed"]
    told = [message, *(words for words in reversed(failed) if "pull image" in words)]
    missing = _missing_secret(pod, events)
    for words in told:
        for pattern, meaning in _SAID:
            if re.search(pattern, words.replace(image, ""), re.IGNORECASE):
                told_why = meaning.format(secrets=missing or _secrets(pod))
                also = f"; {missing}" if missing and missing not in told_why else ""
                return f"image {image!r} cannot be pulled: {told_why}{also}"
    return f"image {image!r} cannot be pulled{missing and f': {missing}'}"


def secret_in_doubt(pod: Document, events: Iterable[Document]) -> bool:
    """Whether a pull secret may be missing, which only an event tells, and none is known that would come with it."""
    if not at(pod, "spec", "imagePullSecrets") or {one.get("reason") for one in events} & _AFTER_SECRETS:
        return False
    return any(at(status, "state", "waiting", "reason") in REASONS for _, status in statuses(pod))


def _missing_secret(pod: Document, events: Iterable[Document]) -> str:
    for event in events:
        missing = _MISSING_SECRET.search(str(event.get("message")))
        if missing:
            return f"pull secret {missing[1]} is missing in namespace {at(pod, 'metadata', 'namespace')!r}"
    return ""


def _secrets(pod: Document) -> str:
    names = ", ".join(str(one.get("name")) for one in at(pod, "spec", "imagePullSecrets") or ())
    return f"pull secret {names} does not open it" if names else "the pod has no image_pull_secrets"
