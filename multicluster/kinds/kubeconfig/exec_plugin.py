"""Run an exec plugin, which the registry has to allow.

The contract is client-go's: https://kubernetes.io/docs/reference/access-authn-authz/authentication/#client-go-credential-plugins
"""

from __future__ import annotations

import json
import os
import subprocess
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from multicluster.access.clock import Clock
from multicluster.access.endpoint import Endpoint
from multicluster.access.single_flight import SingleFlight
from multicluster.access.token import Token
from multicluster.errors import CredentialError
from multicluster.kinds.kubeconfig.document import Entry

VERSIONS = ("client.authentication.k8s.io/v1", "client.authentication.k8s.io/v1beta1")
TIME_LIMIT_SECONDS = 60
MARGIN = timedelta(seconds=30)
FOR_EVER = datetime.max.replace(tzinfo=UTC)


@dataclass(frozen=True, kw_only=True)
class ExecCredential:
    """What a plugin answered."""

    token: str | None = field(repr=False)
    certificate: bytes | None
    key: bytes | None = field(repr=False)
    expires_at: datetime


class ExecPlugin:
    """A command that prints an ExecCredential. As a token source it is run for every token."""

    def __init__(self, user: Entry, *, name: str, clock: Clock, endpoint: Endpoint) -> None:
        self._user = user
        self._block = user.block["exec"]
        self._name = name
        self._clock = clock
        self._endpoint = endpoint
        self._first = SingleFlight(self._run)
        self._answer: ExecCredential | None = None

    def credential(self) -> ExecCredential:
        """Return the first answer; runs the command if it has not been run. Raises CredentialError."""
        if self._answer is None:
            self._answer = self._first()
        return self._answer

    def mint(self) -> Token:
        """Run the command (its first answer serves the first call) and return its token. Raises CredentialError."""
        answer, self._answer = self._answer or self._run(), None
        if not answer.token:
            raise self._failure("it gave a client certificate before, and no token now", "restart this process")
        return Token(
            value=answer.token,
            expires_at=answer.expires_at,
            minted_at=self._clock(),
            subject=f"exec plugin {self._block.get('command')!r}",
        )

    def _run(self) -> ExecCredential:
        version = self._block.get("apiVersion")
        if version not in VERSIONS:
            raise self._failure(f"its apiVersion is {version!r}", f"supported are {' and '.join(VERSIONS)}")
        if self._block.get("interactiveMode") == "Always":
            raise self._failure("it wants to talk to a person (interactiveMode: Always)", "use another user")
        command = [self._command(), *(str(argument) for argument in self._block.get("args") or ())]
        try:
            done = subprocess.run(  # noqa: S603  the registry allows it by allowExec
                command,
                env=self._environment(version),
                stdin=subprocess.DEVNULL,
                capture_output=True,
                timeout=TIME_LIMIT_SECONDS,
                check=False,
            )
        except (OSError, subprocess.TimeoutExpired) as error:
            raise self._failure(str(error), str(self._block.get("installHint") or "install it")) from error
        if done.returncode:
            words = done.stderr.decode(errors="replace").strip()[-500:]
            raise self._failure(f"it ended with {done.returncode}: {words}", "run it by hand")
        return self._parse(done.stdout, version)

    def _command(self) -> str:
        command = str(self._block.get("command") or "")
        return str(self._user.folder / command) if os.sep in command else command

    def _environment(self, version: str) -> dict[str, str]:
        spec: dict[str, Any] = {"interactive": False}
        if self._block.get("provideClusterInfo"):
            ca = (self._endpoint.ca_pem or b"").decode()
            spec["cluster"] = {"server": self._endpoint.server, "certificate-authority-data": ca}
        info = json.dumps({"apiVersion": version, "kind": "ExecCredential", "spec": spec})
        own = {str(item["name"]): str(item["value"]) for item in self._block.get("env") or ()}
        return {**os.environ, **own, "KUBERNETES_EXEC_INFO": info}

    def _parse(self, printed: bytes, version: str) -> ExecCredential:
        try:
            answer = json.loads(printed)
            status = answer["status"]
            until = status.get("expirationTimestamp")
            expires_at = datetime.fromisoformat(until).astimezone(UTC) - MARGIN if until else FOR_EVER
            certificate, key = status.get("clientCertificateData"), status.get("clientKeyData")
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            # Not chained: the text of the cause could quote the token.
            raise self._failure(f"it printed no ExecCredential ({type(error).__name__})", "run it by hand") from None
        if answer.get("apiVersion") != version:
            raise self._failure(f"it answered {answer.get('apiVersion')!r} to {version!r}", "make both the same")
        if not status.get("token") and not (certificate and key):
            raise self._failure("it gave neither token nor client certificate", "run it by hand")
        return ExecCredential(
            token=status.get("token"),
            certificate=certificate.encode() if certificate else None,
            key=key.encode() if key else None,
            expires_at=expires_at,
        )

    def _failure(self, why: str, remedy: str) -> CredentialError:
        return CredentialError(
            f"cluster {self._name!r}: exec plugin {self._block.get('command')!r} of kubeconfig user "
            f"{self._user.name!r}: {why}; {remedy}"
        )
