"""Answers that a filter took, or that found no room: the SDKs get the other model's."""

from typing import Any

import pytest

from tests.integration.surfaces.asking import ask
from tests.integration.surfaces.conftest import Behind
from tests.integration.surfaces.door import Door
from tests.integration.surfaces.hosts import HOSTS
from tests.vendors.fake import Fake
from tests.vendors.script import Error, Reply, Text, blocked

both = pytest.mark.parametrize("stream", [False, True])
FILTERED = Reply(finish="content_filter")
FULL = Reply(finish="model_context_window_exceeded")


def routed(door: Door, fakes: dict[str, Fake], alias: str) -> str:
    """A route to the alias's host that leaves to OpenAI's what it does not answer."""
    target = HOSTS[alias].at(fakes)
    return door.route(f"{alias}-or-openai", target, content_fallbacks=("openai",), context_fallbacks=("openai",))


def said(door: Door, model: str, *, stream: bool) -> tuple[str, list[str | None]]:
    """What a chat says, and how it ends."""
    answer: Any = door.sdk(documented=False).chat.completions.create(**ask(model), stream=stream)
    if not stream:
        return answer.choices[0].message.content, [answer.choices[0].finish_reason]
    choices = [choice for chunk in answer for choice in chunk.choices]
    ends = [choice.finish_reason for choice in choices if choice.finish_reason]
    return "".join(choice.delta.content or "" for choice in choices), ends


@both
@pytest.mark.parametrize(
    ("alias", "reply"),
    [
        ("gemini", blocked()),
        ("gemini", FILTERED),
        ("anthropic", FILTERED),
        ("anthropic", FULL),
        ("bedrock", FILTERED),
        ("bedrock", FULL),
        ("vllm", FILTERED),
        ("mistral", Reply(finish="model_length")),
    ],
)
def test_another_model_answers_a_chat(
    door: Door, behind: Behind, fakes: dict[str, Fake], alias: str, reply: Reply, *, stream: bool
) -> None:
    behind(alias).answers(reply)
    behind("openai").answers(Text("Here you are."))
    assert said(door, routed(door, fakes, alias), stream=stream) == ("Here you are.", ["stop"])


@both
@pytest.mark.parametrize("alias", ["anthropic", "claude-vertex", "bedrock-claude", "gemini", "bedrock"])
def test_another_model_answers_a_message(
    door: Door, behind: Behind, fakes: dict[str, Fake], alias: str, *, stream: bool
) -> None:
    behind(alias).answers(FILTERED)
    behind("openai").answers(Text("Here you are."))
    asked: Any = {"model": routed(door, fakes, alias), "max_tokens": 99, "messages": [{"role": "user", "content": "?"}]}
    if stream:
        with door.claude().messages.stream(**asked) as events:
            message = events.get_final_message()
    else:
        message = door.claude().messages.create(**asked)
    assert (message.content[0].text, message.stop_reason) == ("Here you are.", "end_turn")  # type: ignore[union-attr]


@both
def test_an_answer_that_nobody_betters_is_told(
    door: Door, behind: Behind, fakes: dict[str, Fake], *, stream: bool
) -> None:
    behind("gemini").answers(blocked())
    behind("openai").always(Error(503))
    assert said(door, routed(door, fakes, "gemini"), stream=stream) == ("", ["content_filter"])
