"""What Kubernetes takes as names, so that misuse is said before anything starts (API conventions, "Names")."""

from __future__ import annotations

import re

DOMAIN = re.compile(r"[a-z0-9]([a-z0-9-]*[a-z0-9])?(\.[a-z0-9]([a-z0-9-]*[a-z0-9])?)*")
WORD = re.compile(r"[A-Za-z0-9]([A-Za-z0-9_.-]*[A-Za-z0-9])?")
WORD_CHARACTERS = 63
DOMAIN_CHARACTERS = 253


def of_node(text: str) -> bool:
    """Say whether a node may be called so: an RFC 1123 subdomain that also fits into the label of its host name."""
    return len(text) <= WORD_CHARACTERS and bool(DOMAIN.fullmatch(text))


def key(text: str) -> bool:
    """Say whether this can be the key of a label or of a taint: ``NAME`` or ``DOMAIN/NAME``."""
    domain, slash, name = text.rpartition("/")
    domain_good = len(domain) <= DOMAIN_CHARACTERS and bool(DOMAIN.fullmatch(domain))
    return (domain_good or not slash) and len(name) <= WORD_CHARACTERS and bool(WORD.fullmatch(name))


def value(text: str) -> bool:
    """Say whether this can be the value of a label or of a taint; it may be empty."""
    return not text or (len(text) <= WORD_CHARACTERS and bool(WORD.fullmatch(text)))


def resource(text: str) -> bool:
    """Say whether a device plugin could advertise this: an extended resource has a domain, and not Kubernetes' own."""
    domain, slash, _ = text.rpartition("/")
    own = domain == "kubernetes.io" or domain.endswith(".kubernetes.io")
    return bool(slash) and not own and key(text)
