"""Know who may sign: accounts, users, roles with their trust, sessions with their end."""

from __future__ import annotations

import datetime as dt
import hashlib
import re
import secrets
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from multicluster.simulator.aws.errors import AwsError, access_denied

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

DEFAULT_ACCOUNT = "111122223333"
CHAINED_CAP_SECONDS = 3600  # "Role chaining limits your session to a maximum of one hour" (IAM user guide)
ROLE_ARN = re.compile(r"arn:(aws[a-z-]*):iam::(\d{12}):role/([\w+=,.@/-]*?)([\w+=,.@-]{1,64})")


@dataclass(frozen=True, kw_only=True)
class Principal:
    """Who a request speaks for. ``source`` is the ARN policies name: the role of a session, or the user itself."""

    arn: str
    user_id: str
    account: str
    source: str
    session: bool = False


@dataclass(frozen=True, kw_only=True)
class AccessKey:
    """A key pair that signs, with the session token that must travel with it."""

    id: str
    principal: Principal
    secret: str = field(repr=False)
    session_token: str | None = field(default=None, repr=False)
    expires: dt.datetime | None = None


@dataclass(frozen=True, kw_only=True)
class Role:
    """An IAM role and who may assume it: ``trust`` is None for anyone, else source ARNs or account numbers."""

    arn: str
    account: str
    name: str
    trust: tuple[str, ...] | None = None
    external_id: str | None = None
    max_session_seconds: int = 3600
    session_token_bytes: int = 300

    @property
    def id(self) -> str:
        """The unique id, ``AROA...``."""
        return "AROA" + hashlib.sha256(self.arn.encode()).hexdigest()[:17].upper()


class Iam:
    """Keep the identities of all accounts of one world."""

    def __init__(self, now: Callable[[], dt.datetime]) -> None:
        self.now = now
        self.accounts: set[str] = {DEFAULT_ACCOUNT}
        self.roles: dict[str, Role] = {}
        self.keys: dict[str, AccessKey] = {}
        self.minted_sessions = 0

    def add_user(self, name: str, account: str = DEFAULT_ACCOUNT, *, key_id: str = "", secret: str = "") -> AccessKey:
        """Make an IAM user with one long-lived access key."""
        self.accounts.add(account)
        arn = f"arn:aws:iam::{account}:user/{name}"
        user_id = "AIDA" + hashlib.sha256(arn.encode()).hexdigest()[:17].upper()
        key = AccessKey(
            id=key_id or "AKIA" + secrets.token_hex(8).upper(),
            secret=secret or secrets.token_urlsafe(30),
            principal=Principal(arn=arn, user_id=user_id, account=account, source=arn),
        )
        self.keys[key.id] = key
        return key

    def add_role(
        self,
        name: str,
        account: str = DEFAULT_ACCOUNT,
        *,
        trust: Iterable[str] | None = None,
        external_id: str | None = None,
        max_session_seconds: int = 3600,
        session_token_bytes: int = 300,
        path: str = "/",
    ) -> Role:
        """Make a role; ``trust=None`` lets anyone assume it, ``trust=()`` nobody."""
        self.accounts.add(account)
        role = Role(
            arn=f"arn:aws:iam::{account}:role{path}{name}",
            account=account,
            name=name,
            trust=None if trust is None else tuple(trust),
            external_id=external_id,
            max_session_seconds=max_session_seconds,
            session_token_bytes=session_token_bytes,
        )
        self.roles[role.arn] = role
        return role

    def key(self, key_id: str) -> AccessKey:
        """Find a key; refuse an unknown one as AWS does."""
        if key_id not in self.keys:
            message = "The security token included in the request is invalid."
            raise AwsError("InvalidClientTokenId", message, 403)
        return self.keys[key_id]

    def assume(
        self, caller: Principal, role_arn: str, session: str, *, external_id: str | None, seconds: int
    ) -> AccessKey:
        """Open a session of a role, if the role exists, trusts the caller and the external id fits."""
        role = self.roles.get(role_arn)
        if role is None or not _trusts(role, caller) or (role.external_id and role.external_id != external_id):
            raise access_denied(caller.arn, "sts:AssumeRole", role_arn)
        if caller.session and seconds > CHAINED_CAP_SECONDS:
            message = (
                "The requested DurationSeconds exceeds the 1 hour session limit for roles assumed by role chaining"
            )
            raise AwsError("ValidationError", message)
        if seconds > role.max_session_seconds:
            message = "The requested DurationSeconds exceeds the MaxSessionDuration set for this role."
            raise AwsError("ValidationError", message)
        return self.open_session(role, session, seconds)

    def open_session(self, role: Role, session: str, seconds: float) -> AccessKey:
        """Hand out the temporary credentials of a session, whoever asks."""
        arn = f"arn:aws:sts::{role.account}:assumed-role/{role.name}/{session}"
        key = AccessKey(
            id="ASIA" + secrets.token_hex(8).upper(),
            secret=secrets.token_urlsafe(30),
            session_token=secrets.token_urlsafe(role.session_token_bytes),
            expires=self.now() + dt.timedelta(seconds=seconds),
            principal=Principal(
                arn=arn, user_id=f"{role.id}:{session}", account=role.account, source=role.arn, session=True
            ),
        )
        self.keys[key.id] = key
        self.minted_sessions += 1
        return key

    def end_sessions(self) -> int:
        """End every open session now; returns how many."""
        ended = 0
        for key in [key for key in self.keys.values() if key.expires is not None and key.expires > self.now()]:
            fields = {name: getattr(key, name) for name in ("id", "principal", "secret", "session_token")}
            self.keys[key.id] = AccessKey(**fields, expires=self.now())
            ended += 1
        return ended


def _trusts(role: Role, caller: Principal) -> bool:
    if role.trust is None:
        return True
    return any(entry in {caller.source, caller.arn, caller.account} for entry in role.trust)
