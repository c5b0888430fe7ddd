"""Every question that the code asks of the state, read from its source, and the composite index that it needs.

Firestore answers a question by one field, or by several equalities, from the indexes it makes by itself. One that asks
by one field and orders, or ranges, by another needs an index of its own
(https://firebase.google.com/docs/firestore/query-data/index-overview, read 2026-11). The emulator answers without.
"""

import ast
import re
from collections.abc import Iterator
from functools import cache
from itertools import product
from pathlib import Path

import msgspec

ROOMS = ("access", "registry", "routing", "tuning", "edge")


class Index(msgspec.Struct, frozen=True, order=True):
    """A composite index: equal fields, then the one that orders."""

    collection: str
    equal: tuple[str, ...]
    order: str
    direction: str


class Question(msgspec.Struct, frozen=True, kw_only=True):
    """What is asked at one place; ``collection`` is the last part of its path, as indexes name it."""

    collection: str
    equal: tuple[str, ...]
    ranged: tuple[str, ...]
    order: str | None
    descending: bool
    place: str

    @property
    def index(self) -> Index | None:
        """The composite index it cannot do without."""
        by = self.order or next(iter(self.ranged), None)
        equal = tuple(sorted(set(self.equal) - {by}))
        if by is None or not equal:
            return None
        return Index(self.collection, equal, by, "DESCENDING" if self.descending else "ASCENDING")

    @property
    def fields(self) -> set[str]:
        """All that must be indexed one way or another."""
        return {*self.equal, *self.ranged, *([self.order] if self.order else [])}


class Unclear(Exception):
    """A call of ``find`` that cannot be understood from the source."""


def asked(source: Path) -> list[Question]:
    """Every call of ``Collection.find`` under ``source``. Raises Unclear naming the place."""
    trees = {path: _parsed(path.read_text()) for room in ROOMS for path in sorted((source / room).rglob("*.py"))}
    kinds = {kind: name for tree in trees.values() for _, name, kind in _collections(tree)}
    everywhere = {name: found for tree in trees.values() for name, found in _receivers(tree, kinds).items()}
    questions: list[Question] = []
    for path, tree in trees.items():
        known = everywhere | _receivers(tree, kinds)
        known |= _kept(tree, known)
        for call in (node for node in ast.walk(tree) if isinstance(node, ast.Call) and _is_find(node)):
            place = f"{path.relative_to(source.parent.parent).as_posix()}:{call.lineno}"
            questions += _questions(call, tree, known, place)
    return questions


@cache
def _parsed(text: str) -> ast.Module:
    return ast.parse(text)


def _is_find(call: ast.Call) -> bool:
    """Not ``str.find``, nor a backend's ``find(job, location=…)``: conditions are tuples, options have their names."""
    if not isinstance(call.func, ast.Attribute) or call.func.attr != "find":
        return False
    named = {word.arg for word in call.keywords}
    return named <= {"order_by", "descending", "after", "limit"} and all(
        isinstance(argument, ast.Tuple | ast.Starred) for argument in call.args
    )


def _questions(call: ast.Call, tree: ast.Module, known: dict[str, str], place: str) -> Iterator[Question]:
    receiver = call.func.value  # type: ignore[attr-defined]  # _is_find saw the attribute
    made = [name for node, name, _ in _collections(receiver) if node is receiver]
    collection = made[0] if made else known.get(_name(receiver))
    if collection is None:
        raise Unclear(f"{place}: which collection is asked here? Name it as an attribute or annotate Collection[…].")
    words = {word.arg: word.value for word in call.keywords}
    order = words.get("order_by")
    if order is not None and not isinstance(order, ast.Constant):
        raise Unclear(f"{place}: order_by must be written out, so that its index can be known.")
    downward = words.get("descending", ast.Constant(value=False))
    directions = [bool(downward.value)] if isinstance(downward, ast.Constant) else [False, True]
    for conditions, descending in product(_variants(call, tree, place), directions):
        yield Question(
            collection=collection,
            equal=tuple(field for field, operator in conditions if operator == "=="),
            ranged=tuple(field for field, operator in conditions if operator != "=="),
            order=None if order is None else str(order.value),
            descending=descending,
            place=place,
        )


def _variants(call: ast.Call, tree: ast.Module, place: str) -> Iterator[list[tuple[str, str]]]:
    """The conditions; those that are handed in by name may be there or not."""
    fixed = [_condition(argument, place) for argument in call.args if isinstance(argument, ast.Tuple)]
    handed = [
        _condition(each, place)
        for argument in call.args
        if isinstance(argument, ast.Starred)
        for each in _of(argument, tree)
    ]
    yield fixed + handed
    if handed:
        yield fixed


def _of(argument: ast.Starred, tree: ast.Module) -> list[ast.Tuple]:
    """The conditions among all that a name, or a function of the module, may stand for."""
    name = _name(argument.value)
    places: list[ast.AST] = [
        node
        for node in ast.walk(tree)
        if (isinstance(node, ast.FunctionDef) and node.name == name)
        or (isinstance(node, ast.Assign) and any(_name(target) == name for target in node.targets))
        or (isinstance(node, ast.AnnAssign) and _name(node.target) == name)
    ]
    takers = {node.name for node in ast.walk(tree) if isinstance(node, ast.FunctionDef) and _takes(node, name)}
    places += [node for node in ast.walk(tree) if isinstance(node, ast.Call) and _name(node.func) in takers]
    places = places or [argument.value]
    return [each for place in places for each in ast.walk(place) if isinstance(each, ast.Tuple) and _is_condition(each)]


def _takes(function: ast.FunctionDef, name: str) -> bool:
    arguments = function.args
    return name in {each.arg for each in (*arguments.args, *arguments.kwonlyargs, arguments.vararg) if each}


def _is_condition(node: ast.Tuple) -> bool:
    return (
        len(node.elts) == 3
        and isinstance(node.elts[1], ast.Constant)
        and node.elts[1].value in {"==", "<", "<=", ">", ">="}
    )


def _condition(node: ast.Tuple, place: str) -> tuple[str, str]:
    field, operator = node.elts[:2]
    if not isinstance(field, ast.Constant) or not isinstance(operator, ast.Constant):
        raise Unclear(f"{place}: fields and operators must be written out, so that their index can be known.")
    return str(field.value), str(operator.value)


def _collections(tree: ast.AST) -> Iterator[tuple[ast.Call, str, str]]:
    """Every ``Collection(documents, "jobs", Job)`` with the last part of its path and its kind."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and _name(node.func) == "Collection" and len(node.args) == 3:
            yield node, _last_part(node.args[1]), _name(node.args[2])


def _receivers(tree: ast.Module, kinds: dict[str, str]) -> dict[str, str]:
    """Names and attributes that are collections: made so, annotated so, or answered by a function that is."""
    found: dict[str, str] = {}
    for node in ast.walk(tree):
        match node:
            case ast.Assign(targets=[target], value=value) if made := list(_collections(value)):
                found[_name(target)] = made[0][1]
            case ast.AnnAssign(target=target, annotation=annotation) if kind := _kind(annotation, kinds):
                found[_name(target)] = kind
            case ast.arg(arg=name, annotation=ast.expr() as annotation) if kind := _kind(annotation, kinds):
                found[name] = kind
            case ast.FunctionDef(name=name, returns=ast.expr() as annotation) if kind := _kind(annotation, kinds):
                found[name] = kind
            case _:
                pass
    return found


def _kept(tree: ast.Module, known: dict[str, str]) -> dict[str, str]:
    """Names for what another name holds, or a function answers: ``events = lifecycle.history(id)``."""
    return {
        _name(node.targets[0]): known[_name(node.value)]
        for node in ast.walk(tree)
        if isinstance(node, ast.Assign)
        and isinstance(node.value, ast.Attribute | ast.Call)
        and _name(node.value) in known
    }


def _kind(annotation: ast.expr, kinds: dict[str, str]) -> str | None:
    match annotation:
        case ast.Subscript(value=ast.Name(id="Collection"), slice=ast.Name(id=kind)):
            return kinds.get(kind)
        case _:
            return None


def _last_part(node: ast.expr) -> str:
    return re.sub(r"^f?['\"]|['\"]$", "", ast.unparse(node)).rpartition("/")[2]


def _name(node: ast.AST) -> str:
    match node:
        case ast.Name(id=name) | ast.Attribute(attr=name):
            return name
        case ast.Call(func=function):
            return _name(function)
        case _:
            return ""
