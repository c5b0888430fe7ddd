"""``docs/cost.md``: the text of ``cost_page.md`` with the tables that ``cost.py`` reckons; same inputs, same page."""

from collections.abc import Iterable, Sequence
from pathlib import Path

from tests.bench.cost import (
    SECONDS,
    Assumed,
    Books,
    Load,
    Quantities,
    Stack,
    dollars,
    functions,
    gib,
    opened,
    ours,
    theirs,
)

PAGE = Path(__file__).parents[2] / "docs/cost.md"
TEXT = Path(__file__).with_suffix(".md")
REQUESTS, JOBS = (0, 10_000, 1_000_000, 100_000_000), (0, 10, 1_000)
SHOWN_JOBS = 10  # where one column must do
HELD, WAITED = (1, 16, 80, 600), (1, 5, 30)
CENT = 0.005
GROUPS = {
    "Cloud Run": ("run_requests", "run_cpu", "run_memory", "run_cpu_always", "run_memory_always"),
    "Pub/Sub": ("pubsub",),
    "Firestore": ("firestore_reads", "firestore_writes", "firestore_gib"),
    "Logging": ("logging_gib",),
    "Alerts": ("alert_conditions", "alert_series"),
    "Scheduler, secrets, images, files": ("scheduler", "secret_versions", "secret_reads", "images_gib", "storage_gib"),
    "Cloud SQL": ("sql_cpu", "sql_memory", "sql_gib"),
    "Redis": ("redis",),
    "Load balancer, VPC connector": ("balancer", "balancer_gib", "connector"),
    "Answers to the internet": ("egress_gib",),
}
MEANINGS = {
    "request_seconds": "seconds from a request to the end of its answer; nearly all of it is the model's",
    "filled": "of an instance's concurrency and CPU, what Cloud Run fills before it starts another",
    "answer_bytes": "bytes of an answer, streamed or whole",
    "question_bytes": "bytes of a request (a load balancer bills them)",
    "platform_line": "bytes that Cloud Run itself logs of each call",
    "event_seconds": "seconds for which an event about a job is handled",
    "record_seconds": "seconds for which a request is counted",
    "submit_seconds": "seconds to lint a job's dataset and to submit it",
    "beat_seconds": "seconds of a beat of the scheduler",
    "beat_reads": "documents that a beat reads for deployments and sweeps",
    "job_hours": "hours for which a job trains",
    "dataset_gib": "GiB of a job's dataset and outputs, kept for the month",
    "state_gib": "GiB of documents and indexes",
    "images_gib": "GiB of the functions' images",
    "secrets": "secrets, of one version each",
    "alerts": "alerts, as many as `infra/monitoring.tf` has",
    "alert_series": "time series that an alert looks at, each minute",
}


def usd(amount: float) -> str:
    """``1,234``, ``12.30`` or ``0.27``."""
    return f"{amount:,.0f}" if amount >= 100 else f"{amount:,.2f}"


def plain(figure: float) -> str:
    """Without an exponent, and without zeros that say nothing."""
    return f"{figure:,.0f}" if figure == int(figure) else f"{figure:,.7f}".rstrip("0")


def table(head: Sequence[str], rows: Iterable[Sequence[str]], *, words: int = 1) -> str:
    """Markdown; the first columns are ``words``, the others figures."""
    lines = ["---" if column < words else "---:" for column in range(len(head))]
    return "\n".join(f"| {' | '.join(row)} |" for row in (head, lines, *rows))


def assumed(books: Books) -> str:
    """What the reader may want to change."""
    rows = [(f"`{name}`", MEANINGS[name], plain(getattr(books.assumed, name))) for name in Assumed.__struct_fields__]
    return table(("name", "meaning", "is"), rows, words=2)


def measured(books: Books) -> str:
    """What was measured, and simulated."""
    found, few = books.measured, books.measured.polling[1]
    rows = [
        ("`predict`: CPU of a request, µs, on a machine shared with others", f"{found.predict_cpu_us:,.0f}"),
        ("`predict`: memory under load, MB", f"{found.predict_memory_mb:,.0f}"),
        (
            "bytes of the line of a request · of an event · of a beat",
            f"{found.request_line} · {found.event_line} · {found.tick_line}",
        ),
        (
            "a job on its own: messages · documents read · written",
            f"{found.job_messages:g} · {found.job_reads:g} · {found.job_writes:g}",
        ),
        (
            f"a beat while {few.jobs} jobs train: messages · documents read · written",
            f"{few.messages:,.1f} · {few.reads:,.1f} · {few.written:,.1f}",
        ),
    ]
    return table(("what", "is"), rows)


def totals(books: Books) -> str:
    """The table that the page is for."""
    rows = [
        (
            plain(count),
            *(_both(ours(Load(count, jobs), books), books) for jobs in JOBS),
            _both(theirs(count, books), books),
        )
        for count in REQUESTS
    ]
    return table(("requests", *(f"{jobs:,} jobs" for jobs in JOBS), "LiteLLM's stack, below"), rows)


def _both(quantities: Quantities, books: Books) -> str:
    before, after = (usd(dollars(quantities, books.prices, free=free)) for free in (False, True))
    return before if before == after else f"{before} → {after}"


def grouped(quantities: Quantities, books: Books, *, free: bool = False) -> dict[str, float]:
    """Dollars by groups; every quantity is in one."""
    return {
        group: dollars({name: quantities[name] for name in names if name in quantities}, books.prices, free=free)
        for group, names in GROUPS.items()
    }


def rest(books: Books) -> str:
    """What is left after the free tier when nobody asks."""
    left = grouped(ours(Load(0, 0), books), books, free=True)
    return " · ".join(f"{name[:1].lower()}{name[1:]} {usd(amount)}" for name, amount in left.items() if amount >= CENT)


def split(columns: Sequence[dict[str, float]]) -> str:
    """By groups, one column for each number of requests."""
    groups = [group for group in GROUPS if any(column[group] > 0 for column in columns)]
    rows = [(group, *(usd(column[group]) for column in columns)) for group in groups]
    total = ("**all**", *(f"**{usd(sum(column.values()))}**" for column in columns))
    return table(("requests", *map(plain, REQUESTS)), [*rows, total])


def platform_share(books: Books) -> str:
    """Of what a request has logged, what is the platform's."""
    own, theirs_ = books.measured.request_line + books.measured.event_line, 2 * books.assumed.platform_line
    return f"{theirs_ / (theirs_ + own):.0%}"


def streams(books: Books) -> str:
    """Dollars of instances for a million requests."""
    predict = functions()["predict"]
    second = dollars({"run_cpu": predict.cpu, "run_memory": gib(predict.memory)}, books.prices)
    rows = [(plain(each), *(usd(1e6 * took / each * second) for took in WAITED)) for each in HELD]
    return table(("streams an instance", *(f"answers of {took} s" for took in WAITED)), rows)


def fleets(books: Books) -> str:
    """Many jobs at once, all month."""
    minutes = SECONDS / 60
    head = ("jobs at once", "ended a month", "messages a beat", "documents read", "written", "Firestore a month")
    rows = [
        (
            plain(each.jobs),
            f"{each.finished * minutes:,.0f}",
            *(f"{figure:,.1f}" for figure in (each.messages, each.reads, each.written)),
            usd(dollars({"firestore_reads": each.reads, "firestore_writes": each.written}, books.prices) * minutes),
        )
        for each in books.measured.polling
    ]
    return table(head, rows)


def prices(books: Books) -> str:
    """Every price with its source."""
    rows = [
        (each.what, f"[{each.standing}]({each.source})", plain(each.usd), plain(each.per), plain(each.free))
        for each in books.prices.prices.values()
    ]
    return table(("price", "how well known", "USD", "for", "free a month"), rows, words=2)


def page(books: Books) -> str:
    """The whole document."""
    stack = Stack()
    return TEXT.read_text().format(
        prices_date=books.prices.date,
        region=books.prices.region,
        measured_date=books.measured.date,
        assumed=assumed(books),
        measured=measured(books),
        totals=totals(books),
        rest=rest(books),
        shown_jobs=SHOWN_JOBS,
        parts=split([grouped(ours(Load(count, SHOWN_JOBS), books), books) for count in REQUESTS]),
        platform_share=platform_share(books),
        streams=streams(books),
        concurrency=plain(functions()["predict"].concurrency),
        filled=f"{books.assumed.filled:.0%}",
        fleets=fleets(books),
        gateway_gib=plain(stack.gateway_gib),
        ui_gib=plain(stack.ui_gib),
        redis_gib=plain(stack.redis_gib),
        connectors=stack.connectors,
        gateway_streams=plain(stack.streams),
        gateway_cpu=plain(stack.cpu_us),
        spend_line=plain(stack.spend_line),
        theirs=split([grouped(theirs(count, books), books) for count in REQUESTS]),
        prices=prices(books),
    )


def main() -> None:
    """Write the page."""
    PAGE.write_text(page(opened()))
    print(f"{PAGE} is written.")
