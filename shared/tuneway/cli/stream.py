"""Read a streamed chat completion."""

from collections.abc import Iterator, Sequence

import msgspec

from tuneway.cli.client import Client


class _Delta(msgspec.Struct, frozen=True):
    content: str | None = None


class _Choice(msgspec.Struct, frozen=True):
    delta: _Delta


class _Chunk(msgspec.Struct, frozen=True):
    choices: list[_Choice] = []


def deltas(client: Client, model: str, messages: Sequence[dict[str, str]]) -> Iterator[str]:
    """The pieces of the answer's text as they arrive. Raises Failed."""
    body = {"model": model, "messages": messages, "stream": True}
    for event in client.stream("/v1/chat/completions", body):
        for choice in msgspec.convert(event, _Chunk).choices:
            if choice.delta.content:
                yield choice.delta.content
