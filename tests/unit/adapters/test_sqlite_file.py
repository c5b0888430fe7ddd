"""One file under many hands."""

import sqlite3
import subprocess
import sys
from pathlib import Path

import pytest

from tuneway.adapters.sqlite_file import SqliteFile
from tuneway.errors import TryLater

ROOT = Path(__file__).parents[3]
SCHEMA = "CREATE TABLE IF NOT EXISTS numbers (n INTEGER)"


def add(file: SqliteFile, n: int, *, fault: Exception | None = None) -> None:
    with file.writing() as connection:
        connection.execute("INSERT INTO numbers VALUES (?)", (n,))
        if fault:
            raise fault


def numbers(file: SqliteFile) -> list[int]:
    with file.reading() as connection:
        return [n for (n,) in connection.execute("SELECT n FROM numbers ORDER BY n")]


def test_a_block_that_raises_keeps_nothing_and_harms_nothing(tmp_path: Path) -> None:
    file = SqliteFile(tmp_path / "a" / "state.db", SCHEMA)
    with pytest.raises(ZeroDivisionError):
        add(file, 1, fault=ZeroDivisionError())
    add(file, 2)
    assert numbers(file) == [2]
    file.close()


def test_a_reader_sees_one_moment_and_never_waits_for_a_writer(tmp_path: Path) -> None:
    file = SqliteFile(tmp_path / "state.db", SCHEMA)
    add(file, 1)
    with file.reading() as connection:
        before = connection.execute("SELECT count(*) FROM numbers").fetchone()
        add(file, 2)
        assert connection.execute("SELECT count(*) FROM numbers").fetchone() == before
    assert numbers(file) == [1, 2]
    file.close()


@pytest.mark.parametrize("content", [b"this is no database, but it is long enough to be taken for one" * 20])
def test_a_file_that_is_no_database_is_named(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "state.db").write_bytes(content)
    with pytest.raises(TryLater, match=r"state\.db"):
        add(SqliteFile(tmp_path / "state.db", SCHEMA), 1)
    assert (tmp_path / "state.db").read_bytes() == content


def test_a_folder_that_cannot_be_made_is_a_passing_fault(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(TryLater):
        add(SqliteFile(tmp_path / "file" / "state.db", SCHEMA), 1)


def test_a_wrong_statement_is_reported_and_undone(tmp_path: Path) -> None:
    file = SqliteFile(tmp_path / "state.db", SCHEMA)
    with pytest.raises(TryLater), file.writing() as connection:
        connection.execute("INSERT INTO nothing VALUES (1)")
    assert numbers(file) == []
    file.close()


def test_many_processes_may_open_a_new_file_at_once(tmp_path: Path) -> None:
    code = (
        "import sys; from pathlib import Path; from tuneway.adapters.sqlite_documents import SqliteDocuments\n"
        "from tuneway.ports import Key, Put\n"
        "documents = SqliteDocuments(Path(sys.argv[1])); documents.commit(Put(Key('jobs', sys.argv[2]), {}))\n"
    )
    path = str(tmp_path / "state.db")
    rivals = [
        subprocess.Popen([sys.executable, "-c", code, path, str(n)], env={"PYTHONPATH": str(ROOT / "shared")})
        for n in range(8)
    ]
    assert [rival.wait(300) for rival in rivals] == [0] * 8
    connection = sqlite3.connect(path)
    assert connection.execute("SELECT count(*) FROM documents").fetchone() == (8,)
    connection.close()


def test_a_forked_child_opens_the_file_for_itself(tmp_path: Path) -> None:
    code = (
        "import os, sys; from pathlib import Path; from tuneway.adapters.sqlite_documents import SqliteDocuments\n"
        "from tuneway.ports import Key, Put\n"
        "documents = SqliteDocuments(Path(sys.argv[1])); documents.commit(Put(Key('jobs', 'parent'), {}))\n"
        "child = os.fork(); documents.commit(Put(Key('jobs', 'child' if child == 0 else 'later'), {}))\n"
        "assert child == 0 or os.waitpid(child, 0)[1] == 0\n"
    )
    path = str(tmp_path / "state.db")
    subprocess.run([sys.executable, "-c", code, path], env={"PYTHONPATH": str(ROOT / "shared")}, check=True)
    connection = sqlite3.connect(path)
    assert connection.execute("SELECT id FROM documents ORDER BY id").fetchall() == [
        ("child",),
        ("later",),
        ("parent",),
    ]
    connection.close()
