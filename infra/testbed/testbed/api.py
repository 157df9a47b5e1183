"""The launcher's own requests to the API server, as administrator."""

from __future__ import annotations

import http.client
import json
import ssl
import time
from collections.abc import Callable
from dataclasses import dataclass
from http import HTTPStatus
from pathlib import Path
from typing import Any, TypeVar

from testbed.errors import LauncherError
from testbed.home import Home
from testbed.state import State

T = TypeVar("T")
MERGE = "application/merge-patch+json"
SECONDS = 30
"""For one answer: two cores may start several testbeds at the same time."""
PATIENCE_SECONDS = 120.0


class ApiError(LauncherError):
    """The API server refused, with this status and this text; or, with status 0, did not answer."""

    def __init__(self, status: int, text: str) -> None:
        said = f"the API server answers {status}: {message(text)}"
        super().__init__(said if status else f"the API server is silent: {text}")
        self.status = status


def message(text: str) -> str:
    """Take out of a Status object what it says to people; other texts say it as they are."""
    try:
        return str(json.loads(text)["message"])
    except (ValueError, TypeError, KeyError):
        return text


@dataclass(frozen=True, kw_only=True)
class Api:
    """A client with the administrator's certificate. Every call is a connection of its own and blocks."""

    port: int
    context: ssl.SSLContext

    @classmethod
    def of(cls, home: Home, state: State) -> Api:
        """Trust the testbed's own authority and nothing else."""
        context = ssl.create_default_context(cafile=str(home.pki / "ca.crt"))
        context.load_cert_chain(home.pki / "admin.crt", home.pki / "admin.key")
        return cls(port=state.claim.api, context=context)

    def call(self, method: str, path: str, body: Any = None) -> Any:
        """Send one request; give the parsed answer, or its text where it is not JSON.

        Raises:
            ApiError: The answer is 400 or above, or there is none.

        """
        connection = http.client.HTTPSConnection("127.0.0.1", self.port, context=self.context, timeout=SECONDS)
        try:
            kind = {"Content-Type": MERGE if method == "PATCH" else "application/json"}
            connection.request(method, path, None if body is None else json.dumps(body), kind)
            answer = connection.getresponse()
            text = answer.read().decode()
        except (OSError, http.client.HTTPException) as error:
            raise ApiError(0, str(error)) from error
        finally:
            connection.close()
        if answer.status >= HTTPStatus.BAD_REQUEST:
            raise ApiError(answer.status, text)
        return json.loads(text) if text.startswith("{") else text

    def find(self, path: str) -> Any:
        """Get an object; None if there is none, or no answer yet."""
        try:
            return self.call("GET", path)
        except ApiError:
            return None

    def delete(self, path: str) -> None:
        """Delete an object; it being gone already is as good."""
        try:
            self.call("DELETE", path)
        except ApiError as error:
            if error.status != HTTPStatus.NOT_FOUND:
                raise


def until(
    what: str,
    look: Callable[[], T],
    *,
    alive: Callable[[], bool],
    logs: Path | Callable[[], Path],
    seconds: float = PATIENCE_SECONDS,
) -> T:
    """Look again and again until there is something; give it. *logs* is quoted when nothing comes, and chosen then.

    Raises:
        LauncherError: There is nothing in time, or *alive* says that nothing will come any more.

    """
    log = logs if callable(logs) else lambda: logs
    end = time.monotonic() + seconds
    while not (found := look()):
        if not alive():
            raise LauncherError(f"{what}: {log().stem} has ended; {last_words(log())}")
        if time.monotonic() > end:
            raise LauncherError(f"{what}: not within {seconds:.0f} seconds; {last_words(log())}")
        time.sleep(0.05)
    return found


def last_words(logs: Path) -> str:
    """Quote the end of a log, and say where the rest stands."""
    try:
        lines = [line for line in logs.read_text(errors="replace").splitlines() if line.strip()]
    except OSError:
        lines = []
    quoted = "".join(f"\n    {line[:300]}" for line in lines[-3:])
    return f"its log is {logs}" + (f" and ends with:{quoted}" if quoted else "")
