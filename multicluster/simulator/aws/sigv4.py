"""Compute Signature Version 4 again and compare it, in headers and in presigned query strings.

Facts: "Signature Version 4 for API requests" of the IAM user guide; the sentences are AWS's own, from public logs.
"""

from __future__ import annotations

import datetime as dt
import hashlib
import hmac
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING
from urllib.parse import parse_qsl, quote

from multicluster.simulator.aws.errors import AwsError

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from multicluster.simulator.aws.identities import AccessKey, Iam

ALGORITHM = "AWS4-HMAC-SHA256"
STAMP = "%Y%m%dT%H%M%SZ"
TOLERANCE = dt.timedelta(minutes=5)
PRESIGNED_TOLERANCE = dt.timedelta(minutes=15)
AUTHORIZATION = re.compile(
    ALGORITHM + r"\s+Credential=([^/,\s]+)/(\d{8})/([a-z0-9-]+)/([a-z0-9-]+)/aws4_request,\s*"
    r"SignedHeaders=([^,\s]+),\s*Signature=([0-9a-f]{64})"
)


@dataclass(frozen=True, kw_only=True)
class Scope:
    """Where a signature counts: key, day, region and service."""

    key_id: str
    day: str
    region: str
    service: str


@dataclass(frozen=True, kw_only=True)
class SignedRequest:
    """A request as it came over the wire. Header names are lower case; ``path`` is still percent-encoded."""

    method: str
    path: str
    query: str
    headers: Mapping[str, str]
    body: bytes = b""


def read_scope(authorization: str) -> Scope | None:
    """Take the credential scope out of an Authorization header; None when it is not SigV4."""
    found = AUTHORIZATION.fullmatch(authorization.strip())
    if found is None:
        return None
    return Scope(key_id=found[1], day=found[2], region=found[3], service=found[4])


def verify_header(request: SignedRequest, iam: Iam, now: dt.datetime) -> tuple[AccessKey, Scope]:
    """Check a request signed in its headers; raises AwsError with the reason STS and its sisters give."""
    authorization = request.headers.get("authorization", "")
    scope, found = read_scope(authorization), AUTHORIZATION.fullmatch(authorization.strip())
    if scope is None or found is None:
        raise AwsError("MissingAuthenticationToken", "Missing Authentication Token", 403)
    key = iam.key(scope.key_id)
    check_session(key, request.headers.get("x-amz-security-token"), iam.now())
    stamp, signed = request.headers.get("x-amz-date", ""), found[5].split(";")
    check_age(stamp, now, TOLERANCE)
    unsigned = [name for name in request.headers if name.startswith("x-amz-") and name not in signed]
    if "host" not in signed or unsigned:
        raise mismatch()
    path = quote(request.path or "/", safe="/-_.~")
    pairs = parse_qsl(request.query, keep_blank_values=True)
    body_hash = request.headers.get("x-amz-content-sha256") or hashlib.sha256(request.body).hexdigest()
    text = canonical(
        method=request.method, path=path, pairs=pairs, headers=request.headers, signed=signed, body_hash=body_hash
    )
    compare(signature(key.secret, scope, stamp, text), found[6], scope, stamp)
    return key, scope


def check_session(key: AccessKey, token: str | None, now: dt.datetime) -> None:
    """Refuse a session token that is missing, foreign or ended."""
    if token != key.session_token:
        raise AwsError("InvalidClientTokenId", "The security token included in the request is invalid.", 403)
    if key.expires is not None and now >= key.expires:
        raise AwsError("ExpiredToken", "The security token included in the request is expired", 403)


def check_age(stamp: str, now: dt.datetime, tolerance: dt.timedelta) -> None:
    """Refuse a signature whose clock is off by more than the tolerance."""
    try:
        when = dt.datetime.strptime(stamp, STAMP).replace(tzinfo=dt.UTC)
    except ValueError:
        raise AwsError("SignatureDoesNotMatch", f"Invalid date in request: '{stamp}'.", 403) from None
    minutes = int(tolerance.total_seconds() // 60)
    if when < now - tolerance:
        edge = f"{now - tolerance:{STAMP}} ({now:{STAMP}} - {minutes} min.)"
        raise AwsError("SignatureDoesNotMatch", f"Signature expired: {stamp} is now earlier than {edge}", 403)
    if when > now + tolerance:
        edge = f"{now + tolerance:{STAMP}} ({now:{STAMP}} + {minutes} min.)"
        raise AwsError("SignatureDoesNotMatch", f"Signature not yet current: {stamp} is still later than {edge}", 403)


def canonical(
    *,
    method: str,
    path: str,
    pairs: Iterable[tuple[str, str]],
    headers: Mapping[str, str],
    signed: Sequence[str],
    body_hash: str,
) -> str:
    """Write the canonical request."""
    encoded = sorted((quote(key, safe="-_.~"), quote(value, safe="-_.~")) for key, value in pairs)
    lines = "".join(f"{name}:{' '.join(headers.get(name, '').split())}\n" for name in signed)
    query = "&".join(f"{key}={value}" for key, value in encoded)
    return "\n".join([method, path, query, lines, ";".join(signed), body_hash])


def signature(secret: str, scope: Scope, stamp: str, canonical_request: str) -> str:
    """Compute the signature of a canonical request."""
    parts = (scope.day, scope.region, scope.service, "aws4_request")
    digest = hashlib.sha256(canonical_request.encode()).hexdigest()
    text = "\n".join([ALGORITHM, stamp, "/".join(parts), digest])
    key = ("AWS4" + secret).encode()
    for part in (*parts, text):
        key = hmac.new(key, part.encode(), hashlib.sha256).digest()
    return key.hex()


def compare(expected: str, given: str, scope: Scope, stamp: str) -> None:
    """Refuse a signature that is not the expected one, or whose day is not that of its date."""
    if scope.day != stamp[:8]:
        raise AwsError("SignatureDoesNotMatch", "Date in Credential scope does not match YYYYMMDD from ISO-8601", 403)
    if not hmac.compare_digest(expected.encode(), given.encode()):
        raise mismatch()


def mismatch() -> AwsError:
    """Build the refusal of a wrong signature."""
    message = (
        "The request signature we calculated does not match the signature you provided. "
        "Check your AWS Secret Access Key and signing method. Consult the service documentation for details."
    )
    return AwsError("SignatureDoesNotMatch", message, 403)
