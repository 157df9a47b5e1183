"""Find out why an EKS cluster may have refused a token: ask STS who signed it."""

from __future__ import annotations

import re
from typing import Any

import botocore.session
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError

from multicluster.access.token import Finding
from multicluster.kinds.eks.errors import BUSY
from multicluster.kinds.eks.options import AwsRole
from multicluster.kinds.eks.token_source import SigningKey

CONNECT_SECONDS, READ_SECONDS = 3, 5
ASSUMED = re.compile(r"arn:([^:]+):sts::(\d{12}):assumed-role/([^/]+)/.+")
REMEDIES = {
    "ExpiredToken": "its session is over: sign in again, or let a role renew it",
    "InvalidClientTokenId": "the access key was deleted, is inactive, or is of another partition: use another",
    "SignatureDoesNotMatch": "the secret key is not that of the access key, or this machine's clock is off by minutes",
}


def inquire(
    session: botocore.session.Session,
    key: SigningKey,
    *,
    cluster_name: str,
    region: str,
    roles: tuple[AwsRole, ...] = (),
) -> Finding:
    """Ask STS once, for about eight seconds at most, whose the key is that signed a token; raises nothing.

    The verifier of the cluster asks the same question with the token itself; the reason that it gets stays with AWS.
    *roles* are those of the registry: STS leaves a role's path out.
    """
    try:
        arn = _caller(session, key, region)
    except ClientError as error:
        return _refused(str(error.response.get("Error", {}).get("Code", "unknown")), region)
    except (BotoCoreError, ValueError, OSError) as error:
        return _silent(f"gave no answer here either ({type(error).__name__})", region)
    who = principal(arn, roles)
    command = f"aws eks describe-access-entry --cluster-name {cluster_name} --region {region} --principal-arn {who}"
    return Finding(
        text=f"STS knows the signer as {arn}, so key and signature are good. Most likely EKS cluster {cluster_name!r} "
        f"has no access entry (and no line in aws-auth) for {who}, or the API server at this address is another "
        f"cluster's. Next: {command}; if there is an entry, its own check of tokens may be failing for a while"
    )


def principal(arn: str, roles: tuple[AwsRole, ...]) -> str:
    """Return the ARN that an access entry names for a caller: of a session, its role."""
    found = ASSUMED.fullmatch(arn)
    if found is None:
        return arn
    partition, account, name = found.groups()
    of_account = f"arn:{partition}:iam::{account}:role/"
    known = [
        role.role_arn
        for role in roles
        if re.fullmatch(f"{re.escape(of_account)}(.*/)?{re.escape(name)}", role.role_arn)
    ]
    return known[-1] if known else of_account + name


def _caller(session: botocore.session.Session, key: SigningKey, region: str) -> str:
    client: Any = session.create_client(
        "sts",
        region_name=region,
        aws_access_key_id=key.access_key,
        aws_secret_access_key=key.secret_key,
        aws_session_token=key.token,
        config=Config(connect_timeout=CONNECT_SECONDS, read_timeout=READ_SECONDS, retries={"total_max_attempts": 1}),
    )
    return str(client.get_caller_identity()["Arn"])


def _refused(code: str, region: str) -> Finding:
    if code in BUSY or code in {"InternalFailure", "ServiceUnavailable"}:
        return _silent(f"refuses for now here, too ({code})", region)
    remedy = REMEDIES.get(code, "correct the credentials")
    return Finding(text=f"STS refuses the signer with {code}: {remedy}")


def _silent(what: str, region: str) -> Finding:
    return Finding(
        text=f"STS in {region} {what}, and the cluster asks it about every new token: try again in a while",
        transient=True,
    )
