"""Read requests of the query protocols (query, ec2) by their model."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from botocore.model import OperationModel, Shape

from cloud_judge.aws_rest import scalar
from cloud_judge.exchange import Exchange


def read_request(operation: OperationModel, exchange: Exchange) -> tuple[dict[str, Any], list[str]]:
    """Read a request's parameters, and say what is in it that the model does not know."""
    form = dict(exchange.form)
    version, action = form.pop("Version", ""), form.pop("Action", "")
    signature = {name for name in form if name.startswith("X-Amz-")}
    reader = Reader({name: text for name, text in form.items() if name not in signature}, operation)
    params = reader.read(operation.input_shape, "") if operation.input_shape else {}
    wrong = [f"request: {name} is no parameter of {action}" for name in sorted(set(reader.form) - reader.used)]
    expected = operation.service_model.api_version
    if version != expected:
        wrong.append(f"request: Version is {version!r}, not {expected}")
    return params, wrong


class Reader:
    """Read a flattened form, and remember what was read."""

    def __init__(self, form: Mapping[str, str], operation: OperationModel) -> None:
        self.form, self.used = form, set[str]()
        self.ec2 = operation.service_model.metadata["protocol"] == "ec2"

    def read(self, shape: Shape, prefix: str) -> Any:
        """Read what stands under a prefix."""
        if shape.type_name == "structure":
            wanted = {name: self.place(prefix, name, inner) for name, inner in shape.members.items()}
            return {name: self.read(shape.members[name], place) for name, place in wanted.items() if self.holds(place)}
        if shape.type_name == "list":
            lead = prefix if self.ec2 or shape.serialization.get("flattened") else f"{prefix}.member"
            return self.items(shape.member, lead)
        self.used.add(prefix)
        return scalar(self.form.get(prefix, ""), shape)

    def place(self, prefix: str, name: str, member: Shape) -> str:
        """Name a member on the wire; EC2's names have a first letter of their own."""
        wire = member.serialization.get("name", name)
        if self.ec2:
            wire = member.serialization.get("queryName") or wire[:1].upper() + wire[1:]
        return f"{prefix}.{wire}" if prefix else wire

    def holds(self, place: str) -> bool:
        """Tell whether the form holds anything at a place."""
        return any(name == place or name.startswith(f"{place}.") for name in self.form)

    def items(self, member: Shape, lead: str) -> list[Any]:
        """Read ``lead.1``, ``lead.2`` and so on; a gap ends the list, and what follows it is left unread."""
        found = []
        while self.holds(f"{lead}.{len(found) + 1}"):
            found.append(self.read(member, f"{lead}.{len(found) + 1}"))
        return found
