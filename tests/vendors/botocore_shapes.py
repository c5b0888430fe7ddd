"""Where a value leaves a shape of botocore's service models, whose own validator knows neither patterns nor choices."""

import re
from collections.abc import Iterator, Mapping
from functools import cache
from typing import Any

from botocore.loaders import Loader
from botocore.model import ListShape, MapShape, OperationModel, ServiceModel, Shape, StringShape, StructureShape

KINDS: dict[str, type | tuple[type, ...]] = {
    "integer": int,
    "long": int,
    "float": (int, float),
    "double": (int, float),
    "boolean": bool,
    "timestamp": str,
}


@cache
def service(name: str) -> ServiceModel:
    """A service's model."""
    return ServiceModel(Loader().load_service_model(name, "service-2"), name)


def operation(service_name: str, name: str) -> OperationModel:
    """One of its operations."""
    found: OperationModel = service(service_name).operation_model(name)
    return found


def faults(value: object, shape: Shape, path: str = "$") -> Iterator[str]:
    """Everything about the value that the shape does not allow."""
    match shape, value:
        case StructureShape(), dict():
            yield from _structure(value, shape, path)
        case ListShape(), list():
            yield from _sized(len(value), shape, path)
            for index, item in enumerate(value):
                yield from faults(item, shape.member, f"{path}[{index}]")
        case MapShape(), dict():
            for key, item in value.items():
                yield from faults(key, shape.key, f"{path}.{key}")
                yield from faults(item, shape.value, f"{path}.{key}")
        case StringShape(), str():
            yield from _text(value, shape, path)
        case _:
            yield from _scalar(value, shape, path)


def _scalar(value: object, shape: Shape, path: str) -> Iterator[str]:
    if shape.type_name not in KINDS or not _is(value, shape):
        yield f"{path} is no {shape.type_name}: {value!r}"
    elif isinstance(value, int | float):
        yield from _within(value, shape, path)


def _is(value: object, shape: Shape) -> bool:
    return isinstance(value, KINDS[shape.type_name]) and isinstance(value, bool) == (shape.type_name == "boolean")


def _structure(value: Mapping[str, Any], shape: StructureShape, path: str) -> Iterator[str]:
    for name in shape.required_members:
        if name not in value:
            yield f"{path}.{name} is missing"
    for name, item in value.items():
        if name in shape.members:
            yield from faults(item, shape.members[name], f"{path}.{name}")
        else:
            yield f"{path}.{name} is not known"


def _text(value: str, shape: StringShape, path: str) -> Iterator[str]:
    yield from _sized(len(value), shape, path)
    if shape.enum and value not in shape.enum:
        yield f"{path} is none of {', '.join(shape.enum)}: {value!r}"
    pattern = shape.metadata.get("pattern")
    if pattern is not None and re.fullmatch(pattern, value) is None:
        yield f"{path} does not match {pattern}: {value!r}"


def _sized(size: int, shape: Shape, path: str) -> Iterator[str]:
    return _within(size, shape, f"The size of {path}")


def _within(value: float, shape: Shape, what: str) -> Iterator[str]:
    least, most = shape.metadata.get("min", value), shape.metadata.get("max", value)
    if not least <= value <= most:
        yield f"{what} is {value}, not {least} to {most}"
