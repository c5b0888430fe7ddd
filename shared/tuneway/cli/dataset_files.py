"""Dataset files for the command line: read from anywhere with a progress bar, written whole or not at all."""

import gzip
import sys
from collections.abc import Callable, Generator, Iterator
from contextlib import contextmanager, suppress
from functools import wraps
from pathlib import Path
from typing import IO, Concatenate, ParamSpec, TypeVar, cast

import click
import msgspec
from rich.console import Console
from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn, TransferSpeedColumn

from tuneway.adapters import plugs
from tuneway.cli.client import Failed
from tuneway.errors import TunewayError
from tuneway.settings import from_env
from tuneway.tuning.datasets.kinds import Columns, Kind
from tuneway.tuning.datasets.reading import Reading, reading

BLOCK = 1 << 20
STDOUT = "-"
ANYBODY_WRITES = 0o222
PACKED = (".gz", ".gzip")

P = ParamSpec("P")
R = TypeVar("R")


class Form(msgspec.Struct, frozen=True):
    """How a file is to be read, where its name and bytes do not tell."""

    kind: Kind | None = None
    columns: Columns | None = None


class Input(msgspec.Struct, frozen=True, kw_only=True):
    """A file to be read: ``name`` is a path, gs://, s3:// or https://; ``quiet`` shows no progress."""

    name: str
    form: Form = Form()
    quiet: bool = False


def readable(command: Callable[Concatenate[Form, P], R]) -> Callable[P, R]:
    """Give a command the form of the file it reads, from options of its own."""

    @wraps(command)
    def run(*args: P.args, **kwargs: P.kwargs) -> R:
        names = ("kind", "prompt_column", "completion_column", "system_column")
        kind, prompt, completion, system = (cast("str | None", kwargs.pop(name)) for name in names)
        form = Form(Kind(kind) if kind else None, columns(prompt, completion, system))
        return command(form, *args, **kwargs)

    kinds = click.Choice([kind.value for kind in Kind])
    return click.option("--from", "kind", type=kinds, help="The kind of the file.")(columned(run))


def columned(command: Callable[P, R]) -> Callable[P, R]:
    """Add the options that name the columns of a table."""
    for option in (
        click.option("--system-column", help="The column with the system message."),
        click.option("--completion-column", help="The column that is answered."),
        click.option("--prompt-column", help="The column that is asked."),
    ):
        command = option(command)
    return command


def columns(prompt: str | None, completion: str | None, system: str | None) -> Columns | None:
    """The columns that were named. Raises click.UsageError."""
    if not prompt and not completion and not system:
        return None
    if not prompt or not completion:
        raise click.UsageError("Name both --prompt-column and --completion-column.")
    return Columns(prompt=prompt, completion=completion, system=system)


def columns_of(value: object) -> Columns | None:
    """The columns that a file of jobs names. Raises Failed."""
    try:
        return msgspec.convert(value, Columns | None)
    except msgspec.ValidationError as fault:
        said = (
            "'columns' is {prompt: …, completion: …} with the names of two columns, and of a system column if need be"
        )
        raise Failed(f"{said}: {fault}.") from fault


@contextmanager
def opened(source: Input) -> Generator[Reading]:
    """Begin to read. Raises Failed (no such file) and what the file's scheme raises."""
    with stored(source) as blocks:
        yield reading(blocks, kind=source.form.kind, columns=source.form.columns, name=source.name, tables=plugs.tables)


@contextmanager
def stored(source: Input) -> Generator[Iterator[bytes]]:
    """The bytes of the file as they are stored, in blocks. Raises as ``opened``."""
    with _bytes(source.name) as (file, size), _progress(source, size) as advance:
        yield _blocks(file, advance)


def check_apart(source: str, *outputs: str) -> None:
    """Whether none of what is written is the file that is read. Raises Failed: its rows would be lost."""
    read = Path(source)
    for name in outputs:
        path = Path(name)
        if read.is_file() and path.is_file() and path.samefile(read):
            raise Failed(f"{name} is the file that is read, and would be replaced. Name another one.")


@contextmanager
def written(name: str) -> Generator[IO[bytes]]:
    """Open for writing: a path, gs://, s3://, or ``-`` for the standard output; a file appears whole or not at all.

    What is there and no file, such as a pipe or ``/dev/null``, is written into and stays what it is. Names that end in
    ``.gz`` are for packed files. Raises Failed, also for a write-protected file, which its folder would let go.
    """
    with _target(name) as file:
        if name.lower().endswith(PACKED):
            with gzip.GzipFile(filename="", mode="wb", fileobj=file, mtime=0) as packed:
                yield cast("IO[bytes]", packed)
        else:
            yield file


@contextmanager
def _target(name: str) -> Generator[IO[bytes]]:
    if name == STDOUT:
        yield sys.stdout.buffer
        sys.stdout.buffer.flush()
    elif "://" in name:
        with plugs.sources(from_env()).write(name) as file:
            yield file
    else:
        path = Path(name)
        with _into(path) if path.exists() and not path.is_file() else _whole(path) as file:
            yield file


@contextmanager
def _into(path: Path) -> Generator[IO[bytes]]:
    try:
        with path.open("wb") as file:
            yield file
    except OSError as fault:
        raise Failed(f"{path} cannot be written: {fault.strerror}.") from fault


@contextmanager
def _whole(path: Path) -> Generator[IO[bytes]]:
    # Of a link the file is written that it names; the link stays.
    path = path.resolve() if path.is_symlink() else path
    if path.exists() and not path.stat().st_mode & ANYBODY_WRITES:
        raise Failed(f"{path} is write-protected. Name another file, or make it writable.")
    draft = path.with_name(f".{path.name}.unfinished")
    try:
        with draft.open("wb") as file:
            yield file
        draft.replace(path)
    except OSError as fault:
        raise Failed(f"{path} cannot be written: {fault.strerror}.") from fault
    finally:
        with suppress(OSError):
            draft.unlink(missing_ok=True)


@contextmanager
def _bytes(name: str) -> Generator[tuple[IO[bytes], int | None]]:
    if "://" in name:
        sources = plugs.sources(from_env())
        with sources.read(name) as file:
            yield file, _size(lambda: sources.size(name))
        return
    try:
        file = Path(name).open("rb")  # noqa: SIM115 - closed below; only the opening's error is ours to name
    except OSError as fault:
        raise Failed(f"{name} cannot be read: {fault.strerror}.") from fault
    with file:
        yield file, Path(name).stat().st_size


def _size(ask: Callable[[], int]) -> int | None:
    """For the bar alone."""
    try:
        return ask()
    except TunewayError:
        return None


@contextmanager
def _progress(source: Input, size: int | None) -> Generator[Callable[[int], None]]:
    console = Console(stderr=True)
    if source.quiet or not console.is_terminal:
        yield lambda _: None
        return
    with Progress(
        TextColumn("{task.description}"),
        BarColumn(),
        DownloadColumn(),
        TransferSpeedColumn(),
        console=console,
        transient=True,
    ) as bar:
        task = bar.add_task(source.name, total=size)
        yield lambda count: bar.advance(task, count)


def _blocks(file: IO[bytes], advance: Callable[[int], None]) -> Iterator[bytes]:
    while block := file.read(BLOCK):
        advance(len(block))
        yield block
