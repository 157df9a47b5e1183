"""Sign EKS tokens in process."""

from __future__ import annotations

import base64
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any

from botocore.auth import SIGV4_TIMESTAMP, SigV4QueryAuth
from botocore.awsrequest import AWSRequest
from botocore.credentials import ReadOnlyCredentials

from multicluster.access.clock import Clock
from multicluster.access.token import Finding, Token
from multicluster.errors import CredentialError
from multicluster.kinds.eks.partition import sts_host

LIFETIME = timedelta(minutes=14)
"""One minute less than the verifier allows from X-Amz-Date, whatever X-Amz-Expires says."""
MARGIN = timedelta(minutes=2)
MAX_BYTES = 4096
"""What the verifier reads (aws-iam-authenticator, ``maxTokenLenBytes``)."""
CLUSTER_HEADER = "x-k8s-aws-id"


@dataclass(frozen=True, kw_only=True)
class SigningKey:
    """AWS credentials as they are at one moment."""

    access_key: str
    secret_key: str = field(repr=False)
    token: str | None = field(default=None, repr=False)
    expires_at: datetime | None = None


class EksTokenSource:
    """Makes tokens of one cluster: presigned STS GetCallerIdentity URLs, bound to the cluster by a signed header.

    *key* returns credentials that are good now, or raises CredentialError; signing itself uses no network. *inquire*
    finds out why a token of a key may have been refused.
    """

    def __init__(
        self,
        key: Callable[[], SigningKey],
        *,
        name: str,
        cluster_name: str,
        region: str,
        subject: str,
        clock: Clock,
        inquire: Callable[[SigningKey], Finding] | None = None,
    ) -> None:
        self._key = key
        self._inquire = inquire
        self._name = name
        self._cluster_name = cluster_name
        self._region = region
        self._subject = subject
        self._clock = clock

    def mint(self) -> Token:
        """Sign a token, good for 12 minutes or until two minutes before the signing credentials end."""
        key = self._key()
        now = self._clock()
        value = sign(key, cluster_name=self._cluster_name, region=self._region)
        if len(value) > MAX_BYTES:
            raise CredentialError(
                f"cluster {self._name!r}: the EKS token has {len(value)} bytes, and EKS accepts {MAX_BYTES}: the "
                f"session token of {self._subject} is too long; use a role with fewer session tags or a smaller policy"
            )
        ends = now + LIFETIME
        return Token(
            value=value,
            expires_at=min(ends, key.expires_at or ends) - MARGIN,
            minted_at=now,
            subject=f"{self._subject} (access key {key.access_key}), signed for EKS cluster "
            f"{self._cluster_name!r} in {self._region}",
            inquire=self._inquire and partial(self._inquire, key),
        )


def sign(key: SigningKey, *, cluster_name: str, region: str) -> str:
    """Return a token; the rules are those of its judge, aws-iam-authenticator's ``pkg/token``."""
    url = f"https://{sts_host(region)}/?Action=GetCallerIdentity&Version=2011-06-15"
    request = AWSRequest(method="GET", url=url, headers={CLUSTER_HEADER: cluster_name})
    signer = _SilentSigner(ReadOnlyCredentials(key.access_key, key.secret_key, key.token), "sts", region, expires=60)
    signer.add_auth(request)
    signed = str(request.url)
    return "k8s-aws-v1." + base64.urlsafe_b64encode(signed.encode()).decode().rstrip("=")


class _SilentSigner(SigV4QueryAuth):  # type: ignore[misc, unused-ignore]
    """botocore's signer, except that it does not write the signature into the DEBUG log: that is the token."""

    def add_auth(self, request: Any) -> None:
        request.context["timestamp"] = datetime.now(UTC).strftime(SIGV4_TIMESTAMP)
        signer: Any = self
        signer._modify_request_before_signing(request)  # noqa: SLF001  add_auth of the parent is these lines and a log
        to_sign = self.string_to_sign(request, self.canonical_request(request))
        signer._inject_signature_to_request(request, self.signature(to_sign, request))  # noqa: SLF001
