"""A call through the feed of usage: whoever hears it knows that what is recorded arrives."""

from collections.abc import Callable
from datetime import UTC, datetime

from tuneway.edge.telemetry.lines import EchoLine
from tuneway.edge.telemetry.logs import Logs

# No tenant and no key of anybody's: nothing is counted for it.
NOBODY = "tuneway"


def echo(logs: Logs) -> Callable[[str], None]:
    """What logs a deployment's id in a line that the log sink takes for a request's."""

    def log(deployment: str) -> None:
        logs.write(
            EchoLine(
                severity="INFO",
                message="request",
                time=datetime.now(UTC),
                owner=NOBODY,
                key="echo",
                status=200,
                ms=0.0,
                echo=deployment,
            )
        )

    return log
