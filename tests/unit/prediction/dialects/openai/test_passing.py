import json
from typing import Any

import pytest

from tuneway.errors import BadInput, UpstreamError
from tuneway.prediction.dialects.openai.passage import Kind, asked_of, passage_of
from tuneway.prediction.dialects.openai.passing import StreamPass

DONE = b"data: [DONE]\n\n"


def stream(*, kind: Kind = "chat", **fields: Any) -> StreamPass:
    body = {"model": "alias", "messages": [{"role": "user", "content": "12345678"}], **fields}
    return StreamPass(passage_of(json.dumps(body).encode(), answer_id="chatcmpl-1", created=1, kind=kind))


def event(content: str | None = "x", finish: str | None = None, **fields: Any) -> bytes:
    delta = {} if content is None else {"content": content}
    choices = [{"index": 0, "delta": delta, "finish_reason": finish}]
    head = {"id": "chatcmpl-up", "object": "chat.completion.chunk", "created": 2, "model": "up"}
    return json.dumps({**head, "choices": choices, **fields}, separators=(",", ":")).encode()


def told(piece: bytes) -> Any:
    return json.loads(piece.removeprefix(b"data: "))


def text(words: str, finish: str | None = None) -> bytes:
    choices = [{"index": 0, "text": words, "logprobs": None, "finish_reason": finish}]
    head = {"id": "cmpl-up", "object": "text_completion", "created": 2, "model": "up"}
    return json.dumps({**head, "choices": choices}).encode()


def test_an_event_passes_as_it_came_but_for_the_model() -> None:
    came = event(service_tier="x", new={"deep": 1.50})
    assert stream().decode(came) == b"data: %b\n\n" % came.replace(b'"up"', b'"alias"')


def test_a_model_named_twice_is_replaced_where_it_counts() -> None:
    first = told(stream().decode(event(nested={"model": "up"})))
    assert (first["model"], first["nested"]) == ("alias", {"model": "up"})


def test_a_model_of_the_same_name_passes_untouched() -> None:
    assert stream().decode(event(model="alias")) == b"data: %b\n\n" % event(model="alias")


def test_another_model_in_the_middle_is_replaced_too() -> None:
    passing = stream()
    assert [told(passing.decode(event(model=name)))["model"] for name in ("up", "ü p", "up")] == ["alias"] * 3


def test_an_event_of_several_lines_leaves_as_one() -> None:
    lines = event().replace(b",", b",\n")
    assert stream().decode(lines).count(b"\n") == 2


def test_the_usage_is_counted_and_hidden_from_who_did_not_ask() -> None:
    passing = stream()
    counted = event(choices=[], usage={"prompt_tokens": 3, "completion_tokens": 4, "total_tokens": 7})
    assert b"usage" not in passing.decode(event(finish="stop", usage=None))
    assert passing.decode(counted) == b""
    assert passing.decode(b"[DONE]") == DONE
    assert passing.usage.total_tokens == 7


def test_usage_in_the_last_answer_waits_for_a_chunk_of_its_own() -> None:
    passing = stream(stream_options={"include_usage": True})
    usage = {"prompt_tokens": 3, "completion_tokens": 4}
    assert "usage" not in told(passing.decode(event(finish="stop", usage=usage)))
    last, done, _ = passing.flush().split(b"\n\n")
    assert told(last)["usage"]["total_tokens"] == 7
    assert told(last)["id"] == "chatcmpl-1"
    assert done + b"\n\n" == DONE


def test_usage_in_every_chunk_stays_where_it_was_asked_for() -> None:
    passing = stream(stream_options={"include_usage": True, "continuous_usage_stats": True})
    usage = {"prompt_tokens": 3, "completion_tokens": 4, "total_tokens": 7, "prompt_tokens_details": None}
    assert told(passing.decode(event(usage=usage)))["usage"]["total_tokens"] == 7


def test_tokens_nobody_counted_are_estimated() -> None:
    passing = stream()
    passing.decode(event("12345"))
    assert (passing.usage.prompt_tokens, passing.usage.completion_tokens) == (2, 2)
    assert passing.usage.estimated is True


def test_a_missing_end_is_added_once_every_choice_has_its_finish() -> None:
    passing = stream()
    passing.decode(event(finish="stop"))
    assert (passing.flush(), passing.flush()) == (DONE, b"")


def test_a_missing_finish_is_added_where_the_end_was_told() -> None:
    passing = stream()
    passing.decode(event())
    finish, done, _ = passing.decode(b"[DONE]").split(b"\n\n")
    assert told(finish)["choices"][0]["finish_reason"] == "stop"
    assert told(finish)["id"] == "chatcmpl-up"
    assert done + b"\n\n" == DONE


def test_a_stream_without_finish_and_end_is_broken() -> None:
    passing = stream()
    passing.decode(event())
    with pytest.raises(UpstreamError, match="broke off"):
        passing.flush()


@pytest.mark.parametrize("end", [b"[DONE]", None])
def test_a_stream_without_an_answer_is_broken(end: bytes | None) -> None:
    passing = stream()
    with pytest.raises(UpstreamError, match="without an answer"):
        passing.flush() if end is None else passing.decode(end)


def test_nothing_follows_the_end() -> None:
    passing = stream()
    passing.decode(event(finish="stop"))
    assert passing.decode(b"[DONE]") == DONE
    assert passing.decode(event()) == b""


@pytest.mark.parametrize(
    ("body", "status"),
    [
        (b'{"error": {"message": "too many", "code": 429}}', 429),
        (b'{"object": "error", "message": "no", "code": 400}', 400),
        (b'{"error": "overloaded", "error_type": "overloaded"}', 502),
        (b"<html>", 502),
        (b'{"choices": {}}', 502),
        (b'{"x":' + b"[" * 100_000, 502),
        (b'"\xff"', 502),
    ],
)
def test_an_event_that_is_no_answer_is_an_error(body: bytes, status: int) -> None:
    with pytest.raises(UpstreamError) as caught:
        stream().decode(body)
    assert caught.value.status == status


@pytest.mark.parametrize("head", [{"id": "", "created": 0}, {"id": "chatcmpl-up", "created": 2}])
def test_what_is_said_before_any_choice_goes_with_the_first(head: dict[str, Any]) -> None:
    passing = stream()
    assert passing.decode(event(choices=[], prompt_filter_results=[1], **head)) == b""
    first, second = told(passing.decode(event("Hi"))), told(passing.decode(event(" you", "stop")))
    assert (first["prompt_filter_results"], first["choices"][0]["delta"]) == ([1], {"content": "Hi"})
    assert "prompt_filter_results" not in second
    assert passing.decode(b"[DONE]") == DONE
    assert passing.usage.completion_tokens == 2


def test_findings_about_the_prompt_alone_are_no_answer() -> None:
    passing = stream()
    passing.decode(event(choices=[], prompt_filter_results=[1]))
    with pytest.raises(UpstreamError, match="without an answer"):
        passing.flush()


def test_an_odd_usage_counts_nothing() -> None:
    passing = stream()
    passing.decode(event(finish="stop", usage={"tokens": "many"}))
    assert passing.decode(event(choices=[], usage={"tokens": 1})) == b""
    assert passing.usage.estimated is True


def test_texts_pass_too() -> None:
    passing = stream(kind="text")
    assert told(passing.decode(text("x")))["choices"][0]["text"] == "x"
    assert told(passing.decode(text("y", "eos")))["choices"][0]["finish_reason"] == "stop"
    assert passing.flush() == DONE
    assert passing.usage.completion_tokens == 1


def test_a_chats_stream_is_told_as_texts() -> None:
    passing = stream(kind="text")
    piece = told(passing.decode(event("x", "tool_calls")))
    assert piece["object"] == "text_completion"
    assert piece["choices"] == [{"index": 0, "finish_reason": "stop", "text": "x", "logprobs": None}]


@pytest.mark.parametrize("body", [b"{", b'{"model": 5}', b'{"model": ""}', b"[]", b'{"model": "m", "stream": "yes"}'])
def test_a_body_that_asks_for_nothing_is_bad_input(body: bytes) -> None:
    with pytest.raises(BadInput):
        passage_of(body, answer_id="x", created=1)


def test_what_is_asked_is_read_without_the_conversation() -> None:
    asked = asked_of(b'{"model": "m", "messages": 5, "stream": true}')
    assert (asked.model, asked.stream) == ("m", True)
