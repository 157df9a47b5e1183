"""Know Google's identities: service accounts with keys, and the access tokens handed out."""

from __future__ import annotations

import datetime as dt
import hashlib
import secrets
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

CLOUD_PLATFORM = "https://www.googleapis.com/auth/cloud-platform"
USERINFO_EMAIL = "https://www.googleapis.com/auth/userinfo.email"
LIFE = dt.timedelta(hours=1)


@dataclass(kw_only=True)
class ServiceAccount:
    """A service account. ``impersonators`` are the e-mails that may act as it: None for anyone, () for nobody."""

    email: str
    project: str
    impersonators: tuple[str, ...] | None = None
    allowed: bool = True
    keys: dict[str, rsa.RSAPrivateKey] = field(default_factory=dict, repr=False)

    @property
    def unique_id(self) -> str:
        """The 21-digit id, which is the Kubernetes user's name when the token lacks the scope userinfo.email."""
        return "1" + str(int(hashlib.sha256(self.email.encode()).hexdigest(), 16))[:20]


@dataclass(frozen=True, kw_only=True)
class AccessToken:
    """A bearer token and what it is good for."""

    token: str = field(repr=False)
    account: ServiceAccount
    scopes: tuple[str, ...]
    issued: dt.datetime
    expires: dt.datetime

    @property
    def user(self) -> str:
        """The name the API server sees."""
        return self.account.email if USERINFO_EMAIL in self.scopes else self.account.unique_id


class AccessTokens:
    """Hand out tokens, find them again, count their use."""

    def __init__(self, now: Callable[[], dt.datetime]) -> None:
        self.now = now
        self.live: dict[str, AccessToken] = {}
        self.minted = 0
        self.verified = 0
        self.seen: set[str] = set()
        self.refused: list[str] = []

    def mint(self, account: ServiceAccount, scopes: Iterable[str], life: dt.timedelta = LIFE) -> AccessToken:
        """Hand out a new token."""
        now = self.now()
        token = AccessToken(
            token="ya29.c." + secrets.token_urlsafe(48),
            account=account,
            scopes=tuple(scopes),
            issued=now,
            expires=now + life,
        )
        self.live[token.token] = token
        self.minted += 1
        return token

    def find(self, token: str) -> AccessToken | None:
        """Return a token that is known and not over."""
        found = self.live.get(token)
        return found if found is not None and found.expires > self.now() else None

    def admit(self, token: str) -> AccessToken | None:
        """Find a token on behalf of an API server, and count it."""
        found = self.find(token)
        if found is None or CLOUD_PLATFORM not in found.scopes or not found.account.allowed:
            self.refused.append("unknown, expired or without scope or rights")
            return None
        self.verified += 1
        self.seen.add(token)
        return found

    def revoke(self) -> None:
        """End every token handed out so far."""
        self.live.clear()


class ServiceAccounts:
    """Keep the service accounts of all projects."""

    def __init__(self) -> None:
        self.all: dict[str, ServiceAccount] = {}

    def add(self, name: str, project: str, *, impersonators: Iterable[str] | None = None) -> ServiceAccount:
        """Make a service account, or return the one that is there."""
        email = f"{name}@{project}.iam.gserviceaccount.com"
        who = None if impersonators is None else tuple(impersonators)
        return self.all.setdefault(email, ServiceAccount(email=email, project=project, impersonators=who))

    def key_file(self, account: ServiceAccount, token_uri: str) -> dict[str, Any]:
        """Make a key and return its JSON file, as the console hands it out; ``token_uri`` leads to this world."""
        key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
        key_id = secrets.token_hex(20)
        account.keys[key_id] = key
        pem = key.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        )
        return {
            "type": "service_account",
            "project_id": account.project,
            "private_key_id": key_id,
            "private_key": pem.decode(),
            "client_email": account.email,
            "client_id": account.unique_id,
            "auth_uri": "https://accounts.google.com/o/oauth2/auth",
            "token_uri": token_uri,
            "universe_domain": "googleapis.com",
        }
