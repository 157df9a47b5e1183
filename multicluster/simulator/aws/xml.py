"""Write answers of the query protocol: dicts become elements, lists become members."""

from __future__ import annotations

import datetime as dt
import secrets
from typing import TYPE_CHECKING, Any
from xml.sax.saxutils import escape

from aiohttp import web

if TYPE_CHECKING:
    from collections.abc import Mapping

NAMESPACES = {
    "sts": "https://sts.amazonaws.com/doc/2011-06-15/",
    "autoscaling": "http://autoscaling.amazonaws.com/doc/2011-01-01/",
    "ec2": "http://ec2.amazonaws.com/doc/2016-11-15/",
}


def elements(value: Any, item: str = "member") -> str:
    """Write a value's inside as XML text; None is left out."""
    if isinstance(value, dict):
        return "".join(
            f"<{name}>{elements(inner, item)}</{name}>" for name, inner in value.items() if inner is not None
        )
    if isinstance(value, (list, tuple)):
        return "".join(f"<{item}>{elements(inner, item)}</{item}>" for inner in value)
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, dt.datetime):
        return f"{value:%Y-%m-%dT%H:%M:%S}.{value.microsecond // 1000:03d}Z"
    return escape(str(value))


def answer(service: str, action: str, result: Mapping[str, Any]) -> web.Response:
    """Wrap a result as the service does."""
    request_id = secrets.token_hex(16)
    if service == "ec2":
        inside = f"<requestId>{request_id}</requestId>{elements(dict(result), 'item')}"
    else:
        meta = f"<ResponseMetadata><RequestId>{request_id}</RequestId></ResponseMetadata>"
        inside = f"<{action}Result>{elements(dict(result))}</{action}Result>{meta}"
    text = f'<{action}Response xmlns="{NAMESPACES[service]}">{inside}</{action}Response>'
    return web.Response(text=text, content_type="text/xml", headers={"x-amzn-RequestId": request_id})


def indexed(form: Mapping[str, str], prefix: str) -> list[str]:
    """Read a flattened list parameter: ``Name.member.1`` or ``Name.1``, in order."""
    found: list[tuple[int, str]] = []
    for name, value in form.items():
        for lead in (f"{prefix}.member.", f"{prefix}."):
            if name.startswith(lead) and name.removeprefix(lead).isdigit():
                found.append((int(name.removeprefix(lead)), value))
                break
    return [value for _, value in sorted(found)]


def filters(form: Mapping[str, str]) -> list[tuple[str, list[str]]]:
    """Read ``Filters``/``Filter`` parameters as pairs of a name and its accepted values."""
    found = []
    for number in range(1, 51):
        for lead in (f"Filters.member.{number}", f"Filter.{number}"):
            if f"{lead}.Name" in form:
                values = indexed(form, f"{lead}.Values") or indexed(form, f"{lead}.Value")
                found.append((form[f"{lead}.Name"], values))
    return found
