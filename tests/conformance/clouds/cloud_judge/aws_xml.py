"""Hold XML answers of the query protocols against the output shape, element by element."""

from __future__ import annotations

import re
from collections.abc import Iterator
from xml.etree import ElementTree as ET

from botocore.model import ListShape, OperationModel, Shape, StructureShape

from cloud_judge import aws_values

INTEGER = re.compile(r"-?\d+")
ISO8601 = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{1,9})?Z")
TEXTS = {
    "integer": INTEGER, "long": INTEGER, "boolean": re.compile("true|false"), "timestamp": ISO8601,
    "float": re.compile(r"-?\d+(\.\d+)?"), "double": re.compile(r"-?\d+(\.\d+)?"),
}  # fmt: skip


class Document:
    """An answer in XML."""

    def __init__(self, operation: OperationModel, text: bytes) -> None:
        self.operation, self.text = operation, text
        self.ec2 = operation.service_model.metadata["protocol"] == "ec2"

    def findings(self) -> list[str]:
        """Say what is wrong with the document."""
        try:
            root = ET.fromstring(self.text)
        except ET.ParseError as error:
            return [f"answer: no XML: {error}"]
        return [f"answer{finding}" for finding in self.document(root)]

    def document(self, root: ET.Element) -> Iterator[str]:
        """Hold the envelope against the protocol, and what is in it against the shape."""
        namespace, name = split(root)
        expected = self.operation.service_model.metadata["xmlNamespace"]
        if name != f"{self.operation.name}Response" or namespace.rstrip("/") != expected.rstrip("/"):
            yield f": the root is {name} of {namespace}, not {self.operation.name}Response of {expected}"
        inside = {split(child)[1]: child for child in root}
        shape = self.operation.output_shape
        if self.ec2:
            if inside.pop("requestId", None) is None:
                yield ": requestId is missing"
            yield from self.structure([child for child in root if split(child)[1] != "requestId"], shape, "")
            return
        wrapper = (shape.serialization.get("resultWrapper") if shape else None) or f"{self.operation.name}Result"
        meta = inside.pop("ResponseMetadata", None)
        if meta is None or not [child for child in meta if split(child)[1] == "RequestId" and child.text]:
            yield ": ResponseMetadata/RequestId is missing"
        result = inside.pop(wrapper, None)
        yield from (f": {name} is unknown" for name in inside)
        yield from self.structure([] if result is None else list(result), shape, "")

    def structure(self, children: list[ET.Element], shape: StructureShape | None, where: str) -> Iterator[str]:
        """Hold elements against the members of a structure."""
        members = dict(shape.members) if shape else {}
        names = {inner.serialization.get("name", name): name for name, inner in members.items()}
        there = {names.get(split(child)[1]) for child in children}
        if shape:
            yield from (f"{where}.{name}: is required" for name in shape.required_members if name not in there)
        for child in children:
            member = names.get(split(child)[1])
            if member is None:
                yield f"{where}.{split(child)[1]}: {shape.name if shape else 'the answer'} has no such member"
            else:
                yield from self.value(child, members[member], f"{where}.{member}")

    def value(self, element: ET.Element, shape: Shape, where: str) -> Iterator[str]:
        """Hold one element against a shape."""
        if shape.type_name == "structure":
            yield from self.structure(list(element), shape, where)
        elif shape.type_name == "list":
            yield from self.items(element, shape, where)
        else:
            yield from scalar(element, shape, where)

    def items(self, element: ET.Element, shape: ListShape, where: str) -> Iterator[str]:
        """Hold the elements of a list against its member."""
        expected = shape.member.serialization.get("name", "item" if self.ec2 else "member")
        for number, child in enumerate(element):
            if split(child)[1] != expected:
                yield f"{where}: an element of the list is {split(child)[1]}, not {expected}"
            else:
                yield from self.value(child, shape.member, f"{where}[{number}]")


def scalar(element: ET.Element, shape: Shape, where: str) -> Iterator[str]:
    """Hold an element's text against the type, the enum and the limits of its shape."""
    text, rule = element.text or "", TEXTS.get(shape.type_name)
    if len(element):
        yield f"{where}: a {shape.type_name} holds elements"
    elif rule and not rule.fullmatch(text):
        yield f"{where}: {text!r} is no {shape.type_name}"
    else:
        yield from aws_values.limits(int(text) if rule is INTEGER else text, shape, where)


def split(element: ET.Element) -> tuple[str, str]:
    """Give an element's namespace and name."""
    namespace, _, name = element.tag.rpartition("}")
    return namespace.lstrip("{"), name
