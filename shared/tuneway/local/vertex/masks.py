"""Field masks: a patch replaces the named fields of a body, and removes those it leaves out."""

from tuneway.local.vertex.protos import camel
from tuneway.local.vertex.refusals import invalid


def fields_of(mask: str, *, allowed: frozenset[str]) -> list[str]:
    """The top-level fields a mask names. Raises Refusal for none, and for one that cannot be changed."""
    fields = [camel(path.strip().partition(".")[0]) for path in mask.split(",") if path.strip()]
    if not fields:
        raise invalid("update_mask", "The update mask must name at least one field.")
    for field in fields:
        if field not in allowed:
            raise invalid("update_mask", f"The field '{field}' cannot be updated.")
    return fields


def patched(body: dict[str, object], change: dict[str, object], fields: list[str]) -> dict[str, object]:
    """The body with these fields taken from the change."""
    kept = {key: value for key, value in body.items() if key not in fields}
    return {**kept, **{key: change[key] for key in fields if key in change}}
