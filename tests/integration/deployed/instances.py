"""One function's process as Cloud Run runs it: started by the first request that finds none, until somebody ends it."""

import os
import signal
import socket
import subprocess
import threading
import time
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path

from tests.integration.deployed.bundled import Bundle
from tests.integration.deployed.declared import Service
from tuneway.local.emulators import WATCHED

HOST = "127.0.0.1"
START_SECONDS = 120.0
STOP_SECONDS = 10.0  # as Cloud Run: SIGTERM, ten seconds, SIGKILL
TAIL = 4000


class Instance:
    """The one instance of a function; it is there again whenever somebody asks for its port."""

    def __init__(self, bundle: Bundle, service: Service, environment: Mapping[str, str], *, home: Path) -> None:
        self.bundle = bundle
        self.service = service
        self.home = home
        self.starts = 0
        self.environment = environment
        self._process: subprocess.Popen[bytes] | None = None
        self._port = 0
        self._lock = threading.Lock()

    @property
    def pid(self) -> int | None:
        """Of the process that runs, if one does."""
        process = self._process
        return process.pid if process is not None and process.poll() is None else None

    def port(self) -> int:
        """Where it listens, now: a dead one is started again."""
        with self._lock:
            if self.pid is None:
                self._start()
            return self._port

    def kill(self) -> bool:
        """End all of it at once, in the middle of whatever it does; whether there was anything to end."""
        with self._lock:
            killed = self._signalled(signal.SIGKILL)
            self._forget()
        return killed

    def stop(self) -> None:
        """End it as the platform does."""
        process = self._process
        if process is not None and self._signalled(signal.SIGTERM):
            with suppress(subprocess.TimeoutExpired):
                process.wait(STOP_SECONDS)
        self._forget()

    def complaints(self) -> str:
        """The end of what all its processes wrote to stderr."""
        path = self.home / "stderr"
        return path.read_text(errors="replace")[-TAIL:] if path.exists() else ""

    def variables(self, port: int) -> dict[str, str]:
        """All that it is told: what the platform says of itself, and what Terraform and the stand-ins say."""
        name = self.service.name
        platform = {
            "PATH": f"{self.bundle.scripts}:{os.defpath}",
            "HOME": str(self.home),
            "HOST": HOST,  # 0.0.0.0 in its container
            "PORT": str(port),
            "K_SERVICE": name,
            "K_CONFIGURATION": name,
            "K_REVISION": f"{name}-00001-abc",
            "FUNCTION_TARGET": self.service.target,
            "FUNCTION_SIGNATURE_TYPE": "cloudevent" if self.service.event else "http",
            "CLOUD_RUN_TIMEOUT_SECONDS": str(self.service.timeout),
            "PYTHONUNBUFFERED": "TRUE",
        }
        return {**platform, **self.environment}

    def _start(self) -> None:
        self._forget()
        self.home.mkdir(parents=True, exist_ok=True)
        self.starts += 1
        self._port = free_port()
        with (self.home / "stderr").open("ab") as stderr:
            self._process = subprocess.Popen(
                # Whoever is killed with the tests' own process closes a pipe by it, and the function ends, too.
                ["/bin/sh", "-c", f"exec 3<&0; {WATCHED}", "instance", self.bundle.scripts / "functions-framework"],
                cwd=self.bundle.source,
                env=self.variables(self._port),
                stdin=subprocess.PIPE,
                stdout=stderr,
                stderr=stderr,
                start_new_session=True,
            )
        self._wait(time.monotonic() + START_SECONDS)

    def _wait(self, deadline: float) -> None:
        """Until its port is open, which is all that Cloud Run waits for, too."""
        while time.monotonic() < deadline and self.pid is not None:
            with socket.socket() as probe:
                if probe.connect_ex((HOST, self._port)) == 0:
                    return
            time.sleep(0.01)
        raise AssertionError(f"{self.service.target} does not start:\n{self.complaints()}")

    def _signalled(self, number: signal.Signals) -> bool:
        pid = self.pid
        if pid is not None:
            os.killpg(pid, number)
        return pid is not None

    def _forget(self) -> None:
        """Wait until nothing is left of the last process: what outlived its parent is of the same group."""
        process, self._process = self._process, None
        if process is None:
            return
        with suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()
        if process.stdin is not None:
            process.stdin.close()


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind((HOST, 0))
        return int(probe.getsockname()[1])
