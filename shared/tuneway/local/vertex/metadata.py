"""The metadata server that Google's libraries ask for a token and a project."""

from collections.abc import Callable

from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response
from starlette.routing import Route

from tuneway.local.vertex.settings import VertexSettings

FLAVOR = {"Metadata-Flavor": "Google"}
ROOT = "/computeMetadata/v1"
ACCOUNT = ROOT + "/instance/service-accounts/{account}"
TOKEN_SECONDS = 3600
Answer = Callable[[Request], Response]


def routes(settings: VertexSettings) -> list[Route]:
    """The metadata paths."""

    def token(_: Request) -> Response:
        body = {"access_token": "simulated-token", "expires_in": TOKEN_SECONDS, "token_type": "Bearer"}
        return JSONResponse(body, headers=FLAVOR)

    def account(_: Request) -> Response:
        email = f"simulated@{settings.project}.iam.gserviceaccount.com"
        scopes = ["https://www.googleapis.com/auth/cloud-platform"]
        return JSONResponse({"aliases": ["default"], "email": email, "scopes": scopes}, headers=FLAVOR)

    def project(_: Request) -> Response:
        return PlainTextResponse(settings.project, headers=FLAVOR)

    def root(_: Request) -> Response:
        return PlainTextResponse("computeMetadata/\n", headers=FLAVOR)

    return [
        Route("/", root),
        Route(ACCOUNT + "/token", _guarded(token)),
        Route(ACCOUNT + "/", _guarded(account)),
        Route(ROOT + "/project/project-id", _guarded(project)),
    ]


def _guarded(answer: Answer) -> Answer:
    """Refuses what lacks the header, as the real server does, against requests made by accident."""

    def guarded(request: Request) -> Response:
        if request.headers.get("metadata-flavor") != "Google":
            return PlainTextResponse("Missing Metadata-Flavor:Google header.", status_code=403, headers=FLAVOR)
        return answer(request)

    return guarded
