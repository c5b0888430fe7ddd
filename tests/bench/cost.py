"""What an installation costs a month, on paper: ``python -m tests.bench.cost`` writes ``docs/cost.md``.

Prices (``cost_prices.json``) and measured figures (``cost_measured.json``) are files with a date; what is assumed
stands in ``Assumed``. Quantities come first, by the names of prices, and then one sum: price by quantity.
"""

import math
from collections.abc import Mapping
from datetime import date
from functools import cache
from pathlib import Path
from typing import Literal

import msgspec

from tests.bench.cost_measured import FILE as MEASURED
from tests.bench.cost_measured import Measured
from tuneway.local.manifest import Function, load

PRICES = Path(__file__).with_name("cost_prices.json")
HOURS = 365.25 / 12 * 24
SECONDS = HOURS * 3600
MINUTES = HOURS * 60
GIB, TIB = 2**30, 2**40
LEAST_MESSAGE = 1000  # bytes that Pub/Sub bills for a call
LEAST_SECONDS = 0.1  # that Cloud Run bills

Quantities = Mapping[str, float]


class Price(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """US dollars for so many units, of which so many a month are free; ``standing`` says how well it is known."""

    what: str
    usd: float
    per: float
    free: float
    source: str
    standing: Literal["page", "third party", "unverified"]


class Prices(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A dated list."""

    date: date
    region: str
    prices: dict[str, Price]


class Assumed(msgspec.Struct, frozen=True, kw_only=True):
    """What an installation's own traffic decides; change it here, and compute again."""

    request_seconds: float = 5.0
    filled: float = 0.6
    answer_bytes: int = 4_000
    question_bytes: int = 4_000
    platform_line: int = 1_000
    event_seconds: float = 0.3
    record_seconds: float = 0.1
    submit_seconds: float = 20.0
    beat_seconds: float = 0.1
    beat_reads: float = 2.0
    job_hours: float = 2.5
    dataset_gib: float = 0.05
    state_gib: float = 0.1
    images_gib: float = 1.5
    secrets: int = 3
    alerts: int = 8
    alert_series: float = 3.0


class Load(msgspec.Struct, frozen=True):
    """A month's traffic: requests to models, and tuning jobs from order to model."""

    requests: float
    jobs: float


class Books(msgspec.Struct, frozen=True):
    """All that is reckoned with."""

    prices: Prices
    measured: Measured
    assumed: Assumed


@cache
def functions() -> Mapping[str, Function]:
    """The manifest's."""
    return load().functions


def opened(assumed: Assumed | None = None) -> Books:
    """The committed files, and what is assumed."""
    prices = msgspec.json.decode(PRICES.read_bytes(), type=Prices)
    return Books(prices, msgspec.json.decode(MEASURED.read_bytes(), type=Measured), assumed or Assumed())


def billed(at_once: float, streams: float) -> float:
    """Instance-seconds of a month in which ``at_once`` requests are under way, on average.

    An instance bills while it has one request or more. Requests that come by chance, at all hours alike, leave it
    without any a share of exp(-at_once) of the time; no other way for them to come costs more. It takes one more
    instance for every ``streams``.
    """
    return SECONDS * max(1 - math.exp(-at_once), at_once / streams)


def summed(*parts: Quantities) -> dict[str, float]:
    """All of them together."""
    names = {name for part in parts for name in part}
    return {name: sum(part.get(name, 0.0) for part in parts) for name in names}


def dollars(quantities: Quantities, prices: Prices, *, free: bool = False) -> float:
    """Their price; with ``free``, after the month's free tier."""
    return sum(
        max(0.0, quantity - (price.free if free else 0.0)) / price.per * price.usd
        for name, quantity in quantities.items()
        for price in (prices.prices[name],)
    )


def messages(count: float, size: float, *, takers: int = 1) -> Quantities:
    """Published one by one, and pushed to each taker."""
    return {"pubsub": count * max(LEAST_MESSAGE, size) * (1 + takers) / TIB}


def calls(function: Function, count: float, *, seconds: float, filled: float, cpu_us: float = 0.0) -> Quantities:
    """Calls of a function; as many share an instance as its concurrency, and its CPU, allow."""
    streams = max(1.0, function.concurrency * filled)
    working = count * cpu_us / 1e6 / function.cpu / filled
    instances = max(billed(count * max(LEAST_SECONDS, seconds) / SECONDS, streams), working)
    return {
        "run_requests": count,
        "run_cpu": instances * function.cpu,
        "run_memory": instances * gib(function.memory),
    }


def gib(memory: str) -> float:
    """``512Mi`` or ``1Gi``."""
    return float(memory[:-2]) / {"Mi": 1024, "Gi": 1}[memory[-2:]]


def standing(books: Books) -> Quantities:
    """What there is without a request or a job: the beat, its schedule, what is kept, what watches."""
    assumed, measured = books.assumed, books.measured
    idle = measured.polling[0]
    tick = calls(functions()["tick"], MINUTES, seconds=assumed.beat_seconds, filled=assumed.filled)
    return summed(
        tick,
        {
            "scheduler": 1,
            "firestore_reads": MINUTES * (idle.reads + assumed.beat_reads),
            "firestore_writes": MINUTES * idle.written,
            "firestore_gib": assumed.state_gib,
            "images_gib": assumed.images_gib,
            "logging_gib": MINUTES * (measured.tick_line + assumed.platform_line) / GIB,
            "secret_versions": assumed.secrets,
            "alert_conditions": assumed.alerts,
            "alert_series": assumed.alerts * assumed.alert_series * MINUTES,
        },
    )


def answering(requests: float, books: Books) -> Quantities:
    """Requests to models: waited for, logged, and counted by an event each."""
    assumed, measured = books.assumed, books.measured
    predict, record = functions()["predict"], functions()["record_usage"]
    waited = calls(
        predict, requests, seconds=assumed.request_seconds, filled=assumed.filled, cpu_us=measured.predict_cpu_us
    )
    counted = calls(record, requests, seconds=assumed.record_seconds, filled=assumed.filled)
    lines = measured.request_line + measured.event_line + 2 * assumed.platform_line
    return summed(
        waited,
        counted,
        messages(requests, measured.request_line),
        {
            # Each instance that is asked reads the snapshot once a second; a request is counted in one document, and
            # many are at once where there are many: this is the most that can be.
            "firestore_reads": waited["run_cpu"] / predict.cpu + requests,
            "firestore_writes": requests,
            "logging_gib": requests * lines / GIB,
            "secret_reads": min(requests, MINUTES / 5) * assumed.secrets,
            "egress_gib": requests * assumed.answer_bytes / GIB,
        },
    )


def tuning(jobs: float, books: Books) -> Quantities:
    """Jobs: submitted, looked after while they train, announced, kept. Training itself is the provider's bill."""
    assumed, measured = books.assumed, books.measured
    few = measured.polling[1]
    minutes = jobs * assumed.job_hours * 60
    looks = minutes * few.messages / few.jobs
    events = jobs * measured.job_messages
    told = looks + events
    submitted = calls(functions()["create_job"], jobs, seconds=assumed.submit_seconds, filled=assumed.filled)
    handled = calls(functions()["poll_jobs"], told, seconds=assumed.event_seconds, filled=assumed.filled)
    return summed(
        submitted,
        handled,
        messages(told, measured.event_line),
        {
            "firestore_reads": jobs * measured.job_reads + minutes * few.reads / few.jobs,
            "firestore_writes": jobs * measured.job_writes + minutes * few.written / few.jobs,
            "logging_gib": (told + jobs) * (measured.event_line + assumed.platform_line) / GIB,
            "storage_gib": jobs * assumed.dataset_gib,
        },
    )


def ours(load_: Load, books: Books) -> Quantities:
    """All that an installation of tuneway uses in a month."""
    return summed(standing(books), answering(load_.requests, books), tuning(load_.jobs, books))


class Stack(msgspec.Struct, frozen=True, kw_only=True):
    """LiteLLM's own Terraform for Google Cloud, by its defaults.

    https://github.com/BerriAI/litellm/tree/main/terraform/litellm/gcp and https://docs.litellm.ai/docs/proxy/db_sizing
    (read 2026-11-22): gateway, backend and UI with one instance each that is always on, PostgreSQL with a standby and a
    replica, Redis with a replica, an external load balancer, a VPC connector.
    """

    gateway_gib: float = 4.0
    backend_gib: float = 4.0
    ui_gib: float = 0.5
    streams: float = 80.0
    cpu_us: float = 13_958.0
    sql_cpus: int = 2
    sql_gib: float = 7.5
    sql_copies: int = 3
    sql_disk_gib: float = 20.0
    spend_line: int = 1_500
    redis_gib: float = 1.0
    connectors: int = 2
    secrets: int = 2


def theirs(requests: float, books: Books, stack: Stack | None = None) -> Quantities:
    """What that stack uses for the same requests; it tunes nothing by events, so jobs are not in it."""
    stack, assumed = stack or Stack(), books.assumed
    at_once = requests * assumed.request_seconds / SECONDS
    busy = requests * stack.cpu_us / 1e6 / SECONDS
    gateways = max(1.0, at_once / (stack.streams * assumed.filled), busy / assumed.filled)
    disk = stack.sql_disk_gib + requests * stack.spend_line / GIB
    traffic = requests * (assumed.answer_bytes + assumed.question_bytes) / GIB
    return {
        "run_cpu_always": SECONDS * (gateways + 2),
        "run_memory_always": SECONDS * (gateways * stack.gateway_gib + stack.backend_gib + stack.ui_gib),
        "sql_cpu": HOURS * stack.sql_cpus * stack.sql_copies,
        "sql_memory": HOURS * stack.sql_gib * stack.sql_copies,
        "sql_gib": disk * stack.sql_copies,
        "redis": HOURS * stack.redis_gib,
        "balancer": HOURS,
        "balancer_gib": traffic,
        "connector": HOURS * stack.connectors,
        "secret_versions": stack.secrets,
        "logging_gib": requests * assumed.platform_line / GIB,
        "egress_gib": requests * assumed.answer_bytes / GIB,
    }


if __name__ == "__main__":
    from tests.bench.cost_page import main

    main()
