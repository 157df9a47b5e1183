"""Say why an API server may have refused a token twice, from what can be known on this side."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

from multicluster.access.address import redacted
from multicluster.access.token import Token
from multicluster.errors import CredentialError

TOLERABLE_SKEW_SECONDS = 60


def refusal(
    *, name: str, server: str, token: Token | None, age: float | None, headers: Mapping[str, str] | None
) -> CredentialError:
    """Return the error for a cluster whose API server answered 401 to a fresh *token*, or to no token at all.

    *age* is the token's, in seconds; *headers* are those of the answer.
    """
    server = redacted(server)
    if token is None:
        text = (
            f"cluster {name!r} ({server}) refused the client certificate or password with 401; renew it at its source"
        )
        return CredentialError(text)
    whose = token.subject or "a static token"
    old = "" if age is None else f", {age:.0f} s old"
    return CredentialError(
        f"cluster {name!r} ({server}) refused two tokens with 401; the last was of {whose}{old}. "
        f"{clock_hint(headers)}Next: check that the cluster knows this identity (EKS: an access entry or aws-auth; "
        "GKE: IAM) and that it is the right cluster; if so, its own check of tokens may be failing for a while"
    )


def clock_hint(headers: Mapping[str, str] | None) -> str:
    """Compare this machine's clock with the server's Date header; empty when they agree or nothing is known."""
    try:
        theirs = parsedate_to_datetime((headers or {}).get("Date") or "")
    except (TypeError, ValueError):
        return ""
    skew = (datetime.now(UTC) - theirs.astimezone(UTC)).total_seconds()
    if abs(skew) < TOLERABLE_SKEW_SECONDS:
        return ""
    return f"This machine's clock is {abs(skew):.0f} s {'ahead of' if skew > 0 else 'behind'} the server's: fix that. "
