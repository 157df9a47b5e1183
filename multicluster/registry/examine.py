"""Examine one source: read its text, look for secrets, check it, and say where each problem stands."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cached_property
from typing import Any

from multicluster.registry.check import Checked, check
from multicluster.registry.findings import Finding
from multicluster.registry.kinds import Kinds
from multicluster.registry.problem import Problem
from multicluster.registry.secrets import may_hold_secrets, redacted, secrets_in, secrets_in_comments
from multicluster.registry.source import Source
from multicluster.registry.yaml_text import Path, Position, YamlProblem, parse, positions

WAY_OUT = "name where it is (a profile, a role, a connection)"
WAYS_OUT = {"a password in an address": "leave it out (a proxy with a password: set HTTPS_PROXY where this runs)"}

LONGEST = 200
"""Characters of a path that a message shows."""


class Examined:
    """One source, its document and its problems."""

    def __init__(self, source: Source, kinds: Kinds) -> None:
        self.source = source
        self.document: Any = source.value
        self.checked = Checked()
        self.problems: list[Problem] = []
        try:
            if source.text is not None:
                self.document = parse(source.text)
        except YamlProblem as error:
            message = redacted(str(error))
            self.problems.append(Problem(source=source.label, line=error.line, column=error.column, message=message))
        else:
            self.checked = check(self.document, kinds)
        self.problems += sorted(self._judge(), key=lambda one: (one.line or 0, one.column or 0))

    def doubts(self) -> list[Problem]:
        """Return what is to be decided before all of it can be used; no reason to refuse the document."""
        return [self._located(finding) for finding in self.checked.doubts]

    def names(self) -> Iterator[tuple[str, Path]]:
        """Yield each cluster's name with its path, whether the cluster is right or not."""
        clusters = self.document.get("clusters") if isinstance(self.document, dict) else None
        for index, cluster in enumerate(clusters if isinstance(clusters, list) else ()):
            if isinstance(cluster, dict) and isinstance(cluster.get("name"), str):
                yield cluster["name"], ("clusters", index, "name")

    def place(self, path: Path) -> str:
        """Return ``LABEL:LINE`` of the value at *path*; the label alone outside of files."""
        position = self._position(path, "value")
        return f"{self.source.label}:{position.line}" if position else self.source.label

    def problem(self, path: Path, message: str, at: str = "value") -> Problem:
        """Return the problem at *path* with line and column, without any secret."""
        position = self._position(path, at)
        cluster, below = self._cluster(path)
        return Problem(
            source=self.source.label,
            message=redacted(message),
            line=position.line if position else None,
            column=position.column if position else None,
            cluster=redacted(cluster) if cluster else None,
            field=_dotted(tuple(redacted(step) if isinstance(step, str) else step for step in below)),
        )

    def _judge(self) -> Iterator[Problem]:
        secret: set[Path] = set()
        lines: set[int | None] = set()
        if self.source.text is None or may_hold_secrets(self.source.text):
            for path, what in secrets_in(self.document):
                problem = self.problem(path, _secret(what))
                secret.add(path)
                lines.add(problem.line)
                yield problem
            yield from self._secrets_in_comments(lines)
        for finding in self.checked.findings:
            if finding.path not in secret:
                yield self._located(finding)

    def _secrets_in_comments(self, known: set[int | None]) -> Iterator[Problem]:
        for line, column, what in secrets_in_comments(self.source.text or ""):
            if line not in known:
                yield Problem(source=self.source.label, line=line, column=column, message=_secret(what))

    def _located(self, finding: Finding) -> Problem:
        return self.problem(finding.path, finding.message, finding.at)

    @cached_property
    def _positions(self) -> dict[tuple[Path, str], Position]:
        return positions(self.source.text) if self.source.text is not None and self.document is not None else {}

    def _position(self, path: Path, at: str) -> Position | None:
        """Find the place of *path*, of the default that it was merged from, or of what is nearest above it."""
        for candidate in (path, ("defaults", *path[2:])):
            if found := self._positions.get((candidate, at)):
                return found
        while path:
            path = path[:-1]
            for part in ("key", "value"):
                if found := self._positions.get((path, part)):
                    return found
        return None

    def _cluster(self, path: Path) -> tuple[str | None, Path]:
        if path[:1] != ("clusters",) or len(path) < 2:  # noqa: PLR2004 - ("clusters", index)
            return None, path
        cluster = self.document["clusters"][path[1]]
        name = cluster.get("name") if isinstance(cluster, dict) else None
        return (name, path[2:]) if isinstance(name, str) else (None, path)


def _secret(what: str) -> str:
    return f"{what} stands in the registry; {WAYS_OUT.get(what, WAY_OUT)}, and revoke this one"


def _dotted(path: Path) -> str:
    text = "".join(f"[{step}]" if isinstance(step, int) else f".{step}" for step in path).removeprefix(".")
    return text if len(text) <= LONGEST else f"{text[:LONGEST]}..."
