"""Anthropic's own surface."""

from starlette.routing import Route

from tests.vendors.anthropic_messages import Messages
from tests.vendors.counting import CountMessages
from tests.vendors.fake import Fake, route


def anthropic_routes(fake: Fake) -> list[Route]:
    """Messages, and what they would cost."""
    return [route(fake, "/v1/messages", Messages()), route(fake, "/v1/messages/count_tokens", CountMessages())]
