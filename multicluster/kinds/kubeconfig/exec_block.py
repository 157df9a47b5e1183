"""Read the ``exec`` block of a kubeconfig's user."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path, PurePath

from multicluster.errors import CredentialError
from multicluster.kinds.kubeconfig.entry import Entry


@dataclass(frozen=True, kw_only=True)
class ExecBlock:
    """A command to run, as the kubeconfig's author wrote it. Arguments and environment may hold secrets."""

    user: str
    folder: Path
    command: str
    arguments: tuple[str, ...] = field(repr=False)
    environment: Mapping[str, str] = field(repr=False)
    api_version: str | None
    interactive: bool
    """Whether it always wants to talk to a person."""
    wants_cluster: bool
    install_hint: str | None

    @property
    def short_name(self) -> str:
        """The command without its folder."""
        return PurePath(self.command).name


def exec_block(user: Entry) -> ExecBlock | None:
    """Return the user's ``exec`` block, None when there is none. Raises CredentialError that names a wrong field."""
    block = user.mapping("exec")
    if block is None:
        return None
    entry = replace(user, block=block, where=f"{user.where}: exec", wrong=CredentialError)
    command = entry.text("command")
    if not command:
        raise entry.refuse("command", "is missing")
    return ExecBlock(
        user=user.name,
        folder=user.folder,
        command=command,
        arguments=_arguments(entry),
        environment=_environment(entry),
        api_version=entry.text("apiVersion"),
        interactive=entry.text("interactiveMode") == "Always",
        wants_cluster=entry.flag("provideClusterInfo"),
        install_hint=entry.text("installHint"),
    )


def _arguments(entry: Entry) -> tuple[str, ...]:
    given = entry.block.get("args") or []
    if not isinstance(given, list) or not all(isinstance(item, str) and "\0" not in item for item in given):
        raise entry.refuse("args", "must be a list of texts; put numbers in quotes")
    return tuple(given)


def _environment(entry: Entry) -> dict[str, str]:
    given = entry.block.get("env") or []
    if not isinstance(given, list):
        raise entry.refuse("env", "must be a list of name and value")
    environment = {}
    for number, item in enumerate(given, start=1):
        if not isinstance(item, Mapping) or not isinstance(item.get("value"), str):
            raise entry.refuse("env", f"item {number} must have a name and a value, both texts; put numbers in quotes")
        variable = replace(entry, block=item, where=f"{entry.where}: env item {number}")
        name = variable.text("name")
        if not name or "=" in name:
            raise variable.refuse("name", "must be a variable's name, without '='")
        environment[name] = variable.text("value") or ""
    return environment
