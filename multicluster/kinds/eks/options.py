"""What the registry says below ``auth.eks``."""

from __future__ import annotations

import base64
import binascii
import re
from typing import Annotated, Self
from urllib.parse import urlsplit

from pydantic import AfterValidator, Field, field_validator, model_validator

from multicluster.node_pools.profile import Document

CHAINED_SECONDS = 3600
"""What STS allows a role that is assumed with the credentials of another role."""


def _address(value: str) -> str:
    """Return the address without a slash at its end: paths are put behind it."""
    wrong = ValueError("must be an address like https://host or https://host:443, without user, query or fragment")
    try:
        parts = urlsplit(value)
        _port = parts.port
    except ValueError:
        raise wrong from None
    if not parts.hostname or set("@?#\\") & set(value) or not value.isprintable():
        raise wrong
    return value.rstrip("/")


class AwsRole(Document):
    """A role to assume."""

    role_arn: Annotated[str, Field(pattern=r"^arn:aws[a-z-]*:iam::\d{12}:role/\S+$")]
    external_id: Annotated[str, Field(min_length=2, max_length=1224)] | None = None
    session_name: Annotated[str, Field(pattern=r"^[A-Za-z0-9_+=,.@-]{2,64}$")] = "multicluster"
    """Appears in CloudTrail, and in the API server's audit log when the access entry's user name asks for it."""
    duration_seconds: Annotated[int, Field(ge=900, le=43200)] = CHAINED_SECONDS


class AwsCredentials(Document):
    """Where credentials come from. Without ``profile`` and ``connection``: the default chain of AWS SDKs."""

    profile: str | None = None
    """A profile of the AWS config files of the process that resolves the cluster."""
    connection: str | None = None
    """An Airflow connection of type ``aws``."""
    roles: tuple[AwsRole, ...] = ()
    """Roles to assume one after the other."""

    @model_validator(mode="after")
    def _one_source(self) -> Self:
        if self.profile and self.connection:
            raise ValueError("profile and connection exclude each other")
        for role in self.roles[1:]:
            if role.duration_seconds > CHAINED_SECONDS:
                raise ValueError(
                    f"{role.role_arn}: durationSeconds {role.duration_seconds} is more than the {CHAINED_SECONDS} that "
                    "STS allows for a role assumed by another role"
                )
        return self


class EksOptions(Document):
    """An EKS cluster. ``endpoint`` and ``certificateAuthorityData`` are pins that spare DescribeCluster."""

    cluster_name: Annotated[str, Field(pattern=r"^[0-9A-Za-z][A-Za-z0-9_-]{0,99}$")]
    region: Annotated[str, Field(pattern=r"^[a-z]{2,}(-[a-z]+)+-\d+$")]
    endpoint: Annotated[str, Field(pattern=r"^https://\S+$"), AfterValidator(_address)] | None = None
    certificate_authority_data: str | None = None
    """Base64 of PEM, as DescribeCluster and kubeconfigs have it."""
    credentials: AwsCredentials = AwsCredentials()

    @field_validator("certificate_authority_data")
    @classmethod
    def _is_base64_of_pem(cls, value: str | None) -> str | None:
        try:
            if value is not None and not re.search(rb"-----BEGIN CERTIFICATE-----", base64.b64decode(value)):
                raise ValueError("must be base64 of a PEM certificate")
        except binascii.Error as error:
            raise ValueError(f"must be base64 of a PEM certificate: {error}") from error
        return value
