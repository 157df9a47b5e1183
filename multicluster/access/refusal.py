"""Say why an API server may have refused a token twice, from what can be known on this side."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

from multicluster.access.address import redacted
from multicluster.access.token import Finding, Token
from multicluster.errors import CredentialError, CredentialUnavailableError

TOLERABLE_SKEW_SECONDS = 60
UNKNOWN = Finding(
    text="Next: check that the cluster knows this identity (EKS: an access entry or aws-auth; GKE: IAM) and that it is "
    "the right cluster; if so, its own check of tokens may be failing for a while"
)


def refusal(
    *,
    name: str,
    server: str,
    token: Token,
    age: float | None,
    left: float,
    headers: Mapping[str, str] | None,
    finding: Finding | None = None,
) -> CredentialError:
    """Return the error for a cluster whose API server answered 401 twice, the second time to *token*.

    *age* is the token's and *left* the rest of its life, in seconds; *headers* are those of the answer, which says
    nothing but "Unauthorized". The error is a CredentialUnavailableError where the *finding* is transient.
    """
    finding = finding or UNKNOWN
    life = "" if age is None else f", {age:.0f} s old and good for {left:.0f} s more"
    kind = CredentialUnavailableError if finding.transient else CredentialError
    return kind(
        f"cluster {name!r} ({redacted(server)}) refused two tokens with 401; the last was of "
        f"{token.subject or 'a static token'}{life}. {clock_hint(headers)}{finding.text}"
    )


def refusal_without_token(*, name: str, server: str) -> CredentialError:
    """Return the error for a cluster whose API server answered 401 to a client certificate or a password."""
    return CredentialError(
        f"cluster {name!r} ({redacted(server)}) refused the client certificate or password with 401; renew it at its "
        "source"
    )


def clock_hint(headers: Mapping[str, str] | None) -> str:
    """Compare this machine's clock with the server's Date header; empty when there is none to compare with."""
    try:
        theirs = parsedate_to_datetime((headers or {}).get("Date") or "")
    except (TypeError, ValueError):
        return ""
    skew = (datetime.now(UTC) - theirs.astimezone(UTC)).total_seconds()
    if abs(skew) < TOLERABLE_SKEW_SECONDS:
        return "This machine's clock agrees with the server's. "
    return f"This machine's clock is {abs(skew):.0f} s {'ahead of' if skew > 0 else 'behind'} the server's: fix that. "
