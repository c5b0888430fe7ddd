"""Each door answers and refuses strangers; what is the platform's refuses everybody from outside."""

from collections.abc import Iterator
from functools import partial

from tuneway.cli.deploy.live import STRANGER, Answer, Live, logs
from tuneway.cli.deploy.outcomes import Outcome, Unwell, probed
from tuneway.local.manifest import Manifest, ScheduleTrigger

# What each door is asked for: something that a key may read and nobody else.
ASKED = {"predict": "/v1/models", "tuning": "/v1/fine_tuning/jobs", "registry": "/v1/registry/routes"}
OUR_CODES = {"missing_api_key", "invalid_api_key"}
REFUSALS = {401, 403, 404}
UNAUTHORIZED, FORBIDDEN, UNKNOWN, BROKEN = 401, 403, 404, 500
OPEN_DOOR = (
    "Close it now: 'gcloud run services remove-iam-policy-binding tuneway-{name} --member=allUsers "
    "--role=roles/run.invoker'; then look for what adds a key on the way, and deploy again."
)


def strangers(live: Live, manifest: Manifest) -> Iterator[Outcome]:
    """One outcome for each door, and one for each function that is the platform's."""
    for name, function in manifest.functions.items():
        if function.callers == "public":
            yield probed(f"{name} refuses strangers", partial(_door, live, name))
    for name, function in manifest.functions.items():
        beat = function.trigger.path if isinstance(function.trigger, ScheduleTrigger) else None
        # Behind one name for all, a function without a path cannot be reached at all.
        if function.callers == "platform" and (live.apart or beat is not None):
            yield probed(f"{name} is the platform's", partial(_platform, live, name, beat or "/"))


def _door(live: Live, name: str) -> str:
    for key in (None, STRANGER):
        answer = live.ask(name, "GET", ASKED[name], key=key)
        if answer.status != UNAUTHORIZED or answer.error.get("code") not in OUR_CODES:
            raise _complaint(name, answer)
    return "401 without a key, and with an unknown one"


def _complaint(name: str, answer: Answer) -> Unwell:
    path = ASKED[name]
    match answer.status:
        case _ if answer.good:
            cloud = name.replace("_", "-")
            return Unwell(f"GET {path} is answered {answer.status} for a stranger", OPEN_DOOR.format(name=cloud))
        case _ if answer.status in {UNAUTHORIZED, FORBIDDEN}:
            return Unwell(
                f"the platform refuses ({answer.status}) before {name} is asked",
                "Where functions are not public, send an identity: --header "
                '"X-Serverless-Authorization=Bearer $(gcloud auth print-identity-token)". Else set public = true.',
            )
        case _ if answer.status == UNKNOWN:
            return Unwell(
                f"nothing is at {path} of {live_name(name)}",
                "Is this predict's URL, and may it be reached from here (internal)? Else deploy again.",
            )
        case _:
            return Unwell(f"GET {path} is answered {answer.said}", f"{name} is not well: {logs(name)}")


def live_name(name: str) -> str:
    """As a person would say it."""
    return f"the {name} function"


def _platform(live: Live, name: str, path: str) -> str:
    answer = live.ask(name, "POST", path, body={})
    if answer.status not in REFUSALS:
        raise Unwell(
            f"POST {path} is answered {answer.status} for a stranger", OPEN_DOOR.format(name=name.replace("_", "-"))
        )
    return f"{answer.status} from outside"
