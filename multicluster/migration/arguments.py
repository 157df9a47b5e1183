"""The arguments of one call: read them, and write the call anew without losing a comment."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import libcst as cst

from multicluster.migration.finding import UntranslatableError
from multicluster.migration.reading import Reading


class Arguments:
    """Keyword arguments by name, and the names within ``**more``.

    Raises UntranslatableError for a call whose arguments cannot be known.
    *place* are the names that must be seen: ``**more`` may stay where it is known to hold none of them.
    """

    def __init__(self, call: cst.Call, reading: Reading, *, place: Collection[str]) -> None:
        self._reading = reading
        self.given: dict[str, cst.BaseExpression] = {}
        self.unpacked: set[str] = set()
        for arg in call.args:
            if arg.keyword is not None:
                self.given[arg.keyword.value] = arg.value
            elif arg.star == "**":
                self._refuse_hidden(arg, place)
            else:
                raise UntranslatableError(
                    "it has arguments without a name", "give each argument by its name, as Airflow demands"
                )

    def _refuse_hidden(self, arg: cst.Arg, place: Collection[str]) -> None:
        keys = self._reading.keys(arg.value)
        code = self._reading.code(arg.value)
        if keys is None:
            raise UntranslatableError(
                f"**{code} may hold where the pod runs", "write those arguments out, and run this command again"
            )
        if hidden := sorted(keys & set(place)):
            raise UntranslatableError(
                f"**{code} holds {', '.join(hidden)}", "move them into the call, and run this command again"
            )
        self.unpacked |= keys

    def __contains__(self, name: str) -> bool:
        return name in self.given

    def value(self, name: str, default: Any = None) -> Any:
        """Return a plain value; raises UntranslatableError that names the argument."""
        if name not in self.given:
            return default
        try:
            return self._reading.value(self.given[name])
        except UntranslatableError as error:
            raise UntranslatableError(f"{name}: {error.why}", error.do) from error

    def text(self, name: str) -> str | None:
        """Return a text or None."""
        value = self.value(name)
        if value is not None and not isinstance(value, str):
            raise UntranslatableError(f"{name} is no text", "mend it, and run this command again")
        return value


@dataclass(frozen=True, kw_only=True)
class Change:
    """How a call is written anew: *first* stands where the first of the dropped arguments stood."""

    func: str
    first: Sequence[tuple[str, str]]
    drop: Collection[str]
    rename: Mapping[str, str] = field(default_factory=dict)
    replace: Mapping[str, cst.BaseExpression] = field(default_factory=dict)


def rewritten(call: cst.Call, change: Change) -> cst.Call:
    """Return the call with *change* done."""
    at = next(index for index, arg in enumerate(call.args) if _name(arg) in change.drop)
    (name, code), *more = change.first
    placed = list(call.args)
    placed[at] = placed[at].with_changes(keyword=cst.Name(name), value=cst.parse_expression(code))
    args, gaps = _without(call.with_changes(args=placed), change.drop)
    args = [_changed(arg, change) for arg in args]
    at = next(index for index, arg in enumerate(args) if _name(arg) == name)
    gap = next((one for one in gaps[:-1] if isinstance(one, cst.ParenthesizedWhitespace)), None)
    for added, value in reversed(more):
        gaps.insert(at + 2 if at + 1 < len(args) else at + 1, _plain(gap))
        args.insert(at + 1, cst.Arg(keyword=cst.Name(added), value=cst.parse_expression(value), equal=_EQUAL))
    ends_with_comma = bool(call.args) and isinstance(call.args[-1].comma, cst.Comma)
    func: cst.BaseExpression = cst.Name(change.func)
    if isinstance(call.func, cst.Attribute) and call.func.attr.value == "partial":
        func = cst.Attribute(value=func, attr=cst.Name("partial"))
    return _assembled(call.with_changes(func=func), args, gaps, ends_with_comma=ends_with_comma)


_EQUAL = cst.AssignEqual(whitespace_before=cst.SimpleWhitespace(""), whitespace_after=cst.SimpleWhitespace(""))
_Gap = cst.BaseParenthesizableWhitespace


def _name(arg: cst.Arg) -> str | None:
    return arg.keyword.value if arg.keyword else None


def _changed(arg: cst.Arg, change: Change) -> cst.Arg:
    name = _name(arg)
    if name is None:
        return arg
    arg = arg.with_changes(keyword=cst.Name(change.rename.get(name, name)))
    return arg.with_changes(value=change.replace[name]) if name in change.replace else arg


def _without(call: cst.Call, drop: Collection[str]) -> tuple[list[cst.Arg], list[_Gap]]:
    """Return the arguments that stay, and the gaps before, between and behind them, with all comments."""
    kept: list[cst.Arg] = []
    gaps: list[_Gap] = [call.whitespace_before_args]
    for arg in call.args:
        behind = arg.comma.whitespace_after if isinstance(arg.comma, cst.Comma) else arg.whitespace_after_arg
        if _name(arg) in drop:
            gaps[-1] = _merged(gaps[-1], behind)
        else:
            kept.append(arg)
            gaps.append(behind)
    return kept, gaps


def _merged(before: _Gap, behind: _Gap) -> _Gap:
    if not isinstance(behind, cst.ParenthesizedWhitespace):
        return before
    if not isinstance(before, cst.ParenthesizedWhitespace):
        return behind
    comment = behind.first_line.comment
    own = [cst.EmptyLine(indent=True, whitespace=behind.last_line, comment=comment)] if comment else []
    return before.with_changes(
        empty_lines=[*before.empty_lines, *own, *behind.empty_lines], indent=behind.indent, last_line=behind.last_line
    )


def _plain(gap: cst.ParenthesizedWhitespace | None) -> _Gap:
    if gap is None:
        return cst.SimpleWhitespace(" ")
    return cst.ParenthesizedWhitespace(indent=gap.indent, last_line=gap.last_line)


def _assembled(call: cst.Call, args: Sequence[cst.Arg], gaps: Sequence[_Gap], *, ends_with_comma: bool) -> cst.Call:
    done = []
    for index, arg in enumerate(args):
        last = index == len(args) - 1
        if not last or (ends_with_comma and isinstance(gaps[-1], cst.ParenthesizedWhitespace)):
            arg = arg.with_changes(  # noqa: PLW2901 - the same argument with another gap behind it
                comma=cst.Comma(whitespace_after=gaps[index + 1]), whitespace_after_arg=cst.SimpleWhitespace("")
            )
        else:
            behind = gaps[index + 1] if isinstance(gaps[index + 1], cst.ParenthesizedWhitespace) else None
            arg = arg.with_changes(  # noqa: PLW2901
                comma=cst.MaybeSentinel.DEFAULT, whitespace_after_arg=behind or cst.SimpleWhitespace("")
            )
        done.append(arg)
    return call.with_changes(args=done, whitespace_before_args=gaps[0])
