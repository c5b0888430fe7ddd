"""Providers by name: where each is called, what it does to a body, how a caller proves himself, how streams are cut."""

from collections.abc import Callable, Mapping

import msgspec

from tuneway.ports import Auth
from tuneway.prediction.providers import anthropic, azure, bedrock, custom_openai, openai, vertex_publishers
from tuneway.prediction.providers.addresses import Call, Framing, Operation, instead
from tuneway.routing.routes import Provider, Target


def _as_it_is(body: Mapping[str, object], _: Call) -> Mapping[str, object]:
    return body


def _google(_: Target) -> Auth:
    """The service account's token; the location's host gets it and no other."""
    return Auth(kind="google")


def _no_headers(_: Target) -> Mapping[str, str]:
    return {}


def _sse(_: Target) -> Framing:
    return "sse"


def _event_stream(_: Target) -> Framing:
    return "event_stream"


class Hosting(msgspec.Struct, frozen=True, kw_only=True):
    """A provider: five small pure functions, three of which most do without."""

    url: Callable[[Call], str]
    auth: Callable[[Target], Auth]
    wrap: Callable[[Mapping[str, object], Call], Mapping[str, object]] = _as_it_is
    headers: Callable[[Target], Mapping[str, str]] = _no_headers
    framing: Callable[[Target], Framing] = _sse


PROVIDERS: dict[Provider, Hosting] = {
    "anthropic": Hosting(url=anthropic.url, auth=anthropic.auth, wrap=anthropic.wrap, headers=anthropic.headers),
    "azure": Hosting(url=azure.url, auth=azure.auth, wrap=azure.wrap, headers=azure.headers),
    "bedrock": Hosting(url=bedrock.url, auth=bedrock.auth, wrap=bedrock.wrap, framing=_event_stream),
    "custom_openai": Hosting(url=custom_openai.url, auth=custom_openai.auth),
    "openai": Hosting(url=openai.url, auth=openai.auth),
    "vertex": Hosting(
        url=vertex_publishers.url,
        auth=_google,
        wrap=vertex_publishers.wrap,
        headers=vertex_publishers.headers,
        framing=vertex_publishers.framing,
    ),
}


def url(target: Target, *, operation: Operation = "chat", stream: bool = False, base_url: str | None = None) -> str:
    """Where to POST; ``base_url`` stands in for scheme and host, the path stays. Raises BadInput."""
    call = Call(target=target, operation=operation, stream=stream)
    return instead(PROVIDERS[target.provider].url(call), base_url)


def wrap(body: Mapping[str, object], target: Target, *, stream: bool = False) -> Mapping[str, object]:
    """A dialect's body as this provider takes it."""
    return PROVIDERS[target.provider].wrap(body, Call(target=target, stream=stream))


def auth(target: Target) -> Auth:
    """How the call proves who sends it. Raises BadInput."""
    return PROVIDERS[target.provider].auth(target)


def headers(target: Target) -> Mapping[str, str]:
    """What goes into the header besides the proof and the body's type."""
    return PROVIDERS[target.provider].headers(target)


def framing(target: Target) -> Framing:
    """How a streamed answer is cut into events; ``none`` where the host cannot stream."""
    return PROVIDERS[target.provider].framing(target)
