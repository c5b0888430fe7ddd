"""A deployment's id goes through the log and its sink, and comes out as an echo, counted as nobody's request."""

import base64
from pathlib import Path

from cloudevents.http import CloudEvent

from tests.fakes import FakeEvents, Fuse
from tuneway.edge.telemetry.echoes import echo
from tuneway.edge.telemetry.logs import Logs
from tuneway.edge.usage_events import recorded
from tuneway.local.log_sink import LogSink
from tuneway.registry.hosting.rests.stirring import Echo


def test_what_is_called_into_the_log_is_heard_behind_the_sink(tmp_path: Path) -> None:
    events = FakeEvents(Fuse())
    echo(Logs(tmp_path / "log"))("ft-1-1")
    sink = LogSink(tmp_path / "log", tmp_path / "place", events, project="p")
    assert sink.look() == 1
    data = base64.b64encode(events.sent[0].data).decode()
    found = recorded(CloudEvent({"type": "t", "source": "s"}, {"message": {"data": data, "messageId": "1"}}))
    assert isinstance(found, Echo)
    assert (found.deployment, found.at > 1.7e9) == ("ft-1-1", True)
