"""OpenAI's published document as validators: what a caller gets must be what OpenAI says it sends."""

import json
from functools import cache
from pathlib import Path
from typing import Any

from jsonschema import Draft202012Validator

DOCUMENT = Path(__file__).parent.parent / "contracts" / "openai-openapi.json"


@cache
def validator(name: str) -> Draft202012Validator:
    """The validator of one of the document's schemas."""
    schemas = json.loads(DOCUMENT.read_bytes())["components"]["schemas"]
    return Draft202012Validator({"$ref": f"#/components/schemas/{name}", "components": {"schemas": _nullable(schemas)}})


def _nullable(schema: Any) -> Any:
    """JSON Schema for the document's ``nullable: true``, a word of OpenAPI 3.0 that it still uses."""
    if isinstance(schema, list):
        return [_nullable(item) for item in schema]
    if not isinstance(schema, dict):
        return schema
    plain = {key: _nullable(value) for key, value in schema.items() if key != "nullable"}
    return {"anyOf": [plain, {"type": "null"}]} if schema.get("nullable") is True else plain
