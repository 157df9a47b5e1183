"""Recognise the exec plugins of AWS and Google, so that they need not be run."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from multicluster.kinds.kubeconfig.exec_block import ExecBlock


@dataclass(frozen=True, kw_only=True)
class EksPlugin:
    """What ``aws eks get-token`` or ``aws-iam-authenticator token`` would sign."""

    cluster_name: str
    region: str | None
    profile: str | None
    role_arn: str | None
    session_name: str
    external_id: str | None = None


@dataclass(frozen=True, kw_only=True)
class GkePlugin:
    """``gke-gcloud-auth-plugin``."""

    service_account_file: str | None


AWS_OPTIONS = {
    "--cluster-name": "cluster",
    "--cluster-id": "cluster",
    "--role-arn": "role",
    "--region": "region",
    "--profile": "profile",
    "--output": "output",
}
AUTHENTICATOR_OPTIONS = {
    "-i": "cluster",
    "--cluster-id": "cluster",
    "-r": "role",
    "--role": "role",
    "-e": "external_id",
    "--external-id": "external_id",
    "-s": "session_name",
    "--session-name": "session_name",
    "--region": "region",
}
AWS_ENVIRONMENT = frozenset({"AWS_PROFILE", "AWS_REGION", "AWS_DEFAULT_REGION", "AWS_STS_REGIONAL_ENDPOINTS"})
HOST = re.compile(r"\.(?P<region>[a-z]{2,}(-[a-z]+)+-\d+)\.(eks\.)")


def recognise(block: ExecBlock) -> EksPlugin | GkePlugin | None:
    """Return what the ``exec`` block of a kubeconfig user asks for; None when any part of it is not understood."""
    command, arguments, environment = block.short_name.removesuffix(".exe"), block.arguments, block.environment
    if command == "aws" and set(environment) <= AWS_ENVIRONMENT:
        return _eks(_options(arguments, AWS_OPTIONS, ["eks", "get-token"]), environment, "EKSGetTokenAuth")
    if command == "aws-iam-authenticator" and set(environment) <= AWS_ENVIRONMENT:
        return _eks(_options(arguments, AUTHENTICATOR_OPTIONS, ["token"]), environment, "aws-iam-authenticator")
    if command == "gke-gcloud-auth-plugin" and set(environment) <= {"GOOGLE_APPLICATION_CREDENTIALS"}:
        known = set(arguments) <= {"--use_application_default_credentials"}
        return GkePlugin(service_account_file=environment.get("GOOGLE_APPLICATION_CREDENTIALS")) if known else None
    return None


def region_of(server: str) -> str | None:
    """Return the region in an EKS endpoint's host name."""
    found = HOST.search(server)
    return found["region"] if found else None


def _eks(options: Mapping[str, str] | None, environment: Mapping[str, str], session_name: str) -> EksPlugin | None:
    if options is None or "cluster" not in options:
        return None
    return EksPlugin(
        cluster_name=options["cluster"],
        region=options.get("region") or environment.get("AWS_REGION") or environment.get("AWS_DEFAULT_REGION"),
        profile=options.get("profile") or environment.get("AWS_PROFILE"),
        role_arn=options.get("role"),
        session_name=options.get("session_name", session_name),
        external_id=options.get("external_id"),
    )


def _options(arguments: Sequence[str], known: Mapping[str, str], words: Sequence[str]) -> dict[str, str] | None:
    """Return the options of a command line that consists of *words* and *known* options, None for any other."""
    found: dict[str, str] = {}
    rest: list[str] = []
    given = iter(arguments)
    for argument in given:
        flag, equals, value = argument.partition("=")
        if not argument.startswith("-"):
            rest.append(argument)
        elif flag in known:
            found[known[flag]] = value if equals else _next(given)
        else:
            return None
    return found if rest == list(words) else None


def _next(given: Iterator[str]) -> str:
    return next(given, "")
