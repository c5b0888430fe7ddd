"""The whole installation on this machine: what Terraform declares, on emulators, beside the simulated Vertex AI."""

import re
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

import httpx
import msgspec
import openai
import uvicorn

from tests.infra.faults import ROOT
from tests.infra.terraform import BINARY
from tests.integration.deployed.bundled import unpacked
from tests.integration.deployed.cloud_run import CloudRun
from tests.integration.deployed.declared import Declared, declared
from tests.integration.deployed.delivery import Relay
from tests.integration.deployed.google import Google
from tests.integration.deployed.identities import Identities
from tests.integration.deployed.instances import HOST, Instance
from tuneway.local import manifest
from tuneway.local.beat import Beat
from tuneway.local.watcher import FINALIZED, Watcher

HASTE = 50.0  # a minute of the scheduler, and of the pauses between attempts, is 1.2 seconds
MINUTE = 60.0 / HASTE
EVERY_MINUTE = "* * * * *"
BALANCER = "load balancer"
KEY = re.compile(r"^tw-\S+$", re.MULTILINE)


class Installation(msgspec.Struct, frozen=True, kw_only=True):
    """A running installation; ``url`` is the load balancer's, under which all its doors are."""

    declared: Declared
    instances: Mapping[str, Instance]
    run: CloudRun
    relay: Relay
    google: Google
    url: str
    key: str

    def sdk(self, **options: Any) -> openai.OpenAI:
        """The unmodified SDK."""
        client = openai.DefaultHttpxClient(trust_env=False)
        return openai.OpenAI(base_url=f"{self.url}/v1", http_client=client, **{"api_key": self.key} | options)

    def caller(self, **options: Any) -> httpx.Client:
        """A client of the load balancer with the installation's first key."""
        headers = {"authorization": f"Bearer {self.key}"}
        return httpx.Client(base_url=self.url, headers=headers, timeout=60, trust_env=False, **options)

    def letters(self) -> list[dict[str, Any]]:
        """The dead letters, as the registry shows them."""
        with self.caller() as http:
            kept: list[dict[str, Any]] = http.get("/v1/registry/dead_letters").raise_for_status().json()["data"]
        return kept

    def provider_jobs(self, token: str | None = None) -> list[dict[str, Any]]:
        """The tuning jobs that Vertex AI knows, all or those of one job of ours."""
        path = f"/v1/projects/{self.declared.project}/locations/us-central1/tuningJobs"
        listed = self.google.vertex.get(path, params={"pageSize": 1000}).raise_for_status().json()
        jobs: list[dict[str, Any]] = listed.get("tuningJobs", [])
        return [job for job in jobs if token in {None, job.get("labels", {}).get("tuneway-job")}]


@contextmanager
def installed(folder: Path) -> Iterator[Installation]:
    """Install, and uninstall in the end. Fails where Terraform or an emulator is missing, and says which."""
    assert BINARY, "terraform is missing: https://developer.hashicorp.com/terraform/install"
    with ExitStack() as cleanup:
        sockets = {name: cleanup.enter_context(_listening()) for name in (*manifest.load().functions, BALANCER)}
        urls = {name: f"http://{HOST}:{each.getsockname()[1]}" for name, each in sockets.items()}
        told = declared(folder / "terraform", urls)
        bundles = unpacked(folder, (service.runtime for service in told.services.values()))
        google = Google(folder, told, cleanup)
        instances = {
            name: Instance(bundles[name], each, {**each.environment, **google.told}, home=folder / "homes" / name)
            for name, each in told.services.items()
        }
        cleanup.callback(_ended, instances.values())
        run = CloudRun(told, instances, Identities())
        cleanup.enter_context(_served(run, list(sockets.values())))
        relay = Relay(told, google.pubsub.address, signed=run.signed, haste=HASTE)
        relay.start()
        cleanup.callback(relay.stop, end=google.pubsub.stop)
        _callers(told, run, google.objects, cleanup)
        yield Installation(
            declared=told,
            instances=instances,
            run=run,
            relay=relay,
            google=google,
            url=urls[BALANCER],
            key=_first_key(told, google.told),
        )


def _ended(instances: Iterable[Instance]) -> None:
    """All of them, side by side."""
    with ThreadPoolExecutor() as pool:
        list(pool.map(Instance.stop, instances))


def _callers(told: Declared, run: CloudRun, objects: Path, cleanup: ExitStack) -> None:
    """Cloud Scheduler and Eventarc."""
    for schedule in told.schedules:
        assert (schedule.cron, schedule.method) == (EVERY_MINUTE, "POST"), "the beat plays nothing else"
        signed = run.signed(schedule.account, schedule.audience)
        beat = Beat(schedule.uri, MINUTE, signed, timeout=schedule.deadline)
        beat.start()
        cleanup.callback(beat.stop)
    for watch in told.watches:
        assert watch.event == FINALIZED, "the watcher tells of nothing else"
        service = told.services[watch.target]
        # The trigger's filter is the bucket: what lies outside the watched folder is told of, too.
        watcher = Watcher(
            objects,
            f"gs://{watch.bucket}/",
            service.url,
            headers=run.signed(watch.account, service.url),
            timeout=service.timeout,
        )
        watcher.start()
        cleanup.callback(watcher.stop)


def _first_key(told: Declared, outside: Mapping[str, str]) -> str:
    """Made as docs/deploy.md says, word for word."""
    page = (ROOT / "docs" / "deploy.md").read_text()
    section = re.search(r"^## First key$(.+?)^## ", page, re.MULTILINE | re.DOTALL)
    block = section and re.search(r"^```sh\n(.+?)^```", section[1], re.MULTILINE | re.DOTALL)
    assert block, "docs/deploy.md has no commands under 'First key'"
    here = block[1].replace("my-project", told.project).replace(".venv/bin/", f"{Path(sys.executable).parent}/")
    done = subprocess.run(
        ["/bin/bash", "-euc", f'{here}\necho "${{TUNEWAY_API_KEY:-}}"'],
        cwd=ROOT,
        env={"PATH": "/usr/bin:/bin", **{name: value for name, value in outside.items() if "EMULATOR_HOST" in name}},
        capture_output=True,
        text=True,
        timeout=180,
        check=False,
    )
    found = KEY.search(done.stdout)
    assert found, done.stdout + done.stderr
    return found[0]


@contextmanager
def _listening() -> Iterator[socket.socket]:
    # Naming TCP makes asyncio send small answers at once, also on kept connections.
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP) as listening:
        listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listening.bind((HOST, 0))
        yield listening


@contextmanager
def _served(app: CloudRun, sockets: list[socket.socket]) -> Iterator[None]:
    config = uvicorn.Config(app, lifespan="off", log_level="critical", access_log=False, timeout_graceful_shutdown=3)
    server = uvicorn.Server(config)
    thread = threading.Thread(target=server.run, kwargs={"sockets": sockets}, name="cloud-run", daemon=True)
    thread.start()
    end = time.monotonic() + 10
    while not server.started:
        assert time.monotonic() < end, "Cloud Run's stand-in does not start"
        time.sleep(0.01)
    try:
        yield
    finally:
        server.should_exit = True
        thread.join(10)
