"""Documents in one SQLite file, with Firestore's meaning of every query: the state of the local stack."""

import sqlite3
from collections.abc import Mapping
from pathlib import Path

import msgspec

from tuneway.adapters.portable import check_commit, check_query, encoded, possible
from tuneway.adapters.sqlite_file import SqliteFile
from tuneway.errors import AlreadyExists, Conflict, NotFound
from tuneway.ports import Create, Delete, Document, Key, Operator, Put, Query, Replace, Where, Write

# Versions come from one counter, never from the document: one that is deleted and made again has no old version.
SCHEMA = """
CREATE TABLE IF NOT EXISTS documents (
    collection TEXT NOT NULL, id TEXT NOT NULL, fields TEXT NOT NULL, version INTEGER NOT NULL,
    PRIMARY KEY (collection, id)
);
CREATE TABLE IF NOT EXISTS versions (last INTEGER NOT NULL);
INSERT INTO versions SELECT 0 WHERE NOT EXISTS (SELECT 1 FROM versions);
"""

GET = "SELECT fields, version FROM documents WHERE collection = :collection AND id = :id"
CREATE = "INSERT INTO documents VALUES (:collection, :id, :fields, :next)"
# As in Firestore, an equal rewrite keeps its version: it changed nothing that a reader could have missed.
REPLACE = """UPDATE documents SET version = CASE WHEN fields = :fields THEN version ELSE :next END, fields = :fields
    WHERE collection = :collection AND id = :id AND version = :version"""
PUT = """INSERT INTO documents VALUES (:collection, :id, :fields, :next) ON CONFLICT DO UPDATE
    SET version = CASE WHEN fields = :fields THEN version ELSE :next END, fields = :fields"""
DELETE = "DELETE FROM documents WHERE collection = :collection AND id = :id"

# How Firestore orders values of different types: https://firebase.google.com/docs/firestore/manage-data/data-types
# (two lists, or two maps, lie next to each other in no promised order).
RANK = """CASE json_type(fields, :order) WHEN 'null' THEN 0 WHEN 'true' THEN 1 WHEN 'false' THEN 1 WHEN 'integer' THEN 2
    WHEN 'real' THEN 2 WHEN 'text' THEN 3 WHEN 'array' THEN 4 WHEN 'object' THEN 5 END"""
VALUE = "ifnull(json_extract(fields, :order), 0)"
ORDER_KEYS = (RANK, VALUE, "id")
LAST_SEEN = " ".join(("SELECT", ", ".join(ORDER_KEYS), "FROM documents WHERE collection = :collection AND id = :id"))
KINDS: Mapping[type, str] = {
    bool: "('true', 'false')",
    str: "('text')",
    int: "('integer', 'real')",
    float: "('integer', 'real')",
}
SIGNS: Mapping[Operator, str] = {"==": "=", "<": "<", "<=": "<=", ">": ">", ">=": ">="}

Values = dict[str, str | int | float | bool | None]


class SqliteDocuments:
    """``ports.Documents`` in the file at ``path``; any number of threads and processes may share it."""

    def __init__(self, path: Path) -> None:
        self._file = SqliteFile(path, SCHEMA)

    def get(self, key: Key) -> Document | None:
        """The document now, or None. Raises TryLater."""
        if not possible(key):
            return None
        with self._file.reading() as connection:
            row = connection.execute(GET, {"collection": key.collection, "id": key.id}).fetchone()
        return _document(key, *row) if row else None

    def find(self, query: Query) -> list[Document]:
        """The documents that match, in order. Raises BadInput, NotFound (``after`` is gone), TryLater."""
        check_query(query)
        with self._file.reading() as connection:
            page = _after(connection, query)
            rows = connection.execute(_sql(query), {**_values(query), **page}).fetchall()
        return [_document(Key(query.collection, str(id_)), fields, version) for id_, fields, version in rows]

    def commit(self, *writes: Write) -> None:
        """All writes or none. Raises AlreadyExists, Conflict, BadInput, TryLater."""
        check_commit(writes)
        if writes:
            with self._file.writing() as connection:
                version = connection.execute("UPDATE versions SET last = last + 1 RETURNING last").fetchone()[0]
                for write in writes:
                    _apply(connection, write, version)

    def close(self) -> None:
        """Let go of the file; the next use opens it again."""
        self._file.close()


def _apply(connection: sqlite3.Connection, write: Write, version: int) -> None:
    place = {"collection": write.key.collection, "id": write.key.id}
    match write:
        case Create(fields=fields):
            _create(connection, {**place, "fields": _text(fields), "next": version})
        case Replace(fields=fields, version=expected):
            _replace(connection, {**place, "fields": _text(fields), "next": version, "version": expected})
        case Put(fields=fields):
            connection.execute(PUT, {**place, "fields": _text(fields), "next": version})
        case Delete():
            connection.execute(DELETE, place)


def _create(connection: sqlite3.Connection, row: Mapping[str, str | int]) -> None:
    try:
        connection.execute(CREATE, row)
    except sqlite3.IntegrityError as exc:
        raise AlreadyExists(f"{row['collection']}/{row['id']} exists already.") from exc


def _replace(connection: sqlite3.Connection, row: Mapping[str, str | int]) -> None:
    if connection.execute(REPLACE, row).rowcount == 0:
        raise Conflict(f"{row['collection']}/{row['id']} was changed or removed meanwhile. Read it and try again.")


def _document(key: Key, fields: str, version: int) -> Document:
    return Document(key, msgspec.json.decode(fields, type=dict[str, object]), str(version))


def _text(fields: Mapping[str, object]) -> str:
    return encoded(fields).decode()


def _sql(query: Query) -> str:
    way = "DESC" if query.descending else "ASC"
    keys = ORDER_KEYS if query.order_by else ("id",)
    order = ", ".join(f"{key} {way}" for key in keys)
    return " ".join(
        (
            "SELECT id, fields, version FROM documents WHERE",
            " AND ".join(_conditions(query, keys)),
            "ORDER BY",
            order,
            "LIMIT :limit",
        )
    )


def _conditions(query: Query, keys: tuple[str, ...]) -> list[str]:
    """Every name and value is bound; what is joined here comes from this file alone."""
    places = (":rank", ":value", ":after")[-len(keys) :]
    page = f"({', '.join(keys)}) {'<' if query.descending else '>'} ({', '.join(places)})"
    return [
        "collection = :collection",
        *(_condition(position, where) for position, where in enumerate(query.where)),
        *(["json_type(fields, :order) IS NOT NULL"] if query.order_by else []),
        *([page] if query.after is not None else []),
    ]


def _condition(position: int, where: Where) -> str:
    """Only values of the same type compare, as in Firestore: a number is neither above nor below a text."""
    return (
        f"json_type(fields, :path{position}) IN {KINDS[type(where.value)]}"
        f" AND json_extract(fields, :path{position}) {SIGNS[where.operator]} :value{position}"
    )


def _values(query: Query) -> Values:
    paths: Values = {f"path{position}": _path(where.field) for position, where in enumerate(query.where)}
    values: Values = {f"value{position}": where.value for position, where in enumerate(query.where)}
    order: Values = {"order": _path(query.order_by)} if query.order_by else {}
    return {**paths, **values, **order, "collection": query.collection, "limit": query.limit or -1}


def _after(connection: sqlite3.Connection, query: Query) -> Values:
    """Where the page before ended: the order's value in its last document, and the id."""
    if query.after is None:
        return {}
    place = {"collection": query.collection, "id": query.after, "order": _path(query.order_by or "_")}
    row = connection.execute(LAST_SEEN, place).fetchone()
    if row is None or (query.order_by and row[0] is None):
        raise NotFound(f"There is no {query.collection}/{query.after} in this list to go on after.", param="after")
    return {"rank": row[0], "value": row[1], "after": row[2]}


def _path(field: str) -> str:
    return "$" + "".join(f'."{name}"' for name in field.split("."))
