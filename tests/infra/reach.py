"""What a function's code can come to, read from its source: settings, topics and plugs; nothing is run.

From ``main.py`` on, every name leads to its definition, and ``thing.name`` to the methods of that name in all classes
that were reached: more than really happens, never less, unless a name is made up at run time.
"""

import ast
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import msgspec
from typing_extensions import override

from tuneway.local.bundles import SOURCE
from tuneway.local.manifest import FUNCTIONS
from tuneway.ports import Topic
from tuneway.settings import Settings

Definition = ast.FunctionDef | ast.AsyncFunctionDef
FIELDS = frozenset(Settings.__struct_fields__)
DERIVED = {"submit_lease": "submit_timeout"}
SETTINGS = {"settings", "_settings"}
# Set on a laptop and in tests alone: what stands under such a condition never runs in the cloud.
ELSEWHERE = frozenset({"state_folder", "objects_folder", "vertex_url", "firestore_emulator", "pubsub_emulator"})


class Place(msgspec.Struct, frozen=True, order=True):
    """A line of the source."""

    path: str
    line: int

    @override
    def __str__(self) -> str:
        return f"{self.path}:{self.line}"


class Reach(msgspec.Struct):
    """What was found, each with the first place that says so; ``calls`` are ``receiver.method`` pairs."""

    settings: dict[str, Place] = {}
    topics: dict[Topic, Place] = {}
    classes: dict[str, Place] = {}
    calls: dict[tuple[str, str], Place] = {}


@cache
def _parsed(text: str) -> ast.Module:
    return ast.parse(text)


class _Module:
    """One source file: what it imports and what it defines."""

    def __init__(self, path: Path, root: Path) -> None:
        self.path = path
        self.shown = path.relative_to(root).as_posix()
        tree = _parsed(path.read_text())
        self.imports = dict(_imports(tree.body))
        self.defined: dict[str, ast.stmt] = {}
        self.loose: list[ast.stmt] = []
        for statement in tree.body:
            names = list(_names(statement))
            self.defined |= dict.fromkeys(names, statement)
            if not names:
                self.loose.append(statement)


def reach(function: str, *, source: Path = SOURCE, functions: Path = FUNCTIONS) -> Reach:
    """What ``functions/<function>/main.py`` can come to."""
    walk = _Walk(source)
    walk.start(_Module(functions / function / "main.py", functions.parent))
    return walk.found


class _Walk:
    def __init__(self, source: Path) -> None:
        self._source = source
        self._module = cache(self._found)
        self._seen: set[int] = set()
        self._waiting: list[tuple[_Module, ast.AST]] = []
        self._asked: set[str] = set()
        self._methods: dict[str, list[tuple[_Module, Definition]]] = {}
        self.found = Reach(settings={}, topics={}, classes={}, calls={})

    def start(self, door: _Module) -> None:
        for statement in [*door.defined.values(), *door.loose]:
            self._add(door, statement)
        while self._waiting:
            module, node = self._waiting.pop()
            match node:
                case ast.ClassDef():
                    self._enter(module, node)
                case _:
                    self._read(module, node)

    def _found(self, name: str) -> _Module | None:
        place = self._source.joinpath(*name.split("."))
        for path in (place.with_suffix(".py"), place / "__init__.py"):
            if path.is_file():
                return _Module(path, self._source.parent)
        return None

    def _add(self, module: _Module, node: ast.AST) -> None:
        if id(node) not in self._seen:
            self._seen.add(id(node))
            self._waiting.append((module, node))

    def _enter(self, module: _Module, node: ast.ClassDef) -> None:
        """A class is reached: what it inherits, what Python calls by itself, and what was asked of anything."""
        self.found.classes.setdefault(node.name, Place(module.shown, node.lineno))
        for base in node.bases:
            self._read(module, base)
        for part in node.body:
            if not isinstance(part, Definition):
                self._read(module, part)
                continue
            self._methods.setdefault(part.name, []).append((module, part))
            if part.name.startswith("__") or part.name in self._asked:
                self._add(module, part)

    def _read(self, module: _Module, node: ast.AST) -> None:
        names = module.imports | dict(_imports(_statements(node)))
        for part in _run(node):
            match part:
                case ast.Attribute(value=value, attr=attr):
                    self._attribute(module, part, names)
                    self._ask(attr, receiver=_last(value), place=Place(module.shown, part.lineno))
                case ast.Name(id=name):
                    self._name(module, name, names)
                case ast.Call(func=ast.Name(id="Topic")):
                    for topic in set(Topic) - {Topic.DEAD_LETTERS}:
                        self.found.topics.setdefault(topic, Place(module.shown, part.lineno))
                case _:
                    pass

    def _attribute(self, module: _Module, node: ast.Attribute, names: dict[str, str]) -> None:
        place = Place(module.shown, node.lineno)
        receiver = _last(node.value)
        if receiver in SETTINGS and (field := DERIVED.get(node.attr, node.attr)) in FIELDS:
            self.found.settings.setdefault(field, place)
        if receiver == "Topic" and node.attr in Topic.__members__:
            self.found.topics.setdefault(Topic[node.attr], place)
        if isinstance(node.value, ast.Name) and node.value.id in names:
            self._definition(f"{names[node.value.id]}.{node.attr}")

    def _ask(self, method: str, *, receiver: str, place: Place) -> None:
        self.found.calls.setdefault((receiver, method), place)
        if method not in self._asked:
            self._asked.add(method)
            for module, definition in self._methods.get(method, []):
                self._add(module, definition)

    def _name(self, module: _Module, name: str, names: dict[str, str]) -> None:
        if name in names:
            self._definition(names[name])
        elif name in module.defined:
            self._add(module, module.defined[name])

    def _definition(self, dotted: str) -> None:
        """Follow ``package.module.name`` to where it is defined, through packages that only pass it on."""
        prefix, _, name = dotted.rpartition(".")
        module = self._module(prefix) if prefix.startswith("tuneway") else None
        if module is None:
            return
        if name in module.defined:
            self._add(module, module.defined[name])
        elif name in module.imports:
            self._definition(module.imports[name])


def _imports(statements: list[ast.stmt]) -> Iterator[tuple[str, str]]:
    for statement in statements:
        match statement:
            case ast.ImportFrom(module=str(origin), names=names):
                yield from ((alias.asname or alias.name, f"{origin}.{alias.name}") for alias in names)
            case ast.Import(names=names):
                yield from ((alias.asname or alias.name, alias.name) for alias in names)
            case _:
                pass


def _statements(node: ast.AST) -> list[ast.stmt]:
    return [part for part in ast.walk(node) if isinstance(part, ast.ImportFrom | ast.Import)]


def _names(statement: ast.stmt) -> Iterator[str]:
    match statement:
        case ast.FunctionDef(name=name) | ast.AsyncFunctionDef(name=name) | ast.ClassDef(name=name):
            yield name
        case ast.Assign(targets=targets):
            yield from (part.id for target in targets for part in ast.walk(target) if isinstance(part, ast.Name))
        case ast.AnnAssign(target=ast.Name(id=name)):
            yield name
        case _:
            pass


def _run(node: ast.AST) -> Iterator[ast.AST]:
    """The node and what it runs: annotations are for readers, and imports are names until they are used."""
    yield node
    laptop = isinstance(node, ast.If) and any(_elsewhere(part) for part in ast.walk(node.test))
    for field, value in ast.iter_fields(node):
        if field in {"annotation", "returns", "type_params"} or (laptop and field == "body"):
            continue
        for part in value if isinstance(value, list) else [value]:
            if isinstance(part, ast.AST):
                yield from _run(part)


def _elsewhere(node: ast.AST) -> bool:
    return isinstance(node, ast.Attribute) and node.attr in ELSEWHERE and _last(node.value) in SETTINGS


def _last(node: ast.AST) -> str:
    match node:
        case ast.Name(id=name) | ast.Attribute(attr=name):
            return name
        case _:
            return ""
