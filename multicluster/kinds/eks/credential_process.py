"""Bound the wait for a profile's ``credential_process``."""

from __future__ import annotations

import subprocess
from collections.abc import Callable
from functools import partial
from typing import Any

from botocore.exceptions import CredentialRetrievalError

PROCESS = "custom-process"
"""botocore's name for the provider that runs it."""
TIME_LIMIT_SECONDS = 60


class BoundedProcess(subprocess.Popen[bytes]):
    """A process that botocore waits for, though not for ever. Children that hold its output open count as well."""

    def communicate(self, input: bytes | None = None, timeout: float | None = None) -> tuple[bytes, bytes]:  # noqa: A002
        """Wait for the end. Raises CredentialRetrievalError when that takes too long, and kills the process."""
        try:
            return super().communicate(input, timeout or TIME_LIMIT_SECONDS)
        except subprocess.TimeoutExpired:
            self.kill()
            self.wait()
        finally:
            for stream in (self.stdout, self.stderr):
                if stream is not None:
                    stream.close()
        raise CredentialRetrievalError(provider=PROCESS, error_msg="it took too long")


def bound_processes(resolver: Any) -> Any:
    """Return *resolver*, botocore's chain of credential providers, with a bound on the profile's command.

    What botocore does not foresee, output that is no JSON object or a command that is not there, becomes its own error.
    """
    for provider in resolver.providers:
        if provider.METHOD == PROCESS:
            provider._popen = BoundedProcess  # noqa: SLF001  a parameter of its constructor, which botocore calls
            retrieve = provider._retrieve_credentials_using  # noqa: SLF001
            provider._retrieve_credentials_using = partial(_retrieved, retrieve)  # noqa: SLF001
    return resolver


def _retrieved(retrieve: Callable[[str], Any], command: str) -> Any:
    try:
        return retrieve(command)
    except (ValueError, TypeError, AttributeError, OSError) as error:
        raise CredentialRetrievalError(provider=PROCESS, error_msg=type(error).__name__) from None
