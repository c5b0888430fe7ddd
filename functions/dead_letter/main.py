"""On ``dead-letters``: keep what no handler could take, in sight and ready to be sent again."""

import logging
import time

import functions_framework
from cloudevents.http import CloudEvent

from tuneway.adapters import plugs
from tuneway.edge.events import message
from tuneway.edge.telemetry.logs import configure
from tuneway.edge.telemetry.observed import observed_event
from tuneway.registry.dead_letters import DeadLetters
from tuneway.settings import from_env

settings = from_env()
logs = configure(settings)
letters = DeadLetters(plugs.documents(settings), plugs.events(settings), now=time.time)
log = logging.getLogger("tuneway.dead_letter")


@functions_framework.cloud_event
@observed_event(logs)
def dead_letter(event: CloudEvent) -> None:
    """Keep the letter; repeating the call changes nothing."""
    found = message(event)
    letter = letters.keep(found.message_id, found.content(), found.attributes)
    log.error("Gave up on a message of %s after %d deliveries.", letter.subscription, letter.deliveries)
