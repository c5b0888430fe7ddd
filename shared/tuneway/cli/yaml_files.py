"""YAML files that commands are given."""

from pathlib import Path

import msgspec
import yaml

from tuneway.cli.client import Failed


def content_of(path: Path, loader: type[yaml.SafeLoader] = yaml.SafeLoader) -> object:
    """What the file says. Raises Failed."""
    try:
        return yaml.load(path.read_text(encoding="utf-8"), loader)  # noqa: S506 - it is a SafeLoader
    except OSError as fault:
        raise Failed(f"{path} cannot be read: {fault.strerror}.") from fault
    except (yaml.YAMLError, UnicodeDecodeError, RecursionError) as fault:
        raise Failed(f"{path} is no YAML: {fault}.") from fault


def mapping_of(value: object, place: str) -> dict[str, object]:
    """The value, which stands at ``place``, as names and values. Raises Failed."""
    try:
        return msgspec.convert(value, dict[str, object])
    except msgspec.ValidationError:
        raise Failed(f"{place} is no mapping of names to values.") from None
