"""Say in one line why an API server refused to make a pod."""

from __future__ import annotations

import json
import re

from multicluster.pods.reading import one_line

REFUSALS = frozenset({400, 403, 404, 413, 422})
"""Answers that say no to this very pod; others are trouble of the server."""
_SAID = (
    (
        r"exceeded quota: (?P<a>[^,]+), requested: (?P<b>\S+), used: (?P<c>\S+), limited: (?P<d>\S+)",
        "quota {a!r} of namespace {namespace!r} is used up: asked for {b}, in use {c}, limit {d}",
    ),
    (
        r"failed quota: (?P<a>[^:]+): must specify (?P<b>\S+)",
        "quota {a!r} of namespace {namespace!r} wants the pod to say {b} (container_resources)",
    ),
    (
        r'violates PodSecurity "(?P<a>[^"]+)": (?P<b>.*)',
        "the Pod Security level {a!r} of namespace {namespace!r} forbids it: {b}",
    ),
    (r'admission webhook "(?P<a>[^"]+)" denied the request: (?P<b>.*)', "the admission webhook {a!r} refuses it: {b}"),
    (
        r"ValidatingAdmissionPolicy \'(?P<a>[^\']+)\' .*denied request: (?P<b>.*)",
        "the admission policy {a!r} refuses it: {b}",
    ),
    (
        r'User "(?P<a>[^"]*)" cannot create resource "pods"',
        "the identity {a!r} may not create pods in namespace {namespace!r} (RBAC)",
    ),
    (
        r'serviceaccount "(?P<a>[^"]+)" not found',
        "namespace {namespace!r} has no service account {a!r} (service_account_name)",
    ),
    (r'namespaces "(?P<a>[^"]+)" not found', "there is no namespace {a!r}"),
    (r"(?P<a>(?:minimum|maximum) \S+ (?:usage )?per \S+ is .*)", "a LimitRange of namespace {namespace!r}: {a}"),
    (r"is invalid: (?P<a>.*)", "the API server finds it invalid: {a}"),
)


def refused(status: int, body: str | None, *, namespace: str) -> str:
    """Return the line, from the answer to the create; *body* is a Status as JSON, or whatever a proxy wrote."""
    message, reason = _words(body)
    source = f"create pod: {status} {reason}".rstrip()
    for pattern, text in _SAID:
        found = re.search(pattern, message, re.DOTALL)
        if found:
            return f"{one_line(text.format(namespace=namespace, **found.groupdict()))} [{source}]"
    return f"the API server refuses it: {one_line(message)} [{source}]"


def _words(body: str | None) -> tuple[str, str]:
    try:
        said = json.loads(body or "")
        return str(said["message"]), str(said.get("reason") or "")
    except (ValueError, LookupError, TypeError, AttributeError):
        return str(body or ""), ""
