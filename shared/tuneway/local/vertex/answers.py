"""What a simulated model says: a tuned one answers from its training examples, a base one echoes."""

import functools

import msgspec

from tuneway.local.vertex.contents import Declaration, GenerateBody, GenerationConfig
from tuneway.local.vertex.narrow import mapping, text
from tuneway.local.vertex.nearest import Nearest
from tuneway.local.vertex.schemas import sample
from tuneway.local.vertex.store import Store
from tuneway.local.vertex.tokens import first_tokens, tokens_in

JSON = "application/json"
INDEXES_KEPT = 16


class Answer(msgspec.Struct, frozen=True):
    """The parts of one candidate and why it ended."""

    parts: list[dict[str, object]]
    finish: str = "STOP"

    @property
    def text(self) -> str:
        """Its text."""
        return "".join(str(part["text"]) for part in self.parts if "text" in part)

    @property
    def tokens(self) -> int:
        """Its length."""
        calls = [msgspec.json.encode(part).decode() for part in self.parts if "text" not in part]
        return tokens_in(self.text) + sum(tokens_in(call) for call in calls)


class Speaker(msgspec.Struct, frozen=True):
    """Who answers: ``sources`` are the jobs a tuned model learned from; a base model has none."""

    name: str
    store: Store
    sources: tuple[str, ...] = ()


def answer(speaker: Speaker, request: GenerateBody) -> Answer:
    """The answer to a request."""
    forced = _forced_call(request)
    if forced is not None:
        return Answer([{"functionCall": {"name": forced.name, "args": _arguments(forced)}}])
    parts = _parts(speaker, request)
    if any("text" not in part for part in parts):
        return Answer(parts)
    words = "".join(str(part["text"]) for part in parts)
    return _limited(_as_json(words, request.generation_config), request.generation_config)


def echo(model: str, asked: str) -> str:
    """What an untuned model says."""
    return f"This is a simulated answer from {model}, which has not been tuned. You asked: {asked}"


def recalled(speaker: Speaker, asked: str) -> str | None:
    """The text that a tuned model has learned to say to this; None for one that has learned nothing."""
    parts = _learned(speaker, asked)
    return None if parts is None else "".join(text(part.get("text")) for part in parts)


def _parts(speaker: Speaker, request: GenerateBody) -> list[dict[str, object]]:
    return _learned(speaker, request.asked) or [{"text": echo(speaker.name, request.asked)}]


def _learned(speaker: Speaker, asked: str) -> list[dict[str, object]] | None:
    found = _index(speaker.store, speaker.sources).find(asked) if speaker.sources else None
    return None if found is None else msgspec.json.decode(found.answer, type=list[dict[str, object]])


@functools.lru_cache(maxsize=INDEXES_KEPT)
def _index(store: Store, sources: tuple[str, ...]) -> Nearest:
    """A model's index; what a job has learned never changes, so it is built once."""
    # The newest job speaks first where two have learned the same prompt.
    return Nearest([example for source in reversed(sources) for example in store.learned(source)])


def _forced_call(request: GenerateBody) -> Declaration | None:
    config = request.tool_config.function_calling_config
    if config.mode != "ANY":
        return None
    allowed = config.allowed_function_names
    return next((each for each in request.functions if not allowed or each.name in allowed), None)


def _arguments(declaration: Declaration) -> dict[str, object]:
    schema = declaration.parameters or declaration.parameters_json_schema or {}
    return mapping(sample({"type": "object", "properties": {}, **schema}))


def _as_json(words: str, config: GenerationConfig) -> str:
    schema = config.response_schema or mapping(config.response_json_schema)
    if config.response_mime_type != JSON and not schema:
        return words
    if schema:
        return msgspec.json.encode(sample(schema, words=words)).decode()
    try:
        msgspec.json.decode(words)
    except msgspec.DecodeError:
        return msgspec.json.encode({"answer": words}).decode()
    return words


def _limited(words: str, config: GenerationConfig) -> Answer:
    stops = [place for stop in config.stop_sequences if stop and (place := words.find(stop)) >= 0]
    kept = words[: min(stops)] if stops else words
    if config.max_output_tokens is not None and tokens_in(kept) > config.max_output_tokens:
        return Answer([{"text": first_tokens(kept, config.max_output_tokens)}], "MAX_TOKENS")
    return Answer([{"text": kept}])
