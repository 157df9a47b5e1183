"""Refuse for mapped tasks, while the DAG file is read, what is refused for others when they are made."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from airflow.sdk.definitions.mappedoperator import OperatorPartial

from airflow_multicluster.operators import refusals


class ClusterPartial(OperatorPartial):
    """What ``partial()`` returns: the stock one, which looks at what is mapped before it maps it.

    A value that comes from an XCom is known when the task runs, and refused then.
    """

    defaults: Mapping[str, Any]
    """The default_args that hold for the task."""

    @classmethod
    def instead_of(cls, stock: OperatorPartial, own_defaults: Mapping[str, Any] | None) -> ClusterPartial:
        """Take the place of *stock*. Raises ValueError for what contradicts already."""
        stock._expand_called = True  # noqa: SLF001 - else it warns, when it goes, of a task that was never mapped
        partial = cls(operator_class=stock.operator_class, kwargs=stock.kwargs, params=stock.params)
        places = [stock.kwargs.get("dag"), stock.kwargs.get("task_group")]
        partial.defaults = {}
        for defaults in (*(place.default_args for place in places if place is not None), own_defaults):
            partial.defaults = {**partial.defaults, **(defaults or {})}
        partial.refuse({})
        return partial

    def refuse(self, mapped: Mapping[str, Any]) -> None:
        """Raise ValueError when the task names a cluster and says by another means where its pod goes."""
        given = {**self.defaults, **self.kwargs, **mapped}
        if given.get("cluster") is None and given.get("node_pool") is None:
            return
        try:
            refusals.refuse_other_ways(str(self.kwargs["task_id"]), given)
            if isinstance(given.get("on_pool_lost"), str):
                refusals.refuse_unknown_policy(str(self.kwargs["task_id"]), given["on_pool_lost"])
        except ValueError:
            self._expand_called = True
            raise

    def expand(self, **mapped_kwargs: Any) -> Any:
        """Map over arguments, as the stock method does."""
        self.refuse(mapped_kwargs)
        return super().expand(**mapped_kwargs)

    def expand_kwargs(self, kwargs: Any, *, strict: bool = True) -> Any:
        """Map over sets of arguments, as the stock method does."""
        for one in kwargs if isinstance(kwargs, Sequence) else ():
            if isinstance(one, Mapping):
                self.refuse(one)
        return super().expand_kwargs(kwargs, strict=strict)
