"""A caller's words in the prompt that a route keeps for the family of the model that is asked.

Pure: a body in, a body out, in the caller's language. What a prompt does not speak of stays as it came.

| template | stands | ``{{…}}`` in it |
|---|---|---|
| ``system`` | before the caller's instructions, or around them | ``{{system}}`` |
| ``user`` | around the last words of the user | ``{{input}}`` |
| ``completion`` | around the text of ``/v1/completions``, and its suffix | ``{{prompt}}``, ``{{suffix}}`` |
"""

from collections.abc import Callable, Mapping, Sequence
from typing import cast

import msgspec

from tuneway.prediction.chat import Question
from tuneway.prediction.events import Events
from tuneway.prediction.journey import Journey
from tuneway.routing.families import prompt_for
from tuneway.routing.routes import Prompt, Target

Fields = dict[str, object]
Put = Callable[[bytes, Prompt], bytes]
NONE = "none"
_SYSTEM, _INPUT, _PROMPT, _SUFFIX = "{{system}}", "{{input}}", "{{prompt}}", "{{suffix}}"
_INSTRUCTING = ("system", "developer")


class Prompted:
    """``prediction.chat.Question`` of a route that keeps prompts: asked of each target in its family's."""

    def __init__(self, body: bytes, *, journey: Journey, put: Put, question_of: Callable[[bytes], Question]) -> None:
        self._body = body
        self._journey = journey
        self._put = put
        self._question_of = question_of
        self._made: dict[str, Question] = {}

    async def whole(self, target: Target) -> bytes:
        """The answer."""
        return await self._for(target).whole(target)

    async def opened(self, target: Target) -> tuple[bytes, Events]:
        """The first events of a streamed answer, and the rest."""
        return await self._for(target).opened(target)

    def _for(self, target: Target) -> Question:
        """The question in the target's family's prompt; made once for each family."""
        found = prompt_for(self._journey.route.prompts, target)
        family = NONE if found is None else found[0]
        self._journey.family = family
        if family not in self._made:
            body = self._body if found is None else self._put(self._body, found[1])
            self._made[family] = self._question_of(body)
        return self._made[family]


def chat_prompted(body: bytes, prompt: Prompt) -> bytes:
    """A chat of OpenAI's in the prompt; a body that is none is left for its reader to refuse."""
    fields = _fields(body)
    turns = _turns(fields)
    if turns is None:
        return body
    return msgspec.json.encode({**fields, "messages": _with_user(_with_system(turns, prompt), prompt)})


def messages_prompted(body: bytes, prompt: Prompt) -> bytes:
    """Anthropic's messages in the prompt."""
    fields = _fields(body)
    turns = _turns(fields)
    if turns is None:
        return body
    after = {**fields, "messages": _with_user(turns, prompt)}
    if prompt.system is not None:
        after["system"] = _around_system(prompt.system, fields.get("system"))
    return msgspec.json.encode(after)


def completion_prompted(body: bytes, prompt: Prompt) -> bytes:
    """A completion's text in the prompt; several texts are several prompts, tokens are left as they are."""
    fields = _fields(body)
    if prompt.completion is None or "prompt" not in fields:
        return body
    # By pieces, so that a suffix that holds such a mark itself stays as it is.
    pieces = prompt.completion.split(_SUFFIX)
    suffix = fields.get("suffix")
    if len(pieces) > 1:
        fields = {name: value for name, value in fields.items() if name != "suffix"}
    between = suffix if isinstance(suffix, str) else ""
    given = fields["prompt"]
    many = isinstance(given, list)
    filled = [_filled(pieces, between, text) for text in cast("list[object]", given if many else [given])]
    return msgspec.json.encode({**fields, "prompt": filled if many else filled[0]})


def _filled(pieces: Sequence[str], between: str, text: object) -> object:
    return between.join(piece.replace(_PROMPT, text) for piece in pieces) if isinstance(text, str) else text


def _fields(body: bytes) -> Fields:
    try:
        return msgspec.json.decode(body, type=Fields)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return {}


def _turns(fields: Fields) -> list[Fields] | None:
    try:
        return msgspec.convert(fields.get("messages"), list[Fields])
    except msgspec.ValidationError:
        return None


def _with_system(turns: Sequence[Fields], prompt: Prompt) -> list[Fields]:
    """The first instruction within the template; where there is none, the template is it."""
    if prompt.system is None:
        return list(turns)
    if turns and turns[0].get("role") in _INSTRUCTING:
        first = {**turns[0], "content": _around_system(prompt.system, turns[0].get("content"))}
        return [first, *turns[1:]]
    return [{"role": "system", "content": _around_system(prompt.system, None)}, *turns]


def _around_system(template: str, given: object) -> object:
    """Instructions in the template: a text in a text; blocks stay blocks, between the template's two halves."""
    before, named, after = template.partition(_SYSTEM)
    if given is None or given == "":
        return (before + after).strip() if named else template
    if isinstance(given, str):
        return f"{before}{given}{after}" if named else f"{template}\n\n{given}"
    blocks = cast("list[object]", given) if isinstance(given, list) else [given]
    return [*_block(before), *blocks, *_block(after)]


def _block(text: str) -> list[Mapping[str, str]]:
    return [{"type": "text", "text": text.strip()}] if text.strip() else []


def _with_user(turns: Sequence[Fields], prompt: Prompt) -> list[Fields]:
    """The last user's turn that has words, with its last words in the template."""
    if prompt.user is None:
        return list(turns)
    for place in reversed(range(len(turns))):
        if turns[place].get("role") == "user":
            content = _around_input(prompt.user, turns[place].get("content"))
            if content is not None:
                return [*turns[:place], {**turns[place], "content": content}, *turns[place + 1 :]]
    return list(turns)


def _around_input(template: str, content: object) -> object | None:
    if isinstance(content, str):
        return template.replace(_INPUT, content)
    blocks = cast("list[object]", content) if isinstance(content, list) else []
    for place in reversed(range(len(blocks))):
        text = _text_of(blocks[place])
        if text is not None:
            block = {**cast("Fields", blocks[place]), "text": template.replace(_INPUT, text)}
            return [*blocks[:place], block, *blocks[place + 1 :]]
    return None


def _text_of(block: object) -> str | None:
    fields = cast("Fields", block) if isinstance(block, dict) else {}
    text = fields.get("text")
    return text if fields.get("type") == "text" and isinstance(text, str) else None
