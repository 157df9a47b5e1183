"""Judge an EKS bearer token as aws-iam-authenticator v0.7.13 and the STS behind it do.

The first half, ``read_token``, is the verifier's own table of rules (``pkg/token/token.go``); the second,
``TokenVerifier.signer``, what STS answers when it is sent the URL with the cluster's own name in ``x-k8s-aws-id``.
"""

from __future__ import annotations

import base64
import binascii
import datetime as dt
import hashlib
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING
from urllib.parse import parse_qsl, urlsplit

from multicluster.simulator.aws import sigv4, sts_hosts
from multicluster.simulator.aws.errors import AwsError, json_text

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from multicluster.simulator.aws.identities import Iam, Principal

PREFIX = "k8s-aws-v1."
MAX_TOKEN_BYTES = 4096
MAX_EXPIRES_SECONDS = 900
CLUSTER_HEADER = "x-k8s-aws-id"
LIFE = dt.timedelta(minutes=15)
QUERY_NAMES = frozenset(
    [
        "action",
        "version",
        "x-amz-algorithm",
        "x-amz-credential",
        "x-amz-date",
        "x-amz-expires",
        "x-amz-security-token",
        "x-amz-signature",
        "x-amz-signedheaders",
    ]
)


class TokenRefusedError(Exception):
    """A token that is not accepted, with the verifier's reason; the API server says only 401 Unauthorized."""


@dataclass(frozen=True, kw_only=True)
class PresignedUrl:
    """What a well-formed token holds."""

    host: str
    query: tuple[tuple[str, str], ...]


def read_token(token: str, *, partition: str, now: dt.datetime) -> PresignedUrl:
    """Take a token apart by the verifier's rules, STS not asked; raises TokenRefusedError."""
    if len(token) > MAX_TOKEN_BYTES:
        raise malformed("token is too large")
    if not token.startswith(PREFIX):
        raise malformed(f'token is missing expected "{PREFIX}" prefix')
    raw = token.removeprefix(PREFIX)
    if not re.fullmatch(r"[A-Za-z0-9_-]*", raw):
        raise malformed("illegal base64 data")
    try:
        text = base64.urlsafe_b64decode(raw + "=" * (-len(raw) % 4)).decode("ascii")
        url = urlsplit(text)
    except (binascii.Error, ValueError) as error:
        raise malformed(f"illegal base64 data or URL: {error}") from None
    if not re.fullmatch(r"[!-~]*", text):
        raise malformed("net/url: invalid character in URL")
    if url.scheme != "https":
        raise malformed(f'unexpected scheme "{url.scheme}" in pre-signed URL')
    objection = sts_hosts.objection(url.netloc, partition)
    if objection:
        raise malformed(objection)
    if url.path != "/":
        raise malformed("unexpected path in pre-signed URL")
    if ";" in url.query or re.search(r"%(?![0-9A-Fa-f]{2})", url.query):
        raise malformed("malformed query parameter")
    pairs = tuple(parse_qsl(url.query, keep_blank_values=True))
    check_query(pairs, now)
    return PresignedUrl(host=url.netloc, query=pairs)


def malformed(what: str) -> TokenRefusedError:
    """Refuse a token before STS is asked."""
    return TokenRefusedError(f"input token was not properly formatted: {what}")


def check_query(pairs: tuple[tuple[str, str], ...], now: dt.datetime) -> None:
    """Refuse unknown, repeated or wrong parameters, and a date that is over."""
    given: dict[str, str] = {}
    for name, value in pairs:
        if name.lower() not in QUERY_NAMES:
            raise malformed(f'non-whitelisted query parameter "{name}"')
        if name.lower() in given:
            raise malformed(f'duplicate query parameter found: "{name}"')
        given[name.lower()] = value
    if given.get("action") != "GetCallerIdentity":
        raise malformed("unexpected action parameter in pre-signed URL")
    if CLUSTER_HEADER not in given.get("x-amz-signedheaders", "").lower().split(";"):
        raise malformed(f"client did not sign the {CLUSTER_HEADER} header in the pre-signed URL")
    expires = given.get("x-amz-expires", "")
    if not re.fullmatch(r"[+-]?[0-9]{1,9}", expires) or not 0 <= int(expires) <= MAX_EXPIRES_SECONDS:
        raise malformed("invalid X-Amz-Expires parameter in pre-signed URL")
    try:
        date = dt.datetime.strptime(given.get("x-amz-date", ""), sigv4.STAMP).replace(tzinfo=dt.UTC)
    except ValueError:
        raise malformed("error parsing X-Amz-Date parameter into format 20060102T150405Z") from None
    if now > date + LIFE:
        raise malformed(f"X-Amz-Date parameter is expired (15 minute expiration) {given['x-amz-date']}")


class TokenVerifier:
    """Tell who signed a token for one cluster."""

    def __init__(self, *, cluster_id: str, iam: Iam, now: Callable[[], dt.datetime], partition: str = "aws") -> None:
        self.cluster_id, self.iam, self.now, self.partition = cluster_id, iam, now, partition

    def verify(self, token: str) -> Principal:
        """Return the signer; raises TokenRefusedError with the reason."""
        return self.signer(token)[0]

    def signer(self, token: str) -> tuple[Principal, dt.datetime]:
        """Return the signer and the time of the signature; raises TokenRefusedError with the reason."""
        url = read_token(token, partition=self.partition, now=self.now())
        headers = {"host": url.host, CLUSTER_HEADER: self.cluster_id}
        try:
            return verify_presigned(url.query, headers, self.iam, self.now())
        except AwsError as refusal:
            where = f"on {sts_hosts.region_of(url.host)} endpoint"
            reason = f"error from AWS (expected 200, got {refusal.status}) {where}. Body: {json_text(refusal)}"
            raise TokenRefusedError(f"sts getCallerIdentity failed: {reason}") from None


def verify_presigned(
    pairs: tuple[tuple[str, str], ...], headers: Mapping[str, str], iam: Iam, now: dt.datetime
) -> tuple[Principal, dt.datetime]:
    """Check a presigned GET of STS's ``/`` as STS does; returns who signed it and when."""
    query = dict(pairs)
    parts = query.get("X-Amz-Credential", "").split("/")
    stamp, signed = query.get("X-Amz-Date", ""), query.get("X-Amz-SignedHeaders", "").split(";")
    if len(parts) != 5 or query.get("X-Amz-Algorithm") != sigv4.ALGORITHM:  # noqa: PLR2004 - key/day/region/service/end
        raise AwsError("MissingAuthenticationToken", "Request is missing Authentication Token", 403)
    scope = sigv4.Scope(key_id=parts[0], day=parts[1], region=parts[2], service=parts[3])
    key = iam.key(scope.key_id)
    sigv4.check_session(key, query.get("X-Amz-Security-Token"), iam.now())
    if scope.region != sts_hosts.region_of(headers["host"]) or scope.service != "sts" or parts[4] != "aws4_request":
        message = f"Credential should be scoped to a valid region, not '{scope.region}'."
        raise AwsError("SignatureDoesNotMatch", message, 403)
    if "host" not in signed:
        raise sigv4.mismatch()
    sigv4.check_age(stamp, now, sigv4.PRESIGNED_TOLERANCE)
    rest = [(name, value) for name, value in pairs if name != "X-Amz-Signature"]
    text = sigv4.canonical(
        method="GET",
        path="/",
        pairs=rest,
        headers=headers,
        signed=signed,
        body_hash=hashlib.sha256(b"").hexdigest(),
    )
    expected = sigv4.signature(key.secret, scope, stamp, text)
    sigv4.compare(expected, query.get("X-Amz-Signature", ""), scope, stamp)
    return key.principal, dt.datetime.strptime(stamp, sigv4.STAMP).replace(tzinfo=dt.UTC)
