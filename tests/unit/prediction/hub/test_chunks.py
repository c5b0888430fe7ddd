import msgspec

from tests.unit.prediction.asking import exchange
from tuneway.prediction.hub.answer import AnswerMessage, ChatCompletion, Choice, ToolCall, Usage
from tuneway.prediction.hub.chunks import as_chunks
from tuneway.prediction.hub.messages import CalledFunction


def test_whole_tool_calls_are_told_as_numbered_deltas() -> None:
    calls = [ToolCall(id=id_, function=CalledFunction(name="f", arguments="{}")) for id_ in ("a", "b")]
    choice = Choice(index=0, message=AnswerMessage(content=None, tool_calls=calls), finish_reason="tool_calls")
    usage = Usage(prompt_tokens=1, completion_tokens=1, total_tokens=2)
    first, last = as_chunks(ChatCompletion(id="i", created=1, model="m", choices=[choice], usage=usage), exchange())
    told = msgspec.to_builtins(first.choices[0].delta)
    assert [(call["index"], call["id"]) for call in told["tool_calls"]] == [(0, "a"), (1, "b")]
    assert last.choices[0].finish_reason == "tool_calls"
