"""A job that is never trained: its rows are checked and priced, the topics carry it, a gate holds it.

A job that may cost nothing is held before its provider is asked; then it is cancelled.
"""

import time
from collections.abc import Generator, Mapping
from contextlib import contextmanager

import msgspec

from tuneway.cli.deploy.live import Answer, Live, logs, until
from tuneway.cli.deploy.outcomes import LeftOut, Unwell

JOBS = "/v1/fine_tuning/jobs"
ROWS = 20
UNPAID = {"requested", "validating", "held"}


class Rehearsal(msgspec.Struct, frozen=True, kw_only=True):
    """What a job is made of: an uploaded file, and a base model with a price."""

    file: str
    base: str


def dataset() -> bytes:
    """Twenty rows of a sum each."""
    rows: list[bytes] = []
    for n in range(ROWS):
        turns = [
            {"role": "user", "content": f"What is {n} plus one?"},
            {"role": "assistant", "content": f"It is {n + 1}."},
        ]
        rows.append(msgspec.json.encode({"messages": turns}))
    return b"\n".join(rows) + b"\n"


@contextmanager
def uploaded(live: Live) -> Generator[str]:
    """A file for as long as it is needed. Raises Unwell."""
    answer = _good(live.upload("tuneway-check.jsonl", dataset()), "a file could not be uploaded")
    file = str(answer.body["id"])
    try:
        yield file
    finally:
        live.own("tuning", "DELETE", f"/v1/files/{file}")


def priced(live: Live, file: str) -> tuple[Rehearsal, str]:
    """What a job would be, and what it would cost: the dry run. Raises Unwell, LeftOut."""
    base = _base(live)
    body = {"training_file": file, "model": base}
    checked = _good(
        live.own("tuning", "POST", "/v1/fine_tuning/validations", body=body), "the rows could not be checked"
    )
    if checked.body.get("valid") is not True:
        raise Unwell(f"good rows are refused: {checked.body.get('summary')}", logs("tuning"))
    quoted = _good(live.own("tuning", "POST", "/v1/fine_tuning/estimates", body=body), "the job could not be priced")
    amount = quoted.body.get("amount") or quoted.body.get("label")
    if quoted.body.get("usd_high") == 0:
        said = f"{base} costs nothing here, so that no gate would hold a job"
        raise LeftOut(said, "Your own catalogue_file sets that price; the topics and the beat are not tried.")
    return Rehearsal(file=file, base=base), f"{ROWS} rows on {base}: {amount}"


def flowing(live: Live, job: Rehearsal, *, patience: float) -> str:
    """A job's message goes over its topic to its function, which holds it."""
    began = time.monotonic()
    with _ordered(live, job, start="now") as id_:
        held = _moved(live, id_, away={"requested", "validating"}, seconds=patience)
    took = time.monotonic() - began
    match held:
        case {"status": "held"}:
            return f"job-requested reached create_job, which held the job: {took:.1f} s"
        case {"status": "requested"}:
            raise Unwell(
                f"nobody took the message of a job on job-requested in {patience:.0f} s",
                "'gcloud pubsub subscriptions describe job-requested.create_job' shows where it is pushed to; may the "
                "caller call create_job (roles/run.invoker)? docs/runbooks/backlog.md",
            )
        case {"status": status}:
            raise Unwell(f"a job that may cost nothing is {status}, not held", logs("create_job"))
        case _:
            raise Unwell("the job cannot be seen", logs("tuning"))


def beating(live: Live, job: Rehearsal, *, patience: float) -> str:
    """A job that waits for the next beat is sent on by it."""
    began = time.monotonic()
    with _ordered(live, job, start="next_beat") as id_:
        moved = _moved(live, id_, away={"requested"}, seconds=patience)
    took = time.monotonic() - began
    if moved.get("status") == "requested":
        raise Unwell(
            f"no beat in {took:.0f} s: the last one is older than that",
            "'gcloud scheduler jobs describe tuneway-tick --location <region>' says whether it runs and what tick "
            "answered; docs/runbooks/beat.md",
        )
    if not moved.get("status"):
        raise Unwell("the job cannot be seen", logs("tuning"))
    return f"the next beat came after {took:.1f} s"


def _base(live: Live) -> str:
    answer = _good(live.own("tuning", "GET", "/v1/fine_tuning/base_models?tunable=true"), "no base models are shown")
    rows = msgspec.convert(answer.body["data"], list[dict[str, object]])
    found = next((str(row["id"]) for row in rows if row.get("backend") == "vertex_ai" and row.get("price")), None)
    found = found or next((str(row["id"]) for row in rows if row.get("backend") == "vertex_ai"), None)
    if found is None:
        raise LeftOut("no base model of Vertex AI can be tuned today", "docs/base-models.md: bring your own catalogue.")
    return found


@contextmanager
def _ordered(live: Live, job: Rehearsal, *, start: str) -> Generator[str]:
    """A job that may cost nothing, cancelled in the end whatever comes. Raises Unwell."""
    body = {"model": job.base, "training_file": job.file, "max_cost_usd": 0, "start": start}
    answer = _good(
        live.own("tuning", "POST", JOBS, body={**body, "metadata": {"made-by": "tuneway deploy --check"}}), "no job"
    )
    id_ = str(answer.body["id"])
    try:
        yield id_
    finally:
        live.own("tuning", "POST", f"{JOBS}/{id_}/cancel")


def _moved(live: Live, id_: str, *, away: set[str], seconds: float) -> Mapping[str, object]:
    """Ours of the job, once it is no longer so, or time is over."""
    deadline = time.monotonic() + seconds
    while True:
        ours = msgspec.convert(live.own("tuning", "GET", f"{JOBS}/{id_}").body.get("tuneway", {}), dict[str, object])
        if ours.get("status") not in away or not until(deadline, 0.25):
            return ours


def _good(answer: Answer, said: str) -> Answer:
    if not answer.good:
        raise Unwell(f"{said}: {answer.said}", logs("tuning"))
    return answer
