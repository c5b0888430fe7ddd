"""Whatever the surface, and however a host's bytes come: a stream that is poured tells what one that is not would."""

import asyncio
import json
from collections import defaultdict
from pathlib import Path

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.golden.streams import (
    CASES,
    CHATTING,
    SINGLE,
    Ask,
    Hosts,
    Way,
    answered,
    body,
    chat,
    chats,
    completions,
    messages,
    name,
    prompts,
    speaker,
)
from tests.splits import splits
from tuneway.errors import TunewayError
from tuneway.routing.routes import Target

ONE_BY_ONE = Way()
WAYS = st.builds(Way, poured_after=st.integers(0, 2), slow=st.lists(st.booleans(), max_size=12))
ALONE: tuple[Ask, ...] = (chat, messages, completions)
SEVERAL: tuple[Ask, ...] = (chats, prompts)


def targets(ask: Ask, case: Path) -> Target:
    """The case's own target; OpenAI's words are said by one that is asked for each choice, or for chats alone."""
    target = msgspec.structs.replace(speaker(case), drop_params=("thinking",))
    if target.dialect != "openai" or case.parent.name == "completions":
        return target
    return {"chats": SINGLE, "completions": CHATTING, "prompts": CHATTING}.get(ask.__name__, target)


def outcome(ask: Ask, case: Path, hosts: Hosts, way: Way = ONE_BY_ONE) -> bytes | str:
    """What the caller gets, or what is raised before there is anything."""
    try:
        answer = asyncio.run(answered(ask, targets(ask, case), hosts, way))
    except TunewayError as exc:
        return exc.message
    assert answer.journey.usage is not None
    return answer.told


def by_choice(told: bytes | str) -> object:
    """The events of each choice in their order; those of no choice stand together, as they are."""
    if isinstance(told, str):
        return told
    sorted_: defaultdict[object, list[bytes]] = defaultdict(list)
    for event in told.split(b"\n\n"):
        data = event.removeprefix(b"data: ")
        choices = json.loads(data).get("choices") if data.startswith(b"{") else None
        sorted_[choices[0]["index"] if choices else None].append(event)
    return sorted_


@pytest.mark.parametrize("case", CASES, ids=name)
@given(data=st.data())
@settings(max_examples=6, deadline=None)
def test_any_split_poured_gives_the_bytes_of_the_whole(case: Path, data: st.DataObject) -> None:
    cut, whole, way = Hosts(data.draw(splits(body(case)))), Hosts([body(case)]), data.draw(WAYS)
    for ask in ALONE:
        assert outcome(ask, case, cut, way) == outcome(ask, case, whole), ask.__name__


@pytest.mark.parametrize("case", CASES, ids=name)
@given(data=st.data())
@settings(max_examples=6, deadline=None)
def test_several_calls_poured_together_give_each_choice_its_bytes(case: Path, data: st.DataObject) -> None:
    cut, whole, way = Hosts(data.draw(splits(body(case)))), Hosts([body(case)]), data.draw(WAYS)
    for ask in SEVERAL:
        assert by_choice(outcome(ask, case, cut, way)) == by_choice(outcome(ask, case, whole)), ask.__name__


@pytest.mark.parametrize("case", CASES, ids=name)
@given(data=st.data())
@settings(max_examples=6, deadline=None)
def test_a_stream_that_breaks_is_told_the_same_poured(case: Path, data: st.DataObject) -> None:
    whole = body(case)
    pieces = data.draw(splits(whole[: data.draw(st.integers(0, len(whole)))]))
    hosts, way = Hosts(pieces, breaks=data.draw(st.booleans())), data.draw(WAYS)
    for ask in ALONE:
        assert outcome(ask, case, hosts, way) == outcome(ask, case, hosts), ask.__name__


def test_nearly_all_are_answers() -> None:
    """What is refused alike both ways would prove nothing."""
    told = [(name(case), ask, outcome(ask, case, Hosts([body(case)]))) for case in CASES for ask in (*ALONE, *SEVERAL)]
    refused = {(case, ask.__name__) for case, ask, answer in told if isinstance(answer, str)}
    assert refused == {("completions/codestral_fim", "prompts")}


@pytest.mark.parametrize("ask", [*ALONE, *SEVERAL], ids=lambda ask: ask.__name__)
def test_no_task_wakes_for_an_arrival(ask: Ask) -> None:
    """But for the first and the last of each call, and for what stands at the end of all."""
    case = next(case for case in CASES if name(case) == "gemini/plain_text")
    pieces = [piece + b"\r\n\r\n" for piece in body(case).split(b"\r\n\r\n") if piece]
    answer = asyncio.run(answered(ask, targets(ask, case), Hosts(pieces * 20), Way(poured_after=0)))
    calls = 4 if ask is prompts else 2
    assert (answer.poured > 50, answer.woken <= 2 * calls + 1) == (True, True)
