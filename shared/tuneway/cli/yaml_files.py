"""YAML files that commands are given."""

from collections.abc import Iterable
from pathlib import Path

import msgspec
import yaml

from tuneway.cli.client import Failed

MERGE = "tag:yaml.org,2002:merge"  # ``<<``, which may stand in a mapping more than once


def content_of(path: Path, loader: type[yaml.SafeLoader] = yaml.SafeLoader) -> object:
    """What the file says. Raises Failed, also where a name stands twice: YAML would take the last one in silence."""
    try:
        text = path.read_text(encoding="utf-8")
        if (twice := _twice(loader(text).get_single_node())) is not None:
            at = twice.start_mark
            said = f"{path}: '{twice.value}' stands twice in one mapping, at last on line {at.line + 1}"
            raise Failed(f"{said}. Take one of them out.")
        return yaml.load(text, loader)  # noqa: S506 - it is a SafeLoader
    except OSError as fault:
        raise Failed(f"{path} cannot be read: {fault.strerror}.") from fault
    except (yaml.YAMLError, UnicodeDecodeError, RecursionError) as fault:
        raise Failed(f"{path} is no YAML: {fault}.") from fault


def _twice(top: yaml.Node | None) -> yaml.ScalarNode | None:
    """A key that its mapping has already."""
    waiting, known = [] if top is None else [top], set[int]()
    while waiting:
        node = waiting.pop()
        if id(node) in known:
            continue
        known.add(id(node))
        match node:
            case yaml.MappingNode(value=pairs):
                if (twice := _repeated([key for key, _ in pairs])) is not None:
                    return twice
                waiting += [each for pair in pairs for each in pair]
            case yaml.SequenceNode(value=nodes):
                waiting += nodes
            case _:
                pass
    return None


def _repeated(keys: Iterable[yaml.Node]) -> yaml.ScalarNode | None:
    seen: set[tuple[str, str]] = set()
    for key in keys:
        if isinstance(key, yaml.ScalarNode) and key.tag != MERGE:
            if (key.tag, key.value) in seen:
                return key
            seen.add((key.tag, key.value))
    return None


def mapping_of(value: object, place: str) -> dict[str, object]:
    """The value, which stands at ``place``, as names and values. Raises Failed."""
    try:
        return msgspec.convert(value, dict[str, object])
    except msgspec.ValidationError:
        raise Failed(f"{place} is no mapping of names to values.") from None
