"""The local stack: every function under one origin, with the bus, the beat and the simulated Vertex AI beside them."""

import asyncio
import fcntl
import os
import secrets
import socket
import time
from collections.abc import Callable, Generator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import msgspec
import uvicorn
from typing_extensions import override

from tuneway.access.keys import Grant, Scope, key_from
from tuneway.adapters import plugs
from tuneway.adapters.local_bus import LocalBus
from tuneway.errors import BadInput, Conflict
from tuneway.local import manifest
from tuneway.local.beat import Beat
from tuneway.local.emulated import emulated
from tuneway.local.front import EVENTS, SECRET_HEADER, Front
from tuneway.local.log_sink import LogSink
from tuneway.local.relay import Relay, RelaySettings
from tuneway.local.told import Options as Options
from tuneway.local.told import Ready as Ready
from tuneway.local.vertex.serve import IDLE_SECONDS, VertexServer
from tuneway.local.vertex.settings import VertexSettings
from tuneway.local.watcher import Watcher
from tuneway.registry.keyring import Keyring
from tuneway.settings import Settings, export

HOST = "127.0.0.1"
OWNER = "local"
WATCHED = "lint_dataset"
PREFIX = "gs://tuneway-local/datasets/"
RETRY = manifest.Retry(min_backoff=0.2, max_backoff=5.0, max_attempts=5)
QUOTAS = '{"vertex_ai": 2, "vertex_open": 2, "vertex_custom": 2}'  # the simulation itself has no quota
GRACE = 3.0  # seconds for what is under way when the stack is told to stop
SUBMIT_TIMEOUT = 3.0  # the simulation answers at once; a short lease lets a killed stack go on soon


def run(options: Options, *, ready: Callable[[Ready], None]) -> None:
    """Serve until told to stop (SIGINT or SIGTERM). Started again on the same folder, it goes on where it was.

    Raises BadInput (the port is taken, the folder cannot be written), Conflict (another stack uses the folder).
    """
    with ExitStack() as stack:
        data = _folder(options.data)
        stack.enter_context(_only_one(data))
        listening = stack.enter_context(_listening(options.port))
        url = f"http://{HOST}:{listening.getsockname()[1]}"
        vertex = stack.enter_context(VertexServer(_vertex_settings(data, options.speed)))
        settings = _settings(data, vertex.url)
        secret = secrets.token_urlsafe(24)
        if options.emulators:
            settings = stack.enter_context(emulated(settings, f"{url}{EVENTS}", secret=secret, retry=RETRY))
        export(settings)
        key = _admitted_key(settings, data, options.api_key)
        server = _Server(Front(manifest.load(), manifest.FUNCTIONS, secret=secret))
        company = stack.enter_context(ExitStack())
        server.after_startup = _Company(settings, url, secret, beat=options.beat, stack=company)
        server.before_shutdown = company.close
        _announce(data, told := Ready(url=url, key=key, data=str(data), vertex_url=vertex.url))
        server.ready = lambda: ready(told)
        server.run(sockets=[listening])


class _Server(uvicorn.Server):
    """A server that starts its company once it listens."""

    after_startup: Callable[[], None]
    before_shutdown: Callable[[], None]
    ready: Callable[[], None]

    def __init__(self, app: Front) -> None:
        # Streams end with the stack: a client that will not leave may not hold up Ctrl-C.
        super().__init__(
            uvicorn.Config(
                app,
                lifespan="off",
                log_level="warning",
                access_log=False,
                timeout_keep_alive=IDLE_SECONDS,
                timeout_graceful_shutdown=int(GRACE),
            )
        )

    @override
    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        self.after_startup()
        self.ready()

    @override
    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        # Who calls the functions stops first, while they still answer; in a thread, for they answer in this loop.
        await asyncio.to_thread(self.before_shutdown)
        await super().shutdown(sockets)


class _Company:
    """The relay and the beat, started when the functions can be reached and stopped before them."""

    def __init__(self, settings: Settings, url: str, secret: str, *, beat: float, stack: ExitStack) -> None:
        self._settings = settings
        self._url = url
        self._headers = {SECRET_HEADER: secret}
        self._beat = beat
        self._stack = stack

    def __call__(self) -> None:
        beat = Beat(f"{self._url}/tick", self._beat, self._headers)
        bus = plugs.bus(self._settings)
        if isinstance(bus, LocalBus):
            names = [name for functions in manifest.load().subscriptions().values() for name in functions]
            urls = {name: f"{self._url}{EVENTS}/{name}" for name in names}
            relay = Relay(bus, urls, RelaySettings(retry=RETRY, headers=self._headers))
            relay.start()
            self._stack.callback(relay.stop, grace=GRACE)
        beat.start()
        self._stack.callback(beat.stop, grace=GRACE)
        if log := self._settings.log_file:
            log.touch()
            sink = LogSink(log, log.with_suffix(".place"), bus, project=self._settings.project)
            sink.start()
            self._stack.callback(sink.stop, grace=GRACE)
        if self._settings.watch_prefix and self._settings.objects_folder:
            where = f"{self._url}{EVENTS}/{WATCHED}"
            watcher = Watcher(self._settings.objects_folder, self._settings.watch_prefix, where, headers=self._headers)
            watcher.start()
            self._stack.callback(watcher.stop, grace=GRACE)


def _settings(data: Path, vertex_url: str) -> Settings:
    return Settings(
        state_folder=data,
        objects_folder=data / "objects",
        vertex_url=vertex_url,
        log_file=data / "tuneway.log",
        watch_prefix=PREFIX,
        local_subscriptions=msgspec.json.encode(manifest.load().subscriptions()).decode(),
        submit_timeout=SUBMIT_TIMEOUT,
        tuning_quotas=QUOTAS,
    )


def _vertex_settings(data: Path, speed: float) -> VertexSettings:
    return VertexSettings(store=data / "vertex.sqlite", objects=data / "objects", speed=speed)


def _folder(asked: Path) -> Path:
    data = asked.absolute()
    try:
        data.mkdir(parents=True, exist_ok=True)
        (data / "lock").touch()
    except OSError as exc:
        raise BadInput(f"The folder {data} cannot be used: {exc.strerror}. Give another --data folder.") from exc
    return data


@contextmanager
def _only_one(data: Path) -> Generator[None]:
    """Hold the folder; the lock ends with the process, however it ends."""
    with (data / "lock").open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as exc:
            raise Conflict(f"Another tuneway runs on {data}. Stop it, or give another --data folder.") from exc
        yield


@contextmanager
def _listening(port: int) -> Generator[socket.socket]:
    # Naming TCP makes asyncio send small answers at once, also on kept connections.
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP) as listening:
        listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            listening.bind((HOST, port))
        except OSError as exc:
            raise BadInput(f"Port {port} of {HOST} cannot be used: {exc.strerror}. Give another --port.") from exc
        yield listening


def _admitted_key(settings: Settings, data: Path, given: str | None) -> str:
    """The stack's own key: the given one, or one made at the first start and kept in a file only its user can read."""
    path = data / "key"
    if given is None and not (path.exists() and path.read_text().strip()):
        _private(path, key_from(secrets.token_bytes(32)))
    key = given or path.read_text().strip()
    keyring = Keyring(plugs.documents(settings), now=time.time, randomness=lambda: secrets.token_bytes(32))
    if keyring.grant(key) is None:
        keyring.admit(key, Grant(owner=OWNER, scopes=tuple(Scope), name="local stack", created_at=time.time()))
    return key


def _announce(data: Path, told: Ready) -> None:
    """Let the command line find this stack."""
    _private(data / "stack.json", msgspec.json.encode(told).decode())


def _private(path: Path, text: str) -> None:
    """Write it whole or not at all: who is killed in the middle may leave no empty key behind."""
    draft = path.with_suffix(".new")
    with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as file:
        file.write(text)
    draft.replace(path)
