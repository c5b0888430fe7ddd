"""Write google.json: what the Google provider knows of the resources in this folder's Terraform.

The published schema is carried by the typed bindings of the PyPI package ``cdktf-cdktf-provider-google``; no other
place has it that needs no provider binary. They are read, never imported:

    pip download --no-deps cdktf-cdktf-provider-google && python infra/schema/refresh.py cdktf*google*.whl
"""

import ast
import json
import re
import sys
import zipfile
from pathlib import Path

INFRA = Path(__file__).resolve().parents[1]
TARGET = Path(__file__).with_name("google.json")
PACKAGE = "cdktf_cdktf_provider_google"
HEAD = re.compile(r'^(resource|data) "(google_\w+)" "', re.MULTILINE)
VERSION = re.compile(r"hashicorp/google provider version ([0-9.]+)")
CLASS = re.compile(r"\b([A-Z]\w+)\b")
# The first that occurs in an annotation says the type.
TYPES = (
    ("Mapping[builtins.str, builtins.str", "map(string)"),
    ("StringMap", "map(string)"),
    ("Sequence[builtins.str", "list(string)"),
    ("List[builtins.str", "list(string)"),
    ("builtins.bool", "bool"),
    ("IResolvable", "bool"),
    ("jsii.Number", "number"),
    ("builtins.str", "string"),
)
# Every resource's Python class has these; they are no part of the schema.
OWN = {"fqn", "internal_value", "id"}

Block = dict[str, dict[str, object]]


class Bindings:
    """The classes of one resource's module."""

    def __init__(self, source: str) -> None:
        """``source`` is Python."""
        self._classes = {node.name: node for node in ast.parse(source).body if isinstance(node, ast.ClassDef)}

    def schema(self) -> Block:
        """The resource as a block."""
        config = self._based_on("TerraformMetaArguments")
        outputs = self._based_on("TerraformResource", "TerraformDataSource")
        block = self._block(config, outputs)
        # Terraform's own name for a resource; the bindings offer it as an argument, too.
        return {**block, "attributes": {name: each for name, each in block["attributes"].items() if name != "id"}}

    def _block(self, config: ast.ClassDef, outputs: ast.ClassDef | None) -> Block:
        attributes: dict[str, object] = {}
        blocks: dict[str, object] = {}
        for name, annotation, required in _arguments(config):
            nested = self._nested(annotation)
            if nested is None:
                attributes[name] = {"type": _type(annotation), "required": required}
            else:
                many = "Sequence" in annotation
                inner = self._block(nested, self._classes.get(f"{nested.name}OutputReference"))
                blocks[name] = {"required": required, "many": many, **inner}
        known = set(attributes) | set(blocks) | OWN
        computed = {name: self._computed(annotation) for name, annotation in _properties(outputs) if name not in known}
        return {"attributes": attributes, "blocks": blocks, "computed": computed}

    def _nested(self, annotation: str) -> ast.ClassDef | None:
        found = (self._classes[name] for name in CLASS.findall(annotation) if name in self._classes)
        return next(found, None)

    def _computed(self, annotation: str) -> object:
        """A type, or the attributes of a list of objects."""
        nested = self._nested(annotation)
        if nested is None:
            return _type(annotation)
        inner = self._classes.get(nested.name.removesuffix("List") + "OutputReference")
        return {name: self._computed(each) for name, each in _properties(inner) if name not in OWN}

    def _based_on(self, *bases: str) -> ast.ClassDef:
        return next(
            node for node in self._classes.values() if any(ast.unparse(base).endswith(bases) for base in node.bases)
        )


def _arguments(config: ast.ClassDef) -> list[tuple[str, str, bool]]:
    """Name, annotation and whether it must be given; what Terraform itself takes everywhere comes first and is left."""
    made = next(node for node in config.body if isinstance(node, ast.FunctionDef) and node.name == "__init__")
    found = [
        (argument.arg.rstrip("_"), ast.unparse(argument.annotation or argument), default is None)
        for argument, default in zip(made.args.kwonlyargs, made.args.kw_defaults, strict=True)
    ]
    names = [name for name, _, _ in found]
    return found[names.index("provisioners") + 1 :] if "provisioners" in names else found


def _properties(outputs: ast.ClassDef | None) -> list[tuple[str, str]]:
    if outputs is None:
        return []
    return [
        (node.name, ast.unparse(node.returns))
        for node in outputs.body
        if isinstance(node, ast.FunctionDef)
        and node.returns is not None
        and not node.name.endswith("_input")
        and any(ast.unparse(mark) == "builtins.property" for mark in node.decorator_list)
    ]


def _type(annotation: str) -> str:
    return next((kind for sign, kind in TYPES if sign in annotation), "any")


def extracted(wheel: Path, wanted: set[tuple[str, str]]) -> dict[str, object]:
    """The schema of the wanted resources and data sources. Raises KeyError for one that the provider does not have."""
    kinds: dict[str, dict[str, object]] = {"resource": {}, "data": {}}
    with zipfile.ZipFile(wheel) as archive:
        metadata = next(name for name in archive.namelist() if name.endswith(".dist-info/METADATA"))
        version = VERSION.search(archive.read(metadata).decode())
        for kind, name in sorted(wanted):
            folder = ("data_google_" if kind == "data" else "") + name.removeprefix("google_")
            source = archive.read(f"{PACKAGE}/{folder}/__init__.py").decode()
            kinds[kind][name] = Bindings(source).schema()
    return {
        "provider": "hashicorp/google",
        "version": version[1] if version else "unknown",
        "source": "-".join(wheel.name.split("-")[:2]),
        **kinds,
    }


def used(folder: Path) -> set[tuple[str, str]]:
    """Every kind and type of resource in the Terraform of a folder."""
    return {(m[1], m[2]) for path in sorted(folder.rglob("*.tf")) for m in HEAD.finditer(path.read_text())}


if __name__ == "__main__":
    TARGET.write_text(json.dumps(extracted(Path(sys.argv[1]), used(INFRA)), indent=1, sort_keys=True) + "\n")
