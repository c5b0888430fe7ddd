"""A fake of Bedrock's control plane at the end of a deployer's own connections, its every call a point."""

import httpx
from typing_extensions import override

from tests.integration.hosting.points import Fault, Points, Socket
from tests.integration.hosting.vertex_wire import Clock
from tests.unit.adapters.aws import ROLE, HeldKeys
from tests.vendors.aws_services import Asked, Refused, Reply
from tests.vendors.bedrock_control import ENDS, Job
from tests.vendors.bedrock_control import BedrockControl as Service
from tuneway.adapters.aws_calls import AwsCaller
from tuneway.adapters.bedrock_control import BedrockControl
from tuneway.adapters.bedrock_deploying import BedrockDeployer
from tuneway.adapters.bedrock_deployments import BedrockDeployments

MODEL_ARN = "arn:aws:bedrock:us-east-1:123456789012:custom-model/amazon.nova/abcdefghijkl"
REFUSALS = {
    Fault.AWAY: Refused(503, "ServiceUnavailableException"),
    Fault.STALE: Refused(409, "ConflictException"),
    Fault.REFUSED: Refused(403, "AccessDeniedException"),
}


class Bedrock:
    """A service that has one tuned model, and the deployer that calls it."""

    def __init__(self, points: Points, clock: Clock) -> None:
        self.service = Service(clock=lambda: clock.now)
        body = {"jobName": "tuned", "customModelName": "tuned", "roleArn": ROLE}
        done = Job(arn="", model_arn=MODEL_ARN, body=body, created=clock.now - ENDS, fails=None)
        self.service.jobs["tuned"] = done
        self.caller = AwsCaller(HeldKeys(), transport=_Wire(self.service, points), sleep=lambda _: None)
        control = BedrockControl(self.caller, timeout=60, base_url="http://simulated")
        self.deployer = BedrockDeployer(BedrockDeployments(control))

    def deployments(self) -> list[str]:
        """The ARNs of what is there."""
        return [each.arn for each in self.service.deployments.values()]

    def close(self) -> None:
        self.caller.close()


class _Wire(httpx.BaseTransport):
    """Takes a request to the service and its answer back."""

    def __init__(self, service: Service, points: Points) -> None:
        self._service = service
        self._points = points

    @override
    def handle_request(self, request: httpx.Request) -> httpx.Response:
        raw, _, query = request.url.raw_path.decode().partition("?")
        plain = Asked(
            method=request.method,
            raw_path=raw,
            query_string=query,
            query=dict(request.url.params),
            headers=dict(request.headers),
            raw=request.read(),
        )
        asked = Asked(**{**vars(plain), "operation": self._service.operation(plain)})

        def instead(fault: Fault) -> httpx.Response:
            if fault is Fault.LOST:
                raise httpx.ReadError("The answer was lost.", request=request)
            return _response(self._service.refusal(asked, REFUSALS[fault]))

        socket = Socket.LOOK if request.method == "GET" else Socket.CALL
        return self._points.through(socket, asked.operation, lambda: self._asked(asked), instead=instead)

    def _asked(self, asked: Asked) -> httpx.Response:
        try:
            return _response(self._service.perform(asked))
        except Refused as refused:
            return _response(self._service.refusal(asked, refused))


def _response(reply: Reply) -> httpx.Response:
    return httpx.Response(reply.status, content=reply.body, headers=dict(reply.headers))
