"""A plausible value for a JSON schema or an OpenAPI schema: what a simulated model fills in."""

from tuneway.local.vertex.narrow import items, mapping, text, whole

DEEPEST = 8
SCALARS = {"boolean": False, "null": None}


def sample(schema: dict[str, object], *, words: str = "", depth: int = 0) -> object:
    """A value that fits; strings are ``words``. Only required members are filled in where any are required."""
    if "enum" in schema:
        return (items(schema["enum"]) or [words])[0]
    match _kind(schema):
        case "object":
            return _object(schema, words, depth)
        case "array":
            return _array(schema, words, depth)
        case "string" | "":
            return words
        case scalar:
            return SCALARS.get(scalar, whole(schema.get("minimum"), 0))


def _kind(schema: dict[str, object]) -> str:
    several = items(schema.get("type"))
    declared = text(several[0] if several else schema.get("type"))
    return declared.lower() or ("object" if "properties" in schema else "string")


def _object(schema: dict[str, object], words: str, depth: int) -> dict[str, object]:
    members = mapping(schema.get("properties"))
    wanted = [text(name) for name in items(schema.get("required"))] or list(members)
    if depth >= DEEPEST:
        return {}
    return {name: sample(mapping(members.get(name)), words=words, depth=depth + 1) for name in wanted}


def _array(schema: dict[str, object], words: str, depth: int) -> list[object]:
    inner = mapping(schema.get("items"))
    count = whole(schema.get("minItems"), 0) if depth < DEEPEST else 0
    return [sample(inner, words=words, depth=depth + 1) for _ in range(count)]
