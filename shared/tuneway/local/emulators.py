"""Google's Firestore and Pub/Sub emulators out of the installed gcloud SDK.

The Java process is started directly: gcloud's own starter takes twice as long and leaves a second process to stop.
"""

import shutil
import socket
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import IO, cast

import grpc
import httpx
import msgspec
from google.cloud.pubsub_v1 import PublisherClient, SubscriberClient
from google.pubsub_v1.services.publisher.transports import PublisherGrpcTransport
from google.pubsub_v1.services.subscriber.transports import SubscriberGrpcTransport

from tuneway.errors import NotFound, TryLater

READY_SECONDS = 40.0
STOP_SECONDS = 10.0
ATTEMPTS = 3
HOST = "127.0.0.1"

# Java dies with whoever holds the other end of this shell's input, even if that one was killed: the pipe closes by
# itself, on every POSIX system and from any thread (Linux's PR_SET_PDEATHSIG follows the thread that started it).
WATCHED = '"$@" 3<&- & java=$!; (read -r _ <&3; kill -KILL "$java") & wait "$java"; code=$?; kill "$!"; exit "$code"'


class Component(msgspec.Struct, frozen=True, kw_only=True):
    """One emulator of the SDK: the ``jar`` pattern below its ``platform`` folder, and how Java starts it."""

    name: str
    gcloud: str
    package: str
    jar: str
    main: str | None = None


FIRESTORE = Component(
    name="Firestore",
    gcloud="cloud-firestore-emulator",
    package="google-cloud-cli-firestore-emulator",
    jar="cloud-firestore-emulator/cloud-firestore-emulator*.jar",
    main="com.google.cloud.datastore.emulator.firestore.CloudFirestore",
)
PUBSUB = Component(
    name="Pub/Sub",
    gcloud="pubsub-emulator",
    package="google-cloud-cli-pubsub-emulator",
    jar="pubsub-emulator/lib/cloud-pubsub-emulator*.jar",
)


class Emulator:
    """A running emulator; ``address`` is what its environment variable wants: ``127.0.0.1:port``."""

    def __init__(self, component: Component, process: subprocess.Popen[bytes], address: str) -> None:
        self.component = component
        self.address = address
        self._process = process

    @property
    def running(self) -> bool:
        """Whether it still runs."""
        return self._process.poll() is None

    def stop(self) -> None:
        """End it and wait until it is gone. Repeating the call changes nothing."""
        if self._process.stdin:
            self._process.stdin.close()
        try:
            self._process.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()


def start(component: Component) -> Emulator:
    """Start it on a free port and wait until it answers. Raises NotFound (not installed), TryLater (does not start)."""
    command = _command(component)
    for attempt in range(ATTEMPTS):
        with tempfile.TemporaryFile() as log:
            emulator = _launch(component, command, log)
            if _ready(emulator):
                return emulator
            emulator.stop()
            # Somebody may have taken the port meanwhile; the next attempt has another.
            if attempt == ATTEMPTS - 1:
                raise TryLater(f"The {component.name} emulator did not start: {_last_lines(log)}")
    raise AssertionError(component)


def start_all(*components: Component) -> list[Emulator]:
    """Start them side by side; when one fails, none is left running. Raises NotFound, TryLater."""
    with ThreadPoolExecutor() as pool:
        pending = [pool.submit(start, component) for component in components]
    if any(future.exception() for future in pending):
        for future in pending:
            if not future.exception():
                future.result().stop()
    return [future.result() for future in pending]


def pubsub_clients(address: str) -> tuple[PublisherClient, SubscriberClient]:
    """Clients of the Pub/Sub emulator at ``address``; ``stop`` and ``close`` end them."""
    channel = cast("Callable[[str], grpc.Channel]", grpc.insecure_channel)
    publisher = PublisherClient(transport=PublisherGrpcTransport(channel=channel(address)))
    return publisher, SubscriberClient(transport=SubscriberGrpcTransport(channel=channel(address)))


def _command(component: Component) -> list[str]:
    java = shutil.which("java")
    if java is None:
        raise NotFound(f"The {component.name} emulator needs Java 11 or newer. Install a JRE, e.g. 'openjdk-17-jre'.")
    found = [jar for root in _sdk_roots() for jar in sorted(root.glob(f"platform/{component.jar}"))]
    if not found:
        raise NotFound(
            f"The {component.name} emulator is not installed. Run 'gcloud components install {component.gcloud}', or "
            f"'sudo apt-get install {component.package}' where gcloud came from apt."
        )
    jar = str(found[-1])
    quiet = [java, "-XX:-UsePerfData"]  # no counters in the system's folder for temporary files
    return [*quiet, "-cp", jar, component.main] if component.main else [*quiet, "-jar", jar]


def _sdk_roots() -> Iterator[Path]:
    """Where the SDK may lie: beside the command itself, or, when that is only a launcher, where it says."""
    gcloud = shutil.which("gcloud")
    if gcloud is None:
        raise NotFound("The emulators need the gcloud command. Install it: https://cloud.google.com/sdk/docs/install")
    beside = Path(gcloud).resolve().parent.parent
    if (beside / "platform").is_dir():
        yield beside
        return
    told = subprocess.run(  # noqa: S603  # the command found above, nothing of a caller's in it
        [gcloud, "info", "--format=value(installation.sdk_root)"],
        capture_output=True,
        text=True,
        timeout=READY_SECONDS,
        check=False,
    )
    yield Path(told.stdout.strip() or beside)


def _launch(component: Component, command: list[str], log: IO[bytes]) -> Emulator:
    port = _free_port()
    process = subprocess.Popen(  # noqa: S603  # what was found on this machine, nothing of a caller's in it
        ["/bin/sh", "-c", f"exec 3<&0; {WATCHED}", "emulator", *command, f"--host={HOST}", f"--port={port}"],
        stdin=subprocess.PIPE,
        stdout=log,
        stderr=log,
        # Ctrl-C in a terminal is for whoever started it, to end things in order.
        start_new_session=True,
    )
    return Emulator(component, process, f"{HOST}:{port}")


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind((HOST, 0))
        return int(probe.getsockname()[1])


def _ready(emulator: Emulator) -> bool:
    deadline = time.monotonic() + READY_SECONDS
    with httpx.Client(base_url=f"http://{emulator.address}", timeout=2.0, trust_env=False) as client:
        while emulator.running and time.monotonic() < deadline:
            try:
                if client.get("/").is_success:
                    return True
            except httpx.HTTPError:
                pass
            time.sleep(0.05)
    return False


def _last_lines(log: IO[bytes]) -> str:
    log.seek(0)
    return log.read().decode(errors="replace").strip()[-1000:] or "it said nothing."
