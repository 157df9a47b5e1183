"""Decide by IAM's rules whether the policies of a caller allow what it asks for: deny by default, Deny beats Allow.

Only as much of the language as policies here use: Action and Resource with wildcards, and the operators of OPERATORS.
A policy that says more is refused when it is attached: a part of it that is passed over could allow too much.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from multicluster.simulator.aws.errors import AwsError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    from multicluster.simulator.aws.identities import Principal

OPERATORS: dict[str, Callable[[str | None, Sequence[str]], bool]] = {
    "StringEquals": lambda actual, wanted: actual in wanted,
    "Null": lambda actual, wanted: str(actual is None).lower() in wanted,
}
MEMBERS = frozenset({"Sid", "Effect", "Action", "Resource", "Condition"})


@dataclass(frozen=True, kw_only=True)
class Ask:
    """One thing that a caller must be allowed: an action on a resource, in a context of condition keys.

    ``refusal`` is what a service says that asks on behalf of its caller, instead of IAM's own words, which stand in
    for ``{}``.
    """

    action: str
    resource: str = "*"
    context: Mapping[str, str] = field(default_factory=dict)
    refusal: str = ""


class Policies:
    """Know which policies an identity has, by its ARN. One that never got any may do everything, as administrators.

    ``asked`` tells which actions each one has asked for, allowed or not.
    """

    def __init__(self) -> None:
        self.attached: dict[str, tuple[Mapping[str, Any], ...]] = {}
        self.asked: dict[str, set[str]] = {}

    def attach(self, arn: str, *documents: Mapping[str, Any]) -> None:
        """Give a user or role these policies, in place of those it had. Raises ValueError for what is not simulated."""
        statements = tuple(statement for document in documents for statement in document["Statement"])
        for statement in statements:
            unknown = set(statement) - MEMBERS | set(statement.get("Condition", {})) - set(OPERATORS)
            if unknown:
                raise ValueError(f"not simulated in a policy: {', '.join(sorted(unknown))}")
        self.attached[arn] = statements

    def require(self, caller: Principal, asks: Iterable[Ask]) -> None:
        """Refuse the first thing that the caller's policies do not allow. Raises AwsError as the service does."""
        for ask in asks:
            self.asked.setdefault(caller.source, set()).add(ask.action)
            if not self.allow(caller.source, ask):
                raise refused(caller.arn, ask)

    def allow(self, arn: str, ask: Ask) -> bool:
        """Tell whether an identity may have what it asks for."""
        if arn not in self.attached:
            return True
        effects = {statement["Effect"] for statement in self.attached[arn] if speaks_of(statement, ask)}
        return "Allow" in effects and "Deny" not in effects


def speaks_of(statement: Mapping[str, Any], ask: Ask) -> bool:
    """Tell whether a statement is about what is asked for."""
    context = {key.lower(): value for key, value in ask.context.items()}
    return (
        any(like(pattern.lower(), ask.action.lower()) for pattern in as_list(statement["Action"]))
        and any(arn_like(pattern, ask.resource) for pattern in as_list(statement["Resource"]))
        and all(
            OPERATORS[operator](context.get(key.lower()), as_list(wanted))
            for operator, keys in statement.get("Condition", {}).items()
            for key, wanted in keys.items()
        )
    )


def arn_like(pattern: str, arn: str) -> bool:
    """Match an ARN part by part: a wildcard goes past slashes, never past one of the first five colons."""
    if pattern == "*":
        return True
    patterns, parts = pattern.split(":", 5), arn.split(":", 5)
    return len(patterns) == len(parts) and all(map(like, patterns, parts))


def like(pattern: str, text: str) -> bool:
    """Match ``*`` and ``?``."""
    wild = {"*": ".*", "?": "."}
    return re.fullmatch("".join(wild.get(letter) or re.escape(letter) for letter in pattern), text) is not None


def as_list(value: str | Sequence[str]) -> Sequence[str]:
    """Read what may be one string or several."""
    return [value] if isinstance(value, str) else value


def refused(who: str, ask: Ask) -> AwsError:
    """Write the refusal: in IAM's words, or in those of the service that asked on behalf of its caller."""
    service = ask.action.split(":")[0]
    where = ask.resource.rpartition(":role/")[2] if service == "iam" and ask.action != "iam:PassRole" else ""
    where = f"role {where.rpartition('/')[2]}" if where else ask.resource
    on = "" if ask.resource == "*" else f" on resource: {where}"
    sentence = (
        f"User: {who} is not authorized to perform: {ask.action}{on} "
        f"because no identity-based policy allows the {ask.action} action"
    )
    if ask.refusal:
        return AwsError("InvalidRequestException", ask.refusal.format(sentence))
    if service == "ec2":
        sentence = f"You are not authorized to perform this operation. {sentence}"
    return AwsError("AccessDenied", sentence, 403)
