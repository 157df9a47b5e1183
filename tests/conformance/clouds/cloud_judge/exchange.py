"""Hold one request to a cloud and its answer, as they went over the wire."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qsl

SCOPE = re.compile(r"Credential=[^/]+/\d{8}/[^/]+/(?P<service>[a-z0-9-]+)/aws4_request")


@dataclass(frozen=True, kw_only=True)
class Exchange:
    """``path`` and ``query`` are still percent-encoded; header names are in lower case.

    ``status`` is None when the connection was cut before an answer.
    """

    cloud: str
    method: str
    path: str
    query: str = ""
    headers: Mapping[str, str] = field(default_factory=dict, repr=False)
    body: bytes = b""
    status: int | None = None
    answer_headers: Mapping[str, str] = field(default_factory=dict, repr=False)
    answer: bytes = b""

    @property
    def parameters(self) -> list[tuple[str, str]]:
        """The parameters of the query, decoded, in order."""
        return parse_qsl(self.query, keep_blank_values=True)

    @property
    def form(self) -> list[tuple[str, str]]:
        """The parameters of AWS's query protocol: in the query, or in a form."""
        return [*self.parameters, *parse_qsl(self.body.decode(), keep_blank_values=True)]

    @property
    def asked_for_json(self) -> bool:
        """Whether a query service was asked for JSON, as token verifiers ask STS."""
        return self.headers.get("accept") == "application/json"

    @property
    def aws_service(self) -> str:
        """The service of AWS that the signature is for; only STS takes requests without one."""
        found = SCOPE.search(self.headers.get("authorization", ""))
        return found["service"] if found else "sts"


def read_object(text: bytes) -> dict[str, Any] | None:
    """Read a JSON object; an empty text is an empty one, anything else is None."""
    try:
        read = json.loads(text or b"{}")
    except ValueError:
        return None
    return read if isinstance(read, dict) else None
