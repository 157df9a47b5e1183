"""Answer STS: who is calling, and sessions of roles."""

from __future__ import annotations

import base64
import binascii
import json
import re
from typing import TYPE_CHECKING, Any

from multicluster.simulator.aws.errors import AwsError
from multicluster.simulator.aws.identities import ROLE_ARN

if TYPE_CHECKING:
    from collections.abc import Mapping

    from multicluster.simulator.aws.identities import AccessKey, Iam, Principal

SESSION_NAME = re.compile(r"[\w+=,.@-]{2,64}")
EXTERNAL_ID = re.compile(r"[\w+=,.@:/-]{2,1224}")
MIN_SECONDS, MAX_SECONDS = 900, 43200


class Sts:
    """Serve three actions of the query API; results are dicts, written by the gateway as XML or JSON."""

    def __init__(self, iam: Iam) -> None:
        self.iam = iam

    def get_caller_identity(self, caller: Principal, _form: Mapping[str, str]) -> dict[str, Any]:
        """Say who signed; always allowed."""
        return {"Arn": caller.arn, "UserId": caller.user_id, "Account": caller.account}

    def assume_role(self, caller: Principal, form: Mapping[str, str]) -> dict[str, Any]:
        """Open a session of a role that trusts the caller."""
        arn, session = role_and_session(form)
        external_id = form.get("ExternalId")
        if external_id is not None and not EXTERNAL_ID.fullmatch(external_id):
            raise constraint("externalId", external_id, EXTERNAL_ID.pattern)
        key = self.iam.assume(caller, arn, session, external_id=external_id, seconds=duration(form))
        return credentials(key)

    def assume_role_with_web_identity(self, form: Mapping[str, str]) -> dict[str, Any]:
        """Open a session for the bearer of an OIDC token, whose end is checked and whose signature is not."""
        arn, session = role_and_session(form)
        claims = read_claims(form.get("WebIdentityToken", ""))
        if float(claims.get("exp", 0)) <= self.iam.now().timestamp():
            raise AwsError(
                "ExpiredTokenException", "Token expired: current date/time must be before the expiration date/time"
            )
        role = self.iam.roles.get(arn)
        subject = str(claims.get("sub", ""))
        if role is None or (role.trust is not None and subject not in role.trust):
            message = "Not authorized to perform sts:AssumeRoleWithWebIdentity"
            raise AwsError("AccessDenied", message, 403)
        key = self.iam.open_session(role, session, duration(form))
        more = {
            "SubjectFromWebIdentityToken": subject,
            "Audience": str(claims.get("aud")),
            "Provider": str(claims.get("iss")),
        }
        return {**credentials(key), **more}


def role_and_session(form: Mapping[str, str]) -> tuple[str, str]:
    """Read and check the two required parameters of both AssumeRole actions."""
    arn, session = form.get("RoleArn", ""), form.get("RoleSessionName", "")
    if not ROLE_ARN.fullmatch(arn):
        raise AwsError("ValidationError", f"{arn} is invalid")
    if not SESSION_NAME.fullmatch(session):
        raise constraint("roleSessionName", session, SESSION_NAME.pattern)
    return arn, session


def duration(form: Mapping[str, str]) -> int:
    """Read DurationSeconds; one hour when it is left out."""
    seconds = int(form.get("DurationSeconds", "3600"))
    if not MIN_SECONDS <= seconds <= MAX_SECONDS:
        bound = (
            f"greater than or equal to {MIN_SECONDS}"
            if seconds < MIN_SECONDS
            else f"less than or equal to {MAX_SECONDS}"
        )
        message = f"Value '{seconds}' at 'durationSeconds' failed to satisfy constraint: Member must have value {bound}"
        raise AwsError("ValidationError", f"1 validation error detected: {message}")
    return seconds


def constraint(member: str, value: str, pattern: str) -> AwsError:
    """Build the refusal of a parameter that does not match its pattern."""
    rule = f"failed to satisfy constraint: Member must satisfy regular expression pattern: {pattern}"
    return AwsError("ValidationError", f"1 validation error detected: Value '{value}' at '{member}' {rule}")


def credentials(key: AccessKey) -> dict[str, Any]:
    """Write a session as both AssumeRole actions do."""
    assert key.expires is not None  # noqa: S101 - a session always ends
    return {
        "AssumedRoleUser": {"Arn": key.principal.arn, "AssumedRoleId": key.principal.user_id},
        "Credentials": {
            "AccessKeyId": key.id,
            "SecretAccessKey": key.secret,
            "SessionToken": key.session_token,
            "Expiration": f"{key.expires:%Y-%m-%dT%H:%M:%SZ}",
        },
    }


def read_claims(token: str) -> dict[str, Any]:
    """Read the claims of a JWT."""
    try:
        payload = token.split(".")[1]
        claims = json.loads(base64.urlsafe_b64decode(payload + "=" * (-len(payload) % 4)))
    except (IndexError, binascii.Error, ValueError):
        raise AwsError("InvalidIdentityToken", "The ID Token provided is not a valid JWT.") from None
    if not isinstance(claims, dict):
        raise AwsError("InvalidIdentityToken", "The ID Token provided is not a valid JWT.")
    return claims
