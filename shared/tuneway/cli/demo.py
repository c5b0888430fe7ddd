"""``tuneway demo``: the whole loop on real data, with every step checked."""

import signal
import subprocess
import sys
import time
from collections.abc import Generator
from contextlib import contextmanager
from importlib.resources import files
from pathlib import Path
from types import FrameType

import click
import httpx
import msgspec
from rich.console import Console

from tuneway.cli.client import DATA, Client, Failed
from tuneway.cli.stream import deltas
from tuneway.cli.watch import Estimate, JobView, watch
from tuneway.local.told import Ready
from tuneway.tuning.datasets.chat_rows import chat_rows

BASE = "gemini-3.5-flash"
ROWS = 400
HELD_IN = 2  # the row whose question is asked before and after
SPEED = 12.0
START_SECONDS = 60

console = Console(highlight=False)


class Row(msgspec.Struct, frozen=True):
    """One row of GSM8K."""

    question: str
    answer: str


@click.command()
@click.option(
    "--data", default=f"{DATA}/demo", show_default=True, type=click.Path(path_type=Path), help="State folder."
)
@click.option(
    "--speed", default=SPEED, show_default=True, help="How much faster than life the simulated training runs."
)
def demo(*, data: Path, speed: float) -> None:
    """Tune, deploy, route and call a model on real rows; exits with 0 only if every step really happened."""
    started = time.monotonic()
    signal.signal(signal.SIGTERM, _end)
    rows = _rows()
    console.rule("tuneway: from rows to a model that answers")
    with _stack(data, speed) as ready:
        client = Client(ready.url, ready.key)
        console.print(f"Local stack at {ready.url}, Vertex AI [yellow]simulated[/] at {ready.vertex_url}\n")
        question = rows[HELD_IN].question
        before = _ask(client, f"vertex_ai/{BASE}", question, title="1  Ask the base model")
        job = _tune(client, ready, rows)
        after = _ask(client, str(job.fine_tuned_model), question, title="5  Ask the tuned model by its alias, streamed")
        _check(before, after, rows[HELD_IN].answer)
        _summary(job, data, seconds=time.monotonic() - started)


def _end(number: int, _: FrameType | None) -> None:
    """Leave in good order when told to end, so that the stack is ended, too."""
    sys.exit(128 + number)


def _tune(client: Client, ready: Ready, rows: list[Row]) -> JobView:
    _step(f"2  Convert {len(rows)} rows of GSM8K (MIT) to chat rows and upload them")
    source = (msgspec.json.encode(row) + b"\n" for row in rows)
    content = b"".join(line if line.endswith(b"\n") else line + b"\n" for line in chat_rows(source))
    uploaded = client.upload("/v1/files", file=("gsm8k-400.jsonl", content), purpose="fine-tune")
    console.print(f"   {uploaded['id']}  {uploaded['bytes']:,} bytes\n")

    _step("3  Create a fine-tuning job; from here on, events do the work")
    body = {"model": BASE, "training_file": uploaded["id"], "suffix": "gsm8k", "hyperparameters": {"n_epochs": 3}}
    job_id = str(client.call("POST", "/v1/fine_tuning/jobs", body)["id"])
    console.print(f"   {job_id}\n")

    _step("4  Lint, price, train, register, deploy, route")
    job = watch(client, job_id, beside=lambda seen: _loss(ready, seen))
    for event in reversed(client.rows(f"/v1/fine_tuning/jobs/{job_id}/events?limit=100")):
        if not str(event["message"]).startswith(("Step", "Phase")):
            console.print(f"   · {event['message']}", style="dim", markup=False)
    if job.status != "succeeded" or not job.fine_tuned_model:
        raise Failed(f"The job has {job.status}: {job.error.message if job.error else 'no reason given'}")
    console.print()
    return job


def _ask(client: Client, model: str, question: str, *, title: str) -> str:
    _step(title)
    console.print(f"   [bold]{model}[/]\n   > {question}")
    console.print("   ", end="")
    pieces: list[str] = []
    for piece in deltas(client, model, [{"role": "user", "content": question}]):
        pieces.append(piece)
        console.print(piece, end="", style="cyan", markup=False, soft_wrap=True)
    console.print("\n")
    if not pieces:
        raise Failed(f"{model} gave an empty answer.")
    return "".join(pieces)


def _check(before: str, after: str, expected: str) -> None:
    if after.strip() != expected.strip():
        raise Failed("The tuned model's answer is not the one it was trained on.")
    if before.strip() == after.strip():
        raise Failed("Tuning changed nothing.")


def _summary(job: JobView, data: Path, *, seconds: float) -> None:
    extras, command = job.tuneway, sys.argv[0]  # as it was typed: the environment need not be on the PATH
    console.rule("Done")
    for name, value in (
        ("Job", f"{job.id} ({job.trained_tokens:,} tokens trained)" if job.trained_tokens else job.id),
        ("Model", job.fine_tuned_model),
        ("Price", _price(extras.estimate)),
        ("Time", f"{seconds:.0f} s in all"),
        ("State", f"{data}/ (SQLite, objects, log)"),
        ("Simulated", "Vertex AI: training, loss and answers. Real: lint, price, events, state, routing, API."),
        ("Next", f"{command} up --data {data}    then, in another terminal:"),
        ("", f"{command} chat --data {data} '{job.fine_tuned_model}' 'What is 7 times 6?'"),
    ):
        console.print(f"{name:<10} {value}", markup=False, soft_wrap=True)


def _price(estimate: Estimate | None) -> str:
    if estimate is None or estimate.usd_low is None or estimate.usd_high is None:
        return "unknown"
    source = f"{estimate.price_source}, as of {estimate.price_as_of}"
    return f"{estimate.usd_low:.2f} to {estimate.usd_high:.2f} USD: {estimate.label} ({source})"


def _loss(ready: Ready, job: JobView) -> str:
    """The simulation's own word on the loss; Vertex AI shows it in TensorBoard only."""
    if job.tuneway.provider_job is None:
        return ""
    job_id = job.tuneway.provider_job.rpartition("/")[2]
    seen = httpx.get(f"{ready.vertex_url}/_simulate/jobs/{job_id}", timeout=5, trust_env=False).json()
    return f"loss {seen['loss']:.3f} (simulated)" if seen.get("loss") is not None else ""


def _rows() -> list[Row]:
    text = (files("tuneway.local") / "gsm8k" / "questions.jsonl").read_bytes()
    return [msgspec.json.decode(line, type=Row) for line in text.splitlines()[:ROWS]]


def _step(title: str) -> None:
    console.print(title, style="bold green")


@contextmanager
def _stack(data: Path, speed: float) -> Generator[Ready]:
    """A stack of its own process, ended by SIGINT as Ctrl-C would."""
    command = [sys.executable, "-m", "tuneway.cli", "up", "--json", "--port", "0"]
    options = ["--data", str(data), "--speed", str(speed)]
    with subprocess.Popen([*command, *options], stdout=subprocess.PIPE) as process:  # noqa: S603 - our own program
        try:
            assert process.stdout is not None  # noqa: S101 - PIPE was asked for
            line = process.stdout.readline()
            if not line:
                raise Failed("The local stack did not start; what it said stands above.")
            yield msgspec.json.decode(line, type=Ready)
        finally:
            process.send_signal(signal.SIGINT)
            process.wait(timeout=START_SECONDS)
