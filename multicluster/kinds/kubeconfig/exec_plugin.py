"""Run an exec plugin, which the registry has to allow.

The contract is client-go's: https://kubernetes.io/docs/reference/access-authn-authz/authentication/#client-go-credential-plugins
"""

from __future__ import annotations

import base64
import json
import os
from typing import Any

from multicluster.access.clock import Clock
from multicluster.access.endpoint import Endpoint
from multicluster.access.single_flight import SingleFlight
from multicluster.access.token import Token
from multicluster.errors import CredentialError
from multicluster.kinds.kubeconfig.command import Ended, RunawayError, run
from multicluster.kinds.kubeconfig.exec_answer import ExecCredential, NoExecCredentialError, read_answer
from multicluster.kinds.kubeconfig.exec_block import ExecBlock
from multicluster.kinds.kubeconfig.last_words import last_words

VERSIONS = ("client.authentication.k8s.io/v1", "client.authentication.k8s.io/v1beta1")
TIME_LIMIT_SECONDS = 60
BY_HAND = "run the user's exec command by hand to see more"


class ExecPlugin:
    """A command that prints an ExecCredential. As a token source it is run for every token.

    No error quotes its arguments, its environment or its answer; of what it says on stderr, the last line without
    what looks like a secret.
    """

    def __init__(self, block: ExecBlock, *, name: str, clock: Clock, endpoint: Endpoint) -> None:
        self._block = block
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
            subject=f"exec plugin {self._block.short_name!r}",
        )

    def _run(self) -> ExecCredential:
        version = self._block.api_version
        if version not in VERSIONS:
            raise self._failure(f"its apiVersion is {version!r}", f"supported are {' and '.join(VERSIONS)}")
        if self._block.interactive:
            raise self._failure("it wants to talk to a person (interactiveMode: Always)", "use another user")
        ended = self._ended(version)
        if ended.code:
            words = last_words(ended.stderr, (*self._block.arguments, *self._block.environment.values()))
            raise self._failure(f"it ended with {ended.code}: {words or 'without a word'}", BY_HAND)
        try:
            return read_answer(ended.stdout, version)
        except NoExecCredentialError as error:
            raise self._failure(str(error), BY_HAND) from None

    def _ended(self, version: str) -> Ended:
        command = [self._command(), *self._block.arguments]
        try:
            return run(command, environment=self._environment(version), seconds=TIME_LIMIT_SECONDS)
        except RunawayError as error:
            why = f"{error} (the limit is {TIME_LIMIT_SECONDS:g} s) and was killed"
        except OSError as error:
            hint = self._block.install_hint or "install it where this process runs, or correct the path"
            raise self._failure(f"it cannot be started: {error.strerror}", hint) from None
        raise self._failure(why, BY_HAND)

    def _command(self) -> str:
        command = self._block.command
        return str(self._block.folder / command) if os.sep in command else command

    def _environment(self, version: str) -> dict[str, str]:
        spec: dict[str, Any] = {"interactive": False}
        if self._block.wants_cluster:
            ca = base64.b64encode(self._endpoint.ca_pem or b"").decode()
            spec["cluster"] = {"server": self._endpoint.server, "certificate-authority-data": ca}
        info = json.dumps({"apiVersion": version, "kind": "ExecCredential", "spec": spec})
        return {**os.environ, **self._block.environment, "KUBERNETES_EXEC_INFO": info}

    def _failure(self, why: str, remedy: str) -> CredentialError:
        return CredentialError(
            f"cluster {self._name!r}: exec plugin {self._block.short_name!r} of kubeconfig user "
            f"{self._block.user!r}: {why}; {remedy}"
        )
