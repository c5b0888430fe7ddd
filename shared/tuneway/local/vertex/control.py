"""What tests and progress displays ask the simulation about itself, under ``/_simulate``."""

import math
import zlib

import msgspec
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from tuneway.local.vertex.call import Cloud
from tuneway.local.vertex.faults import Fault, Faults
from tuneway.local.vertex.records import CustomRecord, TuningRecord
from tuneway.local.vertex.refusals import Refusal, error_body
from tuneway.local.vertex.storage import json_response
from tuneway.local.vertex.timeline import moment

FIRST_LOSS, LAST_LOSS, FALL, NOISE = 2.4, 0.35, 3.5, 0.04


def loss_at(job: str, step: int, steps: int) -> float:
    """A made-up training loss that falls like a real one: the same for the same job and step."""
    share = step / steps if steps else 0.0
    wobble = zlib.crc32(f"{job}:{step}".encode()) / 2**32 - 0.5
    return LAST_LOSS + (FIRST_LOSS - LAST_LOSS) * math.exp(-FALL * share) + NOISE * wobble


def routes(cloud: Cloud, faults: Faults) -> list[Route]:
    """The control paths."""
    return [*_fault_routes(faults), *_view_routes(cloud)]


def _fault_routes(faults: Faults) -> list[Route]:
    async def add(request: Request) -> Response:
        try:
            faults.add(msgspec.json.decode(await request.body(), type=Fault))
        except msgspec.MsgspecError as exc:
            return json_response(error_body(Refusal("INVALID_ARGUMENT", str(exc))), status=400)
        return json_response({"faults": faults.waiting()})

    def list_(_: Request) -> Response:
        return json_response({"faults": faults.waiting()})

    def clear(_: Request) -> Response:
        faults.clear()
        return json_response({"faults": []})

    actions = (("POST", add), ("GET", list_), ("DELETE", clear))
    return [Route("/_simulate/faults", action, methods=[verb]) for verb, action in actions]


def _view_routes(cloud: Cloud) -> list[Route]:
    def job(request: Request) -> Response:
        wanted = str(request.path_params["id"])
        every: list[TuningRecord | CustomRecord] = [
            *cloud.store.every(TuningRecord),
            *cloud.store.every(CustomRecord),
        ]
        found = [each for each in every if each.name.rpartition("/")[2] == wanted]
        if not found:
            refusal = Refusal("NOT_FOUND", f"There is no job {wanted}.")
            return json_response(error_body(refusal), status=404)
        return json_response(progress(found[0], cloud.now()))

    def calls(_: Request) -> Response:
        counts = {
            "tuning_jobs": cloud.store.count(TuningRecord),
            "custom_jobs": cloud.store.count(CustomRecord),
        }
        return json_response({"calls": cloud.store.tallies(), **counts})

    return [Route("/_simulate/jobs/{id}", job), Route("/_simulate/calls", calls)]


def progress(record: TuningRecord | CustomRecord, now: float) -> dict[str, object]:
    """How a job's training goes; ``loss`` is there once a step is done."""
    at = moment(record.plan, now)
    body: dict[str, object] = {
        "simulated": True,
        "name": record.name,
        "state": at.state,
        "phase": at.phase,
        "step": at.steps,
        "steps": record.plan.steps,
        "epoch": at.epochs,
        "epochs": record.plan.epochs,
        "loss": round(loss_at(record.name, at.steps, record.plan.steps), 4) if at.steps else None,
    }
    return {key: value for key, value in body.items() if value is not None}
