"""What is wrong with a resource, by the provider's published schema in infra/schema/google.json."""

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from tests.infra import hcl
from tests.infra.faults import Fault

# Terraform's own, in every resource.
META = {"for_each", "count", "depends_on", "provider", "lifecycle"}
SCHEMA = "schema/google.json"


def faults(infra: Path) -> list[Fault]:
    """Everything in a module that the provider would refuse to read."""
    schema = json.loads((infra / SCHEMA).read_text())
    return [fault for block in hcl.blocks(infra, "resource", "data") for fault in _of_resource(block, schema)]


def _of_resource(block: hcl.Block, schema: Mapping[str, Any]) -> Iterator[Fault]:
    known = schema[block.kind].get(block.labels[0])
    if known is None:
        yield Fault(block.path, block.line, f"{SCHEMA} does not have {block.labels[0]}: run infra/schema/refresh.py")
        return
    body = {name: value for name, value in block.body.items() if name not in META}
    yield from _of_block(body, known, block)


def _of_block(body: Mapping[str, Any], known: Mapping[str, Any], at: hcl.Block) -> Iterator[Fault]:
    given = {name: parts for name, parts in body.items() if name not in hcl.OWN and name != "dynamic"}
    nested = _nested(given, body.get("dynamic", []))
    attributes = {name for name in given if name not in nested}
    for name in sorted(attributes - set(known["attributes"])):
        kind = "is a block, not an attribute" if name in known["blocks"] else "is no attribute"
        yield _fault(at, name, f"{name} {kind} here")
    for name in sorted(set(nested) - set(known["blocks"])):
        kind = "is an attribute, not a block" if name in known["attributes"] else "is no block"
        yield _fault(at, name, f"{name} {kind} here")
    wanted = {n for n, each in known["attributes"].items() if each["required"]} - attributes
    for name in sorted(wanted | ({n for n, each in known["blocks"].items() if each["required"]} - set(nested))):
        yield Fault(at.path, at.line, f"{at.name} lacks {name}")
    for name, parts in nested.items():
        yield from _of_parts(name, parts, known["blocks"].get(name), at)


def _of_parts(name: str, parts: list[Any], known: Mapping[str, Any] | None, at: hcl.Block) -> Iterator[Fault]:
    if known is None:
        return
    if len(parts) > 1 and not known["many"]:
        yield _fault(at, name, f"{name} stands once in its block")
    for part in parts:
        yield from _of_block(part, known, at)


def _nested(given: Mapping[str, Any], dynamic: list[Any]) -> dict[str, list[Any]]:
    """The blocks of a body by name; those of ``dynamic`` by what they make."""
    written = {
        name: parts for name, parts in given.items() if isinstance(parts, list) and parts and _is_block(parts[0])
    }
    for made in dynamic:
        ((label, body),) = made.items()
        written[label.strip('"')] = [*written.get(label.strip('"'), []), *body["content"]]
    return written


def _is_block(part: Any) -> bool:
    return isinstance(part, dict) and hcl.BLOCK in part


def _fault(at: hcl.Block, name: str, message: str) -> Fault:
    return Fault(at.path, hcl.line_of(at.path, rf"\b{name}\b", after=at.line), f"{at.name}: {message}")
