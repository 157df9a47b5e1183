"""37 tokens, and what two releases of AWS's own verifier say of each: v0.6.13 and v0.7.13 of aws-iam-authenticator.

An answer is `ACCEPTED`, or words that stand in the reason. A code of STS among them means that STS was asked.
"""

from __future__ import annotations

import base64
import re
from collections.abc import Callable
from dataclasses import dataclass

from multicluster.simulator.aws.identities import AccessKey

from .signing import PREFIX, REGION, Signer, unwrap, wrap

ACCEPTED = "accepted"
MISMATCH, SCOPE = "SignatureDoesNotMatch", "Credential should be scoped to a valid region"
HOST, PARTITION = "unexpected hostname", "partition {aws} does not support hostname"


@dataclass(frozen=True, kw_only=True)
class TokenCase:
    """One token and its answers."""

    name: str
    make: Callable[[Signer], str]
    v06: str
    v07: str


def case(name: str, answer: str, make: Callable[[Signer], str], *, v06: str | None = None) -> TokenCase:
    """Note a token of which both releases say the same, but for `v06`."""
    return TokenCase(name=name, make=make, v06=answer if v06 is None else v06, v07=answer)


def changed(signer: Signer, before: str, after: str) -> str:
    """Sign a token and change its URL afterwards."""
    url = unwrap(signer.sign())
    assert before in url, (before, url)
    return wrap(url.replace(before, after, 1))


def tampered(signer: Signer) -> str:
    """Sign a token and change the last hexadecimal digit of its signature."""
    url = unwrap(signer.sign())
    return wrap(url[:-1] + ("0" if url[-1] != "0" else "1"))


def padded(signer: Signer) -> str:
    """Sign a token and leave the padding of base64 in it."""
    url = unwrap(signer.sign())
    while len(url) % 3 == 0:
        url += " "
    return PREFIX + base64.urlsafe_b64encode(url.encode()).decode()


def unknown_key(signer: Signer) -> str:
    """Sign with a key that AWS does not know."""
    return signer.sign(AccessKey(id="AKIANOTKNOWN00000000", secret="x" * 40, principal=signer.alice.principal))


def at_host(host: str, region: str = REGION) -> Callable[[Signer], str]:
    """Sign for a host."""
    return lambda signer: signer.sign(host=host, region=region)


REGIONS = [
    case("another region's host", ACCEPTED, lambda s: s.sign(region="us-east-1")),
    case("a newer region's host", ACCEPTED, lambda s: s.sign(region="mx-central-1"), v06=HOST),
    case("a region that is none", ACCEPTED, lambda s: s.sign(region="xx-moon-9"), v06=HOST),
    case("global host, scope us-east-1", ACCEPTED, at_host("sts.amazonaws.com", "us-east-1")),
    case("global host, scope of the region", SCOPE, at_host("sts.amazonaws.com")),
]
HOSTS = [
    case("FIPS host", ACCEPTED, at_host("sts-fips.us-east-1.amazonaws.com", "us-east-1")),
    case("dual-stack host", ACCEPTED, at_host(f"sts.{REGION}.api.aws"), v06=HOST),
    case("China host", PARTITION, at_host("sts.cn-north-1.amazonaws.com.cn", "cn-north-1"), v06=HOST),
    case("VPC endpoint host", HOST, at_host(f"vpce-0abc-def.sts.{REGION}.vpce.amazonaws.com")),
    case("local endpoint", "could not parse region", at_host("localhost:4566"), v06=HOST),
    case("host with port", HOST, at_host(f"sts.{REGION}.amazonaws.com:443")),
    case("host changed after signing", SCOPE, lambda s: changed(s, f"//sts.{REGION}", "//sts.us-east-1")),
    case("http", 'unexpected scheme "http"', lambda s: changed(s, "https", "http")),
]
SIGNERS = [
    case("role", ACCEPTED, lambda s: s.sign()),
    case("IAM user", ACCEPTED, lambda s: s.sign(s.alice)),
    case("boto3 client, HttpMethod GET", ACCEPTED, lambda s: s.boto3(HttpMethod="GET")),
    case("boto3 client, HttpMethod left out", MISMATCH, lambda s: s.boto3()),
    case("other cluster's token", MISMATCH, lambda s: s.sign(cluster="dev")),
    case("x-k8s-aws-id not signed", "client did not sign the x-k8s-aws-id header", lambda s: s.sign(cluster=None)),
    case("wrong secret", MISMATCH, lambda s: s.sign(secret="x" * 40)),
    case("unknown access key", "InvalidClientTokenId", unknown_key),
    case("session credentials ended", "ExpiredToken", lambda s: s.sign(s.session(seconds=-1))),
    case("signature tampered with", MISMATCH, tampered),
]
TIMES = [
    case("signed 14 min 50 s ago", ACCEPTED, lambda s: s.sign(age=890)),
    case("signed 15 min 1 s ago", "X-Amz-Date parameter is expired (15 minute expiration)", lambda s: s.sign(age=901)),
    case("signed 14 minutes ahead", ACCEPTED, lambda s: s.sign(age=-840)),
    case("signed 16 minutes ahead", "Signature not yet current", lambda s: s.sign(age=-960)),
    case("X-Amz-Expires 900", ACCEPTED, lambda s: s.sign(expires=900)),
    case("X-Amz-Expires 901", "invalid X-Amz-Expires parameter", lambda s: s.sign(expires=901)),
    case("X-Amz-Expires 1, 5 minutes old", ACCEPTED, lambda s: s.sign(expires=1, age=300)),
]
FORMS = [
    case("action changed", "unexpected action", lambda s: changed(s, "GetCallerIdentity", "GetSessionToken")),
    case("parameter added", "non-whitelisted query parameter", lambda s: wrap(unwrap(s.sign()) + "&DurationSeconds=1")),
    case("parameter repeated", "duplicate query parameter", lambda s: wrap(unwrap(s.sign()) + "&x-amz-expires=60")),
    case("base64 padding kept", "illegal base64 data", padded),
    case("no prefix", 'missing expected "k8s-aws-v1." prefix', lambda s: s.sign().removeprefix(PREFIX)),
    case("long session token, below 4,096 bytes", ACCEPTED, lambda s: s.sign(s.session(token_bytes=2000))),
    case("longer session token, over 4,096 bytes", "token is too large", lambda s: s.sign(s.session(token_bytes=2040))),
]
TOKENS = {token.name: token for token in [*SIGNERS, *REGIONS, *HOSTS, *TIMES, *FORMS]}


def odd(before: str, after: str) -> Callable[[Signer], str]:
    """Change a URL in one place."""
    return lambda signer: changed(signer, before, after)


# Found by trying: what both releases refuse, in whatever words.
REFUSED: dict[str, Callable[[Signer], str]] = {
    "empty": lambda _: "",
    "prefix only": lambda _: PREFIX,
    "impossible base64": lambda _: PREFIX + "A",
    "path": odd("/?", "/x?"),
    "no path": odd("/?", "?"),
    "encoded path": odd("/?", "/%2e?"),
    "encoded host": odd("sts.eu-west-1", "sts.eu%2dwest-1"),
    "upper-case host": odd("sts.eu", "STS.eu"),
    "space before the URL": odd("https://", " https://"),
    "control character": odd("&X-Amz-Signature", "\x01&X-Amz-Signature"),
    "character beyond ASCII": odd("&X-Amz-Signature=", "&X-Amz-Signature=\u00e9"),
    "signature of another script": odd("&X-Amz-Signature=", "&X-Amz-Signature=%C3%A9"),
    "semicolon": odd("host%3Bx-k8s-aws-id", "host;x-k8s-aws-id"),
    "broken escape": odd("2011-06-15", "2011-06-15%zz"),
    "version left out": odd("&Version=2011-06-15", ""),
    "action left out": odd("Action=GetCallerIdentity&", ""),
    "date left out": lambda s: wrap(re.sub(r"X-Amz-Date=\w+&", "", unwrap(s.sign()))),
    "date of another form": lambda s: wrap(re.sub(r"X-Amz-Date=(\d{8})\w+", r"X-Amz-Date=\1", unwrap(s.sign()))),
    "signature left out": lambda s: wrap(unwrap(s.sign()).partition("&X-Amz-Signature")[0]),
    "expiry left out": odd("X-Amz-Expires=60&", ""),
    "expiry below zero": odd("X-Amz-Expires=60", "X-Amz-Expires=-1"),
    "expiry in other digits": lambda s: s.sign(expires="\u0666\u0660"),
    "parameters in lower case": odd("X-Amz-Signature", "x-amz-signature"),
    "host not signed": odd("host%3Bx-k8s-aws-id", "x-k8s-aws-id"),
    "headers in another order": odd("host%3Bx-k8s-aws-id", "x-k8s-aws-id%3Bhost"),
    "another algorithm": odd("AWS4-HMAC-SHA256", "AWS4-ECDSA-P256-SHA256"),
    "another service": odd("%2Fsts%2F", "%2Feks%2F"),
    "scope cut short": odd("%2Faws4_request", ""),
    "session token left out": lambda s: wrap(re.sub(r"&X-Amz-Security-Token=[^&]*", "", unwrap(s.sign()))),
}
